#include "test.h"
#include "tiny_training.h"

#include "base/crc32c.h"
#include "base/file.h"
#include "base/memory.h"
#include "run/run_log.h"

#include <dirent.h>
#include <endian.h>
#include <jansson.h>
#include <math.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <lockstep/run.h>

#ifdef LS_HAVE_PROTOBUF_C
#include "tfevents.pb-c.h"
#endif

/* Vectors of RFC 3720, appendix B.4, and the usual one. */
static void crc32c_has_the_published_values(void **state)
{
    (void)state;
    unsigned char bytes[32];
    assert_int_equal(ls_crc32c("", 0), 0);
    assert_int_equal(ls_crc32c("123456789", 9), 0xE3069283);
    memset(bytes, 0, sizeof bytes);
    assert_int_equal(ls_crc32c(bytes, sizeof bytes), 0x8A9136AA);
    memset(bytes, 0xFF, sizeof bytes);
    assert_int_equal(ls_crc32c(bytes, sizeof bytes), 0x62A8AB43);
    for (int i = 0; i < 32; i++)
        bytes[i] = (unsigned char)i;
    assert_int_equal(ls_crc32c(bytes, sizeof bytes), 0x46DD794E);
}

#ifdef LS_HAVE_PROTOBUF_C

enum { EPOCHS = 4 };
static ls_metrics history[EPOCHS];
static ls_run_folder *folder;

static ls_run_log *begin_log(int epochs)
{
    ls_run_log *log;
    assert_ok(ls_run_folder_take(&folder, "run"));
    assert_ok(ls_run_log_open(&log, folder, "seed = 1\nlr = 0.5\n", LS_TASK_CLASSIFICATION, true,
                              history, epochs));
    return log;
}

static void end_log(ls_run_log **log)
{
    ls_run_log_close(log);
    ls_run_folder_release(&folder);
}

static void empty_run(void)
{
    empty_folder("run/tensorboard/train");
    empty_folder("run/tensorboard/validation");
    assert_int_equal(rmdir("run/tensorboard/train"), 0);
    assert_int_equal(rmdir("run/tensorboard/validation"), 0);
    assert_int_equal(rmdir("run/tensorboard"), 0);
    empty_folder("run");
}

/* An epoch; its validation loss is NaN unless it is given. */
static void log_epoch(ls_run_log *log, int epoch, double val_loss)
{
    ls_metrics *row = &history[epoch - 1];
    for (int i = 0; i < LS_METRICS_COLUMNS; i++)
        ls_metrics_set(row, i, NAN);
    row->epoch = epoch;
    row->loss = 1.0 / epoch;
    row->val_loss = val_loss;
    row->lr = 0.5;
    row->seconds = 100;
    assert_ok(ls_run_log_metrics(log, history, epoch));
    assert_ok(
        ls_run_log_event(log, LS_EVENT_EPOCH, epoch, ls_metrics_json(row, LS_TASK_CLASSIFICATION)));
}

/* Finds the only file of event files in a folder. Returns false if there is none. */
static bool find_file(const char *part, char path[LS_PATH_MAX])
{
    char name[LS_PATH_MAX];
    int count = 0;
    assert_ok(ls_path(name, "run/tensorboard/", part, NULL));
    DIR *dir = opendir(name);
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;)
        if (strncmp(entry->d_name, "events.out.tfevents.", 20) == 0) {
            assert_ok(ls_path(path, name, "/", entry->d_name));
            count++;
        }
    if (dir != NULL)
        closedir(dir);
    assert_in_range(count, 0, 1);
    return count == 1;
}

static uint32_t read_word(const char *at)
{
    uint32_t word;
    memcpy(&word, at, sizeof word);
    return le32toh(word);
}

/* The mask as TensorFlow defines it. */
static uint32_t mask(uint32_t crc)
{
    return ((crc >> 15) | (crc << 17)) + 0xa282ead8U;
}

enum { MOST = 16 };
typedef struct events {
    Tensorboard__Event *event[MOST];
    int count;
} events;

