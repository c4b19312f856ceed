/* What a GAN has learned, after each epoch. */
#include "train/adversarial_state.h"

#include "parallel/collectives.h"
#include "base/exact.h"
#include "base/integer.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "train/nearest.h"
#include "train/reading.h"

#include <math.h>
#include <string.h>

enum { COPIES = 100 /* rows whose nearest training rows are looked for */ };

ls_generator ls_adversarial_generator(const ls_trainer *t, const float *params)
{
    const ls_adversarial *a = t->adversarial;
    const ls_dataset_info *d = ls_trainer_dataset(t);
    return (ls_generator){.network = ls_replica_network(a->generator),
                          .params = params,
                          .batch = ls_replica_batch(a->generator),
                          .seed = t->config->seed,
                          .classes = a->of_data.classes,
                          .condition = -1,
                          .picture = {d->channels, d->height, d->width},
                          .units = &a->units.targets};
}

/* Measures the validation rows, with which generated ones are compared. Collective. */
static ls_status score_validation(ls_trainer *t)
{
    ls_row_scores scores;
    ls_rows *rows = NULL;
    ls_scoring *scoring = t->adversarial->scoring;
    const ls_model_data data = {.path = t->config->data,
                                .options = ls_reading_options(t->config),
                                .split = LS_VALIDATION,
                                .read = t->config->read,
                                .trust = true};
    ls_status status = ls_model_read(&rows, ls_scoring_classifier(scoring), &data);
    if (status == LS_OK)
        status = ls_scoring_real(scoring, rows, &scores);
    ls_rows_destroy(&rows);
    if (status == LS_OK)
        ls_trainer_note(t, "--score: the %lld validation rows score %.3f by %s",
                        (long long)scores.rows, scores.score, t->config->score);
    return status;
}

ls_status ls_adversarial_open_scoring(ls_trainer *t)
{
    const ls_train_config *c = t->config;
    const ls_dataset_info *d = ls_trainer_dataset(t);
    const int64_t validation = d->rows[LS_VALIDATION];
    if (t->adversarial == NULL || *c->score == '\0')
        return LS_OK;
    const ls_status status = ls_scoring_open(&t->adversarial->scoring, t->comm, c->score,
                                             (ls_shape){d->channels, d->height, d->width});
    return status == LS_OK && validation > 0 ? score_validation(t) : status;
}

/* Adds this rank's part of generated rows to those that are scored. Local. */
static ls_status add_generated(const ls_trainer *t, const ls_generator *g)
{
    const ls_adversarial *a = t->adversarial;
    const ls_range mine =
        ls_evaluation_shard(t->config->score_rows, ls_comm_size(t->comm), t->rank);
    ls_status status = LS_OK;
    for (int64_t done = 0, rows; status == LS_OK && done < mine.count; done += rows) {
        rows = ls_min(mine.count - done, LS_EVALUATION_ROWS);
        ls_generator_make(g, mine.first + done, rows, a->rows);
        status = ls_scoring_add(a->scoring, rows, a->rows);
        if (status == LS_OK)
            status = ls_interrupt_poll(LS_INTERRUPT_GRACE);
    }
    return status;
}

/* Scores generated rows. Collective. */
static ls_status score_generated(ls_trainer *t, const ls_generator *g, ls_metrics *m)
{
    ls_row_scores scores;
    if (t->adversarial->scoring == NULL)
        return LS_OK;
    ls_status status = ls_agree(t->comm, add_generated(t, g));
    if (status == LS_OK)
        status = ls_scoring_finish(t->adversarial->scoring, false, &scores);
    if (status != LS_OK)
        return status;
    m->val_score = scores.score;
    m->val_frechet = scores.frechet;
    m->val_least_class = scores.least_class;
    return LS_OK;
}

/* Shows generated rows to the observer; on rank 0. Local. */
static ls_status show_generated(const ls_trainer *t, const ls_generator *g)
{
    const int64_t count = t->config->samples, size = ls_shape_size(g->picture);
    if (count == 0 || t->observer->samples == NULL)
        return LS_OK;
    float *rows = ls_alloc(count * size, sizeof *rows);
    if (rows == NULL)
        return LS_ERR_FAILURE;
    for (int64_t done = 0; done < count; done += LS_EVALUATION_ROWS)
        ls_generator_make(g, done, ls_min(count - done, LS_EVALUATION_ROWS), rows + done * size);
    const ls_status status = t->observer->samples(
        t->observer->user, &(ls_generated){.epoch = t->progress.epoch + 1,
                                           .rows = count,
                                           .classes = g->classes,
                                           .shape = g->picture,
                                           .element = ls_trainer_dataset(t)->element,
                                           .x = rows});
    ls_free(rows);
    return status;
}

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

