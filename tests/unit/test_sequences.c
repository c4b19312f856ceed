/* Rows of sequences: their lengths, given or found from padding, the classes of their steps, and
 * tokens of a vocabulary. */
#include "test.h"

#include "base/memory.h"
#include "base/text_list.h"
#include "data/h5.h"
#include "data/samples.h"
#include "data/vocabulary.h"

#include <lockstep/dataset.h>

#include <hdf5.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 40, STEPS = 6, WORDS = 11 };

static ls_h5 *create(const char *path)
{
    ls_h5 *file;
    assert_ok(ls_h5_create(&file, path));
    return file;
}

/* Writes a dataset; a width of 0: [rows], else [rows,width]. */
static void put(ls_h5 *file, const char *name, ls_h5_type type, int64_t rows, int64_t width,
                ls_h5_type memory, const void *numbers)
{
    const ls_h5_shape shape = {type, width > 0 ? 2 : 1, {rows, width}};
    assert_ok(ls_h5_create_dataset(file, name, &shape, false));
    assert_ok(ls_h5_write(file, name, memory, 0, rows, numbers));
}

static void put_header(ls_h5 *file, int classes)
{
    assert_ok(ls_h5_put_text(file, "format", "lockstep-dataset"));
    assert_ok(ls_h5_put_int(file, "version", 1));
    assert_ok(ls_h5_put_int(file, "classes", classes));
}

/* Row `row` of sequences has this length; its tokens are above 0, then 0. */
static int length_of(int64_t row)
{
    return (int)(row % (STEPS + 1));
}

static int token_of(int64_t row, int64_t step)
{
    return step < length_of(row) ? 1 + (int)((row + 3 * step) % (WORDS - 1)) : 0;
}

/* The class of a step is the next token. */
static int next_of(int64_t row, int64_t step)
{
    return step + 1 < STEPS ? token_of(row, step + 1) : 0;
}

/* Writes tokens, classes and lengths of rows first .. first+rows-1 into a group, as far as they are
 * named. */
static void put_rows(ls_h5 *file, const char *group, int64_t first, int64_t rows,
                     const char *classes, const char *lengths)
{
    char name[64];
    int32_t tokens[ROWS * STEPS], next[ROWS * STEPS], length[ROWS];
    for (int64_t i = 0; i < rows; i++) {
        length[i] = length_of(first + i);
        for (int64_t step = 0; step < STEPS; step++) {
            tokens[i * STEPS + step] = token_of(first + i, step);
            next[i * STEPS + step] = next_of(first + i, step);
        }
    }
    snprintf(name, sizeof name, "%s/inputs", group);
    put(file, name, LS_H5_U16, rows, STEPS, LS_H5_I32, tokens);
    snprintf(name, sizeof name, "%s/%s", group, classes);
    put(file, name, LS_H5_I32, rows, STEPS, LS_H5_I32, next);
    snprintf(name, sizeof name, "%s/%s", group, lengths != NULL ? lengths : "");
    if (lengths != NULL)
        put(file, name, LS_H5_U8, rows, 0, LS_H5_I32, length);
}

/* Asserts that a row has the tokens, classes and length of row `row`. */
static void assert_is_row(const ls_dataset *dataset, const ls_samples *samples, int64_t at,
                          int64_t row)
{
    const ls_row r = ls_samples_row(samples, at);
    float x[STEPS];
    ls_samples_inputs(samples, at, 1, x);
    assert_int_equal(r.length, length_of(row));
    for (int64_t step = 0; step < STEPS; step++) {
        assert_int_equal((int)x[step], token_of(row, step));
        if (ls_dataset_by_step(ls_dataset_describe(dataset)))
            assert_int_equal((int)r.targets[step], next_of(row, step));
    }
}

static ls_samples *read_all(const ls_dataset *dataset, ls_split split)
{
    ls_samples *samples = NULL;
    const int64_t rows = ls_dataset_describe(dataset)->rows[split];
    assert_ok(ls_dataset_read(dataset, split, 0, rows, rows, &samples));
    return samples;
}

