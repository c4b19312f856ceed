/* Every kind of reducer, sharded and not, gives every rank the same sums, control words and
 * parameters. Also run with each of Open MPI's algorithms. */
#include "mpi_test.h"

#include "parallel/reducer.h"
#include "parallel/reducer_kind.h"
#include <lockstep/comm.h>

#include "base/memory.h"

#include <math.h>
#include <string.h>

/* Arenas without and with matrices. A group splits the large matrices. */
enum { ROWS = 2, MATRICES = 3 };
static const ls_step_rows step_rows = {
    .mine = ROWS, .batch = LS_MAX_GLOBAL_BATCH, .block = 64, .passes = 1};
static const ls_matrix matrices[MATRICES] = {{5, 300, 211}, {63400, 8, 3}, {63424, 90, 70}};
static const ls_layout layouts[] = {
    {.count = 1},
    {.count = 7},
    {.count = 100003},
    {.count = 70000, .matrices = MATRICES, .matrix = matrices},
    {.count = 69724, .matrices = MATRICES, .matrix = matrices},
};
enum { LAYOUTS = sizeof layouts / sizeof *layouts };

/* The gradient of a rank at an offset, and the sum over ranks. Integers, whose sums are exact in
 * any order. */
static float gradient_of(int of_rank, int64_t at)
{
    return (float)(at % 1000 * (of_rank + 1) - 300);
}

static float gradient_sum(int64_t at)
{
    float sum = 0;
    for (int r = 0; r < size; r++)
        sum += gradient_of(r, at);
    return sum;
}

/* Notifies the reducer of final gradients in small ranges, as a backward pass does. */
static void report_grads(ls_reducer *reducer, int64_t count)
{
    for (int64_t from = count; from > 0; from -= from > 9000 ? 9000 : from)
        ls_grads_ready(ls_reducer_grad_hook(reducer), from - (from > 9000 ? 9000 : from));
}

/* Sum of gradient_of() over the ranks of the group. */
static float gradient_of_group(const ls_group *group, int64_t at)
{
    static float ranks; /* sum of (rank + 1) over the group, computed once */
    if (ranks == 0) {
        group->shared[group->rank] = (float)(rank + 1);
        group->barrier(group->user);
        for (int k = 0; k < group->size; k++)
            ranks += group->shared[k];
        group->barrier(group->user);
    }
    return (float)(at % 1000) * ranks - 300 * (float)group->size;
}

/* Returns true if this rank, not another rank of its group, computes the gradient at an offset. */
static bool is_mine(const ls_reducer *reducer, const ls_layout *layout, int64_t at)
{
    const ls_group *group = ls_reducer_group(reducer);
    for (int m = 0; group != NULL && m < layout->matrices; m++) {
        const ls_matrix *W = &layout->matrix[m];
        const int64_t row = (at - W->offset) / W->columns;
        if (at < W->offset || row >= W->rows || !ls_group_splits(group->size, group->rows, W))
            continue;
        const ls_range mine = ls_shard(W->rows, group->size, group->rank);
        return row >= mine.first && row < mine.first + mine.count;
    }
    return true;
}

/* Writes this rank's gradients. In matrices that the group splits this rank writes its own rows,
 * summed over the group, as a backward pass does. */
static void write_grads(ls_reducer *reducer, const ls_layout *layout, int64_t round)
{
    float *grads = ls_reducer_grads(reducer);
    const ls_group *group = ls_reducer_group(reducer);
    for (int64_t i = 0; i < layout->count; i++)
        grads[i] = gradient_of(rank, i + round);
    for (int m = 0; group != NULL && m < layout->matrices; m++) {
        const ls_matrix *W = &layout->matrix[m];
        if (!ls_group_splits(group->size, group->rows, W))
            continue;
        for (int64_t at = W->offset; at < W->offset + W->rows * W->columns; at++)
            grads[at] = is_mine(reducer, layout, at) ? gradient_of_group(group, at + round) : NAN;
    }
}