/* Reads a file and checks its framing. */
static events read_events(const char *part)
{
    char path[LS_PATH_MAX], *text;
    size_t length, at = 0;
    events all = {.count = 0};
    assert_true(find_file(part, path));
    assert_ok(ls_read_file(path, 1 << 20, LS_ERR_DATA, &text, &length));
    while (at < length) {
        assert_true(length - at >= 16);
        const size_t bytes = read_word(text + at);
        assert_int_equal(read_word(text + at + 4), 0);
        assert_int_equal(read_word(text + at + 8), mask(ls_crc32c(text + at, 8)));
        assert_true(bytes <= length - at - 16);
        assert_int_equal(read_word(text + at + 12 + bytes), mask(ls_crc32c(text + at + 12, bytes)));
        assert_true(all.count < MOST);
        all.event[all.count] =
            tensorboard__event__unpack(NULL, bytes, (const uint8_t *)text + at + 12);
        assert_non_null(all.event[all.count++]);
        at += 16 + bytes;
    }
    ls_free(text);
    return all;
}

static void free_events(events *all)
{
    while (all->count > 0)
        tensorboard__event__free_unpacked(all->event[--all->count], NULL);
}

/* Asserts that an event has a scalar. */
static void assert_scalar(const Tensorboard__Event *event, int step, const char *tag, double value)
{
    assert_int_equal(event->step, step);
    for (size_t i = 0; i < event->summary->n_value; i++)
        if (strcmp(event->summary->value[i]->tag, tag) == 0) {
            assert_true(event->summary->value[i]->simple_value == (float)value);
            return;
        }
    fail_msg("step %d has no %s", step, tag);
}

static void epochs_are_scalars_of_the_two_kinds_of_rows(void **state)
{
    (void)state;
    empty_run();
    ls_run_log *log = begin_log(0);
    for (int i = 1; i <= 2; i++)
        log_epoch(log, i, 3.0 / i);
    end_log(&log);
    events train = read_events("train"), validation = read_events("validation");
    assert_int_equal(train.count, 5);
    assert_string_equal(train.event[0]->file_version, "brain.Event:2");
    assert_int_equal(train.event[1]->session_log->status, 1);
    const Tensorboard__Summary__Value *text = train.event[2]->summary->value[0];
    assert_string_equal(text->metadata->plugin_data->plugin_name, "text");
    assert_int_equal(text->tensor->string_val[0].len, 26);
    assert_memory_equal(text->tensor->string_val[0].data, "    seed = 1\n    lr = 0.5\n", 26);
    for (int i = 1; i <= 2; i++) {
        assert_int_equal(train.event[2 + i]->summary->n_value, 3); /* NaN is left out */
        assert_scalar(train.event[2 + i], i, "loss", 1.0 / i);
        assert_scalar(train.event[2 + i], i, "lr", 0.5);
        assert_scalar(train.event[2 + i], i, "speed/seconds", 100);
        assert_int_equal(validation.event[1 + i]->summary->n_value, 1);
        assert_scalar(validation.event[1 + i], i, "loss", 3.0 / i);
    }
    assert_int_equal(validation.count, 4);
    free_events(&train);
    free_events(&validation);
}

static void a_file_appears_with_its_first_value(void **state)
{
    (void)state;
    char path[LS_PATH_MAX];
    empty_run();
    ls_run_log *log = begin_log(0);
    assert_int_equal(access("run/tensorboard", F_OK), -1);
    log_epoch(log, 1, NAN);
    assert_true(find_file("train", path));
    assert_false(find_file("validation", path));
    log_epoch(log, 2, 0.5);
    end_log(&log);
    events validation = read_events("validation");
    assert_int_equal(validation.count, 3);
    assert_scalar(validation.event[2], 2, "loss", 0.5);
    free_events(&validation);
}

static void a_resumed_run_has_a_later_file_with_each_epoch_once(void **state)
{
    (void)state;
    char before[LS_PATH_MAX], after[LS_PATH_MAX];
    empty_run();
    ls_run_log *log = begin_log(0);
    for (int i = 1; i <= 4; i++)
        log_epoch(log, i, i);
    end_log(&log);
    assert_true(find_file("train", before));
    static const char *const theirs[] = {
        "run/tensorboard/train/events.out.tfevents.1.host",
        "run/tensorboard/train/events.out.tfevents.9999999999.lockstep",
        "run/tensorboard/train/events.out.tfevents.9223372036854775807.lockstep",
    };
    for (int i = 0; i < 3; i++)
        assert_ok(ls_write_file(theirs[i], "theirs", 6));
    log = begin_log(2);
    for (int i = 0; i < 3; i++)
        assert_int_equal(unlink(theirs[i]), 0);
    assert_true(find_file("train", after));
    assert_true(strcmp(before, after) < 0);
    events train = read_events("train");
    assert_int_equal(train.count, 5);
    free_events(&train);
    log_epoch(log, 3, 3);
    end_log(&log);
    train = read_events("train");
    assert_int_equal(train.count, 6);
    for (int i = 1; i <= 3; i++)
        assert_scalar(train.event[2 + i], i, "loss", 1.0 / i);
    free_events(&train);
    log = begin_log(0); /* rewound to the start: nothing is left */
    end_log(&log);
    assert_false(find_file("train", before));
    assert_false(find_file("validation", before));
}