/* Opens and reads everything. */
static ls_status try_file(const char *path, const ls_dataset_options *options)
{
    ls_dataset *dataset = NULL;
    ls_status status = ls_dataset_open(&dataset, path, options);
    if (status == LS_OK)
        status = ls_dataset_verify(dataset);
    ls_dataset_close(&dataset);
    return status;
}

static void lengths_are_read_in_all_splits_and_however_rows_are_divided(void **state)
{
    (void)state;
    const ls_dataset_options options[] = {{.validation = 0.25},
                                          {.validation = 0.25, .hold_out = LS_HOLD_OUT_RANDOM},
                                          {.fold = "2/3", .hold_out = LS_HOLD_OUT_RANDOM},
                                          {.validation = 0.25, .weights = "weights"}};
    double weights[ROWS];
    for (int i = 0; i < ROWS; i++)
        weights[i] = 0.5 + i;
    ls_h5 *file = create("l.h5");
    put_header(file, WORDS);
    put_rows(file, "train", 0, ROWS, "labels", "lengths");
    put_rows(file, "test", 3, 9, "labels", "lengths");
    put(file, "train/weights", LS_H5_F64, ROWS, 0, LS_H5_F64, weights);
    assert_ok(ls_h5_close(&file));
    for (size_t o = 0; o < sizeof options / sizeof *options; o++) {
        bool seen[ROWS] = {false};
        ls_dataset *dataset;
        assert_ok(ls_dataset_open(&dataset, "l.h5", &options[o]));
        const ls_dataset_info *info = ls_dataset_describe(dataset);
        assert_true(info->ragged);
        assert_int_equal(ls_dataset_steps(info), STEPS);
        for (int split = LS_TRAIN; split <= LS_VALIDATION; split++) {
            ls_samples *samples = read_all(dataset, (ls_split)split);
            assert_true(samples->rows > 0);
            for (int64_t i = 0; i < samples->rows; i++) {
                float x[STEPS];
                int64_t row = 0; /* that has these tokens: found by its length and first token */
                ls_samples_inputs(samples, i, 1, x);
                while (row < ROWS && (seen[row] || (int)x[0] != token_of(row, 0) ||
                                      ls_samples_row(samples, i).length != length_of(row)))
                    row++;
                assert_true(row < ROWS);
                seen[row] = true;
                assert_is_row(dataset, samples, i, row);
                if (options[o].weights != NULL && split == LS_TRAIN)
                    assert_true(*ls_sample_weight(samples, ls_sample_at(samples, i)) ==
                                0.5f + (float)row);
            }
            ls_samples_destroy(&samples);
        }
        ls_samples *test = read_all(dataset, LS_TEST);
        for (int64_t i = 0; i < 9; i++)
            assert_is_row(dataset, test, i, 3 + i);
        ls_samples_destroy(&test);
        ls_dataset_close(&dataset);
        for (int row = 0; row < ROWS; row++)
            assert_true(seen[row]);
    }
}

/* Selected datasets of two files, and of a third with the test rows. */
static void lengths_of_selected_rows_of_several_files_are_read(void **state)
{
    (void)state;
    const ls_dataset_options options = {
        .inputs = "/a/inputs", .targets = "/a/next", .lengths = "/a/long", .test_data = "s3.h5"};
    const struct {
        const char *path;
        int64_t first, rows;
    } files[] = {{"s1.h5", 0, 17}, {"s2.h5", 17, 23}, {"s3.h5", 5, 1}};
    for (int i = 0; i < 3; i++) {
        ls_h5 *file = create(files[i].path);
        put_rows(file, "a", files[i].first, files[i].rows, "next", "long");
        assert_ok(ls_h5_close(&file));
    }
    ls_dataset *dataset;
    assert_ok(ls_dataset_open(&dataset, "s1.h5,s2.h5", &options));
    const ls_dataset_info *info = ls_dataset_describe(dataset);
    assert_true(info->ragged);
    assert_int_equal(info->classes, WORDS);
    assert_int_equal(info->values, STEPS);
    assert_int_equal(ls_dataset_outputs(info), WORDS);
    ls_samples *train = read_all(dataset, LS_TRAIN), *test = read_all(dataset, LS_TEST);
    for (int64_t i = 0; i < ROWS; i++)
        assert_is_row(dataset, train, i, i);
    assert_is_row(dataset, test, 0, 5);
    ls_samples_destroy(&train);
    ls_samples_destroy(&test);
    ls_dataset_close(&dataset);
}

