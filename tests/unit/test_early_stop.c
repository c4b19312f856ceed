#include "test.h"

#include "run/early_stop.h"

#include <math.h>

/* Returns the epoch at which patience runs out for these values, 0: never. */
static int64_t find_stop(const ls_early_stop_config *config, const double *values, int count,
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

static void training_stops_when_patience_runs_out(void **unused)
{
    (void)unused;
    ls_early_stop state;
    const double losses[] = {1.0, 0.5, 0.6, 0.55, 0.4, 0.41, 0.42, 0.43, 0.1};
    ls_early_stop_config config = {.patience = 3};
    assert_int_equal(find_stop(&config, losses, 9, &state), 8);
    assert_int_equal(state.best_epoch, 5);
    assert_true(state.best == 0.4);
    config.patience = 2;
    assert_int_equal(find_stop(&config, losses, 9, &state), 4);
    config.patience = 0;
    assert_int_equal(find_stop(&config, losses, 9, &state), 0);
    assert_int_equal(state.best_epoch, 9);
}

static void the_highest_value_is_the_best_when_maximising(void **unused)
{
    (void)unused;
    ls_early_stop state;
    const double accuracies[] = {0.1, 0.9, 0.9, 0.95, 0.2, 0.3};
    const ls_early_stop_config config = {.maximise = true, .patience = 2};
    assert_int_equal(find_stop(&config, accuracies, 6, &state), 6);
    assert_int_equal(state.best_epoch, 4);
}

static void an_improvement_below_min_delta_does_not_count(void **unused)
{
    (void)unused;
    ls_early_stop state;
    const double losses[] = {1.0, 0.95, 0.92, 0.7};
    ls_early_stop_config config = {.patience = 2, .min_delta = 0.1};
    assert_int_equal(find_stop(&config, losses, 4, &state), 3);
    assert_int_equal(state.best_epoch, 1);
}

static void nan_is_no_improvement(void **unused)
{
    (void)unused;
    ls_early_stop state;
    ls_early_stop_config config = {.patience = 2, .min_delta = 0.1};
    const double broken[] = {NAN, 2, NAN, NAN};
    config.min_delta = 0;
    assert_int_equal(find_stop(&config, broken, 4, &state), 4);
    assert_int_equal(state.best_epoch, 2);
}

/* A gain equal to min_delta does not count, for all pairs of percentages. */
static void min_delta_is_compared_as_decimals(void **unused)
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
        cmocka_unit_test(training_stops_when_patience_runs_out),
        cmocka_unit_test(the_highest_value_is_the_best_when_maximising),
        cmocka_unit_test(an_improvement_below_min_delta_does_not_count),
        cmocka_unit_test(nan_is_no_improvement),
        cmocka_unit_test(min_delta_is_compared_as_decimals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
