/* Makes small files for the test scripts.
 * make_data FOLDER             four IDX files, two of them gzipped; data.h5; and sorted.h5, the
 *                              rows of data.h5 sorted by class
 * make_data FOLDER CASE        data.h5 with one error: a case of this file or of damaged_files.c
 * make_data FOLDER texts TEXT  data.h5 and two checkpoints, described.h5 and model.h5, in which
 *                              all texts are TEXT */
#include "damaged_files.h"
#include "small_dataset.h"
#include "test.h"

#include "base/file.h"
#include "data/h5.h"

#include <stdlib.h>
#include <string.h>

static const small_dataset f = {
    .train = 400, .test = 100, .channels = 1, .height = 8, .width = 8, .classes = 5};

static void write_idx(const char *folder, const char *stem, const char *ending, int split, int rows)
{
    char path[LS_PATH_MAX];
    int *values = malloc((size_t)rows * 64 * sizeof *values);
    const int dim[] = {rows, 8, 8};
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < 64; j++)
            values[i * 64 + j] = small_dataset_pixel(&f, split, i, j);
    snprintf(path, sizeof path, "%s/%s-images-idx3-ubyte%s", folder, stem, ending);
    write_idx_file(path, 0x08, 3, dim, values);
    for (int i = 0; i < rows; i++)
        values[i] = small_dataset_label(&f, split, i);
    snprintf(path, sizeof path, "%s/%s-labels-idx1-ubyte%s", folder, stem, ending);
    write_idx_file(path, 0x08, 1, dim, values);
    free(values);
}

/* Writes ten rows with one error, or none.
 * text  value of the descriptive attributes; NULL: without these attributes */
static ls_status write_small(const char *path, const char *fault, const char *text)
{
    static const unsigned char pixels[10 * 16];
    int32_t labels[20] = {0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0};
    ls_h5_shape images = {LS_H5_U8, 3, {10, 4, 4}}, classes = {LS_H5_U8, 1, {10}};
    if (strcmp(fault, "rank") == 0)
        classes = (ls_h5_shape){LS_H5_U8, 2, {10, 2}};
    else if (strcmp(fault, "type") == 0)
        images.type = LS_H5_U64;
    else if (strcmp(fault, "length") == 0)
        classes.dims[0] = 11;
    else if (strcmp(fault, "label") == 0)
        labels[9] = 5;
    ls_h5 *file;
    ls_status status = ls_h5_create(&file, path);
    if (status == LS_OK)
        status = ls_h5_create_dataset(file, "train/images", &images, false);
    if (status == LS_OK)
        status = ls_h5_write(file, "train/images", LS_H5_U8, 0, 10, pixels);
    if (status == LS_OK)
        status = ls_h5_create_dataset(file, "train/labels", &classes, false);
    if (status == LS_OK)
        status = ls_h5_write(file, "train/labels", LS_H5_I32, 0, classes.dims[0], labels);
    if (status == LS_OK)
        status = ls_h5_put_text(file, "format", "lockstep-dataset");
    if (status == LS_OK)
        status = ls_h5_put_int(file, "version", 1);
    if (status == LS_OK)
        status = ls_h5_put_int(file, "classes", 5);
    if (status == LS_OK && text != NULL)
        status = ls_h5_put_text(file, "name", text);
    if (status == LS_OK && text != NULL)
        status = ls_h5_put_text(file, "source_sha256", text);
    return status == LS_OK ? ls_h5_close(&file) : status;
}

/* Writes the rows of data.h5, sorted by class. */
static void write_sorted(const char *path)
{
    enum { FEATURES = 64 };
    unsigned char *pixels = malloc((size_t)f.train * FEATURES);
    int32_t *labels = malloc((size_t)f.train * sizeof *labels);
    int64_t at = 0;
    for (int k = 0; k < f.classes; k++)
        for (int64_t row = 0; row < f.train; row++)
            if (small_dataset_label(&f, LS_TRAIN, row) == k) {
                for (int j = 0; j < FEATURES; j++)
                    pixels[at * FEATURES + j] = small_dataset_pixel(&f, LS_TRAIN, row, j);
                labels[at++] = k;
            }
    const ls_h5_shape images = {LS_H5_U8, 3, {f.train, 8, 8}}, of_labels = {LS_H5_U8, 1, {f.train}};
    ls_h5 *file;
    assert_ok(ls_h5_create(&file, path));
    assert_ok(ls_h5_create_dataset(file, "train/images", &images, false));
    assert_ok(ls_h5_create_dataset(file, "train/labels", &of_labels, false));
    assert_ok(ls_h5_write(file, "train/images", LS_H5_U8, 0, f.train, pixels));
    assert_ok(ls_h5_write(file, "train/labels", LS_H5_I32, 0, f.train, labels));
    assert_ok(ls_h5_put_text(file, "format", "lockstep-dataset"));
    assert_ok(ls_h5_put_int(file, "version", 1));
    assert_ok(ls_h5_put_int(file, "classes", f.classes));
    assert_ok(ls_h5_close(&file));
    free(pixels);
    free(labels);
}

/* Writes a data set and two checkpoints with this text in every place for a text. */
static ls_status write_texts(const char *folder, const char *text)
{
    char path[LS_PATH_MAX], config[LS_PATH_MAX];
    snprintf(config, sizeof config, "seed = %s\n%s = 1\n", text, text);
    ls_status status = ls_path(path, folder, "/described.h5", NULL);
    if (status == LS_OK)
        write_described_checkpoint(path, "dense:5 relu dense:4", text, config);
    if (status == LS_OK)
        status = ls_path(path, folder, "/model.h5", NULL);
    if (status == LS_OK)
        write_described_checkpoint(path, text, text, config);
    if (status == LS_OK)
        status = ls_path(path, folder, "/data.h5", NULL);
    return status == LS_OK ? write_small(path, "", text) : status;
}

int main(int argc, char **argv)
{
    char path[LS_PATH_MAX];
    if (argc < 2 || ls_make_folder(argv[1]) != LS_OK ||
        ls_path(path, argv[1], "/data.h5", NULL) != LS_OK)
        return 1;
    damaged_file c;
    for (int i = 0; argc > 2 && damaged_file_case(i, &c); i++)
        if (strcmp(argv[2], c.name) == 0) {
            damaged_file_write(i, path);
            return 0;
        }
    if (argc > 3)
        return write_texts(argv[1], argv[3]) == LS_OK ? 0 : 1;
    if (argc > 2)
        return write_small(path, argv[2], NULL) == LS_OK ? 0 : 1;
    write_idx(argv[1], "train", "", LS_TRAIN, (int)f.train);
    write_idx(argv[1], "t10k", ".gz", LS_TEST, (int)f.test);
    small_dataset_write(&f, path);
    if (ls_path(path, argv[1], "/sorted.h5", NULL) != LS_OK)
        return 1;
    write_sorted(path);
    return 0;
}