/* Writes rows whose lengths are `lengths`, of which row 2 has this one. */
static void write_length(double wrong, int64_t rows, int64_t width)
{
    double lengths[2 * ROWS] = {0};
    lengths[2] = wrong;
    ls_h5 *file = create("w.h5");
    put_header(file, WORDS);
    put_rows(file, "train", 0, ROWS, "labels", NULL);
    put(file, "train/lengths", LS_H5_F64, rows, width, LS_H5_F64, lengths);
    assert_ok(ls_h5_close(&file));
}

static void lengths_that_are_no_number_of_steps_are_refused(void **state)
{
    (void)state;
    const struct {
        double length;
        const char *part;
    } cases[] = {{-1, "w.h5: '/train/lengths' is -1 in row 2: expected a length, a whole number of "
                      "0 to 6"},
                 {7, "is 7 in row 2"},
                 {2.5, "is 2.5 in row 2"},
                 {1e300, "in row 2"},
                 {(double)NAN, "'/train/lengths' is NaN in row 2"},
                 {(double)INFINITY, "is infinite in row 2"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_length(cases[i].length, ROWS, 0);
        assert_fails(try_file("w.h5", NULL), LS_ERR_DATA, cases[i].part);
    }
    write_length(0, ROWS, 1);
    assert_ok(try_file("w.h5", NULL));
    write_length(0, ROWS, 2);
    assert_fails(try_file("w.h5", NULL), LS_ERR_DATA,
                 "'/train/lengths' is [40,2], expected a length of each row");
    write_length(0, ROWS - 1, 0);
    assert_fails(try_file("w.h5", NULL), LS_ERR_DATA,
                 "'/train/inputs' has 40 rows but '/train/lengths' has 39");
    const ls_dataset_options other = {.lengths = "long"};
    assert_fails(try_file("w.h5", &other), LS_ERR_DATA, "has no dataset '/train/long'");
    const ls_dataset_options twice = {.lengths = "lengths", .padded = true};
    assert_fails(try_file("w.h5", &twice), LS_ERR_USAGE, "--lengths and --padding");
    const ls_dataset_options padded = {.padded = true};
    assert_fails(try_file("w.h5", &padded), LS_ERR_USAGE, "has '/train/lengths'");
    const ls_dataset_options far = {.padded = true, .padding = LS_MAX_TOKEN + 1};
    assert_fails(try_file("w.h5", &far), LS_ERR_USAGE, "2^24");
    const ls_dataset_options copied = {.targets = "inputs"};
    assert_fails(try_file("w.h5", &copied), LS_ERR_USAGE, "--targets inputs");
}

static void lengths_of_strings_are_refused(void **state)
{
    (void)state;
    const char *const texts[] = {"1", "2"};
    const int32_t tokens[2 * STEPS] = {0}, labels[2] = {0, 1};
    ls_h5 *file = create("w.h5");
    put_header(file, 2);
    put(file, "train/inputs", LS_H5_I32, 2, STEPS, LS_H5_I32, tokens);
    put(file, "train/labels", LS_H5_I32, 2, 0, LS_H5_I32, labels);
    assert_ok(ls_h5_write_texts(file, "train/lengths", texts, 2));
    assert_ok(ls_h5_close(&file));
    assert_fails(try_file("w.h5", NULL), LS_ERR_DATA, "'/train/lengths' holds strings");
}

static void groups_with_and_without_lengths_are_refused(void **state)
{
    (void)state;
    for (int with = 0; with < 2; with++) {
        ls_h5 *file = create("g.h5");
        put_header(file, WORDS);
        put_rows(file, "train", 0, ROWS, "labels", with ? "lengths" : NULL);
        put_rows(file, "test", 0, 5, "labels", with ? NULL : "lengths");
        assert_ok(ls_h5_close(&file));
        assert_fails(try_file("g.h5", NULL), LS_ERR_DATA,
                     with ? "'/test/inputs' has no lengths, but g.h5: '/train/inputs' has some"
                          : "'/test/inputs' has some lengths, but g.h5: '/train/inputs' has none");
    }
}

static void padding_gives_the_lengths_that_the_rows_were_written_with(void **state)
{
    (void)state;
    const ls_dataset_options own = {.padded = true},
                             selected = {.inputs = "/train/inputs[:,:2],/train/inputs[:,2:]",
                                         .targets = "/train/labels",
                                         .padded = true};
    const ls_dataset_options *const options[] = {&own, &selected};
    ls_h5 *file = create("p.h5");
    put_header(file, WORDS);
    put_rows(file, "train", 0, ROWS, "labels", NULL);
    assert_ok(ls_h5_close(&file));
    for (int o = 0; o < 2; o++) {
        ls_dataset *dataset;
        assert_ok(ls_dataset_open(&dataset, "p.h5", options[o]));
        assert_true(ls_dataset_describe(dataset)->ragged);
        ls_samples *samples = read_all(dataset, LS_TRAIN);
        for (int64_t i = 0; i < ROWS; i++)
            assert_is_row(dataset, samples, i, i);
        ls_samples_destroy(&samples);
        ls_dataset_close(&dataset);
    }
}

/* Rows of lines, [C,H,W]: a step is a line of all channels. 100 steps are more than one piece. */
static void padding_of_steps_of_several_features_is_found(void **state)
{
    (void)state;
    enum { HEIGHT = 100, WIDTH = 2, CHANNELS = 2, ALL = CHANNELS * HEIGHT * WIDTH };
    const int last[] = {-1, 0, 62, 63, 64, HEIGHT - 1}; /* step with another number */
    enum { CASES = sizeof last / sizeof *last };
    float numbers[CASES][ALL];
    int32_t labels[CASES] = {0, 1};
    for (int i = 0; i < CASES; i++)
        for (int k = 0; k < ALL; k++) {
            const int c = k / (HEIGHT * WIDTH), h = k / WIDTH % HEIGHT, w = k % WIDTH;
            numbers[i][k] = h == last[i] && c == i % 2 && w == i / 2 % 2 ? -0.5f : 3;
        }
    const ls_h5_shape shape = {LS_H5_F32, 4, {CASES, CHANNELS, HEIGHT, WIDTH}};
    const ls_dataset_options options = {.padded = true, .padding = 3};
    ls_h5 *file = create("c.h5");
    put_header(file, 2);
    assert_ok(ls_h5_create_dataset(file, "train/inputs", &shape, false));
    assert_ok(ls_h5_write(file, "train/inputs", LS_H5_F32, 0, CASES, numbers));
    put(file, "train/labels", LS_H5_I32, CASES, 0, LS_H5_I32, labels);
    assert_ok(ls_h5_close(&file));
    ls_dataset *dataset;
    assert_ok(ls_dataset_open(&dataset, "c.h5", &options));
    ls_samples *samples = read_all(dataset, LS_TRAIN);
    for (int64_t i = 0; i < CASES; i++)
        assert_int_equal(ls_samples_row(samples, i).length, last[i] + 1);
    ls_samples_destroy(&samples);
    ls_dataset_close(&dataset);
}

/* A file of columns: [T,N], as Julia writes [N,T]. */
static void sequences_of_column_major_files_are_read(void **state)
{
    (void)state;
    int32_t tokens[STEPS * ROWS], next[STEPS * ROWS], lengths[ROWS];
    for (int i = 0; i < ROWS; i++) {
        lengths[i] = length_of(i);
        for (int step = 0; step < STEPS; step++) {
            tokens[step * ROWS + i] = token_of(i, step);
            next[step * ROWS + i] = next_of(i, step);
        }
    }
    const ls_dataset_options options = {.inputs = "/x", .targets = "/y", .lengths = "/l"};
    ls_h5 *file = create("j.h5");
    put(file, "x", LS_H5_I32, STEPS, ROWS, LS_H5_I32, tokens);
    put(file, "y", LS_H5_I64, STEPS, ROWS, LS_H5_I32, next);
    put(file, "l", LS_H5_I64, 1, ROWS, LS_H5_I32, lengths);
    assert_ok(ls_h5_close(&file));
    ls_dataset *dataset;
    assert_ok(ls_dataset_open(&dataset, "j.h5", &options));
    assert_true(ls_dataset_describe(dataset)->column_major);
    ls_samples *samples = read_all(dataset, LS_TRAIN);
    for (int64_t i = 0; i < ROWS; i++)
        assert_is_row(dataset, samples, i, i);
    ls_samples_destroy(&samples);
    ls_dataset_close(&dataset);
}

/* The fingerprint of a file in which one row has another length. */
static uint64_t fingerprint_of(double length, ls_split split)
{
    const ls_dataset_options options = {.validation = 0.95};
    ls_dataset *dataset;
    uint64_t fingerprint;
    write_length(length, ROWS, 0);
    assert_ok(ls_dataset_open(&dataset, "w.h5", &options));
    assert_ok(ls_dataset_fingerprint(dataset, split, &fingerprint));
    ls_dataset_close(&dataset);
    return fingerprint;
}

static void another_length_is_another_fingerprint(void **state)
{
    (void)state;
    assert_true(fingerprint_of(1, LS_TRAIN) == fingerprint_of(2, LS_TRAIN));
    assert_true(fingerprint_of(1, LS_VALIDATION) == fingerprint_of(1, LS_VALIDATION));
    assert_true(fingerprint_of(1, LS_VALIDATION) != fingerprint_of(2, LS_VALIDATION));
}

/* Writes inputs [N,inputs] and integer targets [N,targets] of 0 .. 2 as /x and /y. */
static void write_pair(int inputs, ls_h5_type type, int targets, bool one_hot)
{
    int32_t x[ROWS * STEPS] = {0}, y[ROWS * STEPS] = {0};
    for (int i = 0; i < ROWS; i++)
        for (int k = 0; k < targets; k++)
            y[i * targets + k] = one_hot ? k == i % targets : (i + k) % 3;
    ls_h5 *file = create("y.h5");
    put(file, "x", type, ROWS, inputs, LS_H5_I32, x);
    put(file, "y", LS_H5_U8, ROWS, targets, LS_H5_I32, y);
    assert_ok(ls_h5_close(&file));
}

static void integers_by_step_are_told_from_one_hot_rows_and_values(void **state)
{
    (void)state;
    const struct {
        int inputs;
        ls_h5_type type;
        int targets;
        bool one_hot;
        ls_target_kind kind;
        int classes, values; /* 0 and 0: refused */
    } cases[] = {
        {STEPS, LS_H5_I32, STEPS, false, LS_TARGET_AUTO, 3, STEPS},
        {STEPS, LS_H5_I32, STEPS, false, LS_TARGET_CLASSES, 3, STEPS},
        {STEPS, LS_H5_I32, STEPS, false, LS_TARGET_VALUES, 0, STEPS},
        {STEPS, LS_H5_I32, STEPS, true, LS_TARGET_CLASSES, STEPS, 0},
        {STEPS, LS_H5_I32, STEPS, true, LS_TARGET_AUTO, 0, STEPS},
        {STEPS, LS_H5_I32, STEPS, true, LS_TARGET_STEPS, 2, STEPS},
        {STEPS, LS_H5_I32, 4, true, LS_TARGET_CLASSES, 4, 0},
        {STEPS, LS_H5_I32, 4, false, LS_TARGET_AUTO, 0, 4},
        {STEPS, LS_H5_I32, 4, false, LS_TARGET_CLASSES, 0, 0},
        {STEPS, LS_H5_I32, 4, false, LS_TARGET_STEPS, 0, 0},
        {STEPS, LS_H5_F32, STEPS, false, LS_TARGET_AUTO, 0, STEPS}, /* features */
        {STEPS, LS_H5_F32, STEPS, true, LS_TARGET_CLASSES, STEPS, 0},
        {STEPS, LS_H5_F32, STEPS, false, LS_TARGET_STEPS, 3, STEPS},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const ls_dataset_options options = {.inputs = "/x", .targets = "/y", .kind = cases[i].kind};
        ls_dataset *dataset = NULL;
        write_pair(cases[i].inputs, cases[i].type, cases[i].targets, cases[i].one_hot);
        const ls_status status = ls_dataset_open(&dataset, "y.h5", &options);
        if (cases[i].classes == 0 && cases[i].values == 0) {
            assert_fails(status, LS_ERR_DATA,
                         "'/y' is [40,4]: expected the class of each step, integers [N,6]");
            continue;
        }
        assert_ok(status);
        assert_int_equal(ls_dataset_describe(dataset)->classes, cases[i].classes);
        assert_int_equal(ls_dataset_describe(dataset)->values, cases[i].values);
        assert_false(ls_dataset_describe(dataset)->ragged);
        assert_ok(ls_dataset_verify(dataset));
        ls_dataset_close(&dataset);
    }
}

static void a_wrong_class_of_a_step_is_reported_with_row_and_step(void **state)
{
    (void)state;
    const struct {
        int32_t class;
        const char *part;
    } cases[] = {{WORDS, "'/train/labels' row 7, step 4 is 11, expected a class of 0 to 10"},
                 {-3, "'/train/labels' row 7, step 4 is -3, expected a class of 0 to 10"}};
    for (int i = 0; i < 2; i++) {
        int32_t tokens[ROWS * STEPS] = {0}, labels[ROWS * STEPS] = {0};
        labels[7 * STEPS + 4] = cases[i].class;
        ls_h5 *file = create("b.h5");
        put_header(file, WORDS);
        put(file, "train/inputs", LS_H5_I32, ROWS, STEPS, LS_H5_I32, tokens);
        put(file, "train/labels", LS_H5_I32, ROWS, STEPS, LS_H5_I32, labels);
        assert_ok(ls_h5_close(&file));
        assert_fails(try_file("b.h5", NULL), LS_ERR_DATA, cases[i].part);
    }
    int32_t tokens[ROWS * STEPS] = {0};
    ls_h5 *file = create("b.h5");
    put_header(file, WORDS);
    put(file, "train/inputs", LS_H5_I32, ROWS, STEPS, LS_H5_I32, tokens);
    put(file, "train/labels", LS_H5_I32, ROWS, STEPS - 1, LS_H5_I32, tokens);
    assert_ok(ls_h5_close(&file));
    assert_fails(
        try_file("b.h5", NULL), LS_ERR_DATA,
        "'/train/labels' has 2 dimensions, [40,5], expected [N] or [N,1], or for the class "
        "of each step of the inputs [N,6]");
}

static void steps_of_each_class_are_counted_within_the_lengths(void **state)
{
    (void)state;
    int64_t counts[WORDS] = {0}, expected[WORDS] = {0};
    const ls_dataset_options stratified = {.validation = 0.5, .hold_out = LS_HOLD_OUT_STRATIFIED};
    char gaps[LS_CLASS_GAPS_TEXT];
    ls_h5 *file = create("n.h5");
    put_header(file, WORDS);
    put_rows(file, "train", 0, ROWS, "labels", "lengths");
    assert_ok(ls_h5_close(&file));
    ls_dataset *dataset;
    assert_ok(ls_dataset_open(&dataset, "n.h5", NULL));
    assert_ok(ls_dataset_count_classes(dataset, LS_TRAIN, counts));
    for (int64_t i = 0; i < ROWS; i++)
        for (int64_t step = 0; step < length_of(i); step++)
            expected[next_of(i, step)]++;
    assert_memory_equal(counts, expected, sizeof counts);
    const int64_t none[LS_SPLITS * WORDS] = {0};
    ls_class_gaps(ls_dataset_describe(dataset), none, NULL, gaps);
    assert_string_equal(gaps, "");
    ls_dataset_close(&dataset);
    assert_fails(try_file("n.h5", &stratified), LS_ERR_USAGE,
                 "--hold-out stratified needs a class of each row");
}

/* Writes tokens, of which row 2, step 1 is this one, and `words` texts. */
static void write_words(const char *path, int32_t token, ls_h5_type type, int words)
{
    int32_t tokens[ROWS * STEPS] = {0}, labels[ROWS] = {0, 1};
    char text[16];
    ls_text_list texts = {0};
    tokens[2 * STEPS + 1] = token;
    for (int i = 0; i < words; i++) {
        snprintf(text, sizeof text, "word %d", i);
        assert_ok(ls_text_list_add(&texts, i == 0 ? "" : text));
    }
    ls_h5 *file = create(path);
    put_header(file, 2);
    put(file, "train/inputs", type, ROWS, STEPS, LS_H5_I32, tokens);
    put(file, "train/labels", LS_H5_I32, ROWS, 0, LS_H5_I32, labels);
    assert_ok(ls_vocabulary_write(file, &texts));
    assert_ok(ls_h5_close(&file));
    ls_text_list_free(&texts);
}

/* More words than an attribute can hold. */
static void a_vocabulary_is_read_back(void **state)
{
    (void)state;
    enum { MANY = 30000 };
    char text[16];
    ls_dataset *dataset;
    write_words("v.h5", MANY - 1, LS_H5_I32, MANY);
    assert_ok(ls_dataset_open(&dataset, "v.h5", NULL));
    assert_int_equal(ls_dataset_describe(dataset)->vocabulary, MANY);
    assert_string_equal(ls_dataset_token(dataset, 0), "");
    for (int i = 1; i < MANY; i++) {
        snprintf(text, sizeof text, "word %d", i);
        assert_string_equal(ls_dataset_token(dataset, i), text);
    }
    assert_null(ls_dataset_token(dataset, MANY));
    assert_null(ls_dataset_token(dataset, -1));
    assert_ok(ls_dataset_verify(dataset));
    ls_dataset_close(&dataset);
}

static void tokens_out_of_the_vocabulary_are_refused(void **state)
{
    (void)state;
    write_words("t.h5", 9, LS_H5_I32, 9);
    assert_fails(try_file("t.h5", NULL), LS_ERR_DATA,
                 "t.h5: '/train/inputs' is 9 in row 2, step 1: expected a token, a whole number of "
                 "0 to 8");
    write_words("t.h5", -1, LS_H5_I64, 9);
    assert_fails(try_file("t.h5", NULL), LS_ERR_DATA, "'/train/inputs' is -1 in row 2, step 1");
    write_words("t.h5", INT32_MAX, LS_H5_I64, 9);
    assert_fails(try_file("t.h5", NULL), LS_ERR_DATA, "in row 2, step 1");
    write_words("t.h5", 8, LS_H5_U8, 9);
    assert_ok(try_file("t.h5", NULL));
    write_words("t.h5", 8, LS_H5_F32, 9);
    assert_fails(try_file("t.h5", NULL), LS_ERR_DATA,
                 "'/train/inputs' is [40,6] float32, but the file has a vocabulary");
}

/* A file of h5py: strings of variable length. */
static void add_h5py_vocabulary(const char *path, const char *const *texts, hsize_t count)
{
    const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT), type = H5Tcopy(H5T_C_S1),
                space = H5Screate_simple(1, &count, NULL);
    H5Tset_size(type, H5T_VARIABLE);
    H5Tset_cset(type, H5T_CSET_UTF8);
    const hid_t dataset =
        H5Dcreate2(file, "vocabulary", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, texts) >= 0);
    H5Dclose(dataset);
    H5Sclose(space);
    H5Tclose(type);
    H5Fclose(file);
}

