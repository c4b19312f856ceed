#include "test.h"

#include "base/file.h"
#include "base/memory.h"
#include "train/run_log.h"

#include <math.h>
#include <string.h>

static ls_metrics row(int epoch)
{
    return (ls_metrics){.epoch = epoch, .loss = 1.0 / epoch, .val_loss = NAN, .val_accuracy = NAN};
}

/* How often `part` occurs in a file. */
static int occurrences(const char *path, const char *part)
{
    char *text;
    size_t length;
    int count = 0;
    assert_ok(ls_read_file(path, 1 << 20, LS_ERR_DATA, &text, &length));
    for (const char *at = text; (at = strstr(at, part)) != NULL; at++)
        count++;
    ls_free(text);
    return count;
}

static void records_each_epoch_once(void **state)
{
    (void)state;
    ls_run_log *log;
    ls_metrics history[4];
    assert_ok(ls_make_folder("run"));
    assert_ok(ls_run_log_refuse_used("run"));
    assert_ok(ls_run_log_open(&log, "run", "seed = 1\n", NULL, 0));
    for (int i = 0; i < 4; i++) {
        history[i] = row(i + 1);
        assert_ok(ls_run_log_metrics(log, &history[i]));
        assert_ok(ls_run_log_event(log, "epoch", i + 1, ls_metrics_json(&history[i])));
    }
    ls_run_log_close(&log);
    assert_int_equal(occurrences("run/metrics.csv", "\n"), 5);
    assert_int_equal(occurrences("run/metrics.csv", "\n2,0.5,0,,,"), 1);
    assert_int_equal(occurrences("run/metrics.csv", "epoch,loss,accuracy,val_loss,val_accuracy,lr,"
                                                    "seconds,samples_per_second,compute_s,"
                                                    "communicate_s"),
                     1);
    assert_fails(ls_run_log_refuse_used("run"), LS_ERR_USAGE, "holds a run already");

    /* A crash in the middle of a line; then a resume after epoch 2. */
    FILE *events = fopen("run/events.jsonl", "a");
    fputs("{\"time\":\"2026", events);
    fclose(events);
    assert_ok(ls_run_log_open(&log, "run", "seed = 1\n", history, 2));
    assert_ok(ls_run_log_metrics(log, &history[2]));
    assert_ok(ls_run_log_event(log, "epoch", 3, NULL));
    ls_run_log_close(&log);
    assert_int_equal(occurrences("run/metrics.csv", "\n"), 4);
    assert_int_equal(occurrences("run/metrics.csv", "\n3,"), 1);
    assert_int_equal(occurrences("run/events.jsonl", "\n"), 3);
    assert_int_equal(occurrences("run/events.jsonl", "\"epoch\":3"), 1);
    assert_int_equal(occurrences("run/events.jsonl", "\"epoch\":4"), 0);
    assert_int_equal(occurrences("run/events.jsonl", "\"val_loss\":null"), 2);

    /* The summary stands only beside a run that has come to its end. */
    assert_ok(ls_run_log_open(&log, "run", "seed = 1\n", history, 2));
    assert_false(ls_run_log_has_summary(log));
    assert_ok(ls_run_log_retract_summary(log));
    assert_ok(ls_run_log_summary(log, ls_metrics_json(&history[1])));
    assert_true(ls_run_log_has_summary(log));
    assert_ok(ls_run_log_retract_summary(log));
    assert_false(ls_run_log_has_summary(log));
    ls_run_log_close(&log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(records_each_epoch_once)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
