#include "train/sampler.h"

#include "base/integer.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "nn/latent.h"
#include "parallel/collectives.h"
#include "train/nearest.h"
#include "train/reading.h"
#include "train/trainer_state.h"

#include <string.h>

enum { COPIES = 100 /* rows whose nearest training rows are looked for */ };

ls_status ls_sampler_create(ls_trainer *t, const ls_columns *units)
{
    const ls_dataset_info *d = ls_trainer_dataset(t);
    ls_sampler *s = t->sampler = ls_alloc(1, sizeof *s);
    if (s == NULL)
        return LS_ERR_FAILURE;
    s->generator = (ls_generator){.seed = t->config->seed,
                                  .condition = -1,
                                  .picture = {d->channels, d->height, d->width},
                                  .units = units};
    s->rows = ls_alloc(LS_EVALUATION_ROWS * d->features, sizeof *s->rows);
    return s->rows != NULL ? LS_OK : LS_ERR_FAILURE;
}

ls_status ls_sampler_create_decoder(ls_trainer *t)
{
    ls_latent_part part = {0};
    ls_status status = ls_sampler_create(t, &ls_loader_standardization(t->loader)->targets);
    if (status == LS_OK)
        status = ls_latent_cut(&part, ls_replica_network(ls_trainer_replica(t)), LS_PART_DECODER);
    if (status != LS_OK)
        return status;
    ls_sampler *s = t->sampler;
    status = ls_network_create(&s->decoder, part.model, part.input, part.outputs, LS_MSE,
                               LS_EVALUATION_ROWS);
    if (status == LS_ERR_USAGE)
        status =
            ls_fail(LS_ERR_USAGE,
                    "--objective vae: the layers after gaussian, '%s', are no network of their "
                    "own: %s",
                    part.model, ls_error_text());
    if (status == LS_OK)
        status =
            ls_batch_create(&s->noise, LS_EVALUATION_ROWS, ls_shape_size(part.input), part.outputs);
    s->generator.network = s->decoder;
    s->generator.batch = s->noise;
    s->first = part.params.first;
    ls_latent_part_destroy(&part);
    return status;
}

void ls_sampler_destroy(ls_sampler **sampler)
{
    if (sampler == NULL || *sampler == NULL)
        return;
    ls_network_destroy(&(*sampler)->decoder);
    ls_batch_destroy(&(*sampler)->noise);
    ls_scoring_close(&(*sampler)->scoring);
    ls_free((*sampler)->rows);
    ls_free(*sampler);
    *sampler = NULL;
}

ls_generator ls_sampler_generator(const ls_trainer *t, const float *params)
{
    ls_generator g = t->sampler->generator;
    g.params = params + t->sampler->first;
    return g;
}

/* Measures the validation rows, with which generated ones are compared. Collective. */
static ls_status score_validation(ls_trainer *t)
{
    ls_row_scores scores;
    ls_rows *rows = NULL;
    ls_scoring *scoring = t->sampler->scoring;
    ls_model_data data = {.path = t->config->data,
                          .options = ls_reading_options(t->config),
                          .split = LS_VALIDATION,
                          .read = t->config->read,
                          .trust = true,
                          .bare = true};
    if (ls_dataset_targets_are_inputs(&data.options)) /* which are not the classifier's */
        data.options.targets = "none";
    ls_status status = ls_model_read(&rows, ls_scoring_classifier(scoring), &data);
    if (status == LS_OK)
        status = ls_scoring_real(scoring, rows, &scores);
    ls_rows_destroy(&rows);
    if (status == LS_OK)
        ls_trainer_note(t, "--score: the %lld validation rows score %.3f by %s",
                        (long long)scores.rows, scores.score, t->config->score);
    return status;
}

ls_status ls_sampler_open_scoring(ls_trainer *t)
{
    const ls_train_config *c = t->config;
    const ls_dataset_info *d = ls_trainer_dataset(t);
    const int64_t validation = d->rows[LS_VALIDATION];
    if (t->sampler == NULL || *c->score == '\0')
        return LS_OK;
    const ls_status status = ls_scoring_open(&t->sampler->scoring, t->comm, c->score,
                                             (ls_shape){d->channels, d->height, d->width});
    return status == LS_OK && validation > 0 ? score_validation(t) : status;
}