static void a_vocabulary_of_other_programs_is_read(void **state)
{
    (void)state;
    const char *const texts[] = {"<pad>", "<unk>", "Gr\xc3\xbc\xc3\x9f"};
    ls_dataset *dataset;
    write_words("h.h5", 2, LS_H5_I32, 0);
    add_h5py_vocabulary("h.h5", texts, 3);
    assert_ok(ls_dataset_open(&dataset, "h.h5", NULL));
    assert_int_equal(ls_dataset_describe(dataset)->vocabulary, 3);
    for (int i = 0; i < 3; i++)
        assert_string_equal(ls_dataset_token(dataset, i), texts[i]);
    ls_dataset_close(&dataset);
}

static void a_vocabulary_of_huge_texts_is_refused(void **state)
{
    (void)state;
    enum { TEXTS = 17, BYTES = 4 << 20 };
    const char *texts[TEXTS];
    char *long_text = malloc(BYTES + 1);
    memset(long_text, 'x', BYTES);
    long_text[BYTES] = '\0';
    for (int i = 0; i < TEXTS; i++)
        texts[i] = long_text;
    write_words("huge.h5", 2, LS_H5_I32, 0);
    add_h5py_vocabulary("huge.h5", texts, TEXTS);
    assert_fails(try_file("huge.h5", NULL), LS_ERR_DATA,
                 "'/vocabulary' is not an array of at most 1048576 strings, and 67108864 bytes");
    ls_h5 *file = create("huge.h5");
    assert_fails(ls_h5_write_texts(file, "vocabulary", texts, TEXTS), LS_ERR_DATA, "too many");
    assert_ok(ls_h5_close(&file));
    remove("huge.h5");
    free(long_text);
}

