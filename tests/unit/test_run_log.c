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

static ls_metrics make_row(int epoch)
{
    return (ls_metrics){.epoch = epoch, .loss = 1.0 / epoch, .val_loss = NAN, .val_accuracy = NAN};
}

/* Returns how often `part` occurs in a file. */
static int count_occurrences(const char *path, const char *part)
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

/* The log of a run in the folder `run`; begin_log() opens it after `epochs` epochs. */
static ls_metrics history[4];
static ls_run_folder *folder;

static ls_run_log *begin_log(int epochs)
{
    ls_run_log *log;
    assert_ok(ls_run_folder_take(&folder, "run"));
    assert_ok(ls_run_log_open(&log, folder, "seed = 1\n", LS_TASK_CLASSIFICATION, false, history,
                              epochs));
    return log;
}

static void end_log(ls_run_log **log)
{
    ls_run_log_close(log);
    ls_run_folder_release(&folder);
}

static ls_status log_epoch(ls_run_log *log, int epoch)
{
    history[epoch - 1] = make_row(epoch);
    ls_status status = ls_run_log_metrics(log, history, epoch);
    return status == LS_OK
               ? ls_run_log_event(log, LS_EVENT_EPOCH, epoch,
                                  ls_metrics_json(&history[epoch - 1], LS_TASK_CLASSIFICATION))
               : status;
}

static void each_epoch_is_logged_once(void **state)
{
    (void)state;
    empty_folder("run/checkpoints");
    empty_folder("run");
    assert_ok(ls_run_folder_refuse_used("run"));
    ls_run_log *log = begin_log(0);
    for (int i = 1; i <= 4; i++)
        assert_ok(log_epoch(log, i));
    end_log(&log);
    assert_int_equal(count_occurrences("run/metrics.csv", "\n"), 5);
    assert_int_equal(count_occurrences("run/metrics.csv", "\n2,0.5,0,,,"), 1);
    assert_int_equal(count_occurrences("run/metrics.csv",
                                       "epoch,loss,accuracy,val_loss,val_accuracy,lr,"
                                       "seconds,samples_per_second,compute_s,"
                                       "communicate_s"),
                     1);
    assert_fails(ls_run_folder_refuse_used("run"), LS_ERR_USAGE, "holds a run already");
}

static void after_a_crash_and_a_resume_each_epoch_is_logged_once(void **state)
{
    (void)state;
    empty_folder("run/checkpoints");
    empty_folder("run");
    ls_run_log *log = begin_log(0);
    for (int i = 1; i <= 4; i++)
        assert_ok(log_epoch(log, i));
    end_log(&log);
    FILE *events = fopen("run/events.jsonl", "a");
    fputs("{\"time\":\"2026", events);
    fclose(events);
    log = begin_log(2);
    assert_ok(ls_run_log_metrics(log, history, 3));
    assert_ok(ls_run_log_event(log, LS_EVENT_EPOCH, 3, NULL));
    end_log(&log);
    assert_int_equal(count_occurrences("run/metrics.csv", "\n"), 4);
    assert_int_equal(count_occurrences("run/metrics.csv", "\n3,"), 1);
    assert_int_equal(count_occurrences("run/events.jsonl", "\n"), 3);
    assert_int_equal(count_occurrences("run/events.jsonl", "\"epoch\":3"), 1);
    assert_int_equal(count_occurrences("run/events.jsonl", "\"epoch\":4"), 0);
    assert_int_equal(count_occurrences("run/events.jsonl", "\"val_loss\":null"), 2);
}

static void a_summary_can_be_retracted(void **state)
{
    (void)state;
    empty_folder("run/checkpoints");
    empty_folder("run");
    ls_run_log *log = begin_log(0);
    assert_ok(log_epoch(log, 1));
    assert_ok(log_epoch(log, 2));
    end_log(&log);
    log = begin_log(2);
    assert_false(ls_run_log_has_summary(log));
    assert_ok(ls_run_log_retract_summary(log));
    assert_ok(ls_run_log_summary(log, ls_metrics_json(&history[1], LS_TASK_CLASSIFICATION)));
    assert_true(ls_run_log_has_summary(log));
    assert_ok(ls_run_log_retract_summary(log));
    assert_false(ls_run_log_has_summary(log));
    end_log(&log);
}

/* Any file of a run, also a checkpoint alone. */
static void a_used_folder_is_refused(void **state)
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

static void the_id_of_the_run_is_found(void **state)
{
    (void)state;
    char run[LS_RUN_ID];
    empty_folder("run");
    assert_ok(ls_run_log_find_run("run", run));
    assert_string_equal(run, "");
    ls_run_log *log = begin_log(0);
    assert_ok(ls_run_log_event(log, LS_EVENT_START, 0, NULL)); /* by a version without ids */
    assert_ok(
        ls_run_log_event(log, LS_EVENT_RESUME, 0, json_pack("{s:s}", "run", "0123456789abcdef")));
    assert_ok(ls_run_log_event(log, LS_EVENT_RESUME, 0, json_pack("{s:s}", "run", "another")));
    end_log(&log);
    assert_ok(ls_run_log_find_run("run", run));
    assert_string_equal(run, "0123456789abcdef");
}

