/* Measures a training step: total and phases. */
#include "measure/bench.h"

#include "parallel/collectives.h"
#include "base/clock.h"
#include "base/median.h"
#include "base/memory.h"
#include "base/range.h"
#include "base/rng.h"
#include "nn/pass.h"
#include "nn/vocabulary.h"
#include "train/rows.h"
#include "train/source.h"
#include "train/step.h"

#include <lockstep/compute.h>
#include <lockstep/dataset.h>

#include <assert.h>
#include <string.h>

_Static_assert((int)LS_BENCH_PHASES == (int)LS_PHASES,
               "the public names of phases are those of a step");

const char *ls_bench_phase_name(int at)
{
    return ls_phase_name(at);
}

/* A replica, the reducers to measure, and the samples of every batch. */
typedef struct bench {
    ls_replica *replica; /* borrows one of the reducers */
    ls_reducer *reducer[LS_REDUCERS];
    ls_samples *samples;
    ls_conversion conversion;
} bench;

static void destroy_bench(bench *b)
{
    for (int i = 0; i < LS_REDUCERS; i++)
        ls_reducer_destroy(&b->reducer[i]);
    ls_replica_destroy(&b->replica);
    ls_samples_destroy(&b->samples);
}

/* Reads different rows of the data set on each rank; if the rank's part has too few, they repeat.
 * Local. */
static ls_status read_samples(bench *b, const ls_bench_task *task, int64_t rows, int rank)
{
    ls_dataset *dataset;
    ls_status status = ls_dataset_open(&dataset, task->data, &task->options);
    if (status != LS_OK)
        return status;
    const int64_t there = ls_dataset_describe(dataset)->rows[LS_TRAIN];
    const int64_t first = rank * rows % there, left = there - first;
    const int64_t count = rows < left ? rows : left;
    status = ls_dataset_read(dataset, LS_TRAIN, first, count, rows, &b->samples);
    if (status == LS_OK) {
        for (int64_t i = count; i < rows; i++)
            memcpy(ls_sample_at(b->samples, i), ls_sample_at(b->samples, i - count),
                   b->samples->stride);
        b->samples->rows = rows;
    }
    ls_dataset_close(&dataset);
    return status;
}

/* Generates synthetic rows without zeros. Local. */
static ls_status make_samples(bench *b, const ls_bench_task *task, int64_t rows)
{
    const int64_t features = ls_shape_size(task->input);
    const ls_status status = ls_samples_create(
        &b->samples, rows, (ls_sample_format){.element = LS_U8, .features = features});
    for (int64_t i = 0; status == LS_OK && i < rows; i++) {
        ls_sample *sample = ls_sample_at(b->samples, i);
        sample->row = i;
        sample->label = (int32_t)(i % task->classes);
        for (int64_t j = 0; j < features; j++)
            sample->inputs[j] = (uint8_t)(1 + (i * 31 + j * 17) % 255);
        b->samples->rows = i + 1;
    }
    return status;
}

static ls_loss loss_of(const ls_bench_task *task)
{
    return ls_loss_choose(LS_LOSS_AUTO, task->values, task->classes);
}

static int outputs_of(const ls_bench_task *task)
{
    return ls_loss_outputs(loss_of(task), task->values, task->classes);
}

static bool is_by_step(const ls_bench_task *task)
{
    return ls_loss_task(loss_of(task), task->values) == LS_TASK_STEPS;
}

/* Returns the model as it is for the rows; NULL if memory is short. */
static char *model_of(const ls_bench_task *task)
{
    return ls_model_complete(task->model, (ls_preset_data){.outputs = outputs_of(task),
                                                           .vocabulary = task->vocabulary,
                                                           .by_step = is_by_step(task)});
}

/* Creates the replica and the samples. Local.
 * rows  most rows of this rank's batches */
