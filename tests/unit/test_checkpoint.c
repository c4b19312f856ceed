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

/* Puts in the place of a file what root can't read either. */
static void make_unreadable(const char *path)
{
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0777), 0);
}

static void comes_back_bit_by_bit(void **state)
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
    assert_ok(ls_checkpoint_read_params(checkpoint, r.network, r.params));
    assert_ok(ls_checkpoint_read_optimizer(checkpoint, r.network, r.optimizer));
    assert_ok(ls_checkpoint_read_history(checkpoint, history));
    assert_memory_equal(r.params, w.params, bytes);
    for (int s = 0; s < ls_optimizer_slots(w.optimizer); s++)
        assert_memory_equal(ls_optimizer_slot(r.optimizer, s), ls_optimizer_slot(w.optimizer, s),
                            bytes);
    assert_int_equal(ls_optimizer_steps(r.optimizer), 5);
    assert_true(ls_checkpoint_has_average(checkpoint));
    assert_ok(ls_checkpoint_read_outcome(checkpoint, r.network, r.params));
    assert_memory_equal(r.params, ls_optimizer_average(w.optimizer), bytes);
    assert_true(history[2].loss == w.history[2].loss && isnan(history[2].val_loss));
    ls_checkpoint_close(&checkpoint);

    w.info.knows_validation = false; /* as older versions wrote them */
    assert_ok(tiny_training_save(&w, 6, true, 3));
    assert_ok(ls_checkpoint_open(&checkpoint, "run/checkpoints/step-00000006.h5"));
    assert_true(ls_checkpoint_model(checkpoint)->fingerprint == w.info.fingerprint);
    assert_false(ls_checkpoint_model(checkpoint)->knows_validation);
    ls_checkpoint_close(&checkpoint);
    tiny_training_free(&w);
    tiny_training_free(&r);
}

/* Other programs, older ones and newer ones, have other columns. */
static void reads_the_history_by_the_names_of_its_columns(void **state)
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

    /* Rows of no known epoch, and names that are not those of the columns, are refused. */
    static const char *const wrong[] = {"future,loss,accuracy,val_loss", ",,,"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        damaged_file_history(path, wrong[i], &values[0][0], TINY_TRAINING_EPOCHS);
        assert_fails(ls_checkpoint_open(&checkpoint, path), LS_ERR_DATA, "contradict each other");
    }
    tiny_training_free(&w);
}

/* The sum of a metric that the file's program did not know is not known of an epoch that is not
 * finished; everything else must be there. */
static void a_sum_that_the_file_lacks_is_unknown(void **state)
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
    damaged_file_forget(path, "partial_rows");
    assert_fails(ls_checkpoint_open(&checkpoint, path), LS_ERR_DATA,
                 "has no attribute 'partial_rows'");
    tiny_training_free(&w);
}

static void refuses_another_network(void **state)
{
    (void)state;
    tiny_training w, other, shallow;
    empty_folder("run/checkpoints");
    tiny_training_make(&w, "dense:5 relu dense:4", 1);
    tiny_training_make(&other, "dense:6 relu dense:4", 1);
    tiny_training_make(&shallow, "dense:4", 1);
    assert_ok(tiny_training_save(&shallow, 5, true, 3));
    ls_checkpoint *checkpoint;
    assert_ok(ls_checkpoint_open(&checkpoint, "run/checkpoints/last"));
    assert_fails(ls_checkpoint_read_params(checkpoint, w.network, w.params), LS_ERR_DATA,
                 "'/parameters/dense1/weight' does not have the shape");
    ls_checkpoint_close(&checkpoint);
    assert_ok(tiny_training_save(&w, 6, true, 3));
    assert_ok(ls_checkpoint_open(&checkpoint, "run/checkpoints/last"));
    assert_fails(ls_checkpoint_read_optimizer(checkpoint, other.network, other.optimizer),
                 LS_ERR_DATA, "'/optimizer/m/dense1/weight'");
    ls_checkpoint_close(&checkpoint);
    tiny_training_free(&w);
    tiny_training_free(&other);
    tiny_training_free(&shallow);
}

static void links_and_prunes(void **state)
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
    assert_fails(ls_checkpoint_find("nowhere", false, path, sizeof path), LS_ERR_DATA, "nowhere");
    assert_fails(ls_checkpoint_find(".", false, path, sizeof path), LS_ERR_DATA, "no checkpoint");
    tiny_training_free(&w);
}

