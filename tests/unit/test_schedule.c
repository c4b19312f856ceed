/* Learning rates, against an independent implementation: see reference/make_schedules.py. */
#include "reference/schedules.h"
#include "test.h"

#include "run/early_stop.h"
#include "nn/schedule.h"

#include <math.h>
#include <string.h>

enum { EPOCH = SCHEDULE_PER_EPOCH, STEPS = SCHEDULE_PER_EPOCH * SCHEDULE_EPOCHS };

static double compute_rate(const ls_schedule_config *config, int64_t step, int64_t epochs)
{
    const ls_schedule_at at = {.step = step, .steps_per_epoch = EPOCH, .epochs = epochs};
    assert_ok(ls_schedule_check(config, epochs));
    return ls_schedule_rate(config, SCHEDULE_LR, &at);
}

static void rates_equal_the_reference(void **state)
{
    (void)state;
    const struct {
        const char *name;
        ls_schedule_config config;
        int64_t epochs;
        const double *rates;
    } cases[] = {
        {"step",
         {.kind = LS_SCHEDULE_STEP, .step = 2, .gamma = 0.1},
         SCHEDULE_EPOCHS,
         schedule_step},
        {"step of a third of the run", /* 2 epochs */
         {.kind = LS_SCHEDULE_STEP, .gamma = 0.1},
         SCHEDULE_EPOCHS,
         schedule_step},
        {"step after a warmup",
         {.kind = LS_SCHEDULE_STEP, .step = 1, .gamma = 0.7, .warmup = 1.5},
         SCHEDULE_EPOCHS,
         schedule_step_warm},
        {"cosine", {.kind = LS_SCHEDULE_COSINE}, SCHEDULE_EPOCHS, schedule_cosine},
        {"cosine after a warmup",
         {.kind = LS_SCHEDULE_COSINE, .warmup = 2, .final = 0.05},
         SCHEDULE_EPOCHS,
         schedule_cosine_warm},
        {"onecycle",
         {.kind = LS_SCHEDULE_ONECYCLE, .final = LS_SCHEDULE_FINAL},
         SCHEDULE_EPOCHS,
         schedule_onecycle},
        {"onecycle in one epoch",
         {.kind = LS_SCHEDULE_ONECYCLE, .final = 0.01},
         1,
         schedule_onecycle_short},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int64_t s = 0; s < EPOCH * cases[i].epochs; s++) {
            const double ours = compute_rate(&cases[i].config, s, cases[i].epochs);
            /* The lowest rates are differences of numbers near the highest. */
            if (!(fabs(ours - cases[i].rates[s]) <= 1e-12 * ours + 1e-16))
                fail_msg("%s, step %d: %.17g, reference %.17g", cases[i].name, (int)s, ours,
                         cases[i].rates[s]);
        }
}

static void a_warmup_rises_linearly_to_a_constant_rate(void **state)
{
    (void)state;
    const ls_schedule_config constant = {0}, warm = {.warmup = 0.5};
    for (int64_t s = 0; s < STEPS; s++)
        assert_true(compute_rate(&constant, s, SCHEDULE_EPOCHS) == SCHEDULE_LR);
    for (int64_t s = 0; s < 3; s++) /* 3.5 steps of warmup */
        assert_near(compute_rate(&warm, s, 1), SCHEDULE_LR * (double)(s + 1) / 3.5, 1e-15, 0);
    assert_true(compute_rate(&warm, 3, 1) == SCHEDULE_LR);
}

static void onecycle_and_cosine_have_known_rates(void **state)
{
    (void)state;
    const ls_schedule_config cycle = {.kind = LS_SCHEDULE_ONECYCLE, .final = 0.25};
    assert_near(compute_rate(&cycle, 0, 10), SCHEDULE_LR / 25, 1e-15, 0);
    assert_near(compute_rate(&cycle, 20, 10), SCHEDULE_LR, 1e-15, 0); /* 0.3 of 70 steps, less 1 */
    assert_near(compute_rate(&cycle, 69, 10), SCHEDULE_LR / 4, 1e-15, 0);

    const ls_schedule_config cosine = {.kind = LS_SCHEDULE_COSINE, .final = 0.5};
    assert_near(compute_rate(&cosine, 35, 10), SCHEDULE_LR * 0.75, 1e-15, 0);
    assert_true(compute_rate(&cosine, 0, 10) == SCHEDULE_LR);
}

/* Decays and the ends of warmups are in the same step as in integer arithmetic. */
static void fractions_of_an_epoch_are_exact_decimals(void **state)
{
    (void)state;
    for (int64_t epoch = 1; epoch <= 40; epoch++)
        for (int64_t hundredths = 1; hundredths <= 300; hundredths++) {
            const double epochs = (double)hundredths / 100;
            const ls_schedule_config cut = {.kind = LS_SCHEDULE_STEP, .step = epochs, .gamma = 0.5};
            const ls_schedule_config warm = {.warmup = epochs};
            for (int64_t s = 0; s < 4 * epoch; s++) {
                const ls_schedule_at at = {.step = s, .steps_per_epoch = epoch, .epochs = 4};
                const int64_t cuts = s * 100 / (epoch * hundredths);
                assert_true(ls_schedule_rate(&cut, 1, &at) == pow(0.5, (double)cuts));
                const bool warming = (s + 1) * 100 < epoch * hundredths;
                assert_true((ls_schedule_rate(&warm, 1, &at) < 1) == warming);
            }
        }
}

