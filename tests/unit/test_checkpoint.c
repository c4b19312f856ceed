#include "damaged_files.h"
#include "test.h"
#include "tiny_training.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/memory.h"
#include "run/checkpoint_file.h"

#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lockstep/run.h>

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

/* Replaces a file by a folder, which root can't read as a file either. */
static void make_unreadable(const char *path)
{
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0777), 0);
}

static void a_checkpoint_is_read_back_bit_for_bit(void **state)
{
    (void)state;
    tiny_training w, r;
    empty_folder("run/checkpoints");
    tiny_training_make(&w, "dense:5 relu dense:4", 1);
    tiny_training_make(&r, "dense:5 relu dense:4", 1);
    assert_ok(tiny_training_save(&w, 5, true, 3));
    ls_checkpoint *checkpoint;
    assert_ok(ls_checkpoint_open(&checkpoint, "run/checkpoints/step-00000005.h5"));
    const ls_model_info *id = ls_checkpoint_model(checkpoint);
    assert_string_equal(id->run, w.info.run);
    assert_string_equal(id->model, w.info.model);
    assert_string_equal(id->config, w.info.config);
    assert_string_equal(id->dataset, "set");
    assert_true(id->fingerprint == w.info.fingerprint);
    assert_true(id->knows_validation && id->validation_fingerprint == 0xfedc);
    assert_true(id->has_border && id->border == 0.375);
    assert_true(id->mean == 0.25 && id->std == 0.5);
    assert_int_equal(id->input.height, 3);
    const ls_progress *progress = ls_checkpoint_progress(checkpoint);
    assert_int_equal(progress->epoch, TINY_TRAINING_EPOCHS);
    assert_true(progress->early_stop.best == 0.1 + 0.2);
    assert_int_equal(progress->early_stop.waited, 1);

    const size_t bytes = (size_t)ls_network_size(w.network) * sizeof(float);
    ls_metrics history[TINY_TRAINING_EPOCHS];
    memset(r.params, 0, bytes);
    memset(ls_optimizer_slot(r.optimizer, 0), 0, bytes);
    assert_ok(ls_checkpoint_read_params(checkpoint, LS_MODEL, r.network, r.params));
    assert_ok(ls_checkpoint_read_optimizer(checkpoint, LS_MODEL, r.network, r.optimizer));
    assert_ok(ls_checkpoint_read_history(checkpoint, history));
    assert_memory_equal(r.params, w.params, bytes);
    for (int s = 0; s < ls_optimizer_slots(w.optimizer); s++)
        assert_memory_equal(ls_optimizer_slot(r.optimizer, s), ls_optimizer_slot(w.optimizer, s),
                            bytes);
    assert_int_equal(ls_optimizer_steps(r.optimizer), 5);
    assert_true(ls_checkpoint_has_average(checkpoint, LS_MODEL));
    assert_ok(ls_checkpoint_read_outcome(checkpoint, r.network, r.params));
    assert_memory_equal(r.params, ls_optimizer_average(w.optimizer), bytes);
    assert_true(history[2].loss == w.history[2].loss && isnan(history[2].val_loss));
    ls_checkpoint_close(&checkpoint);
    tiny_training_free(&w);
    tiny_training_free(&r);
}

static void an_older_checkpoint_has_no_validation_fingerprint(void **state)
{
    (void)state;
    tiny_training w;
    ls_checkpoint *checkpoint;
    empty_folder("run/checkpoints");
    tiny_training_make(&w, "dense:5 relu dense:4", 1);
    w.info.knows_validation = false; /* as written by older versions */
    assert_ok(tiny_training_save(&w, 6, true, 3));
    assert_ok(ls_checkpoint_open(&checkpoint, "run/checkpoints/step-00000006.h5"));
    assert_true(ls_checkpoint_model(checkpoint)->fingerprint == w.info.fingerprint);
    assert_false(ls_checkpoint_model(checkpoint)->knows_validation);
    ls_checkpoint_close(&checkpoint);
    tiny_training_free(&w);
}