static void a_vocabulary_that_is_none_is_refused(void **state)
{
    (void)state;
    const int32_t numbers[] = {1, 2, 3};
    for (int i = 0; i < 4; i++) {
        static const char *const parts[] = {
            "'/vocabulary' is not an array of at most 1048576 strings", "'/vocabulary' is not",
            "attribute vocabulary is 0, expected 1 to 1048576",
            "'/vocabulary' has 2 texts, but the attribute says 3 tokens"};
        const char *const texts[] = {"a", "b"};
        const int32_t tokens[2 * STEPS] = {0}, labels[2] = {0, 1};
        ls_h5 *file = create("n.h5");
        put_header(file, 2);
        put(file, "train/inputs", LS_H5_I32, 2, STEPS, LS_H5_I32, tokens);
        put(file, "train/labels", LS_H5_I32, 2, 0, LS_H5_I32, labels);
        if (i == 0)
            put(file, "vocabulary", LS_H5_I32, 3, 0, LS_H5_I32, numbers);
        if (i == 1)
            assert_ok(ls_h5_create_group(file, "vocabulary"));
        if (i >= 2)
            assert_ok(ls_h5_put_int(file, "vocabulary", i == 2 ? 0 : 3));
        if (i == 3)
            assert_ok(ls_h5_write_texts(file, "vocabulary", texts, 2));
        assert_ok(ls_h5_close(&file));
        assert_fails(try_file("n.h5", NULL), LS_ERR_DATA, parts[i]);
    }
}

