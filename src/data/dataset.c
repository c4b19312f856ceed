#include <lockstep/dataset.h>

#include "base/fault.h"
#include "base/fraction.h"
#include "base/memory.h"
#include "data/h5.h"
#include "data/samples.h"
#include "data/seal.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { VERSION = 1, NAME = 32 };

struct ls_dataset {
    ls_h5 *file;
    ls_dataset_info info;
    /* Where each split lies: rows first .. first+info.rows-1 of the group of that name. */
    ls_split group[LS_SPLITS];
    int64_t first[LS_SPLITS];
};

const char *ls_split_name(ls_split split)
{
    static const char *const names[LS_SPLITS] = {"train", "validation", "test"};
    return names[split];
}

static void member(char out[NAME], ls_split split, const char *what)
{
    snprintf(out, NAME, "%s/%s", ls_split_name(split), what);
}

/* Checks one group's images and labels against each other and against the train images. */
static ls_status check_split(ls_dataset *dataset, ls_split split)
{
    const char *path = ls_h5_path(dataset->file);
    ls_dataset_info *info = &dataset->info;
    char images_name[NAME], labels_name[NAME];
    member(images_name, split, "images");
    member(labels_name, split, "labels");
    ls_h5_shape images, labels;
    ls_status status = ls_h5_describe(dataset->file, images_name, &images);
    if (status == LS_OK)
        status = ls_h5_describe(dataset->file, labels_name, &labels);
    if (status != LS_OK)
        return status;
    if (images.rank != 3 && images.rank != 4)
        return ls_fail(LS_ERR_DATA, "%s: '/%s' has %d dimensions, expected [N,H,W] or [N,C,H,W]",
                       path, images_name, images.rank);
    if (images.type != LS_H5_U8)
        return ls_fail(LS_ERR_DATA, "%s: '/%s' is not of type uint8", path, images_name);
    if (labels.rank != 1)
        return ls_fail(LS_ERR_DATA, "%s: '/%s' has %d dimensions, expected [N]", path, labels_name,
                       labels.rank);
    if (labels.type != LS_H5_U8 && labels.type != LS_H5_I32 && labels.type != LS_H5_I64)
        return ls_fail(LS_ERR_DATA, "%s: '/%s' is not of type uint8, int32 or int64", path,
                       labels_name);
    if (labels.dims[0] != images.dims[0])
        return ls_fail(LS_ERR_DATA, "%s: '/%s' has %lld rows but '/%s' has %lld", path, images_name,
                       (long long)images.dims[0], labels_name, (long long)labels.dims[0]);
    int64_t channels = images.rank == 4 ? images.dims[1] : 1;
    int64_t height = images.dims[images.rank - 2], width = images.dims[images.rank - 1];
    if (!ls_image_is_sane(channels, height, width))
        return ls_fail(LS_ERR_DATA, "%s: '/%s' has images of an absurd size", path, images_name);
    if (split == LS_TRAIN) {
        info->channels = channels;
        info->height = height;
        info->width = width;
        info->features = channels * height * width;
        if (images.dims[0] == 0)
            return ls_fail(LS_ERR_DATA, "%s: '/%s' has no rows", path, images_name);
    } else if (channels != info->channels || height != info->height || width != info->width) {
        return ls_fail(LS_ERR_DATA, "%s: '/%s' and '/train/images' differ in image size", path,
                       images_name);
    }
    dataset->group[split] = split;
    dataset->first[split] = 0;
    info->rows[split] = images.dims[0];
    return LS_OK;
}

/* Reads an optional text attribute into a field of `size` bytes, cut to fit. */
static ls_status optional_text(const ls_h5 *file, const char *name, char *field, size_t size)
{
    if (!ls_h5_has_attribute(file, name))
        return LS_OK;
    char *text;
    ls_status status = ls_h5_get_text(file, name, &text);
    if (status != LS_OK)
        return status;
    snprintf(field, size, "%s", text);
    ls_free(text);
    return LS_OK;
}

