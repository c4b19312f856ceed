/* Checkpoints and logs after a crash after, and a failure of, each single file operation. */
#include "faulty_disk.h"
#include "test.h"
#include "tiny_training.h"

#include "base/file.h"
#include "base/memory.h"
#include "run/run_log.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lockstep/run.h>

enum { OLD = 5, NEW = 6, LATER = 7, MOST = 500 };
static const char folder[] = "run/checkpoints";
static const char model[] = "dense:5 relu dense:4";

/* Ways in which operations fail. */
static const struct {
    disk_mishap mishap;
    int error;
} failures[] = {{DISK_FAILS, EIO}, {DISK_FULL, ENOSPC}, {DISK_SHORT, ENOSPC}};
enum { FAILURES = sizeof failures / sizeof *failures };

/* The states to save, one after the other, each the best so far. */
static tiny_training old, new;

static int make_trainings(void **state)
{
    (void)state;
    tiny_training_make(&old, model, 1);
    tiny_training_make(&new, model, 7);
    return 0;
}

static int free_trainings(void **state)
{
    (void)state;
    tiny_training_free(&old);
    tiny_training_free(&new);
    return 0;
}

/* Calls a function for each operation of the journal, which is without failures, and each way to
 * fail. */
static void for_each_failure(void (*try)(disk_mishap mishap, int at, int error))
{
    char *journal = ls_strdup(disk_journal());
    int at = 1;
    for (const char *line = journal; *line != '\0'; line = strchr(line, '\n') + 1, at++) {
        if (at % test_stride() != 0)
            continue;
        for (int i = 0; i < FAILURES; i++)
            if (failures[i].mishap != DISK_SHORT || strncmp(line, "write ", 6) == 0)
                try(failures[i].mishap, at, failures[i].error);
    }
    assert_in_range(at, 20, MOST);
    ls_free(journal);
}

/* Makes a folder with the old checkpoint only. */
static void save_old(void)
{
    empty_folder(folder);
    assert_ok(tiny_training_save(&old, OLD, true, 1));
}

/* Returns the steps of the newest intact checkpoint, after a check of its parameters. */
static int64_t check_newest(void)
{
    ls_checkpoint *checkpoint;
    char skipped[LS_ERROR_TEXT_MAX];
    assert_ok(ls_checkpoint_open_newest("run", &checkpoint, skipped));
    assert_non_null(checkpoint);
    assert_string_equal(skipped, "");
    const int64_t steps = ls_checkpoint_progress(checkpoint)->optimizer_steps;
    const tiny_training *saved = steps == OLD ? &old : &new;
    const int64_t size = ls_network_size(saved->network);
    float *params = ls_alloc(size, sizeof *params);
    assert_ok(ls_checkpoint_read_params(checkpoint, LS_MODEL, saved->network, params));
    assert_memory_equal(params, saved->params, (size_t)size * sizeof *params);
    ls_free(params);
    ls_checkpoint_close(&checkpoint);
    return steps;
}

/* Returns the steps of a link's checkpoint. */
static int64_t link_steps(const char *link)
{
    char path[LS_PATH_MAX], target[LS_PATH_MAX] = "";
    long long steps = 0;
    assert_ok(ls_path(path, folder, "/", link));
    assert_true(readlink(path, target, sizeof target - 1) > 0);
    assert_int_equal(sscanf(target, "step-%lld.h5", &steps), 1);
    return steps;
}

/* Asserts that the last and best checkpoints are found, even without links, and can be opened. */
static void check_links(void)
{
    static const char *const links[] = {"run/checkpoints/last", "run/checkpoints/best"};
    char path[LS_PATH_MAX];
    for (int i = 0; i < 2; i++) {
        ls_checkpoint *checkpoint;
        assert_ok(ls_checkpoint_find(links[i], i == 0, path, sizeof path));
        assert_ok(ls_checkpoint_open(&checkpoint, path));
        ls_checkpoint_close(&checkpoint);
    }
}

