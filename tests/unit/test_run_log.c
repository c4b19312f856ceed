#include "test.h"
#include "tiny_training.h"

#include "base/file.h"
#include "base/memory.h"
#include "run/run_log.h"

#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lockstep/run.h>

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

/* A run that has come to the end of so many epochs, in the folder `run`. */
static ls_metrics history[4];
static ls_run_folder *folder;

static ls_run_log *begin(int epochs)
{
    ls_run_log *log;
    assert_ok(ls_run_folder_take(&folder, "run"));
    assert_ok(ls_run_log_open(&log, folder, "seed = 1\n", history, epochs));
    return log;
}

static void end(ls_run_log **log)
{
    ls_run_log_close(log);
    ls_run_folder_release(&folder);
}

static ls_status add(ls_run_log *log, int epoch)
{
    history[epoch - 1] = row(epoch);
    ls_status status = ls_run_log_metrics(log, history, epoch);
    return status == LS_OK
               ? ls_run_log_event(log, LS_EVENT_EPOCH, epoch, ls_metrics_json(&history[epoch - 1]))
               : status;
}

static void records_each_epoch_once(void **state)
{
    (void)state;
    empty_folder("run/checkpoints");
    empty_folder("run");
    assert_ok(ls_run_folder_refuse_used("run"));
    ls_run_log *log = begin(0);
    for (int i = 1; i <= 4; i++)
        assert_ok(add(log, i));
    end(&log);
    assert_int_equal(occurrences("run/metrics.csv", "\n"), 5);
    assert_int_equal(occurrences("run/metrics.csv", "\n2,0.5,0,,,"), 1);
    assert_int_equal(occurrences("run/metrics.csv", "epoch,loss,accuracy,val_loss,val_accuracy,lr,"
                                                    "seconds,samples_per_second,compute_s,"
                                                    "communicate_s"),
                     1);
    assert_fails(ls_run_folder_refuse_used("run"), LS_ERR_USAGE, "holds a run already");

    /* A crash in the middle of a line; then a resume after epoch 2. */
    FILE *events = fopen("run/events.jsonl", "a");
    fputs("{\"time\":\"2026", events);
    fclose(events);
    log = begin(2);
    assert_ok(ls_run_log_metrics(log, history, 3));
    assert_ok(ls_run_log_event(log, LS_EVENT_EPOCH, 3, NULL));
    end(&log);
    assert_int_equal(occurrences("run/metrics.csv", "\n"), 4);
    assert_int_equal(occurrences("run/metrics.csv", "\n3,"), 1);
    assert_int_equal(occurrences("run/events.jsonl", "\n"), 3);
    assert_int_equal(occurrences("run/events.jsonl", "\"epoch\":3"), 1);
    assert_int_equal(occurrences("run/events.jsonl", "\"epoch\":4"), 0);
    assert_int_equal(occurrences("run/events.jsonl", "\"val_loss\":null"), 2);

    /* The summary stands only beside a run that has come to its end. */
    log = begin(2);
    assert_false(ls_run_log_has_summary(log));
    assert_ok(ls_run_log_retract_summary(log));
    assert_ok(ls_run_log_summary(log, ls_metrics_json(&history[1])));
    assert_true(ls_run_log_has_summary(log));
    assert_ok(ls_run_log_retract_summary(log));
    assert_false(ls_run_log_has_summary(log));
    end(&log);
}

/* Any record of a run shows that a folder is used, and so do checkpoints alone. */
static void knows_used_folders(void **state)
{
    (void)state;
    static const char *const records[] = {"run/config.conf", "run/metrics.csv", "run/events.jsonl",
                                          "run/summary.json", "run/checkpoints/step-00000012.h5"};
    for (size_t i = 0; i < sizeof records / sizeof *records; i++) {
        empty_folder("run/checkpoints");
        empty_folder("run");
        assert_ok(ls_run_folder_refuse_used("run"));
        assert_ok(ls_write_file(records[i], "", 0));
        assert_fails(ls_run_folder_refuse_used("run"), LS_ERR_USAGE,
                     i < 4 ? "holds a run already" : "holds 1 checkpoint of another run");
    }
}

