/* Results of a scaling experiment: medians and their intervals, speed-ups, shares of time, the time
 * to a target; and reading of the files of runs. */
#include "measure/scaling.h"

#include "base/file.h"
#include "base/json.h"
#include "test.h"
#include <lockstep/run.h>

#include <math.h>
#include <string.h>
#include <sys/stat.h>

/* Intervals from a table of the binomial distribution with p = 1/2 (that of the sign test). */
static void intervals_equal_those_of_the_sign_test(void **state)
{
    (void)state;
    const struct {
        int count, outer;
        double coverage;
    } cases[] = {{1, 1, 0},       {2, 1, 0.5},       {3, 1, 0.75},      {5, 1, 0.9375},
                 {6, 1, 0.96875}, {8, 1, 0.9921875}, {9, 2, 0.9609375}, {20, 6, 0.95861}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double values[20];
        const int n = cases[i].count;
        for (int k = 0; k < n; k++)
            values[k] = (k * 7) % n + 1; /* 1 .. n in another order, where 7 does not divide n */
        const ls_estimate e = ls_estimate_make(values, n);
        assert_int_equal(e.count, n);
        assert_near(e.median, (n + 1) / 2.0, 1e-12, 0);
        assert_near(e.low, cases[i].outer, 0, 0);
        assert_near(e.high, n + 1 - cases[i].outer, 0, 0);
        assert_near(e.coverage, cases[i].coverage, 0, 1e-5);
    }
    assert_true(isnan(ls_estimate_make(NULL, 0).median));
}

static ls_metrics make_epoch(double number, double seconds, double rate, double val_accuracy)
{
    return (ls_metrics){.epoch = number,
                        .seconds = seconds,
                        .samples_per_second = rate,
                        .val_accuracy = val_accuracy,
                        .compute_s = 0.8 * seconds,
                        .communicate_s = 0.1 * seconds,
                        .exchange_s = 0.05 * seconds,
                        .validation_s = 0.5,
                        .checkpoint_s = 0.25};
}

static void speedups_are_relative_to_the_median_run_on_one_rank(void **state)
{
    (void)state;
    /* The first epoch is warm-up and left out; the run on 4 ranks is first in the list. */
    const ls_metrics four[] = {make_epoch(1, 90, 1, 0.5), make_epoch(2, 3, 40, 0.9),
                               make_epoch(3, 3, 40, 0.95)};
    const ls_metrics one[] = {make_epoch(1, 99, 1, 0.4), make_epoch(2, 10, 12, 0.8),
                              make_epoch(3, 10, 12, 0.9)};
    const ls_metrics best[] = {make_epoch(1, 99, 1, 0.4), make_epoch(2, 8, 15, 0.8),
                               make_epoch(3, 8, 16, 0.89), make_epoch(4, 8, 17, 0.89)};
    const ls_scaling_run runs[] = {{4, true, four, 3}, {1, false, one, 3}, {1, false, best, 4}};
    ls_scaling_row rows[3];
    int used;
    assert_ok(ls_scaling_evaluate(runs, 3, LS_SCALING_STRONG, 1, 0.9, rows, &used));
    assert_int_equal(used, 2);
    assert_int_equal(rows[0].ranks, 1);
    assert_int_equal(rows[0].runs, 2);
    assert_false(rows[0].oversubscribed);
    assert_true(rows[1].oversubscribed);
    assert_near(rows[0].seconds.median, 9, 1e-12, 0);
    assert_near(rows[0].rate.median, 14, 1e-12, 0);
    assert_near(rows[0].speedup.median, 1, 1e-12, 0);
    assert_near(rows[0].efficiency.median, 1, 1e-12, 0);
    assert_near(rows[0].speedup.low, 12.0 / 14, 1e-12, 0);
    assert_near(rows[0].speedup.high, 16.0 / 14, 1e-12, 0);
    assert_true(isnan(rows[0].serial_fraction));
    const double speedup = 40.0 / 14;
    assert_near(rows[1].speedup.median, speedup, 1e-12, 0);
    assert_near(rows[1].efficiency.median, speedup / 4, 1e-12, 0);
    assert_near(rows[1].serial_fraction, (1 / speedup - 0.25) / 0.75, 1e-12, 0);
    assert_near(rows[1].share[LS_SCALING_compute], 0.8, 1e-12, 0);
    assert_near(rows[1].share[LS_SCALING_rest], 0.05, 1e-12, 0);
    /* The time to the target includes the warm-up, but not the last checkpoint. */
    assert_int_equal(rows[0].reached, 1);
    assert_near(rows[0].to_target.median, 99 + 10 + 10 + 3 * 0.5 + 2 * 0.25, 1e-12, 0);
    assert_near(rows[1].to_target.median, 90 + 3 + 2 * 0.5 + 0.25, 1e-12, 0);

    assert_ok(ls_scaling_evaluate(runs, 3, LS_SCALING_WEAK, 0, 0, rows, &used));
    assert_true(isnan(rows[1].serial_fraction));
    assert_int_equal(rows[1].reached, 0);
    assert_true(isnan(rows[1].to_target.median));
    assert_fails(ls_scaling_evaluate(runs, 3, LS_SCALING_STRONG, 3, 0, rows, &used), LS_ERR_DATA,
                 "a run on 4 ranks has 3 epochs, and the first 3 are left out");
}