/* Older and newer versions have other columns. */
static void history_columns_are_read_by_name(void **state)
{
    (void)state;
    static const char path[] = "run/checkpoints/step-00000005.h5";
    static const double values[TINY_TRAINING_EPOCHS][4] = {
        {7, 10, 1, 0.5}, {8, 20, 2, 0.25}, {9, 30, 3, 0}};
    tiny_training w;
    ls_checkpoint *checkpoint;
    ls_metrics history[TINY_TRAINING_EPOCHS];
    empty_folder("run/checkpoints");
    tiny_training_make(&w, "dense:4", 1);
    assert_ok(tiny_training_save(&w, 5, true, 3));
    damaged_file_history(path, "future,slowest_rank,epoch,val_loss", &values[0][0],
                         TINY_TRAINING_EPOCHS);
    assert_ok(ls_checkpoint_open(&checkpoint, path));
    assert_ok(ls_checkpoint_read_history(checkpoint, history));
    for (int i = 0; i < TINY_TRAINING_EPOCHS; i++) {
        assert_true(history[i].slowest_rank == values[i][1] && history[i].epoch == i + 1);
        assert_true(history[i].val_loss == values[i][3]);
        for (int c = 0; c < LS_METRICS_COLUMNS; c++)
            assert_int_equal(isnan(ls_metrics_value(&history[i], c)),
                             c != ls_metrics_find("slowest_rank", 12) && c != 0 &&
                                 c != ls_metrics_find("val_loss", 8));
    }
    ls_checkpoint_close(&checkpoint);
    tiny_training_free(&w);
}

static void a_history_without_the_epoch_column_is_refused(void **state)
{
    (void)state;
    static const char path[] = "run/checkpoints/step-00000005.h5";
    static const double values[TINY_TRAINING_EPOCHS][4] = {
        {7, 10, 1, 0.5}, {8, 20, 2, 0.25}, {9, 30, 3, 0}};
    tiny_training w;
    ls_checkpoint *checkpoint;
    empty_folder("run/checkpoints");
    tiny_training_make(&w, "dense:4", 1);
    assert_ok(tiny_training_save(&w, 5, true, 3));
    static const char *const wrong[] = {"future,loss,accuracy,val_loss", ",,,"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        damaged_file_history(path, wrong[i], &values[0][0], TINY_TRAINING_EPOCHS);
        assert_fails(ls_checkpoint_open(&checkpoint, path), LS_ERR_DATA, "contradict each other");
    }
    tiny_training_free(&w);
}

/* An older version, which lacks a metric, writes no sum of it for an unfinished epoch. */
static void a_missing_sum_of_a_metric_is_nan(void **state)
{
    (void)state;
    static const char path[] = "run/checkpoints/step-00000005.h5";
    tiny_training w;
    ls_checkpoint *checkpoint;
    empty_folder("run/checkpoints");
    tiny_training_make(&w, "dense:4", 1);
    w.progress.totals = (ls_epoch_totals){.score = {.rows = 30, .loss = 3, .correct = 20}};
    assert_ok(tiny_training_save(&w, 5, true, 3));
    damaged_file_forget(path, "partial_correct");
    assert_ok(ls_checkpoint_open(&checkpoint, path));
    const ls_score *score = &ls_checkpoint_progress(checkpoint)->totals.score;
    assert_true(score->rows == 30 && score->loss == 3 && isnan(score->correct));
    ls_checkpoint_close(&checkpoint);
    tiny_training_free(&w);
}

static void a_missing_number_of_rows_is_refused(void **state)
{
    (void)state;
    static const char path[] = "run/checkpoints/step-00000005.h5";
    tiny_training w;
    ls_checkpoint *checkpoint;
    empty_folder("run/checkpoints");
    tiny_training_make(&w, "dense:4", 1);
    w.progress.totals = (ls_epoch_totals){.score = {.rows = 30, .loss = 3, .correct = 20}};
    assert_ok(tiny_training_save(&w, 5, true, 3));
    damaged_file_forget(path, "partial_rows");
    assert_fails(ls_checkpoint_open(&checkpoint, path), LS_ERR_DATA,
                 "has no attribute 'partial_rows'");
    tiny_training_free(&w);
}