/* Times of earlier epochs come from events.jsonl; a time that is missing there follows from the
 * duration of the next epoch. */
static void a_rewritten_file_has_the_times_of_the_epochs(void **state)
{
    (void)state;
    static const char lines[] =
        "{\"time\":\"2026-01-02T03:04:05Z\",\"event\":\"start\",\"epoch\":0}\n"
        "{\"time\":\"2026-01-02T03:10:00Z\",\"event\":\"epoch\",\"epoch\":2}\n"
        "{\"time\":\"2026-01-02T03:11:40Z\",\"event\":\"epoch\",\"epoch\":3}\n"
        "{\"time\":\"2026-01-02T03:11:41Z\",\"event\":\"checkpoint\",\"epoch\":3}\n"
        "{\"time\":\"nonsense\",\"event\":\"epoch\",\"epoch\":99}\n";
    const double third = 1767323500; /* date -u -d 2026-01-02T03:11:40Z +%s */
    empty_run();
    ls_run_log *log = begin_log(0);
    for (int i = 1; i <= 4; i++)
        log_epoch(log, i, NAN);
    end_log(&log);
    assert_ok(ls_write_file("run/events.jsonl", lines, sizeof lines - 1));
    log = begin_log(4);
    end_log(&log);
    events train = read_events("train");
    assert_int_equal(train.count, 7);
    assert_true(train.event[0]->wall_time == third - 300);
    assert_true(train.event[3]->wall_time == third - 200);
    assert_true(train.event[4]->wall_time == third - 100);
    assert_true(train.event[5]->wall_time == third);
    assert_true(fabs(train.event[6]->wall_time - (double)time(NULL)) < 60);
    free_events(&train);
}

static void a_changed_file_is_written_again(void **state)
{
    (void)state;
    char path[LS_PATH_MAX];
    empty_run();
    ls_run_log *log = begin_log(0);
    log_epoch(log, 1, 1);
    log_epoch(log, 2, 2);
    assert_true(find_file("train", path));
    assert_int_equal(truncate(path, 100), 0);
    assert_true(find_file("validation", path));
    assert_int_equal(unlink(path), 0);
    log_epoch(log, 3, 3);
    end_log(&log);
    events train = read_events("train"), validation = read_events("validation");
    assert_int_equal(train.count, 6);
    assert_int_equal(validation.count, 5);
    free_events(&train);
    free_events(&validation);
}

static void a_folder_that_cannot_be_made_is_an_error(void **state)
{
    (void)state;
    ls_run_log *log;
    empty_run();
    history[0] = (ls_metrics){.epoch = 1};
    assert_ok(ls_write_file("run/tensorboard", "", 0));
    assert_ok(ls_run_folder_take(&folder, "run"));
    assert_fails(ls_run_log_open(&log, folder, "", LS_TASK_CLASSIFICATION, true, history, 1),
                 LS_ERR_FAILURE, "run/tensorboard");
    ls_run_folder_release(&folder);
    assert_int_equal(unlink("run/tensorboard"), 0);
}

#else

static void event_files_are_refused_without_protobuf_c(void **state)
{
    (void)state;
    assert_fails(ls_run_log_check_tensorboard(), LS_ERR_USAGE, "protobuf-c was not found");
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc32c_has_the_published_values),
#ifdef LS_HAVE_PROTOBUF_C
        cmocka_unit_test(epochs_are_scalars_of_the_two_kinds_of_rows),
        cmocka_unit_test(a_file_appears_with_its_first_value),
        cmocka_unit_test(a_resumed_run_has_a_later_file_with_each_epoch_once),
        cmocka_unit_test(a_rewritten_file_has_the_times_of_the_epochs),
        cmocka_unit_test(a_changed_file_is_written_again),
        cmocka_unit_test(a_folder_that_cannot_be_made_is_an_error),
#else
        cmocka_unit_test(event_files_are_refused_without_protobuf_c),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
