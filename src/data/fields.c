#include "data/fields.h"

#include "base/integer.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "data/element.h"

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

/* Opens the inputs or the labels. */
static ls_status open_table(ls_h5_table **out, const ls_fields *f, const char *what)
{
    char name[NAME];
    snprintf(name, NAME, "%s/%s", f->group, what);
    if (!ls_h5_has(f->file, name))
        return ls_fields_fail("%s: has no dataset '/%s'", ls_h5_path(f->file), name);
    return ls_h5_table_open(out, f->file, name);
}

/* Opens the inputs, by either name. */
static ls_status open_inputs(ls_fields *f)
{
    char name[NAME];
    snprintf(name, NAME, "%s/inputs", f->group);
    f->what = ls_h5_has(f->file, name) ? "inputs" : "images";
    return open_table(&f->inputs, f, f->what);
}

/* Sets the type of the inputs in memory; false if Lockstep does not read the file's type. */
static bool resolve_element(ls_fields *f)
{
    static const struct {
        ls_h5_type file;
        ls_element memory;
    } known[] = {{LS_H5_U8, LS_U8},   {LS_H5_I8, LS_I8},   {LS_H5_I16, LS_I16}, {LS_H5_U16, LS_U16},
                 {LS_H5_I32, LS_I32}, {LS_H5_I64, LS_I64}, {LS_H5_F16, LS_F16}, {LS_H5_F32, LS_F32},
                 {LS_H5_F64, LS_F32}, {LS_H5_U32, LS_I64}, {LS_H5_BOOL, LS_U8}};
    const ls_h5_type type = ls_h5_table_shape(f->inputs)->type;
    f->rounded = type == LS_H5_F64;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].file == type) {
            f->element = known[i].memory;
            return true;
        }
    return false;
}

/* Names a type that inputs can't have. */
static const char *describe_type(ls_h5_type type)
{
    return type == LS_H5_STRING     ? "strings"
           : type == LS_H5_COMPOUND ? "compound values"
           : type == LS_H5_U64      ? "uint64"
                                    : "values of another type";
}

static ls_status check_inputs(ls_fields *f)
{
    char text[SHAPE];
    const ls_h5_shape *inputs = ls_h5_table_shape(f->inputs);
    if (inputs->rank < 1 || inputs->rank > LS_H5_MAX_RANK)
        return ls_fields_fail("%s: '/%s/%s' has %d dimensions, %s, expected [N,F], [N,H,W] or "
                              "[N,C,H,W]",
                              ls_h5_path(f->file), f->group, f->what, inputs->rank,
                              format_shape(inputs, text));
    if (!resolve_element(f))
        return ls_fields_fail("%s: '/%s/%s' holds %s; Lockstep reads integers, but not uint64, and "
                              "floats of 16, 32 and 64 bits",
                              ls_h5_path(f->file), f->group, f->what, describe_type(inputs->type));
    return LS_OK;
}

static bool is_integer(ls_h5_type type)
{
    return type <= LS_H5_BOOL && type != LS_H5_F16 && type != LS_H5_F32 && type != LS_H5_F64;
}

/* Programs with column-major arrays write dimensions in reverse order: errors mention it. */
static ls_status check_labels(const ls_fields *f)
{
    char text[SHAPE];
    const char *path = ls_h5_path(f->file);
    const ls_h5_shape *inputs = ls_h5_table_shape(f->inputs),
                      *labels = ls_h5_table_shape(f->labels);
    const bool column = labels->rank == 2 && labels->dims[1] == 1;
    const int64_t rows = inputs->dims[0], last = inputs->dims[inputs->rank - 1];
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
        return ls_fields_fail("%s: '/%s/%s' is %s but '/%s/labels' has %" PRId64
                              " rows: the rows come last; a program that stores arrays by columns "
                              "(MATLAB, Julia, Fortran) must write images as (W,H,N) or (W,H,C,N)",
                              path, f->group, f->what, format_shape(inputs, text), f->group,
                              labels->dims[0]);
    if (labels->dims[0] != rows)
        return ls_fields_fail("%s: '/%s/%s' has %" PRId64 " rows but '/%s/labels' has %" PRId64,
                              path, f->group, f->what, rows, f->group, labels->dims[0]);
    return LS_OK;
}