/* Asserts that the run, continued or resumed, can save, and that the folder then has only this
 * checkpoint and its links. */
static void check_recovery(bool resumed)
{
    if (resumed)
        assert_ok(tiny_training_rewind(new.info.run, &(ls_progress){.optimizer_steps = NEW}));
    assert_ok(tiny_training_save(&new, LATER, true, 1));
    assert_int_equal(check_newest(), LATER);
    assert_int_equal(link_steps("last"), LATER);
    assert_int_equal(link_steps("best"), LATER);
    DIR *dir = opendir(folder);
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir))
        if (*entry->d_name != '.' && strcmp(entry->d_name, "last") != 0 &&
            strcmp(entry->d_name, "best") != 0)
            assert_string_equal(entry->d_name, "step-00000007.h5");
    closedir(dir);
}

/* Saves the new checkpoint in a process that exits after this number of operations. Returns true if
 * the save completed. */
static bool save_and_crash(int operations)
{
    int status;
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        disk_arm(DISK_CRASH, operations, 0);
        _exit(tiny_training_save(&new, NEW, true, 1) == LS_OK ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) != 0)
        assert_int_equal(WEXITSTATUS(status), DISK_CRASHED);
    return WEXITSTATUS(status) == 0;
}

/* Saves the new checkpoint without failures and returns the number of operations. */
static int save_without_failure(void)
{
    int operations = 0;
    save_old();
    disk_arm(DISK_WELL, 0, 0);
    assert_ok(tiny_training_save(&new, NEW, true, 1));
    disk_disarm();
    for (const char *at = disk_journal(); (at = strchr(at, '\n')) != NULL; at++)
        operations++;
    return operations;
}

static void a_crash_leaves_an_intact_checkpoint(void **state)
{
    (void)state;
    bool through = false;
    int64_t before = OLD;
    int operations = 0;
    while (!through) {
        assert_true(operations < MOST);
        save_old();
        operations += test_stride();
        through = save_and_crash(operations);
        const int64_t now = check_newest();
        assert_true(now >= before); /* the new one, from some operation on */
        before = now;
        check_links();
        check_recovery(true);
    }
    assert_int_equal(before, NEW);
    const int all = save_without_failure();
    assert_in_range(operations, all + 1, all + test_stride());
}

/* Asserts that the error text names the file and the reason. */
static void assert_names_file_and_reason(int error)
{
    const char *text = ls_error_text();
    if (strncmp(text, "run", 3) != 0 || strstr(text, strerror(error)) == NULL)
        fail_msg("'%s' does not name the path and '%s'", text, strerror(error));
}

static void save_and_fail(disk_mishap mishap, int at, int error)
{
    save_old();
    disk_arm(mishap, at, error);
    const ls_status status = tiny_training_save(&new, NEW, true, 1);
    disk_disarm();
    assert_int_equal(disk_open_files(), 0);
    if (status == LS_OK) {
        assert_int_equal(check_newest(), NEW);
        check_links();
        assert_true(access("run/checkpoints/last", F_OK) != 0 || link_steps("last") == NEW);
    } else {
        assert_names_file_and_reason(error);
        check_links();
        assert_true(check_newest() == NEW || link_steps("last") == OLD);
        assert_int_equal(access("run/checkpoints/step-00000005.h5", F_OK), 0);
        assert_int_equal(access("run/checkpoints/new.h5.tmp", F_OK), -1);
    }
    check_recovery(false);
}

static void a_failed_save_is_reported_and_harmless(void **state)
{
    (void)state;
    (void)save_without_failure();
    for_each_failure(save_and_fail);
}

/* Returns the position in the journal after the next occurrence of this line. */
static const char *find_after(const char *journal, const char *line)
{
    const char *found = strstr(journal, line);
    if (found == NULL)
        fail_msg("no '%s' in: %s", line, journal);
    return found + strlen(line);
}