/* One step: gradients, reduction, update. Asserts the sums and the control word. */
static void reduce_and_update(ls_reducer *reducer, const ls_layout *layout, int64_t round)
{
    const int64_t count = layout->count;
    ls_control control = {.score.rows = rank, .score.loss = 0.25 * rank};
    ls_reducer_begin(reducer, &control);
    write_grads(reducer, layout, round);
    report_grads(reducer, count);
    ls_reducer_finish(reducer, &control);
    assert_int_equal(control.score.rows, size * (size - 1) / 2);
    assert_true(control.score.loss == 0.25 * size * (size - 1) / 2);
    assert_int_equal(control.failed, 0);
    ls_owned_range piece;
    while (ls_reducer_next(reducer, &piece))
        for (int64_t i = 0; i < piece.count; i++) {
            assert_true(piece.grads[i] == gradient_sum(piece.first + i + round));
            piece.params[i] += piece.grads[i];
        }
    ls_reducer_allgather_params(reducer);
}

/* A step in which all ranges are read several times before the first update, and norms of them are
 * summed over ranks: each parameter counts once. */
static void reduce_and_read_several_times(ls_reducer *reducer, const ls_layout *layout,
                                          int64_t round)
{
    enum { TIMES = 3 };
    ls_control control = {.score.rows = 1};
    ls_owned_range piece;
    double expected = 0;
    for (int64_t i = 0; i < layout->count; i++)
        expected += (double)gradient_sum(i + round);
    ls_reducer_begin(reducer, &control);
    write_grads(reducer, layout, round);
    report_grads(reducer, layout->count);
    ls_reducer_finish(reducer, &control);
    for (int time = 0; time < TIMES; time++) {
        double sums[2] = {0};
        while (ls_reducer_next(reducer, &piece))
            for (int64_t i = 0; i < piece.count; i++) {
                assert_true(piece.grads[i] == gradient_sum(piece.first + i + round));
                sums[0] += (double)piece.grads[i];
                sums[1] += 1;
            }
        ls_reducer_rewind(reducer);
        assert_true(ls_reducer_is_sharded(reducer) || sums[1] == (double)layout->count);
        ls_reducer_allreduce(reducer, sums, 2);
        assert_true(sums[0] == expected && sums[1] == (double)layout->count);
    }
    while (ls_reducer_next(reducer, &piece))
        for (int64_t i = 0; i < piece.count; i++)
            piece.params[i] += piece.grads[i];
    ls_reducer_allgather_params(reducer);
}

/* A step in which the last rank fails, by its control word or by a gradient of NaN or Inf: all
 * ranks get the failure, and the next step is not affected. */
static void assert_failure_is_known_on_all_ranks(ls_reducer *reducer, const ls_layout *layout,
                                                 bool in_control_word, float gradient)
{
    const int64_t count = layout->count;
    const bool this_rank_fails = rank == size - 1;
    const bool checked_before_update = ls_reduce_checks_before_update(
        ls_reducer_which(reducer), !ls_reducer_updates_lazily(reducer));
    const int64_t at = is_mine(reducer, layout, count / 2) ? count / 2 : 0;
    float *grads = ls_reducer_grads(reducer);
    ls_control control = {.score = {.rows = 5, .loss = 1},
                          .failed = this_rank_fails && in_control_word};
    memset(grads, 0, (size_t)count * sizeof *grads);
    if (this_rank_fails && !in_control_word)
        grads[at] = gradient;
    ls_reducer_begin(reducer, &control);
    report_grads(reducer, count);
    const int64_t bad = ls_reducer_finish(reducer, &control);
    assert_int_equal(bad, this_rank_fails && !in_control_word ? at : -1);
    if (in_control_word || checked_before_update) {
        assert_int_equal(control.failed, 1);
        assert_int_equal(control.score.rows, 5 * (size - 1));
        ls_reducer_allgather_params(reducer);
    } else {
        ls_owned_range piece;
        while (ls_reducer_next(reducer, &piece))
            continue;
        ls_reducer_allgather_params(reducer);
    }
}