static void parameters_of_another_network_are_refused(void **state)
{
    (void)state;
    tiny_training w, shallow;
    ls_checkpoint *checkpoint;
    empty_folder("run/checkpoints");
    tiny_training_make(&w, "dense:5 relu dense:4", 1);
    tiny_training_make(&shallow, "dense:4", 1);
    assert_ok(tiny_training_save(&shallow, 5, true, 3));
    assert_ok(ls_checkpoint_open(&checkpoint, "run/checkpoints/last"));
    assert_fails(ls_checkpoint_read_params(checkpoint, LS_MODEL, w.network, w.params), LS_ERR_DATA,
                 "'/parameters/dense1/weight' does not have the shape");
    ls_checkpoint_close(&checkpoint);
    tiny_training_free(&w);
    tiny_training_free(&shallow);
}

static void optimizer_state_of_another_network_is_refused(void **state)
{
    (void)state;
    tiny_training w, other;
    ls_checkpoint *checkpoint;
    empty_folder("run/checkpoints");
    tiny_training_make(&w, "dense:5 relu dense:4", 1);
    tiny_training_make(&other, "dense:6 relu dense:4", 1);
    assert_ok(tiny_training_save(&w, 6, true, 3));
    assert_ok(ls_checkpoint_open(&checkpoint, "run/checkpoints/last"));
    assert_fails(ls_checkpoint_read_optimizer(checkpoint, LS_MODEL, other.network, other.optimizer),
                 LS_ERR_DATA, "'/optimizer/m/dense1/weight'");
    ls_checkpoint_close(&checkpoint);
    tiny_training_free(&w);
    tiny_training_free(&other);
}

static void saving_updates_links_and_prunes_old_checkpoints(void **state)
{
    (void)state;
    tiny_training w;
    char path[LS_PATH_MAX];
    empty_folder("run/checkpoints");
    tiny_training_make(&w, "dense:4", 1);
    assert_ok(tiny_training_save(&w, 1, true, 2));
    assert_ok(tiny_training_save(&w, 2, false, 2));
    assert_ok(tiny_training_save(&w, 3, false, 2));
    assert_ok(tiny_training_save(&w, 123456789, false, 2));  /* beyond 8 digits */
    assert_true(exists("run/checkpoints/step-00000001.h5")); /* the best */
    assert_false(exists("run/checkpoints/step-00000002.h5"));
    assert_true(exists("run/checkpoints/step-00000003.h5"));
    assert_true(exists("run/checkpoints/step-123456789.h5"));
    assert_ok(ls_checkpoint_find("run", false, path, sizeof path));
    assert_string_equal(path, "run/checkpoints/best");
    assert_ok(ls_checkpoint_find("run", true, path, sizeof path));
    assert_string_equal(path, "run/checkpoints/step-123456789.h5");
    assert_int_equal(readlink("run/checkpoints/last", path, sizeof path), 17);
    assert_memory_equal(path, "step-123456789.h5", 17);
    tiny_training_free(&w);
}

static void a_folder_without_checkpoints_is_refused(void **state)
{
    (void)state;
    char path[LS_PATH_MAX];
    assert_fails(ls_checkpoint_find("nowhere", false, path, sizeof path), LS_ERR_DATA, "nowhere");
    assert_fails(ls_checkpoint_find(".", false, path, sizeof path), LS_ERR_DATA, "no checkpoint");
}

/* Returns true if the link in run/checkpoints has this target; "": if there is no such link. */
static bool link_has_target(const char *link, const char *target)
{
    char path[64] = "", found[64] = "";
    snprintf(path, sizeof path, "run/checkpoints/%s", link);
    return readlink(path, found, sizeof found - 1) < (ssize_t)sizeof found &&
           strcmp(found, target) == 0;
}

