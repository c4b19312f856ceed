/* Curves with and without overfitting and underfitting. */
#include "test.h"

#include "base/rng.h"
#include "train/diagnosis.h"

#include <math.h>
#include <string.h>

enum { EPOCHS = 30, CLASSES = 10, ROWS = 10000 };

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
    return 0.2 * exp(-0.3 * e) + 0.03;
}
static double turns(int e)
{
    return settles(e) + (e > 8 ? 0.002 * (e - 8) : 0);
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

static ls_overfitting overfitting_of(const ls_metrics *history, int64_t epochs, bool smoothed)
{
    const ls_course course = {history, epochs, smoothed, CLASSES, ROWS};
    return ls_diagnose_overfitting(&course);
}

static ls_underfitting underfitting_of(const ls_metrics *history, int64_t epochs)
{
    const ls_course course = {history, epochs, false, CLASSES, ROWS};
    return ls_diagnose_underfitting(&course);
}

/* The epoch at which a rise shows, 0: none does; a gap may not. */
static int64_t overfits_at(const curves *c, uint64_t seed)
{
    ls_metrics history[EPOCHS];
    draw(c, seed, history);
    const ls_overfitting whole = overfitting_of(history, EPOCHS, false);
    /* What is known of the first epochs does not change as others come: it is said once. */
    for (int e = 0; e <= EPOCHS; e++) {
        const ls_overfitting part = overfitting_of(history, e, false);
        assert_int_equal(part.rise, whole.rise > 0 && e >= whole.rise ? whole.rise : 0);
        assert_int_equal(part.gap, 0);
    }
    return whole.rise;
}

static void overfitting_shows(void **state)
{
    (void)state;
    const curves smooth = {falls, turns, 0};
    ls_metrics history[EPOCHS];
    draw(&smooth, 0, history);
    const ls_overfitting o = overfitting_of(history, EPOCHS, false);
    assert_in_range(o.rise, 14, 20);
    assert_in_range(o.least, 8, 12);
    assert_true(o.val_loss[1] > 1.1 * o.val_loss[0] && o.loss[1] < o.loss[0]);
    for (uint64_t seed = 0; seed < 200; seed++) { /* with noise of 5 % soon, too */
        const curves noisy = {falls, turns, 0.05};
        draw(&noisy, seed, history);
        assert_in_range(overfitting_of(history, EPOCHS, false).rise, 10, 26);
    }
}

/* The loss may rise as the network becomes as unsure as it is asked to be, while accuracy rises. */
static void smoothed_labels_need_accuracy_to_fall(void **state)
{
    (void)state;
    const curves smooth = {falls, turns, 0};
    ls_metrics history[EPOCHS];
    draw(&smooth, 0, history);
    assert_true(overfitting_of(history, EPOCHS, true).rise > 0);
    for (int e = 0; e < EPOCHS; e++)
        history[e].val_accuracy = 0.9 + 0.001 * e;
    assert_int_equal(overfitting_of(history, EPOCHS, true).rise, 0);
    assert_true(overfitting_of(history, EPOCHS, false).rise > 0);
}

/* A rise that a lower loss follows, as where the learning rate falls, was none. */
static void a_rise_is_overcome(void **state)
{
    (void)state;
    const curves smooth = {falls, turns, 0};
    ls_metrics history[EPOCHS];
    draw(&smooth, 0, history);
    assert_true(overfitting_of(history, 20, false).rise > 0);
    for (int e = 20; e < EPOCHS; e++)
        history[e].val_loss = 0.02;
    assert_true(overfitting_of(history, 21, false).rise > 0); /* one epoch does not decide */
    assert_int_equal(overfitting_of(history, EPOCHS, false).rise, 0);
}

static void noise_is_no_overfitting(void **state)
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
    /* One bad epoch; and two, one after the other. */
    ls_metrics history[EPOCHS];
    draw(&cases[0], 0, history);
    for (int e = 0; e < EPOCHS; e++)
        if (e == 10 || e == 15 || e == 16 || e == 29) {
            history[e].val_loss *= 3;
            history[e].val_accuracy -= 0.3;
        }
    assert_int_equal(overfitting_of(history, EPOCHS, false).rise, 0);
    assert_int_equal(overfitting_of(history, EPOCHS, false).gap, 0);
}

