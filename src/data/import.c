#include <lockstep/import.h>

#include "base/file.h"
#include "base/memory.h"
#include "data/h5.h"
#include "data/idx.h"
#include "data/samples.h"
#include "data/seal.h"

#include <errno.h>
#include <sha2.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* One split on its way: two IDX files open, the labels read. */
typedef struct source {
    const char *group;
    const char *images_path, *labels_path;
    ls_idx *images, *labels;
    int64_t rows;  /* to import: the limit is taken into account */
    int64_t total; /* in the files: all labels count, so that a limit does not change the classes */
    int32_t *label;
} source;

static void source_close(source *s)
{
    ls_idx_close(&s->images);
    ls_idx_close(&s->labels);
    ls_free(s->label);
}

static ls_status source_open(source *s, int64_t limit)
{
    ls_status status = ls_idx_open(&s->images, s->images_path);
    if (status == LS_OK)
        status = ls_idx_open(&s->labels, s->labels_path);
    if (status != LS_OK)
        return status;
    const ls_idx_header *images = ls_idx_describe(s->images), *labels = ls_idx_describe(s->labels);
    if (images->type != LS_IDX_U8 || (images->dims != 3 && images->dims != 4))
        return ls_fail(LS_ERR_DATA,
                       "%s: not images: expected uint8 of 3 or 4 dimensions, found %d dimensions",
                       s->images_path, images->dims);
    const int64_t *dim = images->dim + images->dims - 3; /* of its last three dimensions */
    if (!ls_image_is_sane(images->dims == 4 ? images->dim[1] : 1, dim[1], dim[2]))
        return ls_fail(LS_ERR_DATA, "%s: images of an absurd size", s->images_path);
    if (labels->dims != 1)
        return ls_fail(LS_ERR_DATA, "%s: not labels: has %d dimensions", s->labels_path,
                       labels->dims);
    if (images->dim[0] != labels->dim[0])
        return ls_fail(LS_ERR_DATA, "%s has %lld images but %s has %lld labels", s->images_path,
                       (long long)images->dim[0], s->labels_path, (long long)labels->dim[0]);
    s->rows = limit > 0 && limit < images->dim[0] ? limit : images->dim[0];
    s->total = labels->dim[0];
    s->label = ls_alloc(s->total, sizeof *s->label);
    if (s->label == NULL)
        return LS_ERR_FAILURE;
    return ls_idx_read_i32(s->labels, s->total, s->label);
}

/* Checks that test images look like train images. */
static ls_status same_size(const source *a, const source *b)
{
    const ls_idx_header *x = ls_idx_describe(a->images), *y = ls_idx_describe(b->images);
    bool same = x->dims == y->dims;
    for (int i = 1; same && i < x->dims; i++)
        same = x->dim[i] == y->dim[i];
    return same ? LS_OK
                : ls_fail(LS_ERR_DATA, "%s and %s differ in image size", a->images_path,
                          b->images_path);
}

/* The number of classes that the labels need, or that was asked for. */
static ls_status count_classes(const source *s, int sources, int64_t wanted, int64_t *out)
{
    int64_t largest = 0;
    for (int k = 0; k < sources; k++) {
        for (int64_t i = 0; i < s[k].total; i++) {
            int32_t label = s[k].label[i];
            if (wanted > 0 && label >= wanted)
                return ls_fail(LS_ERR_DATA, "%s: label %d in row %lld is beyond --classes %lld",
                               s[k].labels_path, label, (long long)i, (long long)wanted);
            if (label < 0)
                return ls_fail(LS_ERR_DATA, "%s: label %d in row %lld is negative",
                               s[k].labels_path, label, (long long)i);
            if (label >= LS_MAX_CLASSES)
                return ls_fail(LS_ERR_DATA, "%s: label %d in row %lld: there can be %d classes",
                               s[k].labels_path, label, (long long)i, LS_MAX_CLASSES);
            largest = label > largest ? label : largest;
        }
    }
    /* One class can't be told from another; a file that happens to hold one has two. */
    *out = wanted > 0 ? wanted : largest > 0 ? largest + 1 : 2;
    return LS_OK;
}

static ls_status write_images(ls_h5 *file, source *s, bool compress)
{
    enum { PIECE_BYTES = 4 << 20 };
    const ls_idx_header *header = ls_idx_describe(s->images);
    char name[32];
    snprintf(name, sizeof name, "%s/images", s->group);
    ls_h5_shape shape = {.type = LS_H5_U8, .rank = header->dims};
    for (int i = 0; i < header->dims; i++)
        shape.dims[i] = i == 0 ? s->rows : header->dim[i];
    int64_t piece = header->items < PIECE_BYTES ? PIECE_BYTES / header->items : 1;
    uint8_t *pixels = ls_alloc(piece * header->items, 1);
    ls_status status =
        pixels == NULL ? LS_ERR_FAILURE : ls_h5_create_dataset(file, name, &shape, compress);
    for (int64_t done = 0; status == LS_OK && done < s->rows; done += piece) {
        int64_t some = s->rows - done < piece ? s->rows - done : piece;
        status = ls_idx_read_u8(s->images, some * header->items, pixels);
        if (status == LS_OK)
            status = ls_h5_write(file, name, LS_H5_U8, done, some, pixels);
    }
    ls_free(pixels);
    return status;
}