static ls_status check_attributes(ls_dataset *dataset)
{
    const ls_h5 *file = dataset->file;
    const char *path = ls_h5_path(file);
    char format[32] = "";
    ls_status status = optional_text(file, "format", format, sizeof format);
    if (status != LS_OK)
        return status;
    if (strcmp(format, "lockstep-dataset") != 0)
        return ls_fail(LS_ERR_DATA,
                       "%s: not a data set: its attribute format is '%s', not 'lockstep-dataset'",
                       path, format);
    int64_t version, classes;
    status = ls_h5_get_int(file, "version", &version);
    if (status == LS_OK)
        status = ls_h5_get_int(file, "classes", &classes);
    if (status == LS_OK)
        status = optional_text(file, "name", dataset->info.name, sizeof dataset->info.name);
    if (status == LS_OK)
        status = optional_text(file, "source_sha256", dataset->info.source_sha256,
                               sizeof dataset->info.source_sha256);
    if (status != LS_OK)
        return status;
    if (version != VERSION)
        return ls_fail(LS_ERR_DATA, "%s: data set version %lld, this program reads version %d",
                       path, (long long)version, VERSION);
    if (classes < 2 || classes > LS_MAX_CLASSES)
        return ls_fail(LS_ERR_DATA, "%s: attribute classes is %lld, expected 2 to %d", path,
                       (long long)classes, LS_MAX_CLASSES);
    dataset->info.classes = (int)classes;
    return LS_OK;
}

ls_status ls_dataset_open(ls_dataset **out, const char *path, double validation)
{
    assert(validation >= 0 && validation < 1);
    ls_status status = ls_fault(LS_FAULT_OPEN);
    if (status != LS_OK)
        return status;
    ls_dataset *dataset = ls_alloc(1, sizeof *dataset);
    if (dataset == NULL)
        return LS_ERR_FAILURE;
    status = ls_h5_open(&dataset->file, path);
    if (status == LS_OK)
        status = check_attributes(dataset);
    if (status == LS_OK)
        status = check_split(dataset, LS_TRAIN);
    if (status == LS_OK && ls_h5_has(dataset->file, "test"))
        status = check_split(dataset, LS_TEST);
    if (status == LS_OK && ls_h5_has(dataset->file, "validation")) {
        status = check_split(dataset, LS_VALIDATION);
    } else if (status == LS_OK) {
        int64_t *rows = dataset->info.rows;
        rows[LS_VALIDATION] = ls_part_of(validation, rows[LS_TRAIN]);
        rows[LS_TRAIN] -= rows[LS_VALIDATION];
        dataset->group[LS_VALIDATION] = LS_TRAIN;
        dataset->first[LS_VALIDATION] = rows[LS_TRAIN];
    }
    if (status != LS_OK) {
        ls_dataset_close(&dataset);
        return status;
    }
    *out = dataset;
    return LS_OK;
}

const ls_dataset_info *ls_dataset_describe(const ls_dataset *dataset)
{
    return &dataset->info;
}

/* Reads some rows into samples `at` and following, through two staging buffers. */
static ls_status read_piece(const ls_dataset *dataset, ls_split split, int64_t first, int64_t count,
                            uint8_t *pixels, int32_t *labels, ls_samples *samples, int64_t at)
{
    const int64_t features = dataset->info.features;
    char images_name[NAME], labels_name[NAME];
    member(images_name, dataset->group[split], "images");
    member(labels_name, dataset->group[split], "labels");
    int64_t in_group = dataset->first[split] + first;
    ls_h5_lock();
    ls_status status = ls_h5_read(dataset->file, images_name, LS_H5_U8, in_group, count, pixels);
    if (status == LS_OK)
        status = ls_h5_read(dataset->file, labels_name, LS_H5_I32, in_group, count, labels);
    ls_h5_unlock();
    for (int64_t i = 0; status == LS_OK && i < count; i++) {
        if (labels[i] < 0 || labels[i] >= dataset->info.classes)
            return ls_fail(LS_ERR_DATA, "%s: '/%s' row %lld is %d, expected 0 to %d",
                           ls_h5_path(dataset->file), labels_name, (long long)(in_group + i),
                           labels[i], dataset->info.classes - 1);
        ls_sample *sample = ls_sample_at(samples, at + i);
        sample->row = first + i;
        sample->label = labels[i];
        memcpy(sample->pixels, pixels + i * features, (size_t)features);
    }
    return status;
}