/* If no run has one rank. */
static void speedups_are_relative_to_the_fewest_ranks(void **state)
{
    (void)state;
    const ls_metrics two[] = {make_epoch(1, 4, 20, NAN)}, eight[] = {make_epoch(1, 2, 60, NAN)};
    const ls_scaling_run runs[] = {{2, false, two, 1}, {8, false, eight, 1}};
    ls_scaling_row rows[2];
    int used;
    assert_ok(ls_scaling_evaluate(runs, 2, LS_SCALING_STRONG, 0, 0.5, rows, &used));
    assert_near(rows[0].speedup.median, 2, 1e-12, 0);
    assert_near(rows[1].speedup.median, 6, 1e-12, 0);
    assert_near(rows[1].efficiency.median, 0.75, 1e-12, 0);
    assert_true(isnan(rows[1].serial_fraction));
    assert_int_equal(rows[1].reached, 0);
}

static void write_run(const char *summary, const char *metrics)
{
    assert_ok(ls_make_folder("run"));
    assert_ok(ls_write_file("run/summary.json", summary, strlen(summary)));
    assert_ok(ls_write_file("run/metrics.csv", metrics, strlen(metrics)));
}

static void the_files_of_a_finished_run_are_read(void **state)
{
    (void)state;
    ls_run_record r = {0};
    write_run("{\"ranks\": 3}", "epoch,loss,future,val_loss\n1,0.5,7,\n2,0.25,,1e-3\n");
    assert_ok(ls_run_read(&r, "run"));
    assert_int_equal(json_integer_value(json_object_get(r.summary, "ranks")), 3);
    assert_int_equal(r.epochs, 2);
    assert_true(r.finished);
    assert_near(r.history[1].epoch, 2, 0, 0);
    assert_near(r.history[1].loss, 0.25, 0, 0);
    assert_near(r.history[1].val_loss, 1e-3, 1e-12, 0);
    assert_true(isnan(r.history[0].val_loss));
    assert_true(isnan(r.history[0].seconds));
    ls_run_record_clear(&r);
}