static ls_status write_labels(ls_h5 *file, const source *s, int64_t classes, bool compress)
{
    char name[32];
    snprintf(name, sizeof name, "%s/labels", s->group);
    ls_h5_shape shape = {
        .type = classes <= 256 ? LS_H5_U8 : LS_H5_I32, .rank = 1, .dims = {s->rows}};
    ls_status status = ls_h5_create_dataset(file, name, &shape, compress);
    if (status == LS_OK)
        status = ls_h5_write(file, name, LS_H5_I32, 0, s->rows, s->label);
    return status;
}

/* Reads both files of a split to their ends and takes their digests up into one. */
static ls_status finish(source *s, SHA2_CTX *all)
{
    char digest[LS_SHA256_TEXT];
    ls_status status = ls_idx_finish(s->images, digest);
    if (status != LS_OK)
        return status;
    SHA256Update(all, (const uint8_t *)digest, strlen(digest));
    status = ls_idx_finish(s->labels, digest);
    if (status == LS_OK)
        SHA256Update(all, (const uint8_t *)digest, strlen(digest));
    return status;
}

static ls_status write_dataset(const ls_import *import, source *s, int sources, int64_t classes,
                               const char *path)
{
    ls_h5 *file;
    ls_status status = ls_h5_create(&file, path);
    if (status != LS_OK)
        return status;
    SHA2_CTX all;
    char digest[LS_SHA256_TEXT];
    SHA256Init(&all);
    for (int k = 0; status == LS_OK && k < sources; k++) {
        status = write_images(file, &s[k], import->compress);
        if (status == LS_OK)
            status = write_labels(file, &s[k], classes, import->compress);
        if (status == LS_OK)
            status = finish(&s[k], &all);
    }
    SHA256End(&all, digest);
    if (status == LS_OK)
        status = ls_h5_put_text(file, "format", "lockstep-dataset");
    if (status == LS_OK)
        status = ls_h5_put_int(file, "version", 1);
    if (status == LS_OK)
        status = ls_h5_put_int(file, "classes", classes);
    if (status == LS_OK)
        status = ls_h5_put_text(file, "name", import->name);
    if (status == LS_OK)
        status = ls_h5_put_text(file, "source_sha256", digest);
    ls_status closed = ls_h5_close(&file);
    return status != LS_OK ? status : closed;
}

ls_status ls_import_idx(const ls_import *import, const char *path)
{
    source s[2] = {
        {.group = "train",
         .images_path = import->train_images,
         .labels_path = import->train_labels},
        {.group = "test", .images_path = import->test_images, .labels_path = import->test_labels}};
    int sources = import->test_images != NULL ? 2 : 1;
    char temporary[LS_PATH_MAX], suffix[32];
    snprintf(suffix, sizeof suffix, ".%ld.tmp", (long)getpid());
    int64_t classes = 0;
    ls_status status = ls_path(temporary, path, suffix, NULL);
    for (int k = 0; status == LS_OK && k < sources; k++)
        status = source_open(&s[k], import->limit);
    if (status == LS_OK && sources == 2)
        status = same_size(&s[0], &s[1]);
    if (status == LS_OK)
        status = count_classes(s, sources, import->classes, &classes);
    if (status == LS_OK) {
        status = write_dataset(import, s, sources, classes, temporary);
        if (status == LS_OK)
            status = ls_seal_write(temporary);
        if (status == LS_OK)
            status = ls_publish(temporary, path);
        if (status != LS_OK)
            unlink(temporary);
    }
    for (int k = 0; k < sources; k++)
        source_close(&s[k]);
    return status;
}

ls_status ls_import_find(const char *folder, const char *stem, char *out, int size)
{
    static const char *const separators[] = {"-", "."};
    static const char *const endings[] = {"", ".gz"};
    const char *kind = strstr(stem, "labels") != NULL ? "1" : "3";
    for (int dims = kind[0] - '0'; dims <= (kind[0] == '1' ? 1 : LS_IDX_MAX_DIMS); dims++)
        for (int i = 0; i < 2; i++)
            for (int j = 0; j < 2; j++) {
                int length = snprintf(out, (size_t)size, "%s/%s%sidx%d-ubyte%s", folder, stem,
                                      separators[i], dims, endings[j]);
                if (length < 0 || length >= size)
                    return ls_fail(LS_ERR_USAGE, "%.60s...: path too long", folder);
                if (access(out, R_OK) == 0)
                    return LS_OK;
            }
    if (access(folder, F_OK) != 0)
        return ls_fail(LS_ERR_DATA, "%s: can't open this folder: %s", folder, strerror(errno));
    return ls_fail(LS_ERR_DATA, "%s: has no file %s-idx%s-ubyte or %s-idx%s-ubyte.gz", folder, stem,
                   kind, stem, kind);
}
