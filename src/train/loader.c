#include "train/loader.h"

#include "parallel/collectives.h"
#include "base/clock.h"
#include "base/integer.h"
#include "base/memory.h"
#include "train/loader_backend.h"
#include "train/reading.h"
#include "train/reconstruction.h"
#include "train/statistics.h"
#include "train/tokens.h"
#include "train/weighting.h"

#include <lockstep/augment.h>

#include <assert.h>
#include <string.h>

struct ls_loader {
    ls_comm *comm; /* borrowed, like the next */
    const ls_train_config *config;
    ls_dataset_info dataset;
    ls_plan plan;
    ls_census census;

    const ls_backend_kind *kind;
    void *backend;            /* owned */
    ls_conversion conversion; /* bytes to floats */
    ls_standardization standardization;
    ls_weighting *weighting;  /* NULL: none */
    ls_text_list class_names; /* on rank 0 */
    ls_text_list token_texts; /* the same */
    ls_augment *augment;      /* NULL: none */
    bool tokens;              /* the inputs are tokens */
    int64_t vocabulary;       /* which are below it; 0: not known yet */

    int64_t epoch, step; /* of the next batch */
    double waited;       /* see ls_loader_take_wait() */
};

/* Returns the origin of this rank's rows of a split. Local. */
static ls_rows_origin rows_origin(const ls_loader *l, ls_split split)
{
    ls_rows_origin origin = {.total = l->dataset.rows[split], .split = split};
    l->kind->origin(l->backend, split, &origin);
    return origin;
}

/* Sets the number of tokens, if neither model nor data set has it. Local. */
static void set_vocabulary(ls_loader *l, int64_t vocabulary)
{
    if (!l->tokens || l->vocabulary > 0)
        return;
    l->vocabulary = vocabulary;
    l->dataset.vocabulary = (int)vocabulary;
}

/* Checks that the vocabulary is known without a census. The same on all ranks. Local. */
static ls_status check_vocabulary(const ls_loader *l)
{
    return !l->tokens || l->vocabulary > 0
               ? LS_OK
               : ls_fail(LS_ERR_USAGE,
                         "--trust-data with --stream: the tokens are not read before training, so "
                         "the vocabulary is not known: write it in --model, as "
                         "embedding:64,VOCABULARY, or leave --trust-data out");
}

/* Takes the census of training and validation rows. A stream is read once for that, unless
 * --trust-data is given and no weights are needed. Collective.
 * vocabulary  as in ls_loader_open() */
static ls_status take_census(ls_loader *l, int64_t vocabulary)
{
    const ls_census_plan plan = {.comm = l->comm,
                                 .config = l->config,
                                 .dataset = &l->dataset,
                                 .rows = {rows_origin(l, LS_TRAIN), rows_origin(l, LS_VALIDATION)},
                                 .normalization = l->conversion.normalization,
                                 .weighting = l->weighting,
                                 .class_names = &l->class_names,
                                 .tokens = l->tokens,
                                 .vocabulary = l->vocabulary};
    if (l->config->stream && l->config->trust_data && l->weighting == NULL) {
        set_vocabulary(l, vocabulary);
        return check_vocabulary(l);
    }
    const ls_status status = ls_census_take(&l->census, &plan);
    if (status == LS_OK)
        set_vocabulary(l, l->census.token + 1);
    return status == LS_OK ? ls_weighting_finish(l->weighting, l->comm, l->dataset.rows[LS_TRAIN])
                           : status;
}

/* Finds the statistics for --standardize, if it is given. Collective. */
static ls_status find_statistics(ls_loader *l)
{
    const ls_statistics_plan plan = {l->config->standardize, l->config->standardize_targets};
    const ls_rows_origin rows = rows_origin(l, LS_TRAIN);
    if (plan.targets && l->dataset.classes > 0)
        return ls_fail(LS_ERR_USAGE,
                       "--standardize-targets: the targets of %s are classes: leave it out",
                       l->config->data);
    ls_status status = ls_statistics_find(&l->standardization, l->comm, &plan, &l->dataset, &rows,
                                          l->conversion.normalization, &l->census.constant);
    if (status == LS_OK && l->dataset.reconstructs)
        status = ls_agree(l->comm, ls_reconstruction_columns(
                                       &l->standardization.targets, &l->dataset, l->config->mean,
                                       l->config->std, &l->standardization.inputs));
    if (l->standardization.inputs.count > 0 || l->standardization.targets.count > 0)
        l->conversion.standardization = &l->standardization;
    return status;
}

/* Reads the names of classes and tokens. Local. */
static ls_status read_texts(ls_loader *l, const ls_source *source)
{
    const ls_status status = ls_source_class_names(source, &l->class_names);
    return status == LS_OK ? ls_source_vocabulary(source, &l->token_texts) : status;
}

