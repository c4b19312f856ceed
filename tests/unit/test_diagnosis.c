/* Curves with and without overfitting and underfitting. */
#include "test.h"

#include "base/rng.h"
#include "train/diagnosis.h"

#include <math.h>
#include <string.h>

enum { EPOCHS = 30, CLASSES = 10, ROWS = 10000 };

/* Losses by epoch, from 1, and the relative amplitude of random noise. */
typedef struct curves {
    double (*loss)(int epoch), (*val_loss)(int epoch);
    double noise;
} curves;

static void make_history(const curves *c, uint64_t seed, ls_metrics history[EPOCHS])
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

static double falling(int e)
{
    return 0.4 * exp(-0.2 * e) + 0.001;
}
static double settling(int e)
{
    return 0.2 * exp(-0.3 * e) + 0.03;
}
static double settling_then_rising(int e)
{
    return settling(e) + (e > 8 ? 0.002 * (e - 8) : 0);
}
static double falling_to_a_bound(int e)
{
    return 0.4 * exp(-0.2 * e) + 0.5;
} /* label smoothing */
static double staying_high(int e)
{
    return 2.3 - 0.01 * e;
}
static double rising(int e)
{
    return 0.1 + 0.01 * e;
}
static double nan_of(int e)
{
    return e > 0 ? (double)NAN : 0;
}

static ls_overfitting diagnose_overfitting(const ls_metrics *history, int64_t epochs, bool smoothed)
{
    const ls_course course = {history, epochs, smoothed, CLASSES, ROWS, false};
    return ls_diagnose_overfitting(&course);
}

static ls_underfitting diagnose_underfitting(const ls_metrics *history, int64_t epochs)
{
    const ls_course course = {history, epochs, false, CLASSES, ROWS, false};
    return ls_diagnose_underfitting(&course);
}

/* Returns the epoch at which a rise is detected, 0: none; asserts that no gap is. A rise that the
 * first epochs show is the same after more epochs: it is reported once. */
static int64_t find_rise(const curves *c, uint64_t seed)
{
    ls_metrics history[EPOCHS];
    make_history(c, seed, history);
    const ls_overfitting whole = diagnose_overfitting(history, EPOCHS, false);
    for (int e = 0; e <= EPOCHS; e++) {
        const ls_overfitting part = diagnose_overfitting(history, e, false);
        assert_int_equal(part.rise, whole.rise > 0 && e >= whole.rise ? whole.rise : 0);
        assert_int_equal(part.gap, 0);
    }
    return whole.rise;
}

static void a_rising_validation_loss_is_overfitting(void **state)
{
    (void)state;
    const curves smooth = {falling, settling_then_rising, 0};
    ls_metrics history[EPOCHS];
    make_history(&smooth, 0, history);
    const ls_overfitting o = diagnose_overfitting(history, EPOCHS, false);
    assert_in_range(o.rise, 14, 20);
    assert_in_range(o.least, 8, 12);
    assert_true(o.val_loss[1] > 1.1 * o.val_loss[0] && o.loss[1] < o.loss[0]);
    for (uint64_t seed = 0; seed < 200; seed++) { /* also with noise of 5 % */
        const curves noisy = {falling, settling_then_rising, 0.05};
        make_history(&noisy, seed, history);
        assert_in_range(diagnose_overfitting(history, EPOCHS, false).rise, 10, 26);
    }
}

/* With smoothed labels the loss may rise while accuracy rises too. */
static void with_smoothed_labels_overfitting_needs_falling_accuracy(void **state)
{
    (void)state;
    const curves smooth = {falling, settling_then_rising, 0};
    ls_metrics history[EPOCHS];
    make_history(&smooth, 0, history);
    assert_true(diagnose_overfitting(history, EPOCHS, true).rise > 0);
    for (int e = 0; e < EPOCHS; e++)
        history[e].val_accuracy = 0.9 + 0.001 * e;
    assert_int_equal(diagnose_overfitting(history, EPOCHS, true).rise, 0);
    assert_true(diagnose_overfitting(history, EPOCHS, false).rise > 0);
}

/* As after a decay of the learning rate. */
static void a_rise_before_a_lower_loss_is_no_overfitting(void **state)
{
    (void)state;
    const curves smooth = {falling, settling_then_rising, 0};
    ls_metrics history[EPOCHS];
    make_history(&smooth, 0, history);
    assert_true(diagnose_overfitting(history, 20, false).rise > 0);
    for (int e = 20; e < EPOCHS; e++)
        history[e].val_loss = 0.02;
    assert_true(diagnose_overfitting(history, 21, false).rise > 0); /* one epoch does not decide */
    assert_int_equal(diagnose_overfitting(history, EPOCHS, false).rise, 0);
}