static ls_status create_local(bench *b, ls_comm *comm, const ls_bench_task *task, int64_t rows)
{
    char *model = model_of(task);
    const ls_replica_config config = {
        .model = model,
        .input = task->input,
        .outputs = outputs_of(task),
        .values = task->values,
        .loss = loss_of(task),
        .huber = 1,
        .optimizer = {.kind = LS_ADAM, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8},
        .rows = rows > 0 ? rows : 1};
    ls_status status =
        model == NULL ? LS_ERR_FAILURE : ls_replica_create(&b->replica, comm, &config);
    ls_free(model);
    if (status == LS_OK)
        status = ls_network_check_targets(ls_replica_network(b->replica), task->values);
    if (status != LS_OK)
        return status;
    const ls_input_format format = {.shape = task->input,
                                    .mean = 0,
                                    .std = 1,
                                    .reconstructs = task->reconstructs,
                                    .vocabulary = task->vocabulary,
                                    .channels_last =
                                        ls_network_channels_last(ls_replica_network(b->replica))};
    status = ls_conversion_make(&b->conversion, &format);
    if (status != LS_OK)
        return status;
    status = task->data != NULL ? read_samples(b, task, config.rows, ls_comm_rank(comm))
                                : make_samples(b, task, config.rows);
    if (status != LS_OK || !b->samples->format.ragged)
        return status;
    status = ls_network_check_lengths(ls_replica_network(b->replica), b->conversion.steps);
    return status == LS_OK ? ls_batch_add_lengths(ls_replica_batch(b->replica)) : status;
}

/* Sets initial parameters in the first reducer that was created. Collective. */
static ls_status initialise_params(bench *b, ls_comm *comm, int count)
{
    float *params = ls_alloc(ls_replica_size(b->replica), sizeof *params);
    const ls_status status = ls_agree(comm, params == NULL ? LS_ERR_FAILURE : LS_OK);
    int first = 0;
    while (first < count - 1 && b->reducer[first] == NULL)
        first++;
    if (status == LS_OK) {
        ls_network_initialise(ls_replica_network(b->replica), 0, params);
        ls_replica_use(b->replica, b->reducer[first]);
        ls_replica_set_params(b->replica, params);
    }
    ls_free(params);
    return status;
}

/* Creates a bench with reducers of several kinds; a reducer that can't be created stays NULL.
 * Collective.
 * rows  most rows of this rank's batches
 * Errors, on all ranks alike: that of the last reducer if none can be created. */
static ls_status create_bench(bench *b, ls_comm *comm, const ls_bench_task *task,
                              const ls_reduce *kinds, int count, int64_t rows)
{
    const ls_step_rows most = {.mine = rows,
                               .batch = task->batch,
                               .block = task->block,
                               .passes = 1,
                               .sums = is_by_step(task)   ? LS_CONTROL_OF_STEPS
                                       : task->values > 0 ? LS_CONTROL_OF_ROWS
                                                          : LS_CONTROL_OF_CLASSES};
    ls_status status = ls_agree(comm, create_local(b, comm, task, rows));
    bool any = false;
    if (status != LS_OK)
        return status;
    const ls_layout *layout = ls_network_layout(ls_replica_network(b->replica));
    for (int i = 0; i < count; i++) {
        const ls_status made =
            ls_reducer_create(&b->reducer[i], comm, kinds[i], task->shard, layout, most);
        status = made != LS_OK ? made : status;
        any = any || made == LS_OK;
    }
    return any ? initialise_params(b, comm, count) : status;
}

/* Fills the batch with the same rows in every step. Local. */
static void load_batch(bench *b, int64_t rows, ls_step_io *io)
{
    ls_batch *batch = ls_replica_batch(b->replica);
    const double begin = ls_now();
    ls_samples_gather(b->samples, NULL, 0, rows, b->conversion.normalization, batch);
    ls_conversion_finish(&b->conversion, batch);
    io->gather_s = ls_now() - begin;
}

/* Runs one turn of the current reducer: warms up, then measures. Collective.
 * seconds  [steps] on return the time of each step on this rank
 * updates  [steps] on return the time of its update; may be NULL
 * phases   times are added */