static void malformed_files_of_a_run_are_refused(void **state)
{
    (void)state;
    ls_run_record r = {0};
    const struct {
        const char *summary, *metrics, *part;
    } bad[] = {
        {"{\"ranks\": ", "epoch\n", "run/summary.json: line 1: no JSON object"},
        {"[1]", "epoch\n", "run/summary.json"},
        {"{}", "", "run/metrics.csv: empty"},
        {"{}", "loss,epoch\n", "run/metrics.csv: line 1 is malformed"},
        {"{}", "epoch,loss\n1,0.5\n2\n", "run/metrics.csv: line 3 is malformed"},
        {"{}", "epoch,loss\n1,x\n", "line 2"},
        {"{}", "epoch,loss\n1,1,1\n", "line 2"},
        {"{}", "epoch,loss\n,1\n", "line 2"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        write_run(bad[i].summary, bad[i].metrics);
        assert_fails(ls_run_read(&r, "run"), LS_ERR_DATA, bad[i].part);
        assert_null(r.summary);
    }
    assert_fails(ls_run_read(&r, "nowhere"), LS_ERR_DATA, "nowhere: holds no run");
}

static void write_text(const char *path, const char *text)
{
    assert_ok(ls_write_file(path, text, strlen(text)));
}

/* Without a summary, from config.conf and the events. */
static void the_files_of_an_unfinished_run_are_read(void **state)
{
    (void)state;
    static const char events[] =
        "{\"event\": \"start\", \"epoch\": 0, \"ranks\": 3, \"threads\": 2}\n"
        "{\"event\": \"checkpoint\", \"epoch\": 1, \"best\": true}\n"
        "{\"event\": \"checkpoint\", \"epoch\": 2, \"best\": false}\n"
        "{\"event\": \"diagnosis\", \"what\": \"overfitting\", \"text\": \"why\"}\n"
        "no JSON\n[1]\n{\"event\": 1}\n"
        "{\"event\": \"stop\", \"epoch\": 2, \"text\": \"by SIGTERM\"}\n";
    static const char resumed[] = "{\"event\": \"resume\", \"epoch\": 2, \"ranks\": 4}\n{\"ev";
    char both[sizeof events + sizeof resumed];
    char text[LS_JSON_TEXT];
    ls_run_record r;
    assert_ok(ls_make_folder("open"));
    write_text("open/config.conf", "epochs = 9\nmodel = dense:5\n");
    assert_fails(ls_run_read(&r, "open"), LS_ERR_DATA, "open/metrics.csv");
    write_text("open/metrics.csv", "epoch,loss\n1,0.5\n2,0.");
    assert_ok(ls_run_read(&r, "open"));
    assert_false(r.finished);
    assert_int_equal(r.epochs, 1);
    assert_string_equal(ls_json_show(r.summary, "outcome", NULL, text), "unfinished");
    assert_string_equal(ls_json_show(r.summary, "config", "epochs", text), "9");
    ls_run_record_clear(&r);

    write_text("open/events.jsonl", events);
    assert_ok(ls_run_read(&r, "open"));
    assert_string_equal(ls_json_show(r.summary, "outcome", NULL, text), "interrupted");
    assert_string_equal(ls_json_show(r.summary, "text", NULL, text), "by SIGTERM");
    assert_string_equal(ls_json_show(r.summary, "ranks", NULL, text), "3");
    assert_string_equal(ls_json_show(r.summary, "best", "epoch", text), "1");
    assert_string_equal(ls_json_show(r.summary, "diagnosis", "what", text), "overfitting");
    ls_run_record_clear(&r);

    snprintf(both, sizeof both, "%s%s", events, resumed);
    write_text("open/events.jsonl", both);
    assert_ok(ls_run_read(&r, "open"));
    assert_string_equal(ls_json_show(r.summary, "outcome", NULL, text), "unfinished");
    assert_string_equal(ls_json_show(r.summary, "text", NULL, text), "");
    assert_string_equal(ls_json_show(r.summary, "ranks", NULL, text), "4");
    ls_run_record_clear(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(intervals_equal_those_of_the_sign_test),
        cmocka_unit_test(speedups_are_relative_to_the_median_run_on_one_rank),
        cmocka_unit_test(speedups_are_relative_to_the_fewest_ranks),
        cmocka_unit_test(the_files_of_a_finished_run_are_read),
        cmocka_unit_test(malformed_files_of_a_run_are_refused),
        cmocka_unit_test(the_files_of_an_unfinished_run_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