/* Adds this rank's part of generated rows to those that are scored. Local. */
static ls_status add_generated(const ls_trainer *t, const ls_generator *g)
{
    const ls_sampler *s = t->sampler;
    const ls_range mine =
        ls_evaluation_shard(t->config->score_rows, ls_comm_size(t->comm), t->rank);
    ls_status status = LS_OK;
    for (int64_t done = 0, rows; status == LS_OK && done < mine.count; done += rows) {
        rows = ls_min(mine.count - done, LS_EVALUATION_ROWS);
        ls_generator_make(g, mine.first + done, rows, s->rows);
        status = ls_scoring_add(s->scoring, rows, s->rows);
        if (status == LS_OK)
            status = ls_interrupt_poll(LS_INTERRUPT_GRACE);
    }
    return status;
}

/* Scores generated rows. Collective. */
static ls_status score_generated(ls_trainer *t, const ls_generator *g, ls_metrics *m)
{
    ls_row_scores scores;
    if (t->sampler->scoring == NULL)
        return LS_OK;
    ls_status status = ls_agree(t->comm, add_generated(t, g));
    if (status == LS_OK)
        status = ls_scoring_finish(t->sampler->scoring, false, &scores);
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
    const ls_status status =
        ls_trainer_show(t, &(ls_generated){.epoch = t->progress.epoch + 1,
                                           .rows = count,
                                           .classes = g->classes,
                                           .shape = g->picture,
                                           .element = ls_trainer_dataset(t)->element,
                                           .x = rows});
    ls_free(rows);
    return status;
}

/* Computes the mean distance of rows from the nearest training rows. Collective.
 * rows  [count][picture] as the network reads them */
static ls_status find_nearest(ls_trainer *t, int64_t count, const float *rows, double *out)
{
    return ls_nearest_distance(t->comm, t->loader, ls_trainer_batch(t), count, rows, out);
}

/* Takes the first validation rows, which one of the ranks has. Collective.
 * count  on return their number, at most COPIES */
static ls_status take_validation(ls_trainer *t, float *out, int64_t *count)
{
    ls_rows *rows = NULL;
    ls_batch *batch = ls_trainer_batch(t);
    ls_status status = ls_loader_rows(&rows, t->loader, false);
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

/* Makes rows as the model reads them. An autoencoder's outputs are in the order of the data set.
 * Local. */
static void take_generated(const ls_trainer *t, const ls_generator *g, float *rows)
{
    const ls_network *model = ls_replica_network(ls_trainer_replica(t));
    const int64_t size = ls_shape_size(g->picture);
    ls_batch batch = {.rows = COPIES, .capacity = COPIES, .features = size, .x = rows};
    ls_generator_number(g, 0, COPIES);
    memcpy(rows, ls_generator_forward(g), (size_t)(COPIES * size) * sizeof *rows);
    if (ls_network_reconstructs(model) && ls_network_channels_last(model))
        ls_batch_to_channels_last(&batch, g->picture.channels,
                                  g->picture.height * g->picture.width);
}

/* Compares generated rows with the training rows, as validation rows compare with them. Collective.
 */
static ls_status compare_nearest(ls_trainer *t, const ls_generator *g, float *rows, ls_metrics *m)
{
    ls_sampler *s = t->sampler;
    int64_t count = COPIES;
    double distance;
    ls_status status = LS_OK;
    if (s->real_nearest == 0) {
        status = take_validation(t, rows, &count);
        if (status == LS_OK && count > 0)
            status = find_nearest(t, count, rows, &s->real_nearest);
    }
    if (status != LS_OK || s->real_nearest == 0)
        return status;
    take_generated(t, g, rows);
    status = find_nearest(t, COPIES, rows, &distance);
    if (status == LS_OK)
        m->val_nearest = distance / s->real_nearest;
    return status;
}

/* Measures copies of training rows, unless the rows are streamed from the file. Collective. */
static ls_status measure_nearest(ls_trainer *t, const ls_generator *g, ls_metrics *m)
{
    if (t->config->stream || ls_trainer_dataset(t)->rows[LS_VALIDATION] == 0)
        return LS_OK;
    /* with room for one more, as a batch that is reordered has */
    float *rows = ls_alloc((COPIES + 1) * ls_shape_size(g->picture), sizeof *rows);
    ls_status status = ls_agree(t->comm, rows == NULL ? LS_ERR_FAILURE : LS_OK);
    if (status == LS_OK)
        status = compare_nearest(t, g, rows, m);
    ls_free(rows);
    return status;
}

ls_status ls_sampler_measure(ls_trainer *t, const float *params, ls_metrics *m)
{
    if (t->sampler == NULL)
        return LS_OK;
    const ls_generator g = ls_sampler_generator(t, params);
    ls_status status = score_generated(t, &g, m);
    if (status == LS_OK)
        status = measure_nearest(t, &g, m);
    if (status == LS_OK)
        status = ls_agree_root(t->comm, t->rank == 0 ? show_generated(t, &g) : LS_OK);
    return status;
}