/* Returns true if the last dimension is a usual number of channels, and the second is larger. */
static bool looks_like_nhwc(const ls_h5_shape *inputs)
{
    const int64_t last = inputs->dims[3];
    return inputs->rank == 4 && (last == 1 || last == 3 || last == 4) && inputs->dims[1] > last;
}

/* Sets the shape of a row: [F] is F channels of one pixel. */
static void set_shape(ls_fields *f, bool nhwc)
{
    const ls_h5_shape *inputs = ls_h5_table_shape(f->inputs);
    const int64_t *last = inputs->dims + inputs->rank - 1;
    f->rows = inputs->dims[0];
    f->channels = inputs->rank == 4 ? (nhwc ? last[0] : last[-2]) : inputs->rank == 2 ? last[0] : 1;
    f->height = inputs->rank < 3 ? 1 : nhwc ? last[-2] : last[-1];
    f->width = inputs->rank < 3 ? 1 : nhwc ? last[-1] : last[0];
}

/* Sets the strides of the file's dimensions in a row [C][H][W]. */
static void set_strides(ls_fields *f, bool nhwc)
{
    const int rank = ls_h5_table_shape(f->inputs)->rank;
    int64_t *last = f->stride + rank - 1;
    last[0] = nhwc ? f->height * f->width : 1;
    if (rank >= 3)
        last[-1] = nhwc ? 1 : f->width;
    if (rank == 4)
        last[-2] = nhwc ? f->width : f->height * f->width;
}

/* Sets shape and strides of a row from the layout. */
static ls_status resolve_layout(ls_fields *f, ls_layout_order layout)
{
    char text[SHAPE];
    const ls_h5_shape *inputs = ls_h5_table_shape(f->inputs);
    const bool nhwc = inputs->rank == 4 && layout == LS_LAYOUT_NHWC;
    set_shape(f, nhwc);
    set_strides(f, nhwc);
    f->doubtful = looks_like_nhwc(inputs) && layout != LS_LAYOUT_NHWC;
    if (!ls_image_is_sane(f->channels, f->height, f->width))
        return ls_fields_fail("%s: '/%s/%s' has rows of an unsupported size", ls_h5_path(f->file),
                              f->group, f->what);
    if (!f->doubtful || layout != LS_LAYOUT_AUTO)
        return LS_OK;
    return ls_fail(LS_ERR_USAGE,
                   "%s: '/%s/%s' is %s: give --layout nhwc if its last dimension is the "
                   "channels, --layout nchw if the images have %" PRId64 " channels of %" PRId64
                   " x %" PRId64 " pixels",
                   ls_h5_path(f->file), f->group, f->what, format_shape(inputs, text), f->channels,
                   f->height, f->width);
}