/* Takes several steps with one reducer and layout, also with failures. */
static void reduce_several_steps(ls_reduce kind, bool shard, const ls_layout *layout)
{
    const int64_t count = layout->count;
    ls_reducer *reducer;
    float *start = ls_alloc(count, sizeof *start);
    for (int64_t i = 0; i < count; i++)
        start[i] = (float)i;
    assert_ok(ls_reducer_create(&reducer, world, kind, shard, layout, step_rows));
    ls_reducer_set_params(reducer, start);
    for (int64_t round = 0; round < 3; round++) {
        ls_reducer_keep_pieces(reducer, round == 1);
        (round == 1 ? reduce_and_read_several_times : reduce_and_update)(reducer, layout, round);
    }
    const float *params = ls_reducer_params(reducer);
    for (int64_t i = 0; i < count; i++)
        assert_true(params[i] ==
                    (float)i + gradient_sum(i) + gradient_sum(i + 1) + gradient_sum(i + 2));

    /* Each rank has only its own ranges of the arena, like an optimizer's slot. */
    ls_control control = {.score.rows = 1};
    ls_owned_range piece;
    for (int64_t i = 0; i < count; i++)
        start[i] = -1;
    ls_reducer_begin(reducer, &control);
    report_grads(reducer, count);
    ls_reducer_finish(reducer, &control);
    while (ls_reducer_next(reducer, &piece))
        for (int64_t i = 0; i < piece.count; i++)
            start[piece.first + i] = (float)(piece.first + i);
    ls_reducer_allgather_params(reducer);
    ls_reducer_allgather_state(reducer, start);
    for (int64_t i = 0; i < count; i++)
        assert_true(start[i] == (float)i);

    /* Row counts are exact up to the largest batch. */
    control = (ls_control){.score.rows = rank == 0 ? LS_MAX_GLOBAL_BATCH - (size - 1) : 1};
    ls_reducer_begin(reducer, &control);
    report_grads(reducer, count);
    ls_reducer_finish(reducer, &control);
    assert_int_equal(control.score.rows, LS_MAX_GLOBAL_BATCH);
    while (ls_reducer_next(reducer, &piece))
        continue;
    ls_reducer_allgather_params(reducer);

    assert_failure_is_known_on_all_ranks(reducer, layout, true, 0);
    assert_failure_is_known_on_all_ranks(reducer, layout, false, NAN);
    assert_failure_is_known_on_all_ranks(reducer, layout, false, -INFINITY);
    ls_reducer_keep_pieces(reducer, true);
    assert_failure_is_known_on_all_ranks(reducer, layout, true, 0);
    ls_reducer_destroy(&reducer);
    ls_free(start);
}

static void every_reducer_gives_every_rank_the_same_sums(void **state)
{
    (void)state;
    for (int kind = 0; kind < LS_REDUCERS; kind++)
        for (int shard = 0; shard < 2; shard++)
            for (int l = 0; l < LAYOUTS; l++)
                reduce_several_steps((ls_reduce)kind, shard, &layouts[l]);
}

/* A group exists if all nodes have the same number of ranks, 2 or more; it splits large matrices.
 */
static void a_group_is_made_of_the_ranks_of_a_node(void **state)
{
    (void)state;
    ls_reducer *reducer;
    ls_step_rows uneven = step_rows;
    uneven.mine = rank == size - 1 ? ROWS : 1;
    assert_ok(
        ls_reducer_create(&reducer, world, LS_REDUCE_HIERARCHICAL, false, &layouts[3], uneven));
    const ls_group *group = ls_reducer_group(reducer);
    ls_topology *topology;
    assert_ok(ls_topology_create(&topology, world, 1));
    const int local = size % topology->nodes == 0 ? size / topology->nodes : 1;
    ls_topology_destroy(&topology);
    assert_true((group != NULL) == (local > 1));
    if (group != NULL) {
        assert_int_equal(group->size, local);
        assert_int_equal(group->rows, ROWS); /* maximum over ranks */
        assert_true(ls_group_splits(local, ROWS, &matrices[0]));
        assert_false(ls_group_splits(local, ROWS, &matrices[1]));
    }
    ls_reducer_destroy(&reducer);
    assert_ok(ls_reducer_create(&reducer, world, LS_REDUCE_FUSED, false, &layouts[3], step_rows));
    assert_null(ls_reducer_group(reducer));
    ls_reducer_destroy(&reducer);
}