static ls_status run_turn(bench *b, int64_t rows, int64_t steps, double *seconds, double *updates,
                          ls_phases *phases)
{
    enum { WARM_UP = 2 };
    double *sum = &phases->gather;
    ls_status status = LS_OK;
    for (int64_t i = -WARM_UP; status == LS_OK && i < steps; i++) {
        ls_step_io io = {.lr = 1e-3, .key = ls_rng_key(0, LS_RNG_PASS, 0), .last = i + 1 == steps};
        load_batch(b, rows, &io);
        status = ls_step(b->replica, &io);
        if (i < 0)
            continue;
        const double *phase = &io.phases.gather;
        for (int k = 0; k < LS_PHASES; k++)
            sum[k] += phase[k];
        seconds[i] = io.phases.total;
        if (updates != NULL)
            updates[i] = io.phases.optimizer;
    }
    return status;
}

/* Returns the number of this rank's rows of the global batch; with exact reducers whole
 * micro-batches. Local. */
static int64_t batch_rows(ls_comm *comm, const ls_bench_task *task, ls_reduce kind)
{
    return ls_shard_blocks(task->batch, ls_reduce_by_blocks(kind) ? task->block : 1,
                           ls_comm_size(comm), ls_comm_rank(comm))
        .count;
}

/* Summarises a reducer's turns. Collective. */
static ls_bench_step summarise_turns(ls_comm *comm, ls_reduce kind, const ls_phases *phases,
                                     double *seconds, int steps)
{
    ls_bench_step result = {.reduce = kind};
    const double *phase = &phases->gather;
    for (int i = 0; i < LS_PHASES; i++)
        result.phase[i] = ls_spread_of(comm, phase[i] / steps);
    result.slowest = ls_argmax_rank(comm, phases->total - phases->exposed);
    ls_allreduce_max(comm, seconds, steps);
    result.median = ls_median(seconds, steps);
    result.spread = (seconds[3 * steps / 4] - seconds[steps / 4]) / result.median;
    return result;
}

ls_status ls_bench_steps_measure(ls_comm *comm, const ls_bench_task *task, const ls_reduce *kinds,
                                 int *count, ls_bench_step *out)
{
    enum { TURNS = 5 };
    bench b = {0};
    ls_phases phases[LS_REDUCERS] = {{0}};
    int64_t most = 0;
    for (int i = 0; i < *count; i++) {
        const int64_t rows = batch_rows(comm, task, kinds[i]);
        most = rows > most ? rows : most;
    }
    double *seconds = ls_alloc(*count * (int64_t)task->steps, sizeof *seconds);
    ls_status status = ls_agree(comm, seconds == NULL ? LS_ERR_FAILURE : LS_OK);
    if (status == LS_OK)
        status = create_bench(&b, comm, task, kinds, *count, most);
    for (int turn = 0; turn < TURNS; turn++) {
        const ls_range steps = ls_shard(task->steps, TURNS, turn);
        for (int i = 0; status == LS_OK && i < *count; i++) {
            if (b.reducer[i] == NULL)
                continue;
            ls_replica_use(b.replica, b.reducer[i]);
            ls_replica_set_micro_batch(b.replica, ls_reduce_by_blocks(kinds[i]) ? task->block : 0,
                                       (double)(task->batch + task->block));
            status = run_turn(&b, batch_rows(comm, task, kinds[i]), steps.count,
                              seconds + i * (int64_t)task->steps + steps.first, NULL, &phases[i]);
        }
    }
    int measured = 0;
    for (int i = 0; status == LS_OK && i < *count; i++)
        if (b.reducer[i] != NULL)
            out[measured++] = summarise_turns(comm, kinds[i], &phases[i],
                                              seconds + i * (int64_t)task->steps, task->steps);
    *count = measured;
    destroy_bench(&b);
    ls_free(seconds);
    return status;
}

/* Measures a step of `rows` rows in each group. Collective over all ranks.
 * group    NULL on a rank that is in no complete group: it only gets the others' results
 * compute  on return seconds of a step without the update; median, the slowest rank's
 * update   on return seconds of the update, likewise */