static void onecycle_has_its_maximum_after_three_tenths(void **state)
{
    (void)state;
    for (int64_t tenths = 1; tenths <= 1000; tenths++) {
        const ls_schedule_config cycle = {.kind = LS_SCHEDULE_ONECYCLE, .final = 0.5};
        const ls_schedule_at top = {
            .step = 3 * tenths - 1, .steps_per_epoch = 10 * tenths, .epochs = 1};
        assert_near(ls_schedule_rate(&cycle, 1, &top), 1, 1e-15, 0);
    }
}

/* Also in the shortest runs. */
static void rates_are_between_0_and_the_initial_rate(void **state)
{
    (void)state;
    for (int kind = 0; kind <= LS_SCHEDULE_PLATEAU; kind++)
        for (int64_t epoch = 1; epoch < 12; epoch++)
            for (int64_t epochs = 1; epochs < 5; epochs++)
                for (int64_t s = 0; s < epoch * epochs; s++) {
                    const ls_schedule_config config = {.kind = (ls_schedule_kind)kind,
                                                       .gamma = 1e-300,
                                                       .step = 1e-300,
                                                       .patience = 1};
                    const ls_schedule_at at = {.step = s,
                                               .steps_per_epoch = epoch,
                                               .epochs = epochs,
                                               .plateaus = INT64_MAX};
                    const double r = ls_schedule_rate(&config, SCHEDULE_LR, &at);
                    if (!(r >= 0 && r <= SCHEDULE_LR))
                        fail_msg("%s, step %d of %d x %d: %g",
                                 ls_schedule_name((ls_schedule_kind)kind), (int)s, (int)epochs,
                                 (int)epoch, r);
                }
}

static void rates_are_scaled_with_the_batch(void **state)
{
    (void)state;
    ls_schedule_config config = {.base_batch = 128};
    assert_true(ls_schedule_base(&config, 0.1, 2048) == 0.1);
    config.scaling = LS_LR_LINEAR;
    assert_near(ls_schedule_base(&config, 0.1, 2048), 1.6, 1e-15, 0);
    assert_near(ls_schedule_base(&config, 0.1, 64), 0.05, 1e-15, 0);
    config.scaling = LS_LR_SQRT;
    assert_near(ls_schedule_base(&config, 0.1, 2048), 0.4, 1e-15, 0);
}

static void the_rate_decays_at_plateaus(void **state)
{
    (void)state;
    const double losses[] = {1.0, 0.9, 0.95, 0.91, 0.8, 0.81, 0.82, 0.83, 0.84, 0.7};
    const int cuts[] = {0, 0, 0, 1, 1, 1, 2, 2, 3, 3};
    const ls_early_stop_config patience = {.patience = 2};
    const ls_schedule_config config = {.kind = LS_SCHEDULE_PLATEAU, .gamma = 0.5, .patience = 2};
    ls_early_stop seen = {0};
    ls_schedule_at at = {.steps_per_epoch = EPOCH, .epochs = 10};
    for (int i = 0; i < 10; i++) {
        at.plateaus += ls_early_stop_plateau(&seen, &patience, i + 1, losses[i]);
        assert_int_equal(at.plateaus, cuts[i]);
        at.step = (i + 1) * EPOCH;
        assert_near(ls_schedule_rate(&config, 1, &at), pow(0.5, cuts[i]), 1e-15, 0);
    }
}

static void a_schedule_knows_if_it_depends_on_the_number_of_epochs(void **state)
{
    (void)state;
    const struct {
        ls_schedule_config config;
        bool needs;
    } cases[] = {
        {{.kind = LS_SCHEDULE_CONSTANT, .warmup = 2}, false},
        {{.kind = LS_SCHEDULE_STEP, .step = 2, .gamma = 0.1}, false},
        {{.kind = LS_SCHEDULE_STEP, .gamma = 0.1}, true},
        {{.kind = LS_SCHEDULE_COSINE}, true},
        {{.kind = LS_SCHEDULE_ONECYCLE}, true},
        {{.kind = LS_SCHEDULE_PLATEAU, .gamma = 0.1, .patience = 1}, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_true(ls_schedule_needs_epochs(&cases[i].config) == cases[i].needs);
        bool differs = false;
        for (int64_t s = 0; s < 3 * EPOCH; s++)
            differs = differs ||
                      compute_rate(&cases[i].config, s, 3) != compute_rate(&cases[i].config, s, 9);
        assert_true(differs == cases[i].needs);
    }
}

static void contradictory_settings_are_refused(void **state)
{
    (void)state;
    const struct {
        ls_schedule_config config;
        const char *says;
    } cases[] = {
        {{.kind = LS_SCHEDULE_ONECYCLE, .warmup = 1}, "includes a warmup"},
        {{.kind = LS_SCHEDULE_COSINE, .warmup = 3}, "leaves none of 3 epochs"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_fails(ls_schedule_check(&cases[i].config, 3), LS_ERR_USAGE, cases[i].says);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rates_equal_the_reference),
        cmocka_unit_test(a_warmup_rises_linearly_to_a_constant_rate),
        cmocka_unit_test(onecycle_and_cosine_have_known_rates),
        cmocka_unit_test(fractions_of_an_epoch_are_exact_decimals),
        cmocka_unit_test(onecycle_has_its_maximum_after_three_tenths),
        cmocka_unit_test(rates_are_between_0_and_the_initial_rate),
        cmocka_unit_test(rates_are_scaled_with_the_batch),
        cmocka_unit_test(the_rate_decays_at_plateaus),
        cmocka_unit_test(a_schedule_knows_if_it_depends_on_the_number_of_epochs),
        cmocka_unit_test(contradictory_settings_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