/* A file is renamed after its content is on disk; an operation that relies on a rename comes after
 * the folder is on disk. */
static void the_order_of_operations_survives_a_power_loss(void **state)
{
    (void)state;
    (void)save_without_failure();
    const char *at = disk_journal();
    at = find_after(at, "fsync new.h5.tmp\n");
    assert_null(strstr(at, "write "));
    at = find_after(at, "rename step-00000006.h5\n");
    at = find_after(at, "fsync checkpoints\n");
    at = find_after(at, "symlink last.new\n");
    at = find_after(at, "rename last\n");
    at = find_after(at, "fsync checkpoints\n");
    at = find_after(at, "symlink best.new\n");
    at = find_after(at, "rename best\n");
    at = find_after(at, "fsync checkpoints\n");
    find_after(at, "unlink step-00000005.h5\n");
    assert_int_equal(disk_open_files(), 0);
}

static void an_unreadable_folder_is_not_taken_for_empty(void **state)
{
    (void)state;
    char skipped[LS_ERROR_TEXT_MAX];
    ls_checkpoint *checkpoint = NULL;
    save_old();
    disk_arm(DISK_FAILS, 1, EIO);
    assert_fails(ls_checkpoint_open_newest("run", &checkpoint, skipped), LS_ERR_DATA,
                 strerror(EIO));
    disk_disarm();
}

/* Opens the newest of two checkpoints, or rewinds to the older one; operation `at` fails. Returns
 * true if there were `at` operations or more. */
static bool read_and_fail(bool back, int at)
{
    char skipped[LS_ERROR_TEXT_MAX];
    ls_checkpoint *checkpoint = NULL;
    empty_folder(folder);
    assert_ok(tiny_training_save(&old, OLD, true, 2));
    const ls_progress then = old.progress;
    assert_ok(tiny_training_save(&new, NEW, true, 2));
    disk_arm(DISK_FAILS, at, EIO);
    const ls_status status = back ? tiny_training_rewind("a-run", &then)
                                  : ls_checkpoint_open_newest("run", &checkpoint, skipped);
    disk_disarm();
    int operations = 0;
    for (const char *line = disk_journal(); (line = strchr(line, '\n')) != NULL; line++)
        operations++;
    if (status != LS_OK) {
        assert_names_file_and_reason(EIO);
        assert_true(back || disk_open_files() == 0);
    } else if (!back) {
        assert_int_equal(ls_checkpoint_progress(checkpoint)->optimizer_steps, NEW);
    }
    ls_checkpoint_close(&checkpoint);
    assert_int_equal(check_newest(), status == LS_OK && back ? OLD : NEW);
    return operations >= at;
}

/* An unreadable checkpoint is neither skipped for an older one nor removed. */
static void a_failed_read_is_not_taken_for_damage(void **state)
{
    (void)state;
    for (int back = 0; back < 2; back++) {
        int at = 1;
        while (read_and_fail(back, at))
            at++;
        assert_in_range(at, 5, MOST);
    }
}

static const ls_metrics rows[] = {{.epoch = 1, .loss = 0.5}, {.epoch = 2, .loss = 0.25}};

/* Logs a run's second epoch and its end. */
static ls_status log_run(const char *config, int outcome)
{
    ls_run_folder *run = NULL;
    ls_run_log *log = NULL;
    ls_metrics end = {.epoch = outcome};
    ls_status status = ls_run_folder_take(&run, "run");
    if (status == LS_OK)
        status = ls_run_log_open(&log, run, config, LS_TASK_CLASSIFICATION,
                                 ls_run_log_check_tensorboard() == LS_OK, rows, 1);
    if (status == LS_OK)
        status = ls_run_log_event(log, LS_EVENT_RESUME, 1, NULL);
    if (status == LS_OK)
        status = ls_run_log_metrics(log, rows, 2);
    if (status == LS_OK)
        status = ls_run_log_event(log, LS_EVENT_EPOCH, 2,
                                  ls_metrics_json(&rows[1], LS_TASK_CLASSIFICATION));
    if (status == LS_OK)
        status = ls_run_log_event(log, LS_EVENT_END, 2, NULL);
    if (status == LS_OK)
        status = ls_run_log_summary(log, ls_metrics_json(&end, LS_TASK_CLASSIFICATION));
    ls_run_log_close(&log);
    ls_run_folder_release(&run);
    return status;
}