/* Whether a link points there; "" for one that is not there. */
static bool points(const char *link, const char *target)
{
    char path[64] = "", found[64] = "";
    snprintf(path, sizeof path, "run/checkpoints/%s", link);
    return readlink(path, found, sizeof found - 1) < (ssize_t)sizeof found &&
           strcmp(found, target) == 0;
}

/* Whatever the links say, and however a crash left them: the best is the one that training knows.
 */
static void rewinds(void **state)
{
    (void)state;
    tiny_training w;
    empty_folder("run/checkpoints");
    tiny_training_make(&w, "dense:4", 1);
    assert_ok(tiny_training_save(&w, 11, true, 9));
    assert_ok(tiny_training_save(&w, 12, true, 9));
    const ls_progress then = w.progress;
    assert_ok(tiny_training_save(&w, 13, false, 9));
    assert_ok(tiny_training_save(&w, 14, true, 9));

    /* A crash before the link `best` followed; then a checkpoint that prunes. */
    assert_ok(ls_replace_symlink("run/checkpoints/best", "step-00000011.h5"));
    assert_ok(tiny_training_save(&w, 15, false, 1));
    assert_true(points("best", "step-00000014.h5") && exists("run/checkpoints/best"));
    assert_true(points("last", "step-00000015.h5") && exists("run/checkpoints/last"));
    assert_false(exists("run/checkpoints/step-00000012.h5"));

    /* Back to the 12th step; its file is gone, and so are the links. */
    assert_ok(tiny_training_rewind("a-run", &then));
    assert_false(exists("run/checkpoints/step-00000014.h5"));
    assert_true(points("last", "") && points("best", ""));

    /* Back to one that is there: later ones are gone, and what is saved next is not pruned. */
    empty_folder("run/checkpoints");
    assert_ok(tiny_training_save(&w, 11, false, 9));
    assert_ok(tiny_training_save(&w, 12, true, 9));
    assert_ok(tiny_training_save(&w, 123456789, true, 9));
    assert_ok(tiny_training_rewind("a-run", &then));
    assert_true(points("last", "step-00000012.h5") && points("best", "step-00000012.h5"));
    assert_false(exists("run/checkpoints/step-123456789.h5"));
    assert_true(exists("run/checkpoints/step-00000011.h5"));
    assert_ok(tiny_training_save(&w, 13, true, 1));
    assert_true(points("last", "step-00000013.h5") && exists("run/checkpoints/last"));
    tiny_training_free(&w);
}

static void opens_the_best(void **state)
{
    (void)state;
    tiny_training w;
    char missing[LS_ERROR_TEXT_MAX];
    ls_checkpoint *current, *best;
    empty_folder("run/checkpoints");
    tiny_training_make(&w, "dense:4", 1);
    assert_ok(tiny_training_save(
        &w, 12, true, 9)); /* this test's worlds are always after TINY_TRAINING_EPOCHS epochs */
    assert_ok(ls_checkpoint_open(&current, "run/checkpoints/last"));
    assert_ok(ls_checkpoint_open_best(current, &best, missing));
    assert_int_equal(ls_checkpoint_progress(best)->optimizer_steps, 12);
    assert_string_equal(missing, "");
    ls_checkpoint_close(&best);
    ls_checkpoint_close(&current);
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

static void refuses_impossible_progress(void **state)
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
    ls_state s = {.info = &w.info,
                  .history = w.history,
                  .network = w.network,
                  .params = w.params,
                  .optimizer = w.optimizer};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        s.progress = &bad[i];
        assert_ok(ls_checkpoint_write("impossible.h5", &s));
        assert_fails(ls_checkpoint_open(&checkpoint, "impossible.h5"), LS_ERR_DATA,
                     "contradict each other");
    }
    tiny_training_free(&w);
}

