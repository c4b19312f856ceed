#include "data/fields.h"

#include "base/integer.h"
#include "base/interrupt.h"
#include "base/memory.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { NAME = 32, SHAPE = 128, PIECE_BYTES = 1 << 20, PIECE_LABELS = 1 << 13 };

ls_status ls_fields_fail(const char *format, ...)
{
    char text[2 * LS_ERROR_TEXT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return ls_fail(LS_ERR_DATA, "%s; `lockstep import --help` describes the layout of data files",
                   text);
}

/* Writes a shape as "[300,32,32,3]". */
static const char *format_shape(const ls_h5_shape *shape, char text[SHAPE])
{
    size_t used = 0;
    text[0] = '\0';
    for (int d = 0; d < shape->rank && d < LS_H5_MAX_RANK; d++)
        used += (size_t)snprintf(text + used, SHAPE - used, "%s%" PRId64, d > 0 ? "," : "[",
                                 shape->dims[d]);
    snprintf(text + used, SHAPE - used, "%s",
             shape->rank > LS_H5_MAX_RANK ? ",...]"
             : shape->rank > 0            ? "]"
                                          : "[]");
    return text;
}

/* Opens the images or the labels.
 * what  "images", "labels" */
static ls_status open_table(ls_h5_table **out, const ls_fields *f, const char *what)
{
    char name[NAME];
    snprintf(name, NAME, "%s/%s", f->group, what);
    if (!ls_h5_has(f->file, name))
        return ls_fields_fail("%s: has no dataset '/%s'", ls_h5_path(f->file), name);
    return ls_h5_table_open(out, f->file, name);
}

static ls_status check_images(const ls_fields *f)
{
    char text[SHAPE];
    const ls_h5_shape *images = ls_h5_table_shape(f->images);
    if (images->rank != 3 && images->rank != 4)
        return ls_fields_fail("%s: '/%s/images' has %d dimensions, %s, expected [N,H,W] or "
                              "[N,C,H,W]",
                              ls_h5_path(f->file), f->group, images->rank,
                              format_shape(images, text));
    if (images->type != LS_H5_U8)
        return ls_fields_fail("%s: '/%s/images' is not of type uint8", ls_h5_path(f->file),
                              f->group);
    return LS_OK;
}

static bool is_integer(ls_h5_type type)
{
    return type != LS_H5_F32 && type != LS_H5_F64 && type != LS_H5_OTHER;
}

/* Programs with column-major arrays write dimensions in reverse order: errors mention it. */
static ls_status check_labels(const ls_fields *f)
{
    char text[SHAPE];
    const char *path = ls_h5_path(f->file);
    const ls_h5_shape *images = ls_h5_table_shape(f->images),
                      *labels = ls_h5_table_shape(f->labels);
    const bool column = labels->rank == 2 && labels->dims[1] == 1;
    const int64_t rows = images->dims[0], last = images->dims[images->rank - 1];
    if (labels->rank == 2 && !column && labels->dims[0] == 1)
        return ls_fields_fail("%s: '/%s/labels' has 2 dimensions, %s, expected [N] or [N,1]: a "
                              "program that stores arrays by columns (MATLAB, Julia, Fortran) must "
                              "write it as 1 x N",
                              path, f->group, format_shape(labels, text));
    if (labels->rank != 1 && !column)
        return ls_fields_fail("%s: '/%s/labels' has %d dimensions, %s, expected [N] or [N,1]", path,
                              f->group, labels->rank, format_shape(labels, text));
    if (!is_integer(labels->type))
        return ls_fields_fail("%s: '/%s/labels' is not of an integer type", path, f->group);
    if (labels->dims[0] != rows && labels->dims[0] == last)
        return ls_fields_fail("%s: '/%s/images' is %s but '/%s/labels' has %" PRId64
                              " rows: the rows come last; a program that stores arrays by columns "
                              "(MATLAB, Julia, Fortran) must write images as (W,H,N) or (W,H,C,N)",
                              path, f->group, format_shape(images, text), f->group,
                              labels->dims[0]);
    if (labels->dims[0] != rows)
        return ls_fields_fail("%s: '/%s/images' has %" PRId64 " rows but '/%s/labels' has %" PRId64,
                              path, f->group, rows, f->group, labels->dims[0]);
    return LS_OK;
}

/* Returns true if the last dimension is a usual number of channels, and the second is larger. */
static bool looks_like_nhwc(const ls_h5_shape *images)
{
    const int64_t last = images->dims[3];
    return images->rank == 4 && (last == 1 || last == 3 || last == 4) && images->dims[1] > last;
}

/* Sets the image size and the strides from the shape and the layout. */
static ls_status resolve_layout(ls_fields *f, ls_layout_order layout)
{
    char text[SHAPE];
    const ls_h5_shape *images = ls_h5_table_shape(f->images);
    const int64_t *last = images->dims + images->rank - 1;
    const bool nhwc = images->rank == 4 && layout == LS_LAYOUT_NHWC;
    f->rows = images->dims[0];
    f->channels = images->rank == 3 ? 1 : nhwc ? last[0] : last[-2];
    f->height = nhwc ? last[-2] : last[-1];
    f->width = nhwc ? last[-1] : last[0];
    f->doubtful = looks_like_nhwc(images) && layout != LS_LAYOUT_NHWC;
    if (!ls_image_is_sane(f->channels, f->height, f->width))
        return ls_fields_fail("%s: '/%s/images' has images of an unsupported size",
                              ls_h5_path(f->file), f->group);
    int64_t *stride = f->stride + images->rank - 1;
    stride[0] = nhwc ? f->height * f->width : 1;
    stride[-1] = nhwc ? 1 : f->width;
    if (images->rank == 4)
        stride[-2] = nhwc ? f->width : f->height * f->width;
    if (!f->doubtful || layout != LS_LAYOUT_AUTO)
        return LS_OK;
    return ls_fail(LS_ERR_USAGE,
                   "%s: '/%s/images' is %s: give --layout nhwc if its last dimension is the "
                   "channels, --layout nchw if the images have %" PRId64 " channels of %" PRId64
                   " x %" PRId64 " pixels",
                   ls_h5_path(f->file), f->group, format_shape(images, text), f->channels,
                   f->height, f->width);
}

ls_status ls_fields_open(ls_fields *out, const ls_h5 *file, const char *group,
                         ls_layout_order layout)
{
    ls_fields f = {.file = file, .group = group};
    ls_status status = open_table(&f.images, &f, "images");
    if (status == LS_OK)
        status = open_table(&f.labels, &f, "labels");
    if (status == LS_OK)
        status = check_images(&f);
    if (status == LS_OK)
        status = check_labels(&f);
    if (status == LS_OK)
        status = resolve_layout(&f, layout);
    if (status == LS_OK)
        *out = f;
    else
        ls_fields_close(&f);
    return status;
}

int64_t ls_fields_bytes(const ls_fields *f)
{
    return f->rows * (f->channels * f->height * f->width + (int64_t)sizeof(int64_t));
}

/* A box of the images in the file: a range in each dimension, rows first. */
typedef struct box {
    int64_t start[LS_H5_MAX_RANK], count[LS_H5_MAX_RANK];
} box;

/* Sets the box's extent within a row: one unit from its start, or less at the end. */
static void fit_box(const ls_fields *f, box *b)
{
    const ls_h5_shape *shape = ls_h5_table_shape(f->images);
    const int64_t *unit = ls_h5_table_unit(f->images);
    for (int d = 1; d < shape->rank; d++) {
        const int64_t left = shape->dims[d] - b->start[d];
        b->count[d] = unit[d] < left ? unit[d] : left;
    }
}

/* Moves the box to the next elements of its rows; returns false after the last. */
static bool next_box(const ls_fields *f, box *b)
{
    const ls_h5_shape *shape = ls_h5_table_shape(f->images);
    int d = shape->rank - 1;
    for (; d >= 1; d--) {
        b->start[d] += ls_h5_table_unit(f->images)[d];
        if (b->start[d] < shape->dims[d])
            break;
        b->start[d] = 0;
    }
    fit_box(f, b);
    return d >= 1;
}

/* Copies a box of one row to its place among a sample's pixels. */
static void scatter_pixels(const ls_fields *f, const box *b, const uint8_t *from, uint8_t *pixels)
{
    const int rank = ls_h5_table_shape(f->images)->rank, y = rank - 2, x = rank - 1;
    const int64_t planes = rank == 4 ? b->count[1] : 1;
    for (int d = 1; d < rank; d++)
        pixels += b->start[d] * f->stride[d];
    for (int64_t i = 0; i < planes; i++)
        for (int64_t j = 0; j < b->count[y]; j++) {
            uint8_t *to = pixels + (rank == 4 ? i * f->stride[1] : 0) + j * f->stride[y];
            for (int64_t k = 0; k < b->count[x]; k++)
                to[k * f->stride[x]] = *from++;
        }
}

/* Returns true if a box has whole rows, in the element order of a sample. */
static bool is_whole(const ls_fields *f, int64_t elements)
{
    return elements == f->channels * f->height * f->width &&
           f->stride[ls_h5_table_shape(f->images)->rank - 1] == 1;
}

/* Destination of rows: the samples, and the selection of the rows from `first` on. */
typedef struct target {
    ls_samples *samples; /* NULL: rows are read and dropped */
    const ls_pick *pick; /* NULL: all rows */
    int64_t first;
} target;

/* Returns the index of the first sample filled by this row or a later one. */
static int64_t find_sample(const target *t, int64_t row)
{
    return t->pick == NULL
               ? row - t->first
               : t->pick->before(t->pick->user, row) - t->pick->before(t->pick->user, t->first);
}

/* Returns the sample of a row; NULL: the row is not selected.
 * at  find_sample() of the row; on return, of the next row */
static ls_sample *next_sample(const target *t, int64_t row, int64_t *at)
{
    const int64_t mine = *at;
    *at = t->pick == NULL ? mine + 1 : find_sample(t, row + 1);
    return *at > mine && t->samples != NULL ? ls_sample_at(t->samples, mine) : NULL;
}

/* Reads one box of rows, unless no row of it is selected. */
static ls_status read_box(const ls_fields *f, const box *b, uint8_t *staging, const target *t)
{
    int64_t elements = 1, at = find_sample(t, b->start[0]);
    for (int d = 1; d < ls_h5_table_shape(f->images)->rank; d++)
        elements *= b->count[d];
    if (find_sample(t, b->start[0] + b->count[0]) == at)
        return LS_OK;
    ls_h5_lock();
    const ls_status status = ls_h5_table_read(f->images, LS_H5_U8, b->start, b->count, staging);
    ls_h5_unlock();
    for (int64_t i = 0; status == LS_OK && i < b->count[0]; i++) {
        ls_sample *sample = next_sample(t, b->start[0] + i, &at);
        if (sample == NULL)
            continue;
        if (is_whole(f, elements))
            memcpy(sample->pixels, staging + i * elements, (size_t)elements);
        else
            scatter_pixels(f, b, staging + i * elements, sample->pixels);
    }
    return status;
}

/* Order of reading images: all boxes of `span` rows before the next rows; within a box `piece` rows
 * at a time. */
typedef struct traversal {
    int64_t span, piece;
    int64_t bytes; /* of a piece */
} traversal;

static traversal plan_traversal(const ls_fields *f)
{
    const ls_h5_shape *shape = ls_h5_table_shape(f->images);
    const int64_t *unit = ls_h5_table_unit(f->images);
    int64_t part = 1;
    bool whole = true;
    for (int d = 1; d < shape->rank; d++) {
        part *= unit[d];
        whole = whole && unit[d] == shape->dims[d];
    }
    traversal t = {.piece = part < PIECE_BYTES ? PIECE_BYTES / part : 1};
    if (unit[0] < t.piece)
        t.piece -= t.piece % unit[0]; /* whole chunks */
    t.span = whole ? t.piece : unit[0];
    t.bytes = t.piece * part;
    return t;
}

static ls_status read_images(const ls_fields *f, int64_t first, int64_t count, const target *where)
{
    const traversal t = plan_traversal(f);
    const int64_t end = first + count;
    uint8_t *staging = ls_alloc(t.bytes, 1);
    ls_status status = staging == NULL ? LS_ERR_FAILURE : LS_OK;
    for (int64_t from = first, to; status == LS_OK && from < end; from = to) {
        to = ls_min((from / t.span + 1) * t.span, end);
        box b = {0};
        fit_box(f, &b);
        do {
            for (int64_t row = from; status == LS_OK && row < to; row += t.piece) {
                b.start[0] = row;
                b.count[0] = to - row < t.piece ? to - row : t.piece;
                status = read_box(f, &b, staging, where);
                if (status == LS_OK)
                    status = ls_interrupt_poll(LS_INTERRUPT_GRACE);
            }
        } while (status == LS_OK && next_box(f, &b));
    }
    ls_free(staging);
    return status;
}

static ls_status check_label(const ls_fields *f, int64_t row, int64_t label, int classes)
{
    if ((uint64_t)label < (uint64_t)classes)
        return LS_OK;
    char value[24];
    if (ls_h5_table_shape(f->labels)->type == LS_H5_U64)
        snprintf(value, sizeof value, "%" PRIu64, (uint64_t)label);
    else
        snprintf(value, sizeof value, "%" PRId64, label);
    return ls_fail(LS_ERR_DATA, "%s: '/%s/labels' row %" PRId64 " is %s, expected 0 to %d%s",
                   ls_h5_path(f->file), f->group, row, value, classes - 1,
                   label == classes ? " (labels count from 0)" : "");
}

/* Reads labels as int64, which holds all types but uint64; uint64 is read as uint64 bits. */
static ls_status read_labels(const ls_fields *f, int64_t first, int64_t count, int classes,
                             int64_t *labels)
{
    const ls_h5_type type = ls_h5_table_shape(f->labels)->type == LS_H5_U64 ? LS_H5_U64 : LS_H5_I64;
    const int64_t start[2] = {first, 0}, extent[2] = {count, 1};
    ls_h5_lock();
    ls_status status = ls_h5_table_read(f->labels, type, start, extent, labels);
    ls_h5_unlock();
    for (int64_t i = 0; status == LS_OK && i < count; i++)
        status = check_label(f, first + i, labels[i], classes);
    return status;
}

/* Reads and checks labels, a piece at a time.
 * out    [count] NULL: not stored there
 * where  NULL: not stored in samples */
static ls_status copy_labels(const ls_fields *f, int64_t first, int64_t count, int classes,
                             int32_t *out, const target *where)
{
    int64_t at = 0, *labels = ls_alloc(PIECE_LABELS, sizeof *labels);
    ls_status status = labels == NULL ? LS_ERR_FAILURE : LS_OK;
    for (int64_t done = 0; status == LS_OK && done < count; done += PIECE_LABELS) {
        const int64_t left = count - done, some = left < PIECE_LABELS ? left : PIECE_LABELS;
        status = read_labels(f, first + done, some, classes, labels);
        for (int64_t i = 0; status == LS_OK && i < some; i++) {
            ls_sample *sample = where != NULL ? next_sample(where, first + done + i, &at) : NULL;
            if (sample != NULL)
                sample->label = (int32_t)labels[i];
            if (out != NULL)
                out[done + i] = (int32_t)labels[i];
        }
        if (status == LS_OK)
            status = ls_interrupt_poll(LS_INTERRUPT_GRACE);
    }
    ls_free(labels);
    return status;
}

ls_status ls_fields_labels(const ls_fields *f, int64_t first, int64_t count, int classes,
                           int32_t *labels)
{
    return copy_labels(f, first, count, classes, labels, NULL);
}

ls_status ls_fields_read(const ls_fields *f, int64_t first, int64_t count, int classes,
                         const ls_pick *pick, ls_samples *samples)
{
    const target where = {samples, pick, first};
    ls_status status = read_images(f, first, count, &where);
    return status == LS_OK ? copy_labels(f, first, count, classes, NULL, &where) : status;
}

void ls_fields_close(ls_fields *f)
{
    ls_h5_table_close(&f->images);
    ls_h5_table_close(&f->labels);
}