/* Saves steps 11 to 14 and, after a crash that left `best` behind, step 15, which prunes.
 * Returns the progress at step 12. */
static ls_progress save_after_a_crash(tiny_training *w)
{
    assert_ok(tiny_training_save(w, 11, true, 9));
    assert_ok(tiny_training_save(w, 12, true, 9));
    const ls_progress at_12 = w->progress;
    assert_ok(tiny_training_save(w, 13, false, 9));
    assert_ok(tiny_training_save(w, 14, true, 9));
    assert_ok(ls_replace_symlink("run/checkpoints/best", "step-00000011.h5"));
    assert_ok(tiny_training_save(w, 15, false, 1));
    return at_12;
}

/* The best checkpoint is that of the training's progress; the link's target does not matter. */
static void saving_repairs_the_best_link_after_a_crash(void **state)
{
    (void)state;
    tiny_training w;
    empty_folder("run/checkpoints");
    tiny_training_make(&w, "dense:4", 1);
    (void)save_after_a_crash(&w);
    assert_true(link_has_target("best", "step-00000014.h5") && exists("run/checkpoints/best"));
    assert_true(link_has_target("last", "step-00000015.h5") && exists("run/checkpoints/last"));
    assert_false(exists("run/checkpoints/step-00000012.h5"));
    tiny_training_free(&w);
}

static void rewinding_to_a_missing_checkpoint_removes_links_and_later_checkpoints(void **state)
{
    (void)state;
    tiny_training w;
    empty_folder("run/checkpoints");
    tiny_training_make(&w, "dense:4", 1);
    const ls_progress then = save_after_a_crash(&w);
    assert_ok(tiny_training_rewind("a-run", &then));
    assert_false(exists("run/checkpoints/step-00000014.h5"));
    assert_true(link_has_target("last", "") && link_has_target("best", ""));
    tiny_training_free(&w);
}

static void rewinding_removes_later_checkpoints_and_restores_links(void **state)
{
    (void)state;
    tiny_training w;
    empty_folder("run/checkpoints");
    tiny_training_make(&w, "dense:4", 1);
    assert_ok(tiny_training_save(&w, 11, false, 9));
    assert_ok(tiny_training_save(&w, 12, true, 9));
    const ls_progress then = w.progress;
    assert_ok(tiny_training_save(&w, 123456789, true, 9));
    assert_ok(tiny_training_rewind("a-run", &then));
    assert_true(link_has_target("last", "step-00000012.h5") &&
                link_has_target("best", "step-00000012.h5"));
    assert_false(exists("run/checkpoints/step-123456789.h5"));
    assert_true(exists("run/checkpoints/step-00000011.h5"));
    assert_ok(tiny_training_save(&w, 13, true, 1));
    assert_true(link_has_target("last", "step-00000013.h5") && exists("run/checkpoints/last"));
    tiny_training_free(&w);
}

static void the_best_checkpoint_is_opened(void **state)
{
    (void)state;
    tiny_training w;
    char missing[LS_ERROR_TEXT_MAX];
    ls_checkpoint *current, *best;
    empty_folder("run/checkpoints");
    tiny_training_make(&w, "dense:4", 1);
    assert_ok(tiny_training_save(
        &w, 12, true, 9)); /* a tiny training is always after TINY_TRAINING_EPOCHS epochs */
    assert_ok(ls_checkpoint_open(&current, "run/checkpoints/last"));
    assert_ok(ls_checkpoint_open_best(current, &best, missing));
    assert_int_equal(ls_checkpoint_progress(best)->optimizer_steps, 12);
    assert_string_equal(missing, "");
    ls_checkpoint_close(&best);
    ls_checkpoint_close(&current);
    tiny_training_free(&w);
}