static void skips_the_damaged(void **state)
{
    (void)state;
    tiny_training w;
    char skipped[LS_ERROR_TEXT_MAX];
    ls_checkpoint *checkpoint;
    empty_folder("run/checkpoints");
    assert_ok(ls_checkpoint_open_newest("run", &checkpoint, skipped));
    assert_null(checkpoint);
    assert_ok(ls_checkpoint_open_newest("no-such-run", &checkpoint, skipped));
    assert_null(checkpoint);
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

/* What can't be read may be whole: it is neither passed over nor removed. What is damaged is. */
static void keeps_the_unreadable(void **state)
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

/* What another run has written, or nobody knows who, is neither removed nor replaced nor counted.
 */
static void leaves_the_foreign_alone(void **state)
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
    w.info.run = NULL; /* as those of old are */
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
    /* The same after it was resumed. */
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

/* A folder that is removed is made anew, one that is replaced is not written into. */
static void notices_another_folder(void **state)
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
    assert_true(points("last", "step-00000012.h5") && points("best", ""));
    assert_int_equal(unlink("run/checkpoints/step-00000012.h5"), 0);
    assert_int_equal(unlink("run/checkpoints/last"), 0);
    assert_int_equal(rename("moved", "run/checkpoints"), 0);
    assert_fails(tiny_training_save(&w, 13, false, 1), LS_ERR_FAILURE, "it was replaced");
    assert_true(exists("run/checkpoints/step-00000011.h5"));
    tiny_training_free(&w);
}

/* Whether this is what is found. */
static bool finds(const char *path, bool newest, const char *wanted)
{
    char found[LS_PATH_MAX];
    assert_ok(ls_checkpoint_find(path, newest, found, sizeof found));
    return strcmp(found, wanted) == 0;
}

/* Without links, as where the file system or the way of copying has none. */
static void does_without_links(void **state)
{
    (void)state;
    tiny_training w;
    char skipped[LS_ERROR_TEXT_MAX], path[LS_PATH_MAX];
    ls_checkpoint *checkpoint;
    empty_folder("run/checkpoints");
    tiny_training_make(&w, "dense:4", 1);
    assert_ok(tiny_training_save(&w, 11, true, 9));
    assert_ok(tiny_training_save(&w, 12, false, 9));
    assert_int_equal(unlink("run/checkpoints/best"), 0);
    assert_int_equal(unlink("run/checkpoints/last"), 0);
    static const char best[] = "run/checkpoints/step-00000011.h5",
                      last[] = "run/checkpoints/step-00000012.h5";
    assert_true(finds("run", false, best) && finds("run", true, last));
    assert_true(finds("run/checkpoints", false, best) && finds("run/checkpoints", true, last));
    assert_true(finds("run/checkpoints/best", true, best));
    assert_true(finds("run/checkpoints/last", false, last));
    assert_true(finds(best, true, best));
    assert_fails(ls_checkpoint_find("run/checkpoints/first", true, path, sizeof path), LS_ERR_DATA,
                 "can't open");
    assert_fails(ls_checkpoint_find("best", true, path, sizeof path), LS_ERR_DATA, "can't open");
    assert_ok(ls_checkpoint_open_newest("run/checkpoints", &checkpoint, skipped));
    assert_string_equal(ls_checkpoint_path(checkpoint), last);
    ls_checkpoint_close(&checkpoint);

    /* Whether a damaged one was the best nobody knows; of a best one that is gone all do. */
    assert_int_equal(truncate(last, 3000), 0);
    assert_fails(ls_checkpoint_find("run", false, path, sizeof path), LS_ERR_DATA,
                 "name the checkpoint to use");
    assert_int_equal(unlink(last), 0);
    assert_true(finds("run", false, best) && finds("run/checkpoints/last", false, best));
    assert_ok(tiny_training_save(&w, 13, false, 9));
    assert_int_equal(unlink("run/checkpoints/best"), 0);
    assert_int_equal(unlink(best), 0);
    assert_true(finds("run", false, "run/checkpoints/step-00000013.h5"));
    tiny_training_free(&w);
}

static void failed_save_leaves_the_old(void **state)
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
        cmocka_unit_test(comes_back_bit_by_bit),
        cmocka_unit_test(reads_the_history_by_the_names_of_its_columns),
        cmocka_unit_test(a_sum_that_the_file_lacks_is_unknown),
        cmocka_unit_test(refuses_another_network),
        cmocka_unit_test(links_and_prunes),
        cmocka_unit_test(skips_the_damaged),
        cmocka_unit_test(keeps_the_unreadable),
        cmocka_unit_test(leaves_the_foreign_alone),
        cmocka_unit_test(notices_another_folder),
        cmocka_unit_test(does_without_links),
        cmocka_unit_test(failed_save_leaves_the_old),
        cmocka_unit_test(rewinds),
        cmocka_unit_test(opens_the_best),
        cmocka_unit_test(refuses_impossible_progress),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