static void noisy_curves_are_no_overfitting(void **state)
{
    (void)state;
    const curves cases[] = {
        {falling, settling, 0},
        {falling, settling, 0.05},
        {falling, falling, 0.1},
        {falling_to_a_bound, falling, 0}, /* the training loss is higher: no evidence */
        {rising, rising, 0},              /* both rise: diverging */
        {staying_high, staying_high, 0.02},
        {falling, nan_of, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (uint64_t seed = 0; seed < 200; seed++)
            if (find_rise(&cases[i], seed) != 0)
                fail_msg("case %d, seed %d", (int)i, (int)seed);
}

static void single_bad_epochs_are_no_overfitting(void **state)
{
    (void)state;
    const curves smooth = {falling, settling, 0};
    ls_metrics history[EPOCHS];
    make_history(&smooth, 0, history);
    for (int e = 0; e < EPOCHS; e++)
        if (e == 10 || e == 15 || e == 16 || e == 29) {
            history[e].val_loss *= 3;
            history[e].val_accuracy -= 0.3;
        }
    assert_int_equal(diagnose_overfitting(history, EPOCHS, false).rise, 0);
    assert_int_equal(diagnose_overfitting(history, EPOCHS, false).gap, 0);
}

/* Accuracies of ten epochs in thousandths; the losses are constant. */
static void a_lasting_gap_of_accuracies_is_overfitting(void **state)
{
    (void)state;
    enum { N = 10 };
    const struct {
        const char *what;
        int train[N], validation[N], rows, gap;
    } cases[] = {
        {"memorised",
         {700, 900, 960, 985, 995, 1000, 1000, 1000, 1000, 1000},
         {800, 900, 920, 925, 930, 930, 930, 930, 930, 930},
         1000,
         6},
        {"too few validation rows",
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
        {"validation behind in the first epochs",
         {600, 800, 900, 950, 960, 970, 975, 980, 980, 980},
         {100, 200, 500, 900, 950, 960, 965, 970, 970, 970},
         1000,
         0},
        {"two bad epochs",
         {700, 900, 960, 985, 995, 1000, 1000, 1000, 1000, 1000},
         {800, 900, 960, 970, 975, 900, 900, 975, 975, 900},
         1000,
         0},
        {"a gap closed by a decay of the learning rate",
         {700, 900, 960, 985, 995, 1000, 1000, 1000, 1000, 1000},
         {800, 820, 850, 880, 900, 900, 980, 980, 980, 980},
         1000,
         0},
        {"augmented: training accuracy is lower",
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
        const ls_course course = {history, N, false, CLASSES, cases[i].rows, false};
        const ls_overfitting o = ls_diagnose_overfitting(&course);
        if (o.gap != cases[i].gap)
            fail_msg("%s: gap at %d", cases[i].what, (int)o.gap);
        assert_int_equal(o.rise, 0);
    }
}

static void a_high_training_loss_is_underfitting(void **state)
{
    (void)state;
    const struct {
        curves curves;
        bool shows, falling;
    } cases[] = {
        {{staying_high, staying_high, 0}, true, false},
        {{staying_high, nan_of, 0}, true, false},
        {{staying_high, settling, 0}, false, false}, /* augmented: validation is good */
        {{falling, settling, 0}, false, true},
        {{falling, staying_high, 0}, false, true}, /* a gap is no underfitting */
        {{falling_to_a_bound, falling_to_a_bound, 0}, true, false},
    };
    ls_metrics history[EPOCHS];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        make_history(&cases[i].curves, 0, history);
        const ls_underfitting u = diagnose_underfitting(history, EPOCHS);
        assert_true(u.shows == cases[i].shows);
        if (u.shows)
            assert_true(u.falling == cases[i].falling);
        assert_false(diagnose_underfitting(history, 2).shows); /* too few epochs */
    }
    make_history(&cases[5].curves, 0, history);
    const ls_underfitting early = diagnose_underfitting(history, 4);
    assert_true(early.shows && early.falling);
    assert_near(early.accuracy, history[2].accuracy, 1e-12, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rising_validation_loss_is_overfitting),
        cmocka_unit_test(with_smoothed_labels_overfitting_needs_falling_accuracy),
        cmocka_unit_test(a_rise_before_a_lower_loss_is_no_overfitting),
        cmocka_unit_test(noisy_curves_are_no_overfitting),
        cmocka_unit_test(single_bad_epochs_are_no_overfitting),
        cmocka_unit_test(a_lasting_gap_of_accuracies_is_overfitting),
        cmocka_unit_test(a_high_training_loss_is_underfitting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