/* metrics.csv gets all epochs again, and events.jsonl an event. */
static void removed_logs_are_written_again(void **state)
{
    (void)state;
    empty_folder("run");
    ls_run_log *log = begin_log(0);
    assert_ok(log_epoch(log, 1));
    assert_int_equal(unlink("run/metrics.csv"), 0);
    assert_int_equal(unlink("run/config.conf"), 0);
    assert_ok(log_epoch(log, 2));
    assert_int_equal(count_occurrences("run/metrics.csv", "\n"), 3);
    assert_int_equal(count_occurrences("run/metrics.csv", "epoch,loss"), 1);
    assert_int_equal(count_occurrences("run/config.conf", "seed = 1\n"), 1);
    assert_int_equal(truncate("run/metrics.csv", 0), 0);
    assert_ok(log_epoch(log, 3));
    assert_int_equal(count_occurrences("run/metrics.csv", "\n"), 4);
    assert_int_equal(count_occurrences("run/events.jsonl", "\"records_changed\""), 3);
    assert_int_equal(count_occurrences("run/events.jsonl", "config.conf was removed"), 1);

    assert_int_equal(truncate("run/events.jsonl", 30), 0);
    assert_ok(log_epoch(log, 4));
    assert_int_equal(count_occurrences("run/events.jsonl", "\n"), 2);
    assert_int_equal(count_occurrences("run/events.jsonl", "\"records_changed\""), 1);
    assert_int_equal(unlink("run/events.jsonl"), 0);
    assert_ok(ls_run_log_event(log, LS_EVENT_END, 4, NULL));
    assert_int_equal(count_occurrences("run/events.jsonl", "\n"), 2);
    end_log(&log);
}

/* Returns true if another process can't take the folder. */
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

static void a_removed_lock_is_taken_again(void **state)
{
    (void)state;
    empty_folder("run/checkpoints");
    empty_folder("run");
    ls_run_log *log = begin_log(0);
    assert_ok(log_epoch(log, 1));
    assert_int_equal(unlink("run/lock"), 0);
    assert_false(is_taken());
    assert_int_equal(unlink("run/lock"), 0);
    assert_ok(log_epoch(log, 2));
    assert_true(is_taken());
    end_log(&log);
}

static void a_replaced_run_folder_is_not_written_into(void **state)
{
    (void)state;
    empty_folder("run/checkpoints");
    empty_folder("run");
    empty_folder("moved");
    ls_run_log *log = begin_log(0);
    assert_ok(log_epoch(log, 1));
    assert_ok(log_epoch(log, 2));
    assert_int_equal(rename("run", "moved/run"), 0);
    assert_fails(log_epoch(log, 3), LS_ERR_FAILURE, "run: this folder was removed or renamed");
    empty_folder("run");
    assert_fails(log_epoch(log, 3), LS_ERR_FAILURE, "run: this folder was replaced by another");
    assert_fails(ls_run_log_summary(log, json_object()), LS_ERR_FAILURE, "replaced by another");
    assert_fails(ls_run_log_retract_summary(log), LS_ERR_FAILURE, "replaced by another");
    assert_int_equal(access("run/metrics.csv", F_OK), -1);
    assert_int_equal(access("run/events.jsonl", F_OK), -1);
    assert_int_equal(rmdir("run"), 0);
    assert_int_equal(rename("moved/run", "run"), 0);
    assert_ok(log_epoch(log, 3));
    end_log(&log);
}

static void another_run_in_the_folder_is_noticed(void **state)
{
    (void)state;
    empty_folder("run/checkpoints");
    empty_folder("run");
    ls_run_log *log = begin_log(0);
    for (int i = 1; i <= 3; i++)
        assert_ok(log_epoch(log, i));
    int other = open("run/other", O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    assert_int_equal(flock(other, LOCK_EX), 0);
    assert_int_equal(rename("run/other", "run/lock"), 0);
    assert_fails(log_epoch(log, 4), LS_ERR_FAILURE, "another run has begun in this folder");
    close(other);
    end_log(&log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_epoch_is_logged_once),
        cmocka_unit_test(after_a_crash_and_a_resume_each_epoch_is_logged_once),
        cmocka_unit_test(a_summary_can_be_retracted),
        cmocka_unit_test(a_used_folder_is_refused),
        cmocka_unit_test(the_id_of_the_run_is_found),
        cmocka_unit_test(removed_logs_are_written_again),
        cmocka_unit_test(a_removed_lock_is_taken_again),
        cmocka_unit_test(a_replaced_run_folder_is_not_written_into),
        cmocka_unit_test(another_run_in_the_folder_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
