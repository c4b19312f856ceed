#include "test.h"

#include "run/early_stop.h"

#include <math.h>

/* Feeds values and returns the epoch at which patience runs out, 0 if never. */
static int64_t stops_at(const ls_early_stop_config *config, const double *values, int count,
                        ls_early_stop *state)
{
    *state = (ls_early_stop){0};
    for (int i = 0; i < count; i++) {
        (void)ls_early_stop_update(state, config, i + 1, values[i]);
        if (ls_early_stop_reached(state, config))
            return i + 1;
    }
    return 0;
}

static void waits_for_patience(void **unused)
{
    (void)unused;
    ls_early_stop state;
    const double losses[] = {1.0, 0.5, 0.6, 0.55, 0.4, 0.41, 0.42, 0.43, 0.1};
    ls_early_stop_config config = {.patience = 3};
    assert_int_equal(stops_at(&config, losses, 9, &state), 8);
    assert_int_equal(state.best_epoch, 5);
    assert_true(state.best == 0.4);
    config.patience = 2;
    assert_int_equal(stops_at(&config, losses, 9, &state), 4);
    config.patience = 0;
    assert_int_equal(stops_at(&config, losses, 9, &state), 0);
    assert_int_equal(state.best_epoch, 9);
}

static void maximises(void **unused)
{
    (void)unused;
    ls_early_stop state;
    const double accuracies[] = {0.1, 0.9, 0.9, 0.95, 0.2, 0.3};
    const ls_early_stop_config config = {.maximise = true, .patience = 2};
    assert_int_equal(stops_at(&config, accuracies, 6, &state), 6);
    assert_int_equal(state.best_epoch, 4);
}

static void small_changes_and_nan_do_not_count(void **unused)
{
    (void)unused;
    ls_early_stop state;
    const double losses[] = {1.0, 0.95, 0.92, 0.7};
    ls_early_stop_config config = {.patience = 2, .min_delta = 0.1};
    assert_int_equal(stops_at(&config, losses, 4, &state), 3);
    assert_int_equal(state.best_epoch, 1);
    const double broken[] = {NAN, 2, NAN, NAN};
    config.min_delta = 0;
    assert_int_equal(stops_at(&config, broken, 4, &state), 4);
    assert_int_equal(state.best_epoch, 2);
}

/* A gain of just the least delta is none, for all pairs of percentages. */
static void deltas_are_those_of_decimals(void **unused)
{
    (void)unused;
    for (int first = 0; first <= 100; first++)
        for (int second = 0; second <= 100; second++)
            for (int maximise = 0; maximise < 2; maximise++) {
                const ls_early_stop_config config = {.maximise = maximise, .min_delta = 0.07};
                ls_early_stop state = {0};
                (void)ls_early_stop_update(&state, &config, 1, (double)first / 100);
                const int gain = maximise ? second - first : first - second;
                assert_true(ls_early_stop_update(&state, &config, 2, (double)second / 100) ==
                            (gain > 7));
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_for_patience),
        cmocka_unit_test(maximises),
        cmocka_unit_test(small_changes_and_nan_do_not_count),
        cmocka_unit_test(deltas_are_those_of_decimals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
