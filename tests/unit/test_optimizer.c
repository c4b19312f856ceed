/* Updates that test_reference.c does not compare with PyTorch's; refused settings; updates of any
 * ranges of the parameters; and that slots and step count are the whole state. */
#include "reference/updates.h"
#include "nn/optimizer.h"
#include "test.h"

#include <lockstep/network.h>
#include <lockstep/optimizer.h>

#include "base/rng.h"

#include <math.h>
#include <string.h>

/* As in make_updates.py: matrices, vectors, and a running statistic. */
static const ls_param table[] = {
    {.name = "w1", .rank = 2, .shape = {5, 4}, .offset = 0, .count = 20},
    {.name = "b1", .rank = 1, .shape = {4}, .offset = 20, .count = 4},
    {.name = "mean", .rank = 1, .shape = {3}, .offset = 24, .count = 3, .running_statistic = true},
    {.name = "w2", .rank = 2, .shape = {4, 3}, .offset = 27, .count = 12},
    {.name = "b2", .rank = 1, .shape = {3}, .offset = 39, .count = 3},
};
enum {
    ROWS = sizeof table / sizeof *table,
    COUNT = UPDATES_COUNT,
    STEPS = UPDATES_STEPS,
    MEAN = 24,
    MEANS = 3
};

/* Every kind, with all settings that it allows. */
static const ls_optimizer_config kinds[] = {
    {.kind = LS_SGD},
    {.kind = LS_SGD, .momentum = 0.9, .nesterov = true, .clip_norm = 0.7},
    {.kind = LS_ADAM, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .weight_decay = 0.1},
    {.kind = LS_ADAM, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .clip_norm = 0.5, .ema = 0.9},
    {.kind = LS_ADAMW, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .weight_decay = 0.1},
    {.kind = LS_LARS, .momentum = 0.9, .trust = 0.02, .weight_decay = 0.1, .ema = 0.5},
    {.kind = LS_LARS, .momentum = 0.9, .trust = 0.02, .clip_norm = 0.5},
    {.kind = LS_LAMB, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-6, .weight_decay = 0.1},
    {.kind = LS_LAMB, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-6, .clip_norm = 0.5, .ema = 0.9},
};
static const int slots_of_kind[] = {0, 1, 2, 3, 2, 2, 1, 2, 3};
enum { KINDS = sizeof kinds / sizeof *kinds };

