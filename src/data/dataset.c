#include <lockstep/dataset.h>

#include "base/fault.h"
#include "base/fraction.h"
#include "base/memory.h"
#include "data/h5.h"
#include "data/hold_out.h"
#include "data/samples.h"
#include "data/seal.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { VERSION = 1, NAME = 32 };

struct ls_dataset {
    ls_h5 *file;
    ls_dataset_info info;
    /* Where each split lies: rows first .. first+info.rows-1 of the group of that name; with `held`
     * those of the training group that are held out, and the others. */
    ls_split group[LS_SPLITS];
    int64_t first[LS_SPLITS];
    ls_held *held; /* NULL: the last ones are, or none */
};

const char *ls_split_name(ls_split split)
{
    static const char *const names[LS_SPLITS] = {"train", "validation", "test"};
    return names[split];
}

const char *ls_hold_out_name(int hold_out)
{
    static const char *const names[] = {"last", "random", "stratified"};
    return hold_out <= LS_HOLD_OUT_STRATIFIED ? names[hold_out] : NULL;
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

/* Reads the labels of some rows of a group, and checks them. */
static ls_status read_labels(const ls_dataset *dataset, ls_split group, int64_t first,
                             int64_t count, int32_t *labels)
{
    char name[NAME];
    member(name, group, "labels");
    ls_h5_lock();
    ls_status status = ls_h5_read(dataset->file, name, LS_H5_I32, first, count, labels);
    ls_h5_unlock();
    for (int64_t i = 0; status == LS_OK && i < count; i++)
        if (labels[i] < 0 || labels[i] >= dataset->info.classes)
            return ls_fail(LS_ERR_DATA, "%s: '/%s' row %lld is %d, expected 0 to %d",
                           ls_h5_path(dataset->file), name, (long long)(first + i), labels[i],
                           dataset->info.classes - 1);
    return status;
}

static ls_status read_train_labels(const void *dataset, int64_t first, int64_t count,
                                   int32_t *labels)
{
    return read_labels(dataset, LS_TRAIN, first, count, labels);
}

/* Makes some of the training rows validation rows. */
static ls_status hold_out(ls_dataset *dataset, const ls_dataset_options *o)
{
    int64_t *rows = dataset->info.rows;
    const ls_label_reader labels = {dataset, read_train_labels};
    rows[LS_VALIDATION] = ls_part_of(o->validation, rows[LS_TRAIN]);
    dataset->info.held_out = true;
    dataset->group[LS_VALIDATION] = LS_TRAIN;
    if (o->hold_out != LS_HOLD_OUT_LAST && rows[LS_VALIDATION] > 0) {
        ls_status status = ls_held_draw(&dataset->held, o->hold_out, o->seed, rows[LS_TRAIN],
                                        rows[LS_VALIDATION], dataset->info.classes, labels);
        if (status != LS_OK)
            return status;
        rows[LS_VALIDATION] = ls_held_count(dataset->held);
    }
    rows[LS_TRAIN] -= rows[LS_VALIDATION];
    dataset->first[LS_VALIDATION] = rows[LS_TRAIN];
    return LS_OK;
}

ls_status ls_dataset_open(ls_dataset **out, const char *path, const ls_dataset_options *options)
{
    const ls_dataset_options o = options != NULL ? *options : (ls_dataset_options){0};
    assert(o.validation >= 0 && o.validation < 1);
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
    if (status == LS_OK)
        status = ls_h5_has(dataset->file, "validation") ? check_split(dataset, LS_VALIDATION)
                                                        : hold_out(dataset, &o);
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

/* Rows of a split's group that lie side by side, and how many of them are the split's. */
typedef struct piece {
    ls_range rows;
    int64_t members;
} piece;

/* Which of the rows are a split's; NULL: all that it has, side by side. */
static const ls_held *held_of(const ls_dataset *dataset, ls_split split)
{
    return dataset->group[split] == LS_TRAIN ? dataset->held : NULL;
}

/* The piece that begins with row `first` of a split, for `left` rows of it at most, in `room` rows
 * of the group. `width`: bytes of a row, for it is quicker to read on than to begin anew. */
static piece piece_at(const ls_dataset *dataset, ls_split split, int64_t first, int64_t left,
                      int64_t room, int64_t width)
{
    enum { GAP_BYTES = 1 << 16 };
    const ls_held *held = held_of(dataset, split);
    piece p = {.members = left};
    if (held != NULL) {
        p.rows =
            ls_held_span(held, split == LS_VALIDATION, first, room, GAP_BYTES / width, &p.members);
        return p;
    }
    p.members = left < room ? left : room;
    p.rows = (ls_range){dataset->first[split] + first, p.members};
    return p;
}

/* Whether a row of a piece is the split's. */
static bool is_member(const ls_held *held, ls_split split, int64_t row)
{
    return held == NULL || ls_held_has(held, row) == (split == LS_VALIDATION);
}

/* Reads a piece into samples `at` and following, through two staging buffers.
 * first  its first row's number in the split */
static ls_status read_piece(const ls_dataset *dataset, ls_split split, const piece *p,
                            int64_t first, uint8_t *pixels, int32_t *labels, ls_samples *samples,
                            int64_t at)
{
    const int64_t features = dataset->info.features;
    const ls_held *held = held_of(dataset, split);
    const ls_split group = dataset->group[split];
    char name[NAME];
    member(name, group, "images");
    ls_h5_lock();
    ls_status status =
        ls_h5_read(dataset->file, name, LS_H5_U8, p->rows.first, p->rows.count, pixels);
    if (status == LS_OK)
        status = read_labels(dataset, group, p->rows.first, p->rows.count, labels);
    ls_h5_unlock();
    for (int64_t i = 0; status == LS_OK && i < p->rows.count; i++) {
        if (!is_member(held, split, p->rows.first + i))
            continue;
        ls_sample *sample = ls_sample_at(samples, at++);
        sample->row = first++;
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
    const int64_t room = count < most && held_of(dataset, split) == NULL ? count + 1 : most;
    uint8_t *pixels = ls_alloc(room * features, sizeof *pixels);
    int32_t *labels = ls_alloc(room, sizeof *labels);
    status = pixels == NULL || labels == NULL ? LS_ERR_FAILURE : LS_OK;
    for (int64_t done = 0; status == LS_OK && done < count;) {
        const piece p = piece_at(dataset, split, first + done, count - done, room, features);
        status = read_piece(dataset, split, &p, first + done, pixels, labels, samples, done);
        done += p.members;
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

ls_status ls_dataset_count_classes(const ls_dataset *dataset, ls_split split, int64_t *counts)
{
    enum { ROOM = 1 << 16 };
    const int64_t rows = dataset->info.rows[split];
    int32_t *labels = ls_alloc(ROOM, sizeof *labels);
    ls_status status = labels == NULL ? LS_ERR_FAILURE : LS_OK;
    for (int64_t done = 0; status == LS_OK && done < rows;) {
        const piece p = piece_at(dataset, split, done, rows - done, ROOM, sizeof *labels);
        status = read_labels(dataset, dataset->group[split], p.rows.first, p.rows.count, labels);
        for (int64_t i = 0; status == LS_OK && i < p.rows.count; i++)
            counts[labels[i]] += is_member(held_of(dataset, split), split, p.rows.first + i);
        done += p.members;
    }
    ls_free(labels);
    return status;
}

ls_status ls_dataset_verify(const ls_dataset *dataset)
{
    enum { PIECE_BYTES = 16 << 20 };
    const ls_dataset_info *info = &dataset->info;
    const int64_t most = info->features < PIECE_BYTES ? PIECE_BYTES / info->features : 1;
    ls_status status = LS_OK;
    for (int split = 0; split < LS_SPLITS; split++)
        for (int64_t done = 0; status == LS_OK && done < info->rows[split]; done += most) {
            const int64_t left = info->rows[split] - done, some = left < most ? left : most;
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
    ls_status status = ls_dataset_open(&dataset, t->path, NULL);
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
    ls_held_destroy(&(*dataset)->held);
    ls_free(*dataset);
    *dataset = NULL;
}

const char *ls_dataset_library_version(void)
{
    return ls_h5_version();
}