/* Accuracies of a run of ten epochs, whose losses say nothing, in thousandths. */
static void gaps_of_accuracies(void **state)
{
    (void)state;
    enum { N = 10 };
    const struct {
        const char *what;
        int train[N], validation[N], rows, gap;
    } cases[] = {
        {"known by heart",
         {700, 900, 960, 985, 995, 1000, 1000, 1000, 1000, 1000},
         {800, 900, 920, 925, 930, 930, 930, 930, 930, 930},
         1000,
         6},
        {"too few validation rows to tell",
         {700, 900, 960, 985, 995, 1000, 1000, 1000, 1000, 1000},
         {800, 900, 920, 925, 930, 930, 930, 930, 930, 930},
         50,
         0},
        {"a usual gap",
         {900, 950, 970, 980, 990, 995, 998, 1000, 1000, 1000},
         {940, 960, 965, 970, 972, 975, 976, 977, 977, 977},
         1000,
         0},
        {"hard for both",
         {300, 400, 450, 480, 500, 510, 520, 525, 530, 530},
         {320, 390, 420, 430, 440, 445, 445, 445, 445, 445},
         1000,
         0},
        {"validation that lags in the first epochs",
         {600, 800, 900, 950, 960, 970, 975, 980, 980, 980},
         {100, 200, 500, 900, 950, 960, 965, 970, 970, 970},
         1000,
         0},
        {"two bad epochs",
         {700, 900, 960, 985, 995, 1000, 1000, 1000, 1000, 1000},
         {800, 900, 960, 970, 975, 900, 900, 975, 975, 900},
         1000,
         0},
        {"overcome, as where the learning rate falls",
         {700, 900, 960, 985, 995, 1000, 1000, 1000, 1000, 1000},
         {800, 820, 850, 880, 900, 900, 980, 980, 980, 980},
         1000,
         0},
        {"augmented: training is behind",
         {500, 600, 700, 750, 760, 770, 780, 790, 800, 800},
         {600, 700, 800, 850, 870, 880, 890, 900, 900, 900},
         1000,
         0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ls_metrics history[N];
        for (int e = 0; e < N; e++)
            history[e] = (ls_metrics){.epoch = e + 1,
                                      .loss = 0.1,
                                      .val_loss = 0.1,
                                      .accuracy = cases[i].train[e] / 1000.0,
                                      .val_accuracy = cases[i].validation[e] / 1000.0};
        const ls_course course = {history, N, false, CLASSES, cases[i].rows};
        const ls_overfitting o = ls_diagnose_overfitting(&course);
        if (o.gap != cases[i].gap)
            fail_msg("%s: gap at %d", cases[i].what, (int)o.gap);
        assert_int_equal(o.rise, 0);
    }
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
        const ls_underfitting u = underfitting_of(history, EPOCHS);
        assert_true(u.shows == cases[i].shows);
        if (u.shows)
            assert_true(u.falling == cases[i].falling);
        assert_false(underfitting_of(history, 2).shows); /* too early to tell */
    }
    draw(&cases[5].curves, 0, history);
    const ls_underfitting early = underfitting_of(history, 4);
    assert_true(early.shows && early.falling);
    assert_near(early.accuracy, history[2].accuracy, 1e-12, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(overfitting_shows),
        cmocka_unit_test(smoothed_labels_need_accuracy_to_fall),
        cmocka_unit_test(a_rise_is_overcome),
        cmocka_unit_test(noise_is_no_overfitting),
        cmocka_unit_test(gaps_of_accuracies),
        cmocka_unit_test(underfitting_shows_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