static void the_reason_for_no_best_checkpoint_is_reported(void **state)
{
    (void)state;
    tiny_training w;
    char missing[LS_ERROR_TEXT_MAX];
    ls_checkpoint *current, *best;
    empty_folder("run/checkpoints");
    tiny_training_make(&w, "dense:4", 1);
    assert_ok(tiny_training_save(&w, 12, true, 9));
    assert_ok(tiny_training_save(&w, 13, false, 9));
    assert_ok(ls_checkpoint_open(&current, "run/checkpoints/last"));
    assert_ok(ls_checkpoint_open_best(current, &best, missing));
    assert_null(best);
    assert_non_null(strstr(missing, "step-00000012.h5: is neither of epoch 2"));
    assert_int_equal(truncate("run/checkpoints/step-00000012.h5", 3000), 0);
    assert_ok(ls_checkpoint_open_best(current, &best, missing));
    assert_null(best);
    assert_non_null(strstr(missing, "step-00000012.h5: damaged"));
    make_unreadable("run/checkpoints/step-00000012.h5");
    assert_fails(ls_checkpoint_open_best(current, &best, missing), LS_ERR_DATA,
                 "step-00000012.h5: can't read: Is a directory");
    assert_int_equal(rmdir("run/checkpoints/step-00000012.h5"), 0);
    assert_ok(ls_checkpoint_open_best(current, &best, missing));
    assert_null(best);
    assert_non_null(strstr(missing, "step-00000012.h5: can't open"));
    ls_checkpoint_close(&current);
    tiny_training_free(&w);
}

static void contradictory_progress_is_refused(void **state)
{
    (void)state;
    tiny_training w;
    ls_checkpoint *checkpoint;
    tiny_training_make(&w, "dense:4", 1);
    const ls_progress good = {.epoch = TINY_TRAINING_EPOCHS,
                              .optimizer_steps = 6,
                              .best_steps = 4,
                              .early_stop = {.best_epoch = 2, .waited = 1}};
    ls_progress bad[6] = {good, good, good, good, good, good};
    bad[0].early_stop.best_epoch = 3000;
    bad[1].early_stop.best_epoch = -1;
    bad[2].early_stop.waited = -1;
    bad[3].best_steps = 7;
    bad[4].optimizer_steps = INT64_MAX;
    bad[5].optimizer_steps = 2;
    ls_state s = {
        .info = &w.info,
        .history = w.history,
        .trained = {{.network = w.network, .params = w.params, .optimizer = w.optimizer}}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        s.progress = &bad[i];
        assert_ok(ls_checkpoint_write("impossible.h5", &s));
        assert_fails(ls_checkpoint_open(&checkpoint, "impossible.h5"), LS_ERR_DATA,
                     "contradict each other");
    }
    tiny_training_free(&w);
}

static void a_run_without_checkpoints_has_no_newest_checkpoint(void **state)
{
    (void)state;
    char skipped[LS_ERROR_TEXT_MAX];
    ls_checkpoint *checkpoint;
    empty_folder("run/checkpoints");
    assert_ok(ls_checkpoint_open_newest("run", &checkpoint, skipped));
    assert_null(checkpoint);
    assert_ok(ls_checkpoint_open_newest("no-such-run", &checkpoint, skipped));
    assert_null(checkpoint);
}

static void damaged_checkpoints_are_skipped(void **state)
{
    (void)state;
    tiny_training w;
    char skipped[LS_ERROR_TEXT_MAX];
    ls_checkpoint *checkpoint;
    empty_folder("run/checkpoints");
    tiny_training_make(&w, "dense:4", 1);
    assert_ok(tiny_training_save(&w, 11, true, 9));
    assert_ok(tiny_training_save(&w, 12, false, 9));
    assert_int_equal(truncate("run/checkpoints/step-00000012.h5", 3000), 0);
    assert_ok(ls_checkpoint_open_newest("run", &checkpoint, skipped));
    assert_string_equal(ls_checkpoint_path(checkpoint), "run/checkpoints/step-00000011.h5");
    assert_non_null(strstr(skipped, "step-00000012.h5: damaged"));
    ls_checkpoint_close(&checkpoint);
    assert_int_equal(truncate("run/checkpoints/step-00000011.h5", 100), 0);
    assert_fails(ls_checkpoint_open_newest("run", &checkpoint, skipped), LS_ERR_DATA,
                 "none of its checkpoints is intact");
    assert_null(checkpoint);
    tiny_training_free(&w);
}