static char *read_text(const char *path)
{
    char *text;
    size_t length;
    assert_ok(ls_read_file(path, 1 << 20, LS_ERR_DATA, &text, &length));
    return text;
}

/* Asserts that the file has one of these contents. */
static void assert_holds(const char *path, const char *one, const char *other)
{
    char *text = read_text(path);
    if (strcmp(text, one) != 0 && strcmp(text, other) != 0)
        fail_msg("%s holds '%s'", path, text);
    ls_free(text);
}

/* Asserts that the file has complete lines only. */
static void assert_has_complete_lines(const char *path, const char *first, const char *last)
{
    char *text = read_text(path);
    for (char *line = text, *end; *line != '\0'; line = end + 1) {
        end = strchr(line, '\n');
        if (end == NULL || end == line || strchr(first, *line) == NULL ||
            strchr(last, end[-1]) == NULL)
            fail_msg("%s has a line '%s'", path, line);
    }
    ls_free(text);
}

/* Contents of summary.json before and after log_run(), and of metrics.csv. */
static char *before, *summary, *metrics;

static void log_and_fail(disk_mishap mishap, int at, int error)
{
    assert_ok(log_run("seed = 1\n", 1));
    char *events = read_text("run/events.jsonl");
    disk_arm(mishap, at, error);
    const ls_status status = log_run("seed = 2\n", 2);
    disk_disarm();
    assert_int_equal(disk_open_files(), 0);
    assert_holds("run/config.conf", "seed = 1\n", "seed = 2\n");
    assert_holds("run/summary.json", before, summary);
    assert_has_complete_lines("run/metrics.csv", "e12", "k0123456789,");
    assert_has_complete_lines("run/events.jsonl", "{", "}");
    char *more = read_text("run/events.jsonl"); /* the first epoch is unchanged */
    assert_memory_equal(more, events, strcspn(events, "\n") + 1);
    ls_free(events);
    ls_free(more);
    if (status != LS_OK) {
        assert_names_file_and_reason(error);
        return;
    }
    assert_holds("run/config.conf", "seed = 2\n", "seed = 2\n");
    assert_holds("run/summary.json", summary, summary);
    assert_holds("run/metrics.csv", metrics, metrics);
}

static void after_a_failure_each_log_is_old_or_new(void **state)
{
    (void)state;
    empty_folder("run");
    assert_ok(log_run("seed = 2\n", 2));
    summary = read_text("run/summary.json");
    metrics = read_text("run/metrics.csv");
    disk_arm(DISK_WELL, 0, 0);
    assert_ok(log_run("seed = 1\n", 1));
    disk_disarm();
    before = read_text("run/summary.json");
    for_each_failure(log_and_fail);
    ls_free(metrics);
    ls_free(summary);
    ls_free(before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crash_leaves_an_intact_checkpoint),
        cmocka_unit_test(a_failed_save_is_reported_and_harmless),
        cmocka_unit_test(the_order_of_operations_survives_a_power_loss),
        cmocka_unit_test(an_unreadable_folder_is_not_taken_for_empty),
        cmocka_unit_test(a_failed_read_is_not_taken_for_damage),
        cmocka_unit_test(after_a_failure_each_log_is_old_or_new),
    };
    return cmocka_run_group_tests(tests, make_trainings, free_trainings);
}