/* Else the weight of the rows is their number, and the message as short as it always was. */
static void sums_of_all_tasks_are_reduced_if_asked_for(void **state)
{
    (void)state;
    for (int kind = 0; kind < LS_REDUCERS; kind++)
        for (int all = LS_CONTROL_OF_CLASSES; all <= LS_CONTROL_OF_LATENT; all++) {
            ls_reducer *reducer;
            ls_step_rows rows = step_rows;
            rows.sums = (ls_control_sums)all;
            ls_control control = {.score = {.rows = 2,
                                            .loss = 0.5,
                                            .correct = 1,
                                            .top5 = 2,
                                            .weight = 0.25 * (rank + 1),
                                            .absolute = 3 * rank,
                                            .squares = 4,
                                            .steps = 5,
                                            .reconstruction = 6,
                                            .kl = 7 * rank}};
            assert_ok(
                ls_reducer_create(&reducer, world, (ls_reduce)kind, false, &layouts[3], rows));
            ls_reducer_begin(reducer, &control);
            write_grads(reducer, &layouts[3], 0);
            report_grads(reducer, layouts[3].count);
            ls_reducer_finish(reducer, &control);
            const double pairs = size * (size - 1) / 2.0;
            const ls_score *sum = &control.score;
            assert_true(sum->rows == 2 * size && sum->loss == 0.5 * size);
            assert_true(sum->correct == size && sum->top5 == 2 * size);
            assert_true(sum->weight == (all > 0 ? 0.25 * (pairs + size) : 2 * size));
            assert_true(sum->absolute == (all > 0 ? 3 * pairs : 0));
            assert_true(sum->squares == (all > 0 ? 4 * size : 0));
            assert_true(sum->steps == (all >= LS_CONTROL_OF_STEPS ? 5 * size : 0));
            const bool latent = all == LS_CONTROL_OF_LATENT;
            assert_true(sum->reconstruction == (latent ? 6 * size : 0));
            assert_true(sum->kl == (latent ? 7 * pairs : 0));
            ls_owned_range piece;
            while (ls_reducer_next(reducer, &piece))
                continue;
            ls_reducer_allgather_params(reducer);
            ls_reducer_destroy(&reducer);
        }
}

static void deferred_ranges_come_from_the_end_down(void **state)
{
    (void)state;
    ls_reducer *reducer;
    const ls_layout layout = {.count = 500000};
    assert_ok(ls_reducer_create(&reducer, world, LS_REDUCE_OVERLAP, false, &layout, step_rows));
    assert_true(ls_reducer_updates_lazily(reducer));
    ls_reducer_keep_pieces(reducer, true);
    assert_false(ls_reducer_updates_lazily(reducer));
    ls_reducer_keep_pieces(reducer, false);
    ls_control control = {.score.rows = 1};
    ls_owned_range piece;
    int64_t current_from = layout.count;
    ls_reducer_begin(reducer, &control);
    write_grads(reducer, &layout, 0);
    report_grads(reducer, layout.count);
    ls_reducer_finish(reducer, &control);
    while (ls_reducer_next(reducer, &piece)) {
        assert_int_equal(piece.first + piece.count, current_from);
        assert_int_equal(piece.current_from, piece.first);
        current_from = piece.current_from;
    }
    assert_int_equal(current_from, 0);
    ls_reducer_allgather_params(reducer);
    ls_reducer_destroy(&reducer);
    assert_ok(ls_reducer_create(&reducer, world, LS_REDUCE_OVERLAP, true, &layout, step_rows));
    assert_true(ls_reducer_updates_lazily(reducer) == (size == 1));
    ls_reducer_destroy(&reducer);
}

static void hidden_and_exposed_times_are_measured(void **state)
{
    (void)state;
    enum { COUNT = 200000 };
    ls_reducer *reducer;
    const ls_layout layout = {.count = COUNT};
    assert_ok(ls_reducer_create(&reducer, world, LS_REDUCE_OVERLAP, false, &layout, step_rows));
    assert_true(ls_reducer_clock(reducer).exposed == 0);
    reduce_and_update(reducer, &layout, 0);
    assert_true(ls_reducer_clock(reducer).exposed > 0);
    assert_true(ls_reducer_clock(reducer).hidden >= 0);
    ls_reducer_destroy(&reducer);
}

