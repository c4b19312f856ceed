/* What a GAN has learned, after each epoch. */
#include "train/adversarial_state.h"

#include "parallel/collectives.h"
#include "base/exact.h"
#include "base/interrupt.h"
#include "base/memory.h"

/* A judging of validation rows and as many generated ones, and exact sums of it. */
typedef struct judging {
    const ls_trainer *t;
    const ls_generator *g;
    const float *params; /* of the discriminator */
    float *dy;           /* [LS_EVALUATION_ROWS][judgements] scratch */
    double sums[LS_SUMS][LS_EXACT_PARTS];
    int64_t rows;
} judging;

/* Adds the score of a side. Local. */
static void judge_side(judging *j, const ls_adversarial_terms *terms, ls_network *network,
                       const ls_batch *batch)
{
    double sums[LS_SUMS];
    const float *y = ls_network_forward(network, j->params, batch);
    ls_score score = ls_adversarial_score(terms, batch, 0, batch->rows, y, j->dy);
    if (terms->side == LS_SIDE_GENERATOR)
        score = (ls_score){.generator_loss = score.loss, .generated = (double)batch->rows};
    ls_score_get(&score, sums);
    for (int i = 0; i < LS_SUMS; i++)
        ls_exact_add(sums[i], j->sums[i], 1);
}

/* Judges the validation rows in the discriminator's batch. Local. */
static void judge_batch(judging *j)
{
    const ls_adversarial *a = j->t->adversarial;
    ls_batch *batch = ls_replica_batch(a->discriminator), *noise = j->g->batch;
    judge_side(j, &a->of_data, ls_replica_network(a->discriminator), batch);
    ls_adversarial_follow(noise, batch, a->of_data.classes);
    const float *x = ls_generator_forward(j->g);
    const ls_batch generated = ls_adversarial_as_inputs(noise, x, batch->features);
    judge_side(j, &a->of_generated, a->judge, &generated);
    judge_side(j, &a->of_generator, a->judge, &generated);
    j->rows += batch->rows;
}

/* Judges this rank's validation rows. Local. */
static ls_status judge_rows(judging *j, ls_rows *rows)
{
    ls_batch *batch = ls_replica_batch(j->t->adversarial->discriminator);
    j->dy = ls_alloc(LS_EVALUATION_ROWS * (1 + j->g->classes), sizeof *j->dy);
    ls_status status = j->dy == NULL ? LS_ERR_FAILURE : ls_rows_next(rows, batch);
    while (status == LS_OK && batch->rows > 0) {
        judge_batch(j);
        status = ls_interrupt_poll(LS_INTERRUPT_GRACE);
        if (status == LS_OK)
            status = ls_rows_next(rows, batch);
    }
    ls_free(j->dy);
    return status;
}

ls_status ls_adversarial_measure(ls_trainer *t, const float *params, ls_metrics *m)
{
    const ls_generator g = ls_sampler_generator(t, params);
    judging j = {.t = t, .g = &g};
    ls_rows *rows = NULL;
    ls_status status = ls_replica_params(t->learner[LS_DISCRIMINATOR].replica, &j.params);
    if (status != LS_OK || ls_trainer_dataset(t)->rows[LS_VALIDATION] == 0)
        return status;
    status = ls_loader_rows(&rows, t->loader, false);
    if (status == LS_OK)
        status = judge_rows(&j, rows);
    ls_rows_destroy(&rows);
    status = ls_agree(t->comm, status);
    if (status != LS_OK)
        return status;
    double sums[LS_SUMS];
    ls_allreduce_doubles(t->comm, j.sums[0], LS_SUMS * LS_EXACT_PARTS);
    ls_allreduce_integers(t->comm, &j.rows, 1);
    for (int i = 0; i < LS_SUMS; i++)
        sums[i] = ls_exact_total(j.sums[i], 1);
    ls_score score = {.rows = j.rows};
    ls_score_set(&score, sums);
    ls_metrics_set_score(m, true, &t->task, &score);
    return LS_OK;
}
