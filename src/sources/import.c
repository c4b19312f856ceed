#include <lockstep/import.h>

#include "base/memory.h"
#include "base/show.h"
#include "sources/idx.h"
#include "sources/import_common.h"
#include "sources/import_idx.h"
#include "data/samples.h"

#include <errno.h>
#include <sha2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SPLITS = 2 };

/* One split during import: two open IDX files, and the labels in memory. */
typedef struct source {
    const char *group;
    const char *images_path, *labels_path;
    ls_idx *images, *labels;
    int64_t rows; /* to import, after the limit */
    int64_t
        total; /* in the files: all labels are read, so that a limit does not change the classes */
    int32_t *label;
    const ls_idx_form *form;
    uint8_t *image; /* one image before it is set upright; NULL if they are upright */
} source;

static void source_close(source *s)
{
    ls_idx_close(&s->images);
    ls_idx_close(&s->labels);
    ls_free(s->label);
    ls_free(s->image);
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
                       "%s: not images: expected uint8 of 3 or 4 dimensions, found %s of %s",
                       s->images_path, ls_idx_type_name(images->type),
                       ls_counted(images->dims, "dimension").text);
    const int64_t *dim = images->dim + images->dims - 3; /* the last three dimensions */
    if (!ls_image_is_sane(images->dims == 4 ? images->dim[1] : 1, dim[1], dim[2]))
        return ls_fail(LS_ERR_DATA, "%s: images of an unsupported size", s->images_path);
    if (labels->dims != 1)
        return ls_fail(LS_ERR_DATA, "%s: not labels: has %s", s->labels_path,
                       ls_counted(labels->dims, "dimension").text);
    if (images->dim[0] != labels->dim[0])
        return ls_fail(LS_ERR_DATA, "%s has %s but %s has %s", s->images_path,
                       ls_counted(images->dim[0], "image").text, s->labels_path,
                       ls_counted(labels->dim[0], "label").text);
    s->rows = ls_import_rows(images->dim[0], limit);
    s->total = labels->dim[0];
    s->label = ls_alloc(s->total, sizeof *s->label);
    if (s->label == NULL)
        return LS_ERR_FAILURE;
    status = ls_idx_read_i32(s->labels, s->total, s->label);
    for (int64_t i = 0; i < s->total; i++)
        s->label[i] = (int32_t)((uint32_t)s->label[i] - (uint32_t)s->form->first_label);
    if (status == LS_OK && s->form->transposed)
        s->image = ls_alloc(images->items, 1);
    return status == LS_OK && s->form->transposed && s->image == NULL ? LS_ERR_FAILURE : status;
}

/* Checks that the images of two sources have the same size. */
static ls_status check_same_size(const source *a, const source *b)
{
    const ls_idx_header *x = ls_idx_describe(a->images), *y = ls_idx_describe(b->images);
    bool same = x->dims == y->dims;
    for (int i = 1; same && i < x->dims; i++)
        same = x->dim[i] == y->dim[i];
    return same ? LS_OK
                : ls_fail(LS_ERR_DATA, "%s and %s differ in image size", a->images_path,
                          b->images_path);
}

/* Sets images [W][H] upright. */
static void transpose(uint8_t *image, uint8_t *copy, int64_t planes, int64_t W, int64_t H)
{
    memcpy(copy, image, (size_t)(planes * H * W));
    for (int64_t c = 0; c < planes; c++, image += H * W, copy += H * W)
        for (int64_t y = 0; y < H; y++)
            for (int64_t x = 0; x < W; x++)
                image[y * W + x] = copy[x * H + y];
}

static ls_status import_read_images(void *user, int64_t rows, void *pixels)
{
    source *s = user;
    const ls_idx_header *header = ls_idx_describe(s->images);
    const int64_t W = header->dim[header->dims - 2], H = header->dim[header->dims - 1];
    ls_status status = ls_idx_read_u8(s->images, rows * header->items, pixels);
    for (int64_t i = 0; status == LS_OK && s->image != NULL && i < rows; i++)
        transpose((uint8_t *)pixels + i * header->items, s->image, header->items / (H * W), W, H);
    return status;
}

/* Reads both files of a split to their ends and adds their digests to the total. */
static ls_status finish_source(source *s, SHA2_CTX *all)
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

/* Digest of all files, in the order train images, train labels, test images, test labels. */
static ls_status import_compute_digest(void *user, char digest[LS_SOURCE_DIGEST])
{
    source *s = user;
    SHA2_CTX all;
    SHA256Init(&all);
    ls_status status = LS_OK;
    for (int k = 0; status == LS_OK && k < SPLITS && s[k].images != NULL; k++)
        status = finish_source(&s[k], &all);
    SHA256End(&all, digest);
    return status;
}

static ls_status write_sources(const ls_import *import, source *s, int sources, int64_t classes,
                               const char *path)
{
    ls_split_source split[SPLITS];
    for (int k = 0; k < sources; k++) {
        const ls_idx_header *header = ls_idx_describe(s[k].images);
        split[k] = (ls_split_source){.group = s[k].group,
                                     .rows = s[k].rows,
                                     .dims = header->dims - 1,
                                     .label = s[k].label,
                                     .source = &s[k],
                                     .read = import_read_images};
        for (int i = 1; i < header->dims; i++)
            split[k].image[i - 1] = header->dim[i];
        if (s[k].form->transposed) {
            split[k].image[header->dims - 3] = header->dim[header->dims - 1];
            split[k].image[header->dims - 2] = header->dim[header->dims - 2];
        }
    }
    ls_dataset_content content = ls_import_content(import, split, sources);
    content.classes = classes;
    content.class_names = s->form->names;
    content.user = s;
    content.digest = import_compute_digest;
    return ls_dataset_write(&content, path);
}

ls_status ls_import_idx_form(const ls_import *import, const ls_idx_form *form, const char *path)
{
    source s[SPLITS] = {{.group = "train",
                         .images_path = import->train_images,
                         .labels_path = import->train_labels,
                         .form = form},
                        {.group = "test",
                         .images_path = import->test_images,
                         .labels_path = import->test_labels,
                         .form = form}};
    const int sources = import->test_images != NULL ? SPLITS : 1;
    ls_label_list labels[SPLITS];
    int64_t classes = 0;
    ls_status status = LS_OK;
    for (int k = 0; status == LS_OK && k < sources; k++) {
        status = source_open(&s[k], k == 0 ? import->limit : import->limit_test);
        labels[k] = (ls_label_list){s[k].labels_path, s[k].label, s[k].total};
    }
    if (status == LS_OK && sources == SPLITS)
        status = check_same_size(&s[0], &s[1]);
    if (status == LS_OK)
        status = ls_import_classes(labels, sources, import->classes, &classes);
    if (status == LS_OK)
        status = write_sources(import, s, sources, classes, path);
    for (int k = 0; k < sources; k++)
        source_close(&s[k]);
    return status;
}

ls_status ls_import_idx(const ls_import *import, const char *path)
{
    return ls_import_idx_form(import, &(ls_idx_form){0}, path);
}

ls_status ls_import_find(const char *folder, const char *stem, char *out, int size)
{
    struct stat found;
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
    if (stat(folder, &found) == 0 && !S_ISDIR(found.st_mode))
        return ls_fail(LS_ERR_DATA, "%s: not a folder: --idx expects the folder of the four files",
                       folder);
    return ls_fail(LS_ERR_DATA, "%s: has no file %s-idx%s-ubyte or %s-idx%s-ubyte.gz", folder, stem,
                   kind, stem, kind);
}