static ls_status time_group(ls_comm *comm, ls_comm *group, const ls_bench_task *task, int64_t rows,
                            double *compute, double *update)
{
    enum { STEPS = 15 };
    double seconds[STEPS] = {0}, updates[STEPS] = {0};
    ls_bench_task own = *task;
    own.batch = rows; /* a group computes as if its rows were the global batch */
    own.shard = false;
    ls_phases phases = {0};
    bench b = {0};
    ls_status status = LS_OK;
    if (group != NULL) {
        const int ranks = ls_comm_size(group);
        const ls_reduce kind = ranks > 1 ? LS_REDUCE_HIERARCHICAL : LS_REDUCE_FUSED;
        const int64_t mine = ls_shard(rows, ranks, ls_comm_rank(group)).count;
        status = create_bench(&b, group, &own, &kind, 1, mine);
        if (status == LS_OK)
            status = run_turn(&b, mine, STEPS, seconds, updates, &phases);
        destroy_bench(&b);
    }
    for (int i = 0; i < STEPS; i++)
        seconds[i] -= updates[i];
    ls_allreduce_max(comm, seconds, STEPS);
    ls_allreduce_max(comm, updates, STEPS);
    *compute = ls_median(seconds, STEPS);
    *update = ls_median(updates, STEPS);
    return ls_agree(comm, status);
}

/* Measures groups of out->ranks ranks of a node, with up to `rows` rows. Collective. */
static ls_status measure_group(ls_comm *comm, ls_comm *node, const ls_bench_task *task,
                               int64_t rows, ls_bench_group *out)
{
    const double long_step = 0.2; /* s; times are the same on all ranks, so all stop alike */
    double updates[LS_BENCH_ROWS];
    ls_comm *group = NULL;
    ls_status status = ls_agree(comm, ls_comm_groups(&group, node, out->ranks));
    for (int64_t n = 1; status == LS_OK && out->sizes < LS_BENCH_ROWS; n *= 2) {
        const int at = out->sizes++;
        out->rows[at] = n < rows ? n : rows;
        status = time_group(comm, ls_comm_size(group) == out->ranks ? group : NULL, task,
                            out->rows[at], &out->seconds[at], &updates[at]);
        if (n >= rows || (at > 0 && out->seconds[at] > long_step))
            break;
    }
    if (out->sizes > 0)
        out->optimizer = ls_median(updates, out->sizes);
    ls_comm_destroy(&group);
    return status;
}

/* Sets the fields that don't depend on groups. Collective. */
static ls_status describe_network(ls_comm *comm, const ls_bench_task *task, ls_bench_compute *out)
{
    ls_network *network = NULL;
    char *model = model_of(task);
    ls_status status = model == NULL ? LS_ERR_FAILURE : LS_OK;
    if (status == LS_OK)
        status =
            ls_network_create(&network, model, task->input, outputs_of(task), loss_of(task), 1);
    ls_free(model);
    status = ls_agree(comm, status);
    if (status == LS_OK)
        *out = (ls_bench_compute){.bytes = (double)ls_network_size(network) * sizeof(float),
                                  .flops = ls_network_flops(network)};
    ls_network_destroy(&network);
    return status;
}

ls_status ls_bench_compute_measure(ls_comm *comm, const ls_bench_task *task, bool together,
                                   int64_t rows, ls_bench_compute *out)
{
    ls_comm *node = NULL;
    ls_status status = describe_network(comm, task, out);
    if (status == LS_OK)
        status = ls_comm_node(&node, comm);
    double largest = status == LS_OK && together ? ls_comm_size(node) : 1; /* of all nodes */
    if (status == LS_OK)
        ls_allreduce_max(comm, &largest, 1);
    for (int ranks = 1; status == LS_OK && out->groups < LS_BENCH_GROUPS; ranks *= 2) {
        ls_bench_group *group = &out->group[out->groups++];
        group->ranks = ranks < (int)largest ? ranks : (int)largest;
        status = measure_group(comm, node, task, group->ranks * rows, group);
        if (ranks >= (int)largest)
            break;
    }
    ls_comm_destroy(&node);
    return status;
}

ls_status ls_bench_data(ls_comm *comm, const char *path, const ls_dataset_options *options,
                        ls_dataset_info *out)
{
    ls_source *source = NULL;
    ls_status status = ls_agree(comm, ls_dataset_try(path, options, false));
    if (status == LS_OK)
        status = ls_source_open(&source, comm, path, options, false, LS_READ_EACH, out);
    if (status == LS_OK && !ls_dataset_has_targets(out))
        status = ls_fail(LS_ERR_USAGE, "--targets none: there is nothing to train for");
    ls_source_close(&source);
    return status;
}