/* An unreadable file may be intact; a damaged file is skipped and removed. */
static void unreadable_checkpoints_are_neither_skipped_nor_removed(void **state)
{
    (void)state;
    tiny_training w;
    char skipped[LS_ERROR_TEXT_MAX], path[LS_PATH_MAX];
    ls_checkpoint *checkpoint;
    empty_folder("run/checkpoints");
    tiny_training_make(&w, "dense:4", 1);
    assert_ok(tiny_training_save(&w, 11, true, 9));
    const ls_progress then = w.progress;
    assert_ok(tiny_training_save(&w, 12, false, 9));
    assert_ok(tiny_training_save(&w, 13, false, 9));
    make_unreadable("run/checkpoints/step-00000012.h5");
    assert_ok(ls_checkpoint_open_newest("run", &checkpoint, skipped));
    assert_string_equal(ls_checkpoint_path(checkpoint), "run/checkpoints/step-00000013.h5");
    ls_checkpoint_close(&checkpoint);
    assert_fails(tiny_training_rewind("a-run", &then), LS_ERR_DATA,
                 "step-00000012.h5: can't read: Is a directory; it is later");
    assert_true(exists("run/checkpoints/step-00000013.h5"));
    assert_int_equal(truncate("run/checkpoints/step-00000013.h5", 3000), 0);
    assert_fails(ls_checkpoint_open_newest("run", &checkpoint, skipped), LS_ERR_DATA,
                 "step-00000012.h5: can't read: Is a directory; it may be whole");
    assert_null(checkpoint);
    assert_int_equal(unlink("run/checkpoints/best"), 0);
    assert_fails(ls_checkpoint_find("run", false, path, sizeof path), LS_ERR_DATA, "may be whole");
    assert_int_equal(rmdir("run/checkpoints/step-00000012.h5"), 0);
    assert_ok(tiny_training_rewind("a-run", &then));
    assert_false(exists("run/checkpoints/step-00000013.h5"));
    tiny_training_free(&w);
}

/* Files of another or of an unknown run are neither removed, replaced nor counted. */
static void checkpoints_of_other_runs_are_left_unchanged(void **state)
{
    (void)state;
    tiny_training w, other;
    empty_folder("run/checkpoints");
    tiny_training_make(&other, "dense:4", 7);
    other.info.run = "another-run";
    assert_ok(tiny_training_save(&other, 10, true, 9));
    assert_ok(tiny_training_save(&other, 14, true, 9));
    assert_ok(tiny_training_save(&other, 99, true, 9));
    tiny_training_make(&w, "dense:4", 1);
    w.info.run = NULL; /* as written by older versions */
    const ls_progress begin = {.optimizer_steps = 9};
    assert_fails(tiny_training_rewind("a-run", &begin), LS_ERR_DATA,
                 "step-00000099.h5: belongs to another run");
    assert_true(exists("run/checkpoints/step-00000010.h5"));
    const ls_progress end = {.optimizer_steps = 100};
    assert_ok(tiny_training_rewind("a-run", &end));
    assert_ok(tiny_training_save(&w, 11, true, 1));
    w.info.run = "a-run";
    assert_ok(tiny_training_save(&w, 12, false, 1));
    assert_ok(tiny_training_save(&w, 13, false, 1));
    assert_fails(tiny_training_save(&w, 14, false, 1), LS_ERR_FAILURE, "this run did not write it");
    assert_true(exists("run/checkpoints/step-00000011.h5")); /* the best */
    assert_false(exists("run/checkpoints/step-00000012.h5"));
    assert_true(exists("run/checkpoints/step-00000013.h5"));
    /* Also after a resume. */
    assert_ok(tiny_training_rewind("a-run", &end));
    assert_ok(tiny_training_save(&w, 101, true, 1));
    assert_false(exists("run/checkpoints/step-00000011.h5"));
    assert_false(exists("run/checkpoints/step-00000013.h5"));
    assert_true(exists("run/checkpoints/step-00000010.h5"));
    assert_true(exists("run/checkpoints/step-00000014.h5"));
    assert_true(exists("run/checkpoints/step-00000099.h5"));
    tiny_training_free(&other);
    tiny_training_free(&w);
}