/* Opens the data set, makes the plan, and opens the backend. Collective. */
static ls_status open_backend(ls_loader *l)
{
    const ls_train_config *c = l->config;
    ls_dataset_options options = ls_reading_options(c);
    ls_source *source = NULL;
    ls_status status =
        ls_source_open(&source, l->comm, c->data, &options, !c->trust_data, c->read, &l->dataset);
    if (status == LS_OK && l->dataset.rows[LS_TRAIN] == 0)
        status = ls_fail(LS_ERR_USAGE, "--test-rows %s leaves no rows to train with", c->test_rows);
    if (status == LS_OK)
        status = ls_agree_root(l->comm, ls_comm_rank(l->comm) == 0 ? read_texts(l, source) : LS_OK);
    options.classes = l->dataset.classes; /* known from here on: labels are not read for it again */
    if (status == LS_OK)
        status = ls_plan_make(&l->plan, l->dataset.rows[LS_TRAIN], ls_comm_size(l->comm), c->batch,
                              c->seed, c->shuffle, c->reproducible ? c->block : 1);
    if (status == LS_OK) {
        const ls_backend_setup setup = {.comm = l->comm,
                                        .config = c,
                                        .dataset = &l->dataset,
                                        .options = &options,
                                        .source = source,
                                        .plan = &l->plan};
        status = l->kind->open(&l->backend, &setup);
    }
    ls_source_close(&source);
    return status;
}

/* Checks settings that don't fit sequences, and prepares for tokens. Local. */
static ls_status prepare_sequences(ls_loader *l)
{
    ls_dataset_info *d = &l->dataset;
    const ls_train_config *c = l->config;
    if (d->ragged && d->reconstructs)
        return ls_fail(LS_ERR_USAGE, "--targets inputs: the rows have lengths, of which an "
                                     "autoencoder knows nothing: leave --lengths out");
    if (d->vocabulary > 0 && d->reconstructs)
        return ls_fail(LS_ERR_USAGE,
                       "the rows of %s are tokens, numbers of words, which an autoencoder can't "
                       "reconstruct: give other --inputs",
                       c->data);
    if (d->ragged && strcmp(c->augment, "none") != 0)
        return ls_fail(LS_ERR_USAGE,
                       "--augment changes pictures, but the rows of %s are sequences "
                       "with lengths: leave it out",
                       c->data);
    if (d->ragged && d->height * d->width == 1 && strcmp(c->standardize, "none") != 0)
        return ls_fail(LS_ERR_USAGE,
                       "--standardize: each step of a row of %s is a column of its "
                       "own, which rows with lengths do not all have: leave it out",
                       c->data);
    l->tokens = ls_tokens_are_inputs(c, d);
    if (!l->tokens)
        return LS_OK;
    l->vocabulary = ls_tokens_vocabulary(c->model, d->vocabulary);
    if (d->vocabulary == 0)
        d->vocabulary = (int)l->vocabulary;
    l->conversion.normalization = ls_normalization_of_tokens();
    return ls_tokens_check_settings(c);
}

/* Creates the augmentation and completes the conversion, once the inputs' shape is known. Local. */
static ls_status prepare_inputs(ls_loader *l)
{
    const ls_dataset_info *d = &l->dataset;
    const ls_shape shape = {d->channels, d->height, d->width};
    l->conversion.channels = d->channels;
    l->conversion.pixels = d->height * d->width;
    l->conversion.steps = ls_dataset_steps(d);
    l->conversion.vocabulary = l->vocabulary;
    l->conversion.data = l->config->data;
    l->conversion.reconstructs = d->reconstructs;
    const ls_status status =
        ls_corruption_make(&l->conversion.corruption, l->config->corrupt, l->config->seed);
    return status == LS_OK ? ls_augment_create(&l->augment, l->config->augment, shape) : status;
}

/* Allocates a loader, and checks the normalisation before any data are read. Local. */
static ls_status allocate_loader(ls_loader **out, ls_comm *comm, const ls_train_config *config)
{
    ls_loader *l = ls_alloc(1, sizeof *l);
    if (l == NULL)
        return LS_ERR_FAILURE;
    l->comm = comm;
    l->config = config;
    l->kind = config->stream ? &ls_backend_streamed : &ls_backend_resident;
    *out = l;
    return ls_normalization_make(&l->conversion.normalization, config->mean, config->std);
}

ls_status ls_loader_open(ls_loader **out, ls_comm *comm, const ls_train_config *config,
                         int64_t vocabulary)
{
    ls_loader *l = NULL;
    ls_status status = ls_agree(comm, allocate_loader(&l, comm, config));
    if (status == LS_OK)
        status = open_backend(l);
    if (status == LS_OK)
        status = ls_agree(comm, prepare_sequences(l));
    if (status == LS_OK)
        status = ls_agree(comm, ls_weighting_create(&l->weighting, config, &l->dataset));
    if (status == LS_OK)
        status = take_census(l, vocabulary);
    if (status == LS_OK)
        status = find_statistics(l);
    if (status == LS_OK)
        status = ls_agree(comm, prepare_inputs(l));
    if (status != LS_OK) {
        ls_loader_destroy(&l);
        return status;
    }
    *out = l;
    return LS_OK;
}

const ls_dataset_info *ls_loader_dataset(const ls_loader *l)
{
    return &l->dataset;
}

const ls_text_list *ls_loader_class_names(const ls_loader *l)
{
    return &l->class_names;
}