static void contradictory_settings_are_refused(void **state)
{
    (void)state;
    const struct {
        ls_optimizer_config config;
        const char *part;
    } cases[] = {
        {{.kind = LS_SGD, .nesterov = true}, "--nesterov needs a --momentum above 0"},
        {{.kind = LS_LARS, .trust = 0.1, .momentum = 0.9, .nesterov = true}, "--nesterov"},
        {{.kind = LS_ADAM, .epsilon = 1, .momentum = 0.9}, "--momentum is for"},
        {{.kind = LS_ADAMW, .epsilon = 1, .nesterov = true}, "--nesterov for sgd"},
        {{.kind = LS_LAMB, .epsilon = 1, .momentum = 0.9}, "--momentum is for"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ls_optimizer *optimizer = NULL;
        assert_fails(ls_optimizer_create(&optimizer, &cases[i].config, table, ROWS), LS_ERR_USAGE,
                     cases[i].part);
        assert_null(optimizer);
    }
}

static void create_optimizer(ls_optimizer **optimizer, const ls_optimizer_config *config,
                             float params[COUNT])
{
    for (int i = 0; i < COUNT; i++)
        params[i] = (float)updates_start[i];
    assert_ok(ls_optimizer_create(optimizer, config, table, ROWS));
    ls_optimizer_start(*optimizer, params);
}

static void get_gradient(int step, float grads[COUNT])
{
    for (int i = 0; i < COUNT; i++)
        grads[i] = (float)updates_grads[step * COUNT + i];
}

static void compare_with_reference(const char *name, const char *what, const float *ours,
                                   const double *theirs)
{
    for (int i = 0; i < COUNT; i++)
        if (!(fabs((double)ours[i] - theirs[i]) <= 2e-6 + 2e-5 * fabs(theirs[i])))
            fail_msg("%s, %s[%d]: %.9g, reference %.9g", name, what, i, (double)ours[i], theirs[i]);
}

static void updates_equal_the_reference(void **state)
{
    (void)state;
    const struct {
        const char *name;
        ls_optimizer_config config;
        double lr;
        const double *params, *average;
    } cases[] = {
        {"sgd_clip",
         {.kind = LS_SGD, .momentum = 0.9, .clip_norm = 0.7},
         0.1,
         updates_sgd_clip,
         NULL},
        {"adam_clip_ema",
         {.kind = LS_ADAM, .clip_norm = 0.5, .weight_decay = 0.1, .ema = 0.4},
         0.01,
         updates_adam_clip_ema,
         updates_adam_clip_ema_average},
        {"adamw",
         {.kind = LS_ADAMW, .weight_decay = 0.1, .ema = 0.999},
         0.01,
         updates_adamw,
         updates_adamw_average},
        {"lars",
         {.kind = LS_LARS, .momentum = 0.9, .trust = 0.02, .weight_decay = 0.01},
         0.5,
         updates_lars,
         NULL},
        {"lars_clip",
         {.kind = LS_LARS, .momentum = 0.8, .trust = 0.02, .weight_decay = 0.1, .clip_norm = 0.6},
         0.5,
         updates_lars_clip,
         NULL},
        {"lamb", {.kind = LS_LAMB, .weight_decay = 0.1}, 0.02, updates_lamb, NULL},
        {"lamb_clip_ema",
         {.kind = LS_LAMB, .weight_decay = 0.01, .clip_norm = 0.5, .ema = 0.3},
         0.02,
         updates_lamb_clip_ema,
         updates_lamb_clip_ema_average},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ls_optimizer *optimizer;
        float params[COUNT], grads[COUNT];
        ls_optimizer_config config = cases[i].config;
        config.beta1 = 0.8;
        config.beta2 = 0.95;
        config.epsilon = 1e-6;
        create_optimizer(&optimizer, &config, params);
        for (int step = 0; step < STEPS; step++) {
            get_gradient(step, grads);
            ls_optimizer_step(optimizer, grads, 1.0 / UPDATES_ROWS, cases[i].lr, params);
        }
        compare_with_reference(cases[i].name, "parameters", params, cases[i].params);
        assert_true((ls_optimizer_average(optimizer) != NULL) == (cases[i].average != NULL));
        if (cases[i].average != NULL)
            compare_with_reference(cases[i].name, "average", ls_optimizer_average(optimizer),
                                   cases[i].average);
        ls_optimizer_destroy(&optimizer);
    }
}

/* Takes steps from .. to - 1, each with another learning rate. */
static void take_steps(ls_optimizer *optimizer, int from, int to, float *params)
{
    float grads[COUNT];
    for (int step = from; step < to; step++) {
        get_gradient(step, grads);
        ls_optimizer_step(optimizer, grads, 0.25, 0.01 * (step + 1), params);
    }
}

static void slots_and_step_count_are_the_whole_state(void **state)
{
    (void)state;
    for (int k = 0; k < KINDS; k++) {
        ls_optimizer *whole, *first, *second;
        float a[COUNT], b[COUNT];
        create_optimizer(&whole, &kinds[k], a);
        create_optimizer(&second, &kinds[k], b);
        create_optimizer(&first, &kinds[k], b);
        assert_int_equal(ls_optimizer_slots(whole), slots_of_kind[k]);
        take_steps(whole, 0, STEPS, a);
        take_steps(first, 0, STEPS / 2, b);
        for (int s = 0; s < slots_of_kind[k]; s++) {
            memcpy(ls_optimizer_slot(second, s), ls_optimizer_slot(first, s), sizeof a);
            assert_true(strcmp(ls_optimizer_slot_name(first, s), "average") != 0 ||
                        ls_optimizer_slot(first, s) == ls_optimizer_average(first));
        }
        ls_optimizer_set_steps(second, ls_optimizer_steps(first));
        take_steps(second, STEPS / 2, STEPS, b);
        assert_memory_equal(a, b, sizeof a);
        for (int s = 0; s < slots_of_kind[k]; s++)
            assert_memory_equal(ls_optimizer_slot(whole, s), ls_optimizer_slot(second, s),
                                sizeof a);
        assert_int_equal(ls_optimizer_steps(second), STEPS);
        ls_optimizer_destroy(&whole);
        ls_optimizer_destroy(&first);
        ls_optimizer_destroy(&second);
    }
}

/* Cuts 0 .. COUNT into ranges that end at ends[1], ends[2], ...; returns the number of ranges. */
static int cut_at_random(uint64_t key, int ends[COUNT + 1])
{
    int pieces = 0;
    ends[0] = 0;
    for (int at = 1; at < COUNT; at++)
        if (ls_rng_at(key, (uint64_t)at) % 4 == 0)
            ends[++pieces] = at;
    ends[++pieces] = COUNT;
    return pieces;
}

/* Norms are accumulated in ascending order, updates in any order. */
static void updates_by_ranges_equal_updates_at_once(void **state)
{
    (void)state;
    for (int k = 0; k < KINDS; k++)
        for (uint64_t seed = 0; seed < 20; seed++) {
            ls_optimizer *whole, *ranges;
            float a[COUNT], b[COUNT], grads[COUNT];
            create_optimizer(&whole, &kinds[k], a);
            create_optimizer(&ranges, &kinds[k], b);
            for (int step = 0; step < STEPS; step++) {
                int end[COUNT + 1], sums;
                const int pieces = cut_at_random(ls_rng_key(seed, 1, (uint64_t)step), end);
                get_gradient(step, grads);
                ls_optimizer_step(whole, grads, 0.5, 0.01, a);
                ls_optimizer_begin(ranges, 0.5, 0.01);
                for (int phase = 0; phase < ls_optimizer_phases(ranges); phase++) {
                    for (int i = 0; i < pieces; i++)
                        ls_optimizer_accumulate_norms(ranges, phase, end[i], end[i + 1] - end[i],
                                                      grads + end[i], b + end[i]);
                    (void)ls_optimizer_sums(ranges, &sums);
                    ls_optimizer_finish_norms(ranges, phase);
                }
                for (int i = pieces - 1; i >= 0; i--)
                    ls_optimizer_update(ranges, end[i], end[i + 1] - end[i], grads + end[i],
                                        b + end[i]);
                assert_memory_equal(a, b, sizeof a);
                for (int s = 0; s < slots_of_kind[k]; s++)
                    assert_memory_equal(ls_optimizer_slot(whole, s), ls_optimizer_slot(ranges, s),
                                        sizeof a);
            }
            ls_optimizer_destroy(&whole);
            ls_optimizer_destroy(&ranges);
        }
}

/* As with --shard-optimizer: the sums of both parts are added; equal up to rounding. */
static void updates_by_two_parts_equal_updates_at_once(void **state)
{
    (void)state;
    enum { CUT = 17 };
    for (int k = 0; k < KINDS; k++) {
        ls_optimizer *whole, *part[2];
        float a[COUNT], b[COUNT], grads[COUNT];
        const int from[] = {0, CUT, COUNT};
        create_optimizer(&whole, &kinds[k], a);
        create_optimizer(&part[0], &kinds[k], b);
        create_optimizer(&part[1], &kinds[k], b);
        for (int step = 0; step < STEPS; step++) {
            get_gradient(step, grads);
            ls_optimizer_step(whole, grads, 0.5, 0.01, a);
            for (int i = 0; i < 2; i++)
                ls_optimizer_begin(part[i], 0.5, 0.01);
            for (int phase = 0; phase < ls_optimizer_phases(whole); phase++) {
                double *sums[2];
                int count = 0;
                for (int i = 0; i < 2; i++) {
                    ls_optimizer_accumulate_norms(part[i], phase, from[i], from[i + 1] - from[i],
                                                  grads + from[i], b + from[i]);
                    sums[i] = ls_optimizer_sums(part[i], &count);
                }
                for (int i = 0; i < count; i++)
                    sums[0][i] = sums[1][i] = sums[0][i] + sums[1][i];
                for (int i = 0; i < 2; i++)
                    ls_optimizer_finish_norms(part[i], phase);
            }
            for (int i = 0; i < 2; i++)
                ls_optimizer_update(part[i], from[i], from[i + 1] - from[i], grads + from[i],
                                    b + from[i]);
        }
        for (int i = 0; i < COUNT; i++)
            assert_near((double)a[i], (double)b[i], 1e-5, 1e-6);
        ls_optimizer_destroy(&whole);
        ls_optimizer_destroy(&part[0]);
        ls_optimizer_destroy(&part[1]);
    }
}

/* They move by a tenth of the difference, are in no norm, and leave their slots at 0, except the
 * moving average. */
static void running_statistics_move_without_the_optimizer(void **state)
{
    (void)state;
    for (int k = 0; k < KINDS; k++) {
        ls_optimizer *one, *other;
        float a[COUNT], b[COUNT], grads[COUNT], seen[MEANS] = {3, -2, 1000};
        create_optimizer(&one, &kinds[k], a);
        create_optimizer(&other, &kinds[k], b);
        double expected[MEANS];
        for (int i = 0; i < MEANS; i++)
            expected[i] = (double)a[MEAN + i];
        for (int step = 0; step < STEPS; step++) {
            get_gradient(step, grads);
            ls_optimizer_step(other, grads, 0.25, 0.01, b);
            for (int i = 0; i < MEANS; i++) {
                grads[MEAN + i] = 4 * (a[MEAN + i] - seen[i]); /* of 4 rows */
                expected[i] = 0.9 * expected[i] + 0.1 * (double)seen[i];
            }
            ls_optimizer_step(one, grads, 0.25, 0.01, a);
        }
        for (int i = 0; i < MEANS; i++)
            assert_near((double)a[MEAN + i], expected[i], 1e-5, 1e-5);
        assert_memory_equal(a, b, MEAN * sizeof *a);
        assert_memory_equal(a + MEAN + MEANS, b + MEAN + MEANS, (COUNT - MEAN - MEANS) * sizeof *a);
        for (int s = 0; s < slots_of_kind[k]; s++)
            for (int i = 0; i < MEANS; i++)
                assert_true((ls_optimizer_slot(one, s)[MEAN + i] != 0) ==
                            (ls_optimizer_slot(one, s) == ls_optimizer_average(one)));
        ls_optimizer_destroy(&one);
        ls_optimizer_destroy(&other);
    }
}

/* Updates one parameter in double precision.
 * state  momentum, or m and v; 0 before the first step */
static void update_by_definition(const ls_optimizer_config *c, double t, double lr, double g,
                                 double *p, double state[2])
{
    if (c->kind == LS_SGD || c->kind == LS_LARS) {
        const double of = c->kind == LS_LARS ? lr : 1; /* of a vector: the trust ratio is 1 */
        state[0] = c->momentum * state[0] + of * g;
        *p -= lr / of * state[0];
        return;
    }
    const double decay = c->kind == LS_LAMB ? 0 : c->weight_decay;
    state[0] = c->beta1 * state[0] + (1 - c->beta1) * g;
    state[1] = c->beta2 * state[1] + (1 - c->beta2) * g * g;
    const double m = state[0] / (1 - pow(c->beta1, t)), v = state[1] / (1 - pow(c->beta2, t));
    *p -= lr * (m / (sqrt(v) + c->epsilon) + decay * *p);
}

/* And factors near 0: after the first step, with moments (1 - beta) g, after many steps, and with
 * gradients that shrink suddenly. */
static void factors_near_1_keep_double_precision(void **state)
{
    (void)state;
    static const ls_param one = {.name = "b", .rank = 1, .shape = {1}, .count = 1};
    static const double factors[] = {0,      0.5,     0.9,      0.99,      0.999,
                                     0.9999, 0.99999, 0.999999, 0.9999999, 0.99999997};
    const ls_optimizer_kind every[] = {LS_SGD, LS_ADAM, LS_ADAMW, LS_LARS, LS_LAMB};
    for (size_t k = 0; k < sizeof every / sizeof *every; k++)
        for (size_t i = 0; i < sizeof factors / sizeof *factors; i++) {
            const double factor = factors[i], lr = 1e-3;
            const bool adam = every[k] != LS_SGD && every[k] != LS_LARS;
            const ls_optimizer_config config = {.kind = every[k],
                                                .momentum = adam ? 0 : factor,
                                                .beta1 = factor,
                                                .beta2 = factor,
                                                .epsilon = 1e-8,
                                                .trust = 0.001,
                                                .ema = factor,
                                                .weight_decay = every[k] == LS_ADAMW ? 1e-4 : 0};
            ls_optimizer *optimizer;
            float p = 1;
            double expected = 1, average = 1, moments[2] = {0};
            assert_ok(ls_optimizer_create(&optimizer, &config, &one, 1));
            ls_optimizer_start(optimizer, &p);
            for (int t = 1; t <= 1000; t++) {
                const float g = (t > 500 ? 1e-4f : 1) * (1 + 0.5f * (float)(t % 3));
                ls_optimizer_step(optimizer, &g, 1, lr, &p);
                update_by_definition(&config, t, lr, (double)g, &expected, moments);
                average += fmax(1 - factor, 9.0 / (10 + t)) * (expected - average);
                for (int s = 0; s < (adam ? 2 : factor > 0); s++)
                    assert_near((double)*ls_optimizer_slot(optimizer, s), moments[s], 2e-4, 0);
                assert_near((double)p, expected, 1e-4, 1e-4);
                if (factor > 0)
                    assert_near((double)*ls_optimizer_average(optimizer), average, 1e-4, 1e-4);
            }
            ls_optimizer_destroy(&optimizer);
        }
}

/* Below the limit no bit changes. */
static void gradients_below_the_limit_are_not_clipped(void **state)
{
    (void)state;
    ls_optimizer_config config = kinds[2];
    ls_optimizer *plain, *clipped;
    float a[COUNT], b[COUNT];
    create_optimizer(&plain, &config, a);
    config.clip_norm = 1e6;
    create_optimizer(&clipped, &config, b);
    assert_int_equal(ls_optimizer_phases(plain), 0);
    assert_int_equal(ls_optimizer_phases(clipped), 1);
    take_steps(plain, 0, STEPS, a);
    take_steps(clipped, 0, STEPS, b);
    assert_memory_equal(a, b, sizeof a);
    ls_optimizer_destroy(&plain);
    ls_optimizer_destroy(&clipped);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contradictory_settings_are_refused),
        cmocka_unit_test(updates_equal_the_reference),
        cmocka_unit_test(slots_and_step_count_are_the_whole_state),
        cmocka_unit_test(factors_near_1_keep_double_precision),
        cmocka_unit_test(updates_by_ranges_equal_updates_at_once),
        cmocka_unit_test(updates_by_two_parts_equal_updates_at_once),
        cmocka_unit_test(running_statistics_move_without_the_optimizer),
        cmocka_unit_test(gradients_below_the_limit_are_not_clipped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
