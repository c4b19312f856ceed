/* What a training step takes, whole and in its parts. */
#include <lockstep/bench.h>

#include "base/clock.h"
#include "base/median.h"
#include "base/memory.h"
#include "train/step.h"

#include <lockstep/compute.h>
#include <lockstep/dataset.h>
#include <lockstep/range.h>

#include <assert.h>
#include <string.h>

_Static_assert((int)LS_BENCH_PHASES == (int)LS_PHASES,
               "the public names of phases are those of a step");

const char *ls_bench_phase_name(int at)
{
    return ls_phase_name(at);
}

/* A replica, the reducers that it can work with, and samples. */
typedef struct bench {
    ls_replica replica; /* borrows one of: */
    ls_reducer *reducer[LS_REDUCERS];
    ls_samples *samples;
} bench;

static void destroy(bench *b)
{
    for (int i = 0; i < LS_REDUCERS; i++)
        ls_reducer_destroy(&b->reducer[i]);
    ls_network_destroy(&b->replica.network);
    ls_optimizer_destroy(&b->replica.optimizer);
    ls_batch_destroy(&b->replica.batch);
    ls_samples_destroy(&b->samples);
}

/* Rows from the data set, other ones on each rank; more than it has come again. Local. */
static ls_status read_samples(bench *b, const ls_bench_task *task, int64_t rows, int rank)
{
    ls_dataset *dataset;
    ls_status status =
        ls_dataset_open(&dataset, task->data, &(ls_dataset_options){.layout = task->layout});
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

/* Rows that are made up, without zeros. Local. */
static ls_status make_samples(bench *b, const ls_bench_task *task, int64_t rows)
{
    const int64_t features = ls_shape_size(task->input);
    const ls_status status = ls_samples_create(&b->samples, rows, features);
    for (int64_t i = 0; status == LS_OK && i < rows; i++) {
        ls_sample *sample = ls_sample_at(b->samples, i);
        sample->row = i;
        sample->label = (int32_t)(i % task->classes);
        for (int64_t j = 0; j < features; j++)
            sample->pixels[j] = (uint8_t)(1 + (i * 31 + j * 17) % 255);
        b->samples->rows = i + 1;
    }
    return status;
}

/* All but the reducers. Local. */
static ls_status create_local(bench *b, const ls_bench_task *task, int64_t rows, int rank)
{
    const ls_optimizer_config adam = {
        .kind = LS_ADAM, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8};
    const int64_t held = rows > 0 ? rows : 1;
    const ls_param *table = NULL;
    int params = 0;
    ls_status status = ls_normalization_make(&b->replica.normalization, 0, 1);
    if (status == LS_OK)
        status = ls_network_create(&b->replica.network, task->model, task->input, task->classes,
                                   LS_CROSS_ENTROPY, held);
    if (status == LS_OK)
        status = ls_batch_create(&b->replica.batch, held, ls_shape_size(task->input));
    if (status == LS_OK)
        status =
            task->data != NULL ? read_samples(b, task, held, rank) : make_samples(b, task, held);
    if (status == LS_OK)
        table = ls_network_params(b->replica.network, &params);
    if (status == LS_OK)
        status = ls_optimizer_create(&b->replica.optimizer, &adam, table, params);
    return status;
}

/* With reducers of these kinds, the first in use; of several, those that can't be made stay NULL.
 * This rank has up to so many rows. Collective. */
static ls_status create(bench *b, ls_comm *comm, const ls_bench_task *task, const ls_reduce *kinds,
                        int count, int64_t rows)
{
    const ls_step_rows most = {rows, task->batch, task->block};
    b->replica.comm = comm;
    ls_status status = ls_agree(comm, create_local(b, task, rows, ls_comm_rank(comm)));
    if (status != LS_OK)
        return status;
    for (int i = 0; i < count; i++) {
        const ls_status made = ls_reducer_create(&b->reducer[i], comm, kinds[i], task->shard,
                                                 ls_network_layout(b->replica.network), most);
        status = made != LS_OK ? made : status;
        if (b->replica.reducer == NULL)
            b->replica.reducer = b->reducer[i];
    }
    if (b->replica.reducer == NULL)
        return status;
    const int64_t size = ls_network_size(b->replica.network);
    float *params = ls_alloc(size, sizeof *params);
    status = ls_agree(comm, params == NULL ? LS_ERR_FAILURE : LS_OK);
    if (status == LS_OK) {
        ls_network_initialise(b->replica.network, 0, params);
        for (int i = 0; i < count; i++)
            if (b->reducer[i] != NULL)
                ls_reducer_set_params(b->reducer[i], params);
    }
    ls_free(params);
    return status;
}

/* One turn of a reducer: warms up, then measures. Collective.
 * seconds  [steps] on return what each step took on this rank
 * updates  [steps] the part of it that was the update; may be NULL
 * phases   times are added */
static ls_status take_turn(bench *b, int64_t rows, int64_t steps, double *seconds, double *updates,
                           ls_phases *phases)
{
    enum { WARM_UP = 2 };
    ls_status status = LS_OK;
    for (int64_t i = -WARM_UP; status == LS_OK && i < steps; i++) {
        ls_score score;
        ls_control control = {0};
        ls_phases aside = {0};
        ls_phases *to = i < 0 ? &aside : phases;
        const ls_phases before = *to;
        status = ls_step(&b->replica, b->samples, NULL, rows, 1e-3, NULL, &score, &control, to);
        if (i >= 0)
            seconds[i] = to->total - before.total;
        if (i >= 0 && updates != NULL)
            updates[i] = to->optimizer - before.optimizer;
    }
    if (status == LS_OK)
        ls_step_finish(&b->replica, NULL);
    return status;
}

/* How many rows of the global batch a rank has with this kind of reducer, which goes by blocks or
 * not. Local. */
static int64_t rows_with(ls_comm *comm, const ls_bench_task *task, ls_reduce kind)
{
    return ls_shard_blocks(task->batch, ls_reduce_by_blocks(kind) ? task->block : 1,
                           ls_comm_size(comm), ls_comm_rank(comm))
        .count;
}

/* What a reducer's turns came to. Collective. */
static ls_bench_step conclude(ls_comm *comm, ls_reduce kind, const ls_phases *phases,
                              double *seconds, int steps)
{
    ls_bench_step result = {.reduce = kind};
    const double *phase = &phases->gather;
    for (int i = 0; i < LS_PHASES; i++)
        result.phase[i] = ls_spread_of(comm, phase[i] / steps);
    result.slowest = ls_rank_of_max(comm, phases->total - phases->exposed);
    ls_max_doubles(comm, seconds, steps);
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
        const int64_t rows = rows_with(comm, task, kinds[i]);
        most = rows > most ? rows : most;
    }
    double *seconds = ls_alloc(*count * (int64_t)task->steps, sizeof *seconds);
    ls_status status = ls_agree(comm, seconds == NULL ? LS_ERR_FAILURE : LS_OK);
    if (status == LS_OK)
        status = create(&b, comm, task, kinds, *count, most);
    for (int turn = 0; turn < TURNS; turn++) {
        const ls_range steps = ls_shard(task->steps, TURNS, turn);
        for (int i = 0; status == LS_OK && i < *count; i++) {
            if (b.reducer[i] == NULL)
                continue;
            b.replica.reducer = b.reducer[i];
            b.replica.block = ls_reduce_by_blocks(kinds[i]) ? task->block : 0;
            b.replica.loss_quantum = 1; /* nobody looks at the loss */
            status = take_turn(&b, rows_with(comm, task, kinds[i]), steps.count,
                               seconds + i * (int64_t)task->steps + steps.first, NULL, &phases[i]);
        }
    }
    int measured = 0;
    for (int i = 0; status == LS_OK && i < *count; i++)
        if (b.reducer[i] != NULL)
            out[measured++] = conclude(comm, kinds[i], &phases[i],
                                       seconds + i * (int64_t)task->steps, task->steps);
    *count = measured;
    destroy(&b);
    ls_free(seconds);
    return status;
}