ls_status ls_fields_open(ls_fields *out, const ls_h5 *file, const char *group,
                         ls_layout_order layout)
{
    ls_fields f = {.file = file, .group = group};
    ls_status status = open_inputs(&f);
    if (status == LS_OK)
        status = open_table(&f.labels, &f, "labels");
    if (status == LS_OK)
        status = check_inputs(&f);
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

/* Numbers of a row. */
static int64_t features_of(const ls_fields *f)
{
    return f->channels * f->height * f->width;
}

int64_t ls_fields_bytes(const ls_fields *f)
{
    return f->rows *
           (features_of(f) * (int64_t)ls_element_bytes(f->element) + (int64_t)sizeof(int64_t));
}

/* A box of the inputs in the file: a range in each dimension, rows first. */
typedef struct box {
    int64_t start[LS_H5_MAX_RANK], count[LS_H5_MAX_RANK];
} box;

/* Sets the box's extent within a row: one unit from its start, or less at the end. */
static void fit_box(const ls_fields *f, box *b)
{
    const ls_h5_shape *shape = ls_h5_table_shape(f->inputs);
    const int64_t *unit = ls_h5_table_unit(f->inputs);
    for (int d = 1; d < shape->rank; d++) {
        const int64_t left = shape->dims[d] - b->start[d];
        b->count[d] = unit[d] < left ? unit[d] : left;
    }
}

/* Moves the box to the next elements of its rows; returns false after the last. */
static bool next_box(const ls_fields *f, box *b)
{
    const ls_h5_shape *shape = ls_h5_table_shape(f->inputs);
    int d = shape->rank - 1;
    for (; d >= 1; d--) {
        b->start[d] += ls_h5_table_unit(f->inputs)[d];
        if (b->start[d] < shape->dims[d])
            break;
        b->start[d] = 0;
    }
    fit_box(f, b);
    return d >= 1;
}

/* Copies numbers to places that are `stride` numbers apart. */
static void copy_numbers(uint8_t *to, const uint8_t *from, int64_t count, int64_t stride,
                         size_t bytes)
{
    if (stride == 1 || count == 1) {
        memcpy(to, from, (size_t)count * bytes);
        return;
    }
    for (int64_t k = 0; k < count; k++)
        memcpy(to + (size_t)(k * stride) * bytes, from + (size_t)k * bytes, bytes);
}

/* Copies a box of one row to its place in a sample. */
static void scatter_numbers(const ls_fields *f, const box *b, const uint8_t *from, uint8_t *inputs)
{
    const int rank = ls_h5_table_shape(f->inputs)->rank, x = rank - 1;
    const size_t bytes = ls_element_bytes(f->element);
    const int64_t planes = rank == 4 ? b->count[1] : 1, lines = rank >= 3 ? b->count[x - 1] : 1;
    const int64_t plane = rank == 4 ? f->stride[1] : 0, line = rank >= 3 ? f->stride[x - 1] : 0;
    int64_t start = 0;
    for (int d = 1; d < rank; d++)
        start += b->start[d] * f->stride[d];
    for (int64_t i = 0; i < planes; i++)
        for (int64_t j = 0; j < lines; j++) {
            copy_numbers(inputs + (size_t)(start + i * plane + j * line) * bytes, from, b->count[x],
                         f->stride[x], bytes);
            from += (size_t)b->count[x] * bytes;
        }
}

/* Returns true if a box has whole rows, in the element order of a sample. */
static bool is_whole(const ls_fields *f, int64_t elements)
{
    const int rank = ls_h5_table_shape(f->inputs)->rank;
    return elements == features_of(f) && (rank == 1 || f->stride[rank - 1] == 1);
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

static ls_h5_type memory_type(ls_element element)
{
    static const ls_h5_type types[LS_ELEMENTS] = {
        [LS_U8] = LS_H5_U8,   [LS_I8] = LS_H5_I8,   [LS_I16] = LS_H5_I16, [LS_U16] = LS_H5_U16,
        [LS_I32] = LS_H5_I32, [LS_I64] = LS_H5_I64, [LS_F16] = LS_H5_F16, [LS_F32] = LS_H5_F32};
    return types[element];
}

/* Reads one box of rows, unless no row of it is selected. */
static ls_status read_box(const ls_fields *f, const box *b, uint8_t *staging, const target *t)
{
    const size_t bytes = ls_element_bytes(f->element);
    int64_t elements = 1, at = find_sample(t, b->start[0]);
    for (int d = 1; d < ls_h5_table_shape(f->inputs)->rank; d++)
        elements *= b->count[d];
    if (find_sample(t, b->start[0] + b->count[0]) == at)
        return LS_OK;
    ls_h5_lock();
    const ls_status status =
        ls_h5_table_read(f->inputs, memory_type(f->element), b->start, b->count, staging);
    ls_h5_unlock();
    for (int64_t i = 0; status == LS_OK && i < b->count[0]; i++) {
        ls_sample *sample = next_sample(t, b->start[0] + i, &at);
        if (sample == NULL)
            continue;
        const uint8_t *from = staging + (size_t)(i * elements) * bytes;
        if (is_whole(f, elements))
            memcpy(sample->inputs, from, (size_t)elements * bytes);
        else
            scatter_numbers(f, b, from, sample->inputs);
    }
    return status;
}

/* Order of reading inputs: all boxes of `span` rows before the next rows; within a box `piece` rows
 * at a time. */
typedef struct traversal {
    int64_t span, piece;
    int64_t bytes; /* of a piece */
} traversal;

static traversal plan_traversal(const ls_fields *f)
{
    const ls_h5_shape *shape = ls_h5_table_shape(f->inputs);
    const int64_t *unit = ls_h5_table_unit(f->inputs);
    int64_t part = (int64_t)ls_element_bytes(f->element);
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

static ls_status read_inputs(const ls_fields *f, int64_t first, int64_t count, const target *where)
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
    ls_status status = read_inputs(f, first, count, &where);
    return status == LS_OK ? copy_labels(f, first, count, classes, NULL, &where) : status;
}

void ls_fields_close(ls_fields *f)
{
    ls_h5_table_close(&f->inputs);
    ls_h5_table_close(&f->labels);
}