/* Float sums of 131,072 ranks are exact, in whatever order the ranks' parts are added. */
static void the_self_test_is_exact_on_any_number_of_ranks(void **state)
{
    (void)state;
    assert_int_equal(ls_self_test_values(7 * 39000), 61);
    for (int64_t ranks = 1; ranks <= 1 << 17; ranks *= 2) {
        const int values = ls_self_test_values(7 * ranks);
        assert_in_range(values, 2, 61);
        assert_true((values - 1) * 7 * ranks <= 1 << 24);
    }
}

static void a_reducer_applies_where_it_makes_a_difference(void **state)
{
    (void)state;
    assert_true(ls_reduce_applies(LS_REDUCE_FUSED, 1, 1));
    assert_false(ls_reduce_applies(LS_REDUCE_OVERLAP, 1, 1));
    assert_true(ls_reduce_applies(LS_REDUCE_OVERLAP, 2, 2));
    assert_false(ls_reduce_applies(LS_REDUCE_HIERARCHICAL, 4, 4));
    assert_true(ls_reduce_applies(LS_REDUCE_HIERARCHICAL, 4, 2));
    assert_true(ls_reduce_applies(LS_REDUCE_AUTO, 1, 1));
}

static void only_the_exact_reducer_sums_by_blocks_and_is_no_candidate(void **state)
{
    (void)state;
    for (int kind = 0; kind <= LS_REDUCE_AUTO; kind++) {
        assert_int_equal(ls_reduce_by_blocks((ls_reduce)kind), kind == LS_REDUCE_EXACT);
        assert_int_equal(ls_reduce_is_candidate((ls_reduce)kind),
                         kind != LS_REDUCE_EXACT && kind != LS_REDUCE_AUTO);
    }
}

/* Reduces gradients that are all `value`, of rows with a bound of their weight. Returns the sum; 0
 * if they are too large for exact sums. */
static float reduce_value(double weight, float value)
{
    const ls_layout *layout = &layouts[1];
    ls_reducer *reducer;
    ls_owned_range piece;
    ls_control control = {.score.rows = 1};
    ls_step_rows rows = step_rows;
    float sum = 0;
    rows.weight = weight;
    assert_ok(ls_reducer_create(&reducer, world, LS_REDUCE_EXACT, false, layout, rows));
    for (int64_t i = 0; i < layout->count; i++)
        ls_reducer_grads(reducer)[i] = value;
    ls_reducer_begin(reducer, &control);
    report_grads(reducer, layout->count);
    const int64_t bad = ls_reducer_finish(reducer, &control);
    assert_int_equal(control.failed, bad >= 0 ? size : 0);
    while (bad < 0 && ls_reducer_next(reducer, &piece))
        sum = piece.grads[0];
    ls_reducer_allgather_params(reducer);
    ls_reducer_destroy(&reducer);
    return sum;
}

/* The limit of gradients grows with the weights of rows. */
static void gradients_of_heavy_rows_are_summed_exactly(void **state)
{
    (void)state;
    const float large = 16384.0f * 64 * 4000;
    assert_true(reduce_value(0, large) == 0);
    assert_true(reduce_value(4096, large) == large * (float)size);
    assert_true(reduce_value(4096, 2 * large) == 0);
}

MPI_TEST_MAIN(cmocka_unit_test(a_reducer_applies_where_it_makes_a_difference),
              cmocka_unit_test(the_self_test_is_exact_on_any_number_of_ranks),
              cmocka_unit_test(only_the_exact_reducer_sums_by_blocks_and_is_no_candidate),
              cmocka_unit_test(every_reducer_gives_every_rank_the_same_sums),
              cmocka_unit_test(a_group_is_made_of_the_ranks_of_a_node),
              cmocka_unit_test(sums_of_all_tasks_are_reduced_if_asked_for),
              cmocka_unit_test(gradients_of_heavy_rows_are_summed_exactly),
              cmocka_unit_test(deferred_ranges_come_from_the_end_down),
              cmocka_unit_test(hidden_and_exposed_times_are_measured))