/* Times one number of rows of a team. Collective over all ranks.
 * team     NULL on a rank that is in no whole team: it only learns what the others find
 * compute  on return seconds of all but the update; medians of the slowest rank
 * update   and of that */
static ls_status time_team(ls_comm *comm, ls_comm *team, const ls_bench_task *task, int64_t rows,
                           double *compute, double *update)
{
    enum { STEPS = 15 };
    double seconds[STEPS] = {0}, updates[STEPS] = {0};
    ls_bench_task own = *task;
    own.batch = rows; /* a team computes as if all of its batch was there */
    own.shard = false;
    ls_phases phases = {0};
    bench b = {0};
    ls_status status = LS_OK;
    if (team != NULL) {
        const int ranks = ls_comm_size(team);
        const ls_reduce kind = ranks > 1 ? LS_REDUCE_HIERARCHICAL : LS_REDUCE_FUSED;
        const int64_t mine = ls_shard(rows, ranks, ls_comm_rank(team)).count;
        status = create(&b, team, &own, &kind, 1, mine);
        if (status == LS_OK)
            status = take_turn(&b, mine, STEPS, seconds, updates, &phases);
        destroy(&b);
    }
    for (int i = 0; i < STEPS; i++)
        seconds[i] -= updates[i];
    ls_max_doubles(comm, seconds, STEPS);
    ls_max_doubles(comm, updates, STEPS);
    *compute = ls_median(seconds, STEPS);
    *update = ls_median(updates, STEPS);
    return ls_agree(comm, status);
}

/* Times a kind of team, out->ranks of a node's, with up to so many rows. Collective. */
static ls_status measure_team(ls_comm *comm, ls_comm *node, const ls_bench_task *task, int64_t rows,
                              ls_bench_team *out)
{
    const double long_step = 0.2; /* s; the same verdict on all ranks */
    double updates[LS_BENCH_ROWS];
    ls_comm *team = NULL;
    ls_status status = ls_agree(comm, ls_comm_groups(&team, node, out->ranks));
    for (int64_t n = 1; status == LS_OK && out->sizes < LS_BENCH_ROWS; n *= 2) {
        const int at = out->sizes++;
        out->rows[at] = n < rows ? n : rows;
        status = time_team(comm, ls_comm_size(team) == out->ranks ? team : NULL, task,
                           out->rows[at], &out->seconds[at], &updates[at]);
        if (n >= rows || (at > 0 && out->seconds[at] > long_step))
            break;
    }
    if (out->sizes > 0)
        out->optimizer = ls_median(updates, out->sizes);
    ls_comm_destroy(&team);
    return status;
}

/* What does not depend on teams. Collective. */
static ls_status describe_network(ls_comm *comm, const ls_bench_task *task, ls_bench_compute *out)
{
    ls_network *network = NULL;
    const ls_status status = ls_agree(comm, ls_network_create(&network, task->model, task->input,
                                                              task->classes, LS_CROSS_ENTROPY, 1));
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
        ls_max_doubles(comm, &largest, 1);
    for (int ranks = 1; status == LS_OK && out->teams < LS_BENCH_TEAMS; ranks *= 2) {
        ls_bench_team *team = &out->team[out->teams++];
        team->ranks = ranks < (int)largest ? ranks : (int)largest;
        status = measure_team(comm, node, task, team->ranks * rows, team);
        if (ranks >= (int)largest)
            break;
    }
    ls_comm_destroy(&node);
    return status;
}
