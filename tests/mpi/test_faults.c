/* One rank is made to fail at each place that can: all ranks return the same code and text, and
 * nobody waits for ever. */
#include "fixture.h"
#include "mpi_test.h"

#include "base/fault.h"

#include <string.h>

static const ls_observer silent;

static ls_status train_with_fault(const char *site, int guilty, int nth, ls_reduce reduce,
                                  bool shard, const char *model)
{
    char fault[64];
    ls_trainer *trainer = NULL;
    ls_train_result result;
    if (rank == 0) {
        assert_int_equal(system("rm -rf run"), 0);
        fixture_write(&fixture_small, "f.h5");
    }
    assert_ok(ls_agree(world, LS_OK));
    ls_train_config config = fixture_config("f.h5");
    config.run = "run";
    fixture_reduce(&config, reduce, shard);
    config.model = model != NULL ? model : config.model;
    snprintf(fault, sizeof fault, "%s:%d:%d", site, guilty, nth);
    assert_ok(ls_fault_arm(fault, rank));
    ls_status status = ls_trainer_create(&trainer, world, &config, &silent);
    if (status == LS_OK)
        status = ls_trainer_run(trainer, &result);
    ls_trainer_destroy(&trainer);
    assert_ok(ls_fault_arm(NULL, rank));
    return status;
}

static void one_rank_fails_for_all(void **state)
{
    (void)state;
    const struct {
        const char *site;
        bool root_only; /* no other rank comes by */
        int nth;
    } cases[] = {
        {"open", false, 1},      {"read", false, 1},       {"read", false, 2},
        {"exchange", false, 1},  {"exchange", false, 3},   {"step", false, 1},
        {"step", false, 17},     {"validation", false, 2}, {"checkpoint", true, 1},
        {"checkpoint", true, 2}, {"log", true, 1},         {"log", true, 3},
    };
    char expected[100];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int guilty = 0; guilty < (cases[i].root_only ? 1 : size); guilty++) {
            ls_status status =
                train_with_fault(cases[i].site, guilty, cases[i].nth, LS_REDUCE_AUTO, false, NULL);
            assert_int_equal(status, LS_ERR_FAILURE);
            assert_same_failure(status);
            snprintf(expected, sizeof expected, "injected fault at '%s'", cases[i].site);
            assert_non_null(strstr(ls_error_text(), expected));
            snprintf(expected, sizeof expected, "rank %d: ", guilty);
            if (size > 1)
                assert_memory_equal(ls_error_text(), expected, strlen(expected));
        }
}

/* Every allocation of setup and training fails in turn on one rank. */
static void every_allocation_can_fail(void **state)
{
    (void)state;
    const int guilty = size - 1;
    int failures = 0;
    for (int nth = 1; nth < 1000; nth++) {
        ls_status status = train_with_fault("alloc", guilty, nth, LS_REDUCE_AUTO, false, NULL);
        assert_same_failure(status);
        if (status == LS_OK)
            break; /* there are fewer than that */
        assert_int_equal(status, LS_ERR_FAILURE);
        failures++;
    }
    assert_in_range(failures, 20, 998);
}

/* A rank fails within a step while the others compute with it, or its sums are under way. */
static void steps_fail_with_every_reducer(void **state)
{
    (void)state;
    for (int kind = 0; kind < LS_REDUCERS; kind++)
        for (int guilty = 0; guilty < size; guilty++) {
            ls_status status = train_with_fault("step", guilty, 5, (ls_reduce)kind, false,
                                                "dense:800 relu dense:300 relu dense:4");
            assert_int_equal(status, LS_ERR_FAILURE);
            assert_same_failure(status);
            assert_non_null(strstr(ls_error_text(), "injected fault at 'step'"));
        }
}

/* A rank's gradient is no number in one step: all end alike, and rank, layer and step are named.
 */
static void bad_gradients_are_found_with_every_reducer(void **state)
{
    (void)state;
    char expected[100];
    for (int kind = 0; kind < LS_REDUCERS; kind++)
        for (int shard = 0; shard < 2; shard++)
            for (int nth = 5; nth <= 12; nth += 7) { /* 12: the last of an epoch */
                const int guilty = (nth + kind) % size;
                const int pass = kind == LS_REDUCE_EXACT ? 1 : nth;
                ls_status status = train_with_fault("gradient", guilty, pass, (ls_reduce)kind,
                                                    shard, "dense:800 relu dense:300 relu dense:4");
                assert_int_equal(status, LS_ERR_NUMERIC);
                assert_same_failure(status);
                assert_non_null(strstr(ls_error_text(), "the gradient of dense3/"));
                if (kind != LS_REDUCE_EXACT) {
                    snprintf(expected, sizeof expected, "in step %d of epoch 1:", nth);
                    assert_non_null(strstr(ls_error_text(), expected));
                }
                snprintf(expected, sizeof expected, "rank %d: ", guilty);
                if (size > 1)
                    assert_memory_equal(ls_error_text(), expected, strlen(expected));
            }
}

MPI_TEST_MAIN(cmocka_unit_test(one_rank_fails_for_all), cmocka_unit_test(every_allocation_can_fail),
              cmocka_unit_test(steps_fail_with_every_reducer),
              cmocka_unit_test(bad_gradients_are_found_with_every_reducer))