static void knows_the_run(void **state)
{
    (void)state;
    char run[LS_RUN_ID];
    empty_folder("run");
    assert_ok(ls_run_log_find_run("run", run));
    assert_string_equal(run, "");
    ls_run_log *log = begin(0);
    assert_ok(ls_run_log_event(log, LS_EVENT_START, 0, NULL)); /* as it was before runs had ids */
    assert_ok(
        ls_run_log_event(log, LS_EVENT_RESUME, 0, json_pack("{s:s}", "run", "0123456789abcdef")));
    assert_ok(ls_run_log_event(log, LS_EVENT_RESUME, 0, json_pack("{s:s}", "run", "another")));
    end(&log);
    assert_ok(ls_run_log_find_run("run", run));
    assert_string_equal(run, "0123456789abcdef");
}

/* metrics.csv has all epochs, whatever becomes of it meanwhile; events.jsonl tells of it. */
static void outlasts_its_files(void **state)
{
    (void)state;
    empty_folder("run");
    ls_run_log *log = begin(0);
    assert_ok(add(log, 1));
    assert_int_equal(unlink("run/metrics.csv"), 0);
    assert_int_equal(unlink("run/config.conf"), 0);
    assert_ok(add(log, 2));
    assert_int_equal(occurrences("run/metrics.csv", "\n"), 3);
    assert_int_equal(occurrences("run/metrics.csv", "epoch,loss"), 1);
    assert_int_equal(occurrences("run/config.conf", "seed = 1\n"), 1);
    assert_int_equal(truncate("run/metrics.csv", 0), 0);
    assert_ok(add(log, 3));
    assert_int_equal(occurrences("run/metrics.csv", "\n"), 4);
    assert_int_equal(occurrences("run/events.jsonl", "\"records_changed\""), 2);

    assert_int_equal(truncate("run/events.jsonl", 30), 0);
    assert_ok(add(log, 4));
    assert_int_equal(occurrences("run/events.jsonl", "\n"), 2);
    assert_int_equal(occurrences("run/events.jsonl", "\"records_changed\""), 1);
    assert_int_equal(unlink("run/events.jsonl"), 0);
    assert_ok(ls_run_log_event(log, LS_EVENT_END, 4, NULL));
    assert_int_equal(occurrences("run/events.jsonl", "\n"), 2);
    end(&log);
}

/* Whether another process can't take the folder. */
static bool is_taken(void)
{
    int status;
    const pid_t child = fork();
    if (child == 0) {
        ls_run_folder *other;
        _exit(ls_run_folder_take(&other, "run") == LS_ERR_USAGE ? 1 : 0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 1;
}

/* A run writes into its own folder only. */
static void notices_what_becomes_of_the_folder(void **state)
{
    (void)state;
    empty_folder("run/checkpoints");
    empty_folder("run");
    empty_folder("moved");
    ls_run_log *log = begin(0);
    assert_ok(add(log, 1));
    assert_int_equal(unlink("run/lock"), 0);
    assert_false(is_taken());
    assert_int_equal(unlink("run/lock"), 0);
    assert_ok(add(log, 2));
    assert_true(is_taken());

    assert_int_equal(rename("run", "moved/run"), 0);
    assert_fails(add(log, 3), LS_ERR_FAILURE, "run: this folder was removed or renamed");
    empty_folder("run");
    assert_fails(add(log, 3), LS_ERR_FAILURE, "run: this folder was replaced by another");
    assert_fails(ls_run_log_summary(log, json_object()), LS_ERR_FAILURE, "replaced by another");
    assert_fails(ls_run_log_retract_summary(log), LS_ERR_FAILURE, "replaced by another");
    assert_int_equal(access("run/metrics.csv", F_OK), -1);
    assert_int_equal(access("run/events.jsonl", F_OK), -1);
    assert_int_equal(rmdir("run"), 0);
    assert_int_equal(rename("moved/run", "run"), 0);
    assert_ok(add(log, 3));

    /* Another run, when the lock file was removed. */
    int other = open("run/other", O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    assert_int_equal(flock(other, LOCK_EX), 0);
    assert_int_equal(rename("run/other", "run/lock"), 0);
    assert_fails(add(log, 4), LS_ERR_FAILURE, "another run has begun in this folder");
    close(other);
    end(&log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_each_epoch_once),
        cmocka_unit_test(knows_used_folders),
        cmocka_unit_test(knows_the_run),
        cmocka_unit_test(outlasts_its_files),
        cmocka_unit_test(notices_what_becomes_of_the_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
