/* What the reference numbers don't show: refusals, and that the state is all there is. */
#include "test.h"

#include <lockstep/optimizer.h>

#include <math.h>
#include <string.h>

enum { COUNT = 37, STEPS = 6 };

static void refuses_bad_settings(void **state)
{
    (void)state;
    const struct {
        ls_optimizer_config config;
        const char *part;
    } cases[] = {
        {{.kind = LS_SGD, .momentum = 1}, "--momentum"},
        {{.kind = LS_SGD, .momentum = -0.1}, "--momentum"},
        {{.kind = LS_SGD, .nesterov = true}, "--nesterov"},
        {{.kind = LS_SGD, .weight_decay = -1}, "--weight-decay"},
        {{.kind = LS_SGD, .weight_decay = NAN}, "--weight-decay"},
        {{.kind = LS_ADAM, .beta1 = 1, .beta2 = 0.9, .epsilon = 1}, "--beta1"},
        {{.kind = LS_ADAMW, .beta1 = 0.9, .beta2 = 1, .epsilon = 1}, "--beta2"},
        {{.kind = LS_ADAM, .beta1 = 0.9, .beta2 = 0.9, .epsilon = 0}, "--epsilon"},
        {{.kind = LS_ADAM, .beta1 = 0.9, .beta2 = 0.9, .epsilon = 1e-50}, "--epsilon"},
        {{.kind = LS_ADAM, .beta1 = 0.99999999999, .beta2 = 0.9, .epsilon = 1}, "--beta1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ls_optimizer *optimizer = NULL;
        assert_fails(ls_optimizer_create(&optimizer, &cases[i].config, 1), LS_ERR_USAGE,
                     cases[i].part);
        assert_null(optimizer);
    }
}

/* Steps from..to-1 with made-up gradients. */
static void take_steps(ls_optimizer *optimizer, int from, int to, float *params)
{
    for (int step = from; step < to; step++) {
        float grads[COUNT];
        for (int i = 0; i < COUNT; i++)
            grads[i] = sinf((float)(step * COUNT + i));
        ls_optimizer_step(optimizer, grads, 0.25, 0.01 * (step + 1), params);
    }
}

/* Stopping in the middle and going on from the slots and the step count changes no bit. */
static void state_is_complete(void **state)
{
    (void)state;
    const ls_optimizer_config configs[] = {
        {.kind = LS_SGD},
        {.kind = LS_SGD, .momentum = 0.9, .nesterov = true},
        {.kind = LS_ADAM, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .weight_decay = 0.1},
        {.kind = LS_ADAMW, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .weight_decay = 0.1},
    };
    const int slots[] = {0, 1, 2, 2};
    for (int k = 0; k < 4; k++) {
        ls_optimizer *whole, *first, *second;
        float a[COUNT], b[COUNT];
        for (int i = 0; i < COUNT; i++)
            a[i] = b[i] = (float)i;
        assert_ok(ls_optimizer_create(&whole, &configs[k], COUNT));
        assert_ok(ls_optimizer_create(&first, &configs[k], COUNT));
        assert_ok(ls_optimizer_create(&second, &configs[k], COUNT));
        assert_int_equal(ls_optimizer_slots(whole), slots[k]);
        take_steps(whole, 0, STEPS, a);
        take_steps(first, 0, STEPS / 2, b);
        for (int s = 0; s < slots[k]; s++)
            memcpy(ls_optimizer_slot(second, s), ls_optimizer_slot(first, s), sizeof a);
        ls_optimizer_set_steps(second, ls_optimizer_steps(first));
        take_steps(second, STEPS / 2, STEPS, b);
        assert_memory_equal(a, b, sizeof a);
        assert_int_equal(ls_optimizer_steps(second), STEPS);
        ls_optimizer_destroy(&whole);
        ls_optimizer_destroy(&first);
        ls_optimizer_destroy(&second);
    }
}

/* Updated range by range, in any order, parameters come out as updated at once. */
static void ranges_equal_the_whole(void **state)
{
    (void)state;
    const ls_optimizer_config config = {
        .kind = LS_ADAM, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8};
    ls_optimizer *whole, *ranges;
    float a[COUNT], b[COUNT], grads[COUNT];
    assert_ok(ls_optimizer_create(&whole, &config, COUNT));
    assert_ok(ls_optimizer_create(&ranges, &config, COUNT));
    for (int i = 0; i < COUNT; i++)
        a[i] = b[i] = (float)i;
    for (int step = 0; step < STEPS; step++) {
        for (int i = 0; i < COUNT; i++)
            grads[i] = (float)(i - step);
        ls_optimizer_step(whole, grads, 0.5, 0.01, a);
        ls_optimizer_begin(ranges, 0.5, 0.01);
        ls_optimizer_update(ranges, 2, COUNT - 2, grads + 2, b + 2);
        ls_optimizer_update(ranges, 0, 2, grads, b);
        assert_memory_equal(a, b, sizeof a);
    }
    ls_optimizer_destroy(&whole);
    ls_optimizer_destroy(&ranges);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(refuses_bad_settings),
                                       cmocka_unit_test(state_is_complete),
                                       cmocka_unit_test(ranges_equal_the_whole)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