static void files_of_other_vocabularies_are_refused(void **state)
{
    (void)state;
    const char *const texts[] = {"", "word 1", "other"};
    write_words("v1.h5", 1, LS_H5_I32, 3);
    write_words("v2.h5", 1, LS_H5_I32, 4);
    assert_fails(try_file("v1.h5,v2.h5", NULL), LS_ERR_DATA,
                 "v1.h5 and v2.h5 differ in their vocabularies: 3 and 4 tokens");
    write_words("v2.h5", 1, LS_H5_I32, 0);
    assert_fails(try_file("v1.h5,v2.h5", NULL), LS_ERR_DATA, "3 and 0 tokens");
    add_h5py_vocabulary("v2.h5", texts, 3);
    assert_fails(try_file("v1.h5,v2.h5", NULL), LS_ERR_DATA,
                 "v2.h5: token 2 is 'other', but 'word 2' in the files before");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths_are_read_in_all_splits_and_however_rows_are_divided),
        cmocka_unit_test(lengths_of_selected_rows_of_several_files_are_read),
        cmocka_unit_test(lengths_that_are_no_number_of_steps_are_refused),
        cmocka_unit_test(lengths_of_strings_are_refused),
        cmocka_unit_test(groups_with_and_without_lengths_are_refused),
        cmocka_unit_test(padding_gives_the_lengths_that_the_rows_were_written_with),
        cmocka_unit_test(padding_of_steps_of_several_features_is_found),
        cmocka_unit_test(sequences_of_column_major_files_are_read),
        cmocka_unit_test(another_length_is_another_fingerprint),
        cmocka_unit_test(integers_by_step_are_told_from_one_hot_rows_and_values),
        cmocka_unit_test(a_wrong_class_of_a_step_is_reported_with_row_and_step),
        cmocka_unit_test(steps_of_each_class_are_counted_within_the_lengths),
        cmocka_unit_test(a_vocabulary_is_read_back),
        cmocka_unit_test(tokens_out_of_the_vocabulary_are_refused),
        cmocka_unit_test(a_vocabulary_of_other_programs_is_read),
        cmocka_unit_test(a_vocabulary_of_huge_texts_is_refused),
        cmocka_unit_test(a_vocabulary_that_is_none_is_refused),
        cmocka_unit_test(files_of_other_vocabularies_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
