/* Every kind of reducer, sharded and not, gives every rank the same sums, control words and
 * parameters. Also run with each of Open MPI's algorithms. */
#include "mpi_test.h"

#include <lockstep/reducer.h>

#include "base/memory.h"

#include <math.h>

static const int64_t counts[] = {1, 7, 100003, 70000};
enum { COUNTS = sizeof counts / sizeof *counts };

/* What a rank's gradient is, and the sum of all ranks'. Whole numbers: exact in any order. */
static float part(int of_rank, int64_t at)
{
    return (float)(at % 1000 * (of_rank + 1) - 300);
}

static float total(int64_t at)
{
    float sum = 0;
    for (int r = 0; r < size; r++)
        sum += part(r, at);
    return sum;
}

/* Tells the reducer of final gradients bit by bit, as a backward pass does. */
static void tell(ls_reducer *reducer, int64_t count)
{
    for (int64_t from = count; from > 0; from -= from > 9000 ? 9000 : from)
        ls_ready_call(ls_reducer_ready(reducer), from - (from > 9000 ? 9000 : from));
}

static void step(ls_reducer *reducer, int64_t count, int64_t round)
{
    float *grads = ls_reducer_grads(reducer);
    ls_control control = {.rows = rank, .loss = 0.25 * rank};
    ls_reducer_begin(reducer, &control);
    for (int64_t i = 0; i < count; i++)
        grads[i] = part(rank, i + round);
    tell(reducer, count);
    ls_reducer_finish(reducer, &control);
    assert_int_equal(control.rows, size * (size - 1) / 2);
    assert_true(control.loss == 0.25 * size * (size - 1) / 2);
    assert_int_equal(control.failed, 0);
    ls_piece piece;
    while (ls_reducer_next(reducer, &piece))
        for (int64_t i = 0; i < piece.count; i++) {
            assert_true(piece.grads[i] == total(piece.first + i + round));
            piece.params[i] += piece.grads[i];
        }
    ls_reducer_publish(reducer);
}

static void works(ls_reduce kind, bool shard, int64_t count)
{
    ls_reducer *reducer;
    float *start = ls_alloc(count, sizeof *start);
    for (int64_t i = 0; i < count; i++)
        start[i] = (float)i;
    assert_ok(ls_reducer_create(&reducer, world, kind, shard, count));
    ls_reducer_set_params(reducer, start);
    for (int64_t round = 0; round < 3; round++)
        step(reducer, count, round);
    const float *params = ls_reducer_params(reducer);
    for (int64_t i = 0; i < count; i++)
        assert_true(params[i] == (float)i + total(i) + total(i + 1) + total(i + 2));

    /* An arena of which each rank has its pieces, as of an optimizer's slots. */
    ls_control control = {.rows = 1};
    ls_piece piece;
    for (int64_t i = 0; i < count; i++)
        start[i] = -1;
    ls_reducer_begin(reducer, &control);
    tell(reducer, count);
    ls_reducer_finish(reducer, &control);
    while (ls_reducer_next(reducer, &piece))
        for (int64_t i = 0; i < piece.count; i++)
            start[piece.first + i] = (float)(piece.first + i);
    ls_reducer_publish(reducer);
    ls_reducer_complete(reducer, start);
    for (int64_t i = 0; i < count; i++)
        assert_true(start[i] == (float)i);

    /* Row counts are exact up to the largest batch. */
    control = (ls_control){.rows = rank == 0 ? LS_MAX_GLOBAL_BATCH - (size - 1) : 1};
    ls_reducer_begin(reducer, &control);
    tell(reducer, count);
    ls_reducer_finish(reducer, &control);
    assert_int_equal(control.rows, LS_MAX_GLOBAL_BATCH);
    while (ls_reducer_next(reducer, &piece))
        continue;
    ls_reducer_publish(reducer);

    /* A rank that failed contributes nothing and skips the backward pass; all learn of it. */
    float *grads = ls_reducer_grads(reducer);
    control = (ls_control){.rows = 5, .loss = 1, .failed = rank == size - 1};
    for (int64_t i = 0; i < count; i++)
        grads[i] = NAN;
    ls_reducer_begin(reducer, &control);
    if (rank != size - 1)
        tell(reducer, count);
    ls_reducer_finish(reducer, &control);
    assert_int_equal(control.failed, 1);
    assert_int_equal(control.rows, 5 * (size - 1));
    ls_reducer_destroy(&reducer);
    ls_free(start);
}

static void all_kinds_work(void **state)
{
    (void)state;
    for (int kind = 0; kind < LS_REDUCERS; kind++)
        for (int shard = 0; shard < 2; shard++)
            for (int c = 0; c < COUNTS; c++)
                works((ls_reduce)kind, shard, counts[c]);
}

/* What is hidden and what is exposed is counted. */
static void clocks_run(void **state)
{
    (void)state;
    enum { COUNT = 200000 };
    ls_reducer *reducer;
    assert_ok(ls_reducer_create(&reducer, world, LS_REDUCE_OVERLAP, false, COUNT));
    assert_true(ls_reducer_clock(reducer).exposed == 0);
    step(reducer, COUNT, 0);
    assert_true(ls_reducer_clock(reducer).exposed > 0);
    assert_true(ls_reducer_clock(reducer).hidden >= 0);
    ls_reducer_destroy(&reducer);
}

MPI_TEST_MAIN(cmocka_unit_test(all_kinds_work), cmocka_unit_test(clocks_run))