/* A folder that was removed is made again. */
static void a_replaced_folder_is_not_written_into(void **state)
{
    (void)state;
    tiny_training w;
    empty_folder("run/checkpoints");
    tiny_training_make(&w, "dense:4", 1);
    assert_ok(tiny_training_save(&w, 11, true, 9));
    empty_folder("moved");
    assert_int_equal(rmdir("moved"), 0);
    assert_int_equal(rename("run/checkpoints", "moved"), 0);
    assert_ok(tiny_training_save(&w, 12, false, 1));
    assert_true(exists("run/checkpoints/step-00000012.h5"));
    assert_true(link_has_target("last", "step-00000012.h5") && link_has_target("best", ""));
    assert_int_equal(unlink("run/checkpoints/step-00000012.h5"), 0);
    assert_int_equal(unlink("run/checkpoints/last"), 0);
    assert_int_equal(rename("moved", "run/checkpoints"), 0);
    assert_fails(tiny_training_save(&w, 13, false, 1), LS_ERR_FAILURE, "it was replaced");
    assert_true(exists("run/checkpoints/step-00000011.h5"));
    tiny_training_free(&w);
}

/* Returns true if ls_checkpoint_find() finds the path `wanted`. */
static bool finds_checkpoint(const char *path, bool newest, const char *wanted)
{
    char found[LS_PATH_MAX];
    assert_ok(ls_checkpoint_find(path, newest, found, sizeof found));
    return strcmp(found, wanted) == 0;
}

/* Saves steps 11, the best, and 12; removes both links, which some file systems and copies lack. */
static void save_without_links(tiny_training *w)
{
    empty_folder("run/checkpoints");
    tiny_training_make(w, "dense:4", 1);
    assert_ok(tiny_training_save(w, 11, true, 9));
    assert_ok(tiny_training_save(w, 12, false, 9));
    assert_int_equal(unlink("run/checkpoints/best"), 0);
    assert_int_equal(unlink("run/checkpoints/last"), 0);
}

static const char step_11[] = "run/checkpoints/step-00000011.h5",
                  step_12[] = "run/checkpoints/step-00000012.h5";

static void checkpoints_are_found_without_links(void **state)
{
    (void)state;
    tiny_training w;
    char skipped[LS_ERROR_TEXT_MAX], path[LS_PATH_MAX];
    ls_checkpoint *checkpoint;
    save_without_links(&w);
    assert_true(finds_checkpoint("run", false, step_11) && finds_checkpoint("run", true, step_12));
    assert_true(finds_checkpoint("run/checkpoints", false, step_11) &&
                finds_checkpoint("run/checkpoints", true, step_12));
    assert_true(finds_checkpoint("run/checkpoints/best", true, step_11));
    assert_true(finds_checkpoint("run/checkpoints/last", false, step_12));
    assert_true(finds_checkpoint(step_11, true, step_11));
    assert_fails(ls_checkpoint_find("run/checkpoints/first", true, path, sizeof path), LS_ERR_DATA,
                 "can't open");
    assert_fails(ls_checkpoint_find("best", true, path, sizeof path), LS_ERR_DATA, "can't open");
    assert_ok(ls_checkpoint_open_newest("run/checkpoints", &checkpoint, skipped));
    assert_string_equal(ls_checkpoint_path(checkpoint), step_12);
    ls_checkpoint_close(&checkpoint);
    tiny_training_free(&w);
}