/* Measures both networks on the validation rows. Collective. */
static ls_status judge_validation(ls_trainer *t, const ls_generator *g, ls_metrics *m)
{
    judging j = {.t = t, .g = g};
    ls_rows *rows = NULL;
    ls_status status = ls_replica_params(t->learner[LS_DISCRIMINATOR].replica, &j.params);
    if (status != LS_OK || ls_trainer_dataset(t)->rows[LS_VALIDATION] == 0)
        return status;
    status = ls_loader_rows(&rows, t->loader, LS_VALIDATION);
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

/* Computes the mean distance of rows from the nearest training rows. Collective.
 * rows  [count][picture] as the network reads them */
static ls_status find_nearest(ls_trainer *t, int64_t count, const float *rows, double *out)
{
    return ls_nearest_distance(t->comm, t->loader,
                               ls_replica_batch(t->learner[LS_DISCRIMINATOR].replica), count, rows,
                               out);
}

/* Takes the first validation rows, which one of the ranks has. Collective.
 * count  on return their number, at most COPIES */
static ls_status take_validation(ls_trainer *t, float *out, int64_t *count)
{
    ls_rows *rows = NULL;
    ls_batch *batch = ls_replica_batch(t->learner[LS_DISCRIMINATOR].replica);
    ls_status status = ls_loader_rows(&rows, t->loader, LS_VALIDATION);
    if (status == LS_OK)
        status = ls_rows_next(rows, batch);
    ls_rows_destroy(&rows);
    status = ls_agree(t->comm, status);
    if (status != LS_OK)
        return status;
    const int owner = ls_argmax_rank(t->comm, batch->rows > 0 && batch->ids[0] == 0 ? 1 : 0);
    *count = ls_min(batch->rows, COPIES);
    memcpy(out, batch->x, (size_t)(*count * batch->features) * sizeof *out);
    ls_broadcast_from(t->comm, count, sizeof *count, owner);
    ls_broadcast_from(t->comm, out, (size_t)(*count * batch->features) * sizeof *out, owner);
    return LS_OK;
}

/* Compares generated rows with the training rows, as validation rows compare with them. Collective.
 */
static ls_status compare_nearest(ls_trainer *t, const ls_generator *g, float *rows, ls_metrics *m)
{
    ls_adversarial *a = t->adversarial;
    int64_t count = COPIES;
    double distance;
    ls_status status = LS_OK;
    if (a->real_nearest == 0) {
        status = take_validation(t, rows, &count);
        if (status == LS_OK && count > 0)
            status = find_nearest(t, count, rows, &a->real_nearest);
    }
    if (status != LS_OK || a->real_nearest == 0)
        return status;
    ls_generator_number(g, 0, COPIES);
    memcpy(rows, ls_generator_forward(g),
           (size_t)(COPIES * ls_shape_size(g->picture)) * sizeof *rows);
    status = find_nearest(t, COPIES, rows, &distance);
    if (status == LS_OK)
        m->val_nearest = distance / a->real_nearest;
    return status;
}

/* Measures copies of training rows, unless the rows are streamed from the file. Collective. */
static ls_status measure_nearest(ls_trainer *t, const ls_generator *g, ls_metrics *m)
{
    if (t->config->stream || ls_trainer_dataset(t)->rows[LS_VALIDATION] == 0)
        return LS_OK;
    float *rows = ls_alloc(COPIES * ls_shape_size(g->picture), sizeof *rows);
    ls_status status = ls_agree(t->comm, rows == NULL ? LS_ERR_FAILURE : LS_OK);
    if (status == LS_OK)
        status = compare_nearest(t, g, rows, m);
    ls_free(rows);
    return status;
}

ls_status ls_adversarial_measure(ls_trainer *t, const float *params, ls_metrics *m)
{
    const ls_generator g = ls_adversarial_generator(t, params);
    ls_status status = judge_validation(t, &g, m);
    if (status == LS_OK)
        status = score_generated(t, &g, m);
    if (status == LS_OK)
        status = measure_nearest(t, &g, m);
    if (status == LS_OK)
        status = ls_agree_root(t->comm, t->rank == 0 ? show_generated(t, &g) : LS_OK);
    return status;
}