ls_status ls_dataset_read_into(const ls_dataset *dataset, ls_split split, int64_t first,
                               int64_t count, ls_samples *samples)
{
    enum { PIECE_BYTES = 1 << 20 };
    assert(first >= 0 && count >= 0 && first + count <= dataset->info.rows[split]);
    assert(samples->capacity >= count && samples->features == dataset->info.features);
    ls_status status = ls_fault(LS_FAULT_READ);
    if (status != LS_OK)
        return status;
    const int64_t features = dataset->info.features;
    const int64_t most = features < PIECE_BYTES ? PIECE_BYTES / features : 1;
    const int64_t piece = count < most ? count + 1 : most; /* above 0, so that the loop ends */
    uint8_t *pixels = ls_alloc(piece * features, sizeof *pixels);
    int32_t *labels = ls_alloc(piece, sizeof *labels);
    status = pixels == NULL || labels == NULL ? LS_ERR_FAILURE : LS_OK;
    for (int64_t done = 0; status == LS_OK && done < count; done += piece) {
        int64_t some = count - done < piece ? count - done : piece;
        status = read_piece(dataset, split, first + done, some, pixels, labels, samples, done);
    }
    ls_free(pixels);
    ls_free(labels);
    samples->rows = status == LS_OK ? count : 0;
    return status;
}

ls_status ls_dataset_read(const ls_dataset *dataset, ls_split split, int64_t first, int64_t count,
                          int64_t capacity, ls_samples **out)
{
    ls_samples *samples = NULL;
    ls_status status = ls_samples_create(&samples, capacity, dataset->info.features);
    if (status == LS_OK)
        status = ls_dataset_read_into(dataset, split, first, count, samples);
    if (status != LS_OK) {
        ls_samples_destroy(&samples);
        return status;
    }
    *out = samples;
    return LS_OK;
}

ls_status ls_dataset_verify(const ls_dataset *dataset)
{
    enum { PIECE_BYTES = 16 << 20 };
    const ls_dataset_info *info = &dataset->info;
    const int64_t piece = info->features < PIECE_BYTES ? PIECE_BYTES / info->features : 1;
    ls_status status = LS_OK;
    for (int split = 0; split < LS_SPLITS; split++)
        for (int64_t done = 0; status == LS_OK && done < info->rows[split]; done += piece) {
            const int64_t left = info->rows[split] - done, some = left < piece ? left : piece;
            ls_samples *samples = NULL;
            status = ls_dataset_read(dataset, (ls_split)split, done, some, some, &samples);
            ls_samples_destroy(&samples);
        }
    return status;
}

typedef struct trial {
    const char *path;
    bool content;
} trial;

static ls_status try_reading(const void *arg)
{
    const trial *t = arg;
    ls_dataset *dataset = NULL;
    ls_status status = ls_dataset_open(&dataset, t->path, 0);
    if (status == LS_OK && t->content)
        status = ls_dataset_verify(dataset);
    ls_dataset_close(&dataset);
    return status;
}

ls_status ls_dataset_try(const char *path, bool content)
{
    return ls_h5_try(path, try_reading, &(trial){path, content});
}

ls_status ls_dataset_check(const char *path)
{
    ls_seal seal;
    ls_status status = ls_seal_verify(path, &seal, NULL);
    return status == LS_OK ? ls_dataset_try(path, seal == LS_SEAL_ABSENT) : status;
}

void ls_dataset_close(ls_dataset **dataset)
{
    if (dataset == NULL || *dataset == NULL)
        return;
    (void)ls_h5_close(&(*dataset)->file);
    ls_free(*dataset);
    *dataset = NULL;
}

const char *ls_dataset_library_version(void)
{
    return ls_h5_version();
}