const ls_text_list *ls_loader_tokens(const ls_loader *l)
{
    return &l->token_texts;
}

const ls_plan *ls_loader_plan(const ls_loader *l)
{
    return &l->plan;
}

const ls_census *ls_loader_census(const ls_loader *l)
{
    return &l->census;
}

const ls_standardization *ls_loader_standardization(const ls_loader *l)
{
    return &l->standardization;
}

int64_t ls_loader_step_rows(const ls_loader *l)
{
    /* No slice is larger than the average, rounded up to a whole micro-batch. */
    const ls_plan *plan = &l->plan;
    const int64_t mine = ls_plan_rank_rows(plan, ls_comm_rank(l->comm));
    const int64_t of_batch = plan->batch / plan->ranks + plan->block;
    const int64_t of_steps = mine / plan->steps + plan->block;
    const int64_t largest = of_batch > of_steps ? of_batch : of_steps;
    return largest < mine ? largest : mine;
}

bool ls_loader_weighs(const ls_loader *l)
{
    return l->weighting != NULL;
}

double ls_loader_weight_bound(const ls_loader *l, int64_t rows)
{
    return ls_weighting_bound(l->weighting, rows) * (double)ls_weighting_steps(&l->dataset);
}

bool ls_loader_reads_tokens(const ls_loader *l)
{
    return l->tokens;
}

bool ls_loader_augments(const ls_loader *l)
{
    return l->augment != NULL;
}

bool ls_loader_corrupts(const ls_loader *l)
{
    return ls_corruption_is_some(&l->conversion.corruption);
}

void ls_loader_set_channels_last(ls_loader *l, bool channels_last)
{
    l->conversion.channels_last = channels_last;
}

ls_status ls_loader_epoch(ls_loader *l, int64_t epoch, int64_t step)
{
    const double begin = ls_now();
    const ls_status status = l->kind->epoch(l->backend, epoch);
    l->epoch = epoch;
    l->step = step;
    l->conversion.draw = epoch + 1;
    l->waited += ls_now() - begin;
    return status;
}

ls_status ls_loader_next(ls_loader *l, ls_batch *batch)
{
    const ls_samples *samples;
    const int32_t *order;
    const ls_range slice = ls_plan_slice(&l->plan, ls_comm_rank(l->comm), l->step++);
    const double begin = ls_now();
    const ls_status status = l->kind->take(l->backend, l->epoch, slice, &samples, &order);
    l->waited += ls_now() - begin;
    batch->rows = 0;
    if (status != LS_OK)
        return status;
    ls_samples_gather(samples, order, 0, slice.count, l->conversion.normalization, batch);
    if (l->tokens && !l->census.known) {
        const ls_status checked =
            ls_tokens_check_batch(batch, l->config->data, ls_split_name(LS_TRAIN), l->vocabulary);
        if (checked != LS_OK) {
            batch->rows = 0;
            return checked;
        }
    }
    ls_augment_apply(l->augment, l->config->seed, l->epoch, l->conversion.normalization.shift,
                     batch);
    ls_weighting_apply(l->weighting, batch);
    ls_conversion_finish(&l->conversion, batch);
    return LS_OK;
}

ls_status ls_loader_resident(ls_loader *l, int64_t first, ls_batch *batch)
{
    const ls_samples *samples;
    const int32_t *order;
    const int64_t left = ls_plan_rank_rows(&l->plan, ls_comm_rank(l->comm)) - first;
    const ls_range slice = {first, ls_min(left, LS_EVALUATION_ROWS)};
    assert(!l->config->stream);
    batch->rows = 0;
    if (slice.count <= 0)
        return LS_OK;
    const ls_status status = l->kind->take(l->backend, l->epoch, slice, &samples, &order);
    if (status != LS_OK)
        return status;
    ls_conversion conversion = l->conversion;
    conversion.corruption = (ls_corruption){0};
    ls_samples_gather(samples, order, 0, slice.count, conversion.normalization, batch);
    ls_conversion_finish(&conversion, batch);
    return LS_OK;
}

ls_status ls_loader_rows(ls_rows **out, ls_loader *l, bool corrupted)
{
    const ls_rows_origin origin = rows_origin(l, LS_VALIDATION);
    ls_conversion conversion = l->conversion;
    conversion.draw = LS_CORRUPTION_EVALUATED;
    if (!conversion.reconstructs || !corrupted)
        conversion.corruption = (ls_corruption){0};
    return ls_rows_create(out, &origin, &conversion, NULL);
}

double ls_loader_take_wait(ls_loader *l)
{
    const double waited = l->waited;
    l->waited = 0;
    return waited;
}

void ls_loader_destroy(ls_loader **loader)
{
    if (loader == NULL || *loader == NULL)
        return;
    (*loader)->kind->close((*loader)->backend);
    ls_standardization_destroy(&(*loader)->standardization);
    ls_weighting_destroy(&(*loader)->weighting);
    ls_augment_destroy(&(*loader)->augment);
    ls_text_list_free(&(*loader)->class_names);
    ls_text_list_free(&(*loader)->token_texts);
    ls_free(*loader);
    *loader = NULL;
}