/* If the best checkpoint itself is missing, the others are known not to be the best: all record its
 * step. */
static void without_links_a_damaged_checkpoint_may_be_the_best(void **state)
{
    (void)state;
    tiny_training w;
    char path[LS_PATH_MAX];
    save_without_links(&w);
    assert_int_equal(truncate(step_12, 3000), 0);
    assert_fails(ls_checkpoint_find("run", false, path, sizeof path), LS_ERR_DATA,
                 "name the checkpoint to use");
    assert_int_equal(unlink(step_12), 0);
    assert_true(finds_checkpoint("run", false, step_11) &&
                finds_checkpoint("run/checkpoints/last", false, step_11));
    assert_ok(tiny_training_save(&w, 13, false, 9));
    assert_int_equal(unlink("run/checkpoints/best"), 0);
    assert_int_equal(unlink(step_11), 0);
    assert_true(finds_checkpoint("run", false, "run/checkpoints/step-00000013.h5"));
    tiny_training_free(&w);
}

static void a_failed_save_keeps_the_old_checkpoint(void **state)
{
    (void)state;
    tiny_training w;
    ls_checkpoint *checkpoint;
    empty_folder("run/checkpoints");
    tiny_training_make(&w, "dense:4", 1);
    assert_ok(tiny_training_save(&w, 11, true, 1));
    assert_ok(ls_fault_arm("checkpoint:0:1", 0));
    assert_fails(tiny_training_save(&w, 12, true, 1), LS_ERR_FAILURE,
                 "injected fault at 'checkpoint'");
    assert_ok(ls_checkpoint_open(&checkpoint, "run/checkpoints/best"));
    assert_int_equal(ls_checkpoint_progress(checkpoint)->optimizer_steps, 11);
    ls_checkpoint_close(&checkpoint);
    assert_false(exists("run/checkpoints/step-00000012.h5"));
    assert_false(exists("run/checkpoints/step-00000012.h5.tmp"));
    tiny_training_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_checkpoint_is_read_back_bit_for_bit),
        cmocka_unit_test(an_older_checkpoint_has_no_validation_fingerprint),
        cmocka_unit_test(history_columns_are_read_by_name),
        cmocka_unit_test(a_history_without_the_epoch_column_is_refused),
        cmocka_unit_test(a_missing_sum_of_a_metric_is_nan),
        cmocka_unit_test(a_missing_number_of_rows_is_refused),
        cmocka_unit_test(parameters_of_another_network_are_refused),
        cmocka_unit_test(optimizer_state_of_another_network_is_refused),
        cmocka_unit_test(saving_updates_links_and_prunes_old_checkpoints),
        cmocka_unit_test(a_folder_without_checkpoints_is_refused),
        cmocka_unit_test(a_run_without_checkpoints_has_no_newest_checkpoint),
        cmocka_unit_test(damaged_checkpoints_are_skipped),
        cmocka_unit_test(unreadable_checkpoints_are_neither_skipped_nor_removed),
        cmocka_unit_test(checkpoints_of_other_runs_are_left_unchanged),
        cmocka_unit_test(a_replaced_folder_is_not_written_into),
        cmocka_unit_test(checkpoints_are_found_without_links),
        cmocka_unit_test(without_links_a_damaged_checkpoint_may_be_the_best),
        cmocka_unit_test(a_failed_save_keeps_the_old_checkpoint),
        cmocka_unit_test(saving_repairs_the_best_link_after_a_crash),
        cmocka_unit_test(rewinding_to_a_missing_checkpoint_removes_links_and_later_checkpoints),
        cmocka_unit_test(rewinding_removes_later_checkpoints_and_restores_links),
        cmocka_unit_test(the_best_checkpoint_is_opened),
        cmocka_unit_test(the_reason_for_no_best_checkpoint_is_reported),
        cmocka_unit_test(contradictory_progress_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
