/* Curves with and without overfitting and underfitting. */
#include "test.h"

#include "base/rng.h"
#include "train/diagnosis.h"

#include <math.h>
#include <string.h>

enum { EPOCHS = 30, CLASSES = 10 };

/* Mean losses of an epoch, from 1, and a part by which they vary at random. */
typedef struct curves {
    double (*loss)(int epoch), (*val_loss)(int epoch);
    double noise;
} curves;

static void draw(const curves *c, uint64_t seed, ls_metrics history[EPOCHS])
{
    for (int e = 0; e < EPOCHS; e++) {
        const double x = 2 * ls_rng_uniform(seed, 2 * (uint64_t)e) - 1;
        const double y = 2 * ls_rng_uniform(seed, 2 * (uint64_t)e + 1) - 1;
        history[e] = (ls_metrics){.epoch = e + 1,
                                  .loss = c->loss(e + 1) * (1 + c->noise * x / 4),
                                  .val_loss = c->val_loss(e + 1) * (1 + c->noise * y)};
        history[e].accuracy = exp(-history[e].loss);
        history[e].val_accuracy = exp(-history[e].val_loss);
    }
}

static double falls(int e)
{
    return 0.4 * exp(-0.2 * e) + 0.001;
}
static double settles(int e)
{
    return 0.2 * exp(-0.3 * e) + 0.06;
}
static double turns(int e)
{
    return settles(e) + (e > 8 ? 0.004 * (e - 8) : 0);
}
static double bound_from_below(int e)
{
    return 0.4 * exp(-0.2 * e) + 0.5;
} /* label smoothing */
static double high(int e)
{
    return 2.3 - 0.01 * e;
}
static double rises(int e)
{
    return 0.1 + 0.01 * e;
}
static double nan_of(int e)
{
    return e > 0 ? (double)NAN : 0;
}

static int64_t overfits_at(const curves *c, uint64_t seed)
{
    ls_metrics history[EPOCHS];
    draw(c, seed, history);
    const ls_overfitting whole = ls_diagnose_overfitting(history, EPOCHS, false);
    /* What is known of the first epochs does not change as others come: it is said once. */
    for (int e = 0; e <= EPOCHS; e++) {
        const ls_overfitting part = ls_diagnose_overfitting(history, e, false);
        assert_int_equal(part.epoch, whole.epoch > 0 && e >= whole.epoch ? whole.epoch : 0);
    }
    return whole.epoch;
}

static void overfitting_shows(void **state)
{
    (void)state;
    const curves smooth = {falls, turns, 0};
    ls_metrics history[EPOCHS];
    draw(&smooth, 0, history);
    const ls_overfitting o = ls_diagnose_overfitting(history, EPOCHS, false);
    assert_in_range(o.epoch, 12, 16);
    assert_in_range(o.least, 8, 10);
    assert_true(o.val_loss[1] > 1.1 * o.val_loss[0] && o.loss[1] < o.loss[0]);
    for (uint64_t seed = 0; seed < 200; seed++) { /* with noise of 5 % soon, too */
        const curves noisy = {falls, turns, 0.05};
        assert_in_range(overfits_at(&noisy, seed), 10, 20);
    }
}

/* The loss may rise as the network becomes as unsure as it is asked to be, while accuracy rises. */
static void smoothed_labels_need_accuracy_to_fall(void **state)
{
    (void)state;
    const curves smooth = {falls, turns, 0};
    ls_metrics history[EPOCHS];
    draw(&smooth, 0, history);
    assert_true(ls_diagnose_overfitting(history, EPOCHS, true).epoch > 0);
    for (int e = 0; e < EPOCHS; e++)
        history[e].val_accuracy = 0.9 + 0.001 * e;
    assert_int_equal(ls_diagnose_overfitting(history, EPOCHS, true).epoch, 0);
    assert_true(ls_diagnose_overfitting(history, EPOCHS, false).epoch > 0);
}

static void noise_and_gaps_are_no_overfitting(void **state)
{
    (void)state;
    const curves cases[] = {
        {falls, settles, 0},
        {falls, settles, 0.05},
        {falls, falls, 0.1},
        {bound_from_below, falls, 0}, /* the training loss lies above: says nothing */
        {rises, rises, 0},            /* both rise: diverging */
        {high, high, 0.02},
        {falls, nan_of, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (uint64_t seed = 0; seed < 200; seed++)
            if (overfits_at(&cases[i], seed) != 0)
                fail_msg("case %d, seed %d", (int)i, (int)seed);
    /* Two bad epochs, one after the other. */
    ls_metrics history[EPOCHS];
    draw(&cases[0], 0, history);
    history[15].val_loss *= 3;
    history[16].val_loss *= 3;
    history[29].val_loss *= 3;
    assert_int_equal(ls_diagnose_overfitting(history, EPOCHS, false).epoch, 0);
}

static void underfitting_shows_at_the_end(void **state)
{
    (void)state;
    const struct {
        curves curves;
        bool shows, falling;
    } cases[] = {
        {{high, high, 0}, true, false},
        {{high, nan_of, 0}, true, false},
        {{high, settles, 0}, false, false}, /* augmented: validation is good */
        {{falls, settles, 0}, false, true},
        {{falls, high, 0}, false, true}, /* a gap is no underfitting */
        {{bound_from_below, bound_from_below, 0}, true, false},
    };
    ls_metrics history[EPOCHS];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        draw(&cases[i].curves, 0, history);
        const ls_underfitting u = ls_diagnose_underfitting(history, EPOCHS, false, CLASSES);
        assert_true(u.shows == cases[i].shows);
        if (u.shows)
            assert_true(u.falling == cases[i].falling);
        assert_false(
            ls_diagnose_underfitting(history, 2, false, CLASSES).shows); /* too early to tell */
    }
    draw(&cases[5].curves, 0, history);
    const ls_underfitting early = ls_diagnose_underfitting(history, 4, false, CLASSES);
    assert_true(early.shows && early.falling);
    assert_near(early.accuracy, history[2].accuracy, 1e-12, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(overfitting_shows),
        cmocka_unit_test(smoothed_labels_need_accuracy_to_fall),
        cmocka_unit_test(noise_and_gaps_are_no_overfitting),
        cmocka_unit_test(underfitting_shows_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
