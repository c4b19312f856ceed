#include "data/field.h"

#include "base/integer.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "data/element.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { PIECE_BYTES = 1 << 20 };

ls_status ls_field_fail(const char *format, ...)
{
    char text[2 * LS_ERROR_TEXT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return ls_fail(LS_ERR_DATA, "%s; `lockstep import --help` describes the layout of data files",
                   text);
}

const ls_h5_shape *ls_field_shape(const ls_field *f)
{
    return ls_h5_table_shape(f->table);
}

/* Sets the type in memory; false if Lockstep does not read the file's type. */
static bool resolve_element(ls_field *f)
{
    static const struct {
        ls_h5_type file;
        ls_element memory;
    } known[] = {{LS_H5_U8, LS_U8},   {LS_H5_I8, LS_I8},   {LS_H5_I16, LS_I16}, {LS_H5_U16, LS_U16},
                 {LS_H5_I32, LS_I32}, {LS_H5_I64, LS_I64}, {LS_H5_F16, LS_F16}, {LS_H5_F32, LS_F32},
                 {LS_H5_F64, LS_F32}, {LS_H5_U32, LS_I64}, {LS_H5_BOOL, LS_U8}};
    const ls_h5_type type = ls_field_shape(f)->type;
    f->rounded = type == LS_H5_F64;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].file == type) {
            f->element = known[i].memory;
            return true;
        }
    return false;
}

ls_status ls_field_check_type(ls_field *f)
{
    return resolve_element(f)
               ? LS_OK
               : ls_field_fail("%s: '/%s' holds %s; Lockstep reads integers, but not uint64, and "
                               "floats of 16, 32 and 64 bits",
                               ls_h5_path(f->file), f->name,
                               ls_h5_type_name(ls_field_shape(f)->type));
}

/* Selects a part; its numbers are in the table's order. */
static ls_status select_part(ls_field *f, const ls_selection *selection, const char *shapes)
{
    char text[LS_FIELD_SHAPE];
    bool kept[LS_H5_MAX_RANK];
    const ls_h5_shape *shape = ls_field_shape(f);
    if (shape->rank < 1 || shape->rank > LS_H5_MAX_RANK)
        return ls_field_fail("%s: '/%s' has %d dimensions, %s, expected %s", ls_h5_path(f->file),
                             f->name, shape->rank, ls_format_shape(shape, text), shapes);
    const ls_status status =
        ls_selection_apply(selection, ls_h5_path(f->file), shape, f->part, kept);
    if (status != LS_OK)
        return ls_fail(status, "%s: it is %s", ls_error_text(), ls_format_shape(shape, text));
    f->rows = shape->dims[0];
    f->numbers = 1;
    for (int d = shape->rank - 1; d >= 1; d--) {
        f->stride[d] = f->numbers;
        if (f->part[d].count > INT32_MAX / f->numbers)
            return ls_field_fail("%s: '/%s' is %s: rows of an unsupported size",
                                 ls_h5_path(f->file), f->name, ls_format_shape(shape, text));
        f->numbers *= f->part[d].count;
    }
    for (int d = 1; d < shape->rank; d++)
        if (kept[d])
            f->dim[f->dims++] = d;
    return LS_OK;
}

/* Fails for a dataset that is not in the file. */
static ls_status fail_absent(const ls_field *f, bool selected)
{
    char text[LS_H5_CONTENTS];
    const char *path = ls_h5_path(f->file), *contents = ls_h5_contents(f->file, text);
    return selected ? ls_fail(LS_ERR_DATA, "%s: has no dataset '/%s': %s", path, f->name, contents)
                    : ls_field_fail("%s: has no dataset '/%s': %s", path, f->name, contents);
}

ls_status ls_field_open(ls_field *out, const ls_h5 *file, const ls_selection *selection,
                        ls_field_view view)
{
    ls_field f = {.file = file};
    snprintf(f.name, sizeof f.name, "%s", selection->name);
    if (!ls_h5_has(file, f.name))
        return fail_absent(&f, view.selected);
    ls_status status = ls_h5_table_open(&f.table, file, f.name, view.column_major);
    if (status == LS_OK)
        status = select_part(&f, selection, view.shapes);
    if (status != LS_OK) {
        ls_field_close(&f);
        return status;
    }
    *out = f;
    return LS_OK;
}

void ls_field_close(ls_field *f)
{
    ls_h5_table_close(&f->table);
}

int64_t ls_destination_find(const ls_destination *to, int64_t row)
{
    row += to->earlier;
    return to->pick == NULL ? row - to->first
                            : to->pick->before(to->pick->user, row) -
                                  to->pick->before(to->pick->user, to->first);
}

ls_sample *ls_destination_next(const ls_destination *to, int64_t row, int64_t *at)
{
    const int64_t mine = *at;
    *at = to->pick == NULL ? mine + 1 : ls_destination_find(to, row + 1);
    return *at > mine && to->samples != NULL ? ls_sample_at(to->samples, mine) : NULL;
}

/* A box of elements in the file: a range in each dimension, rows first. */
typedef struct box {
    int64_t start[LS_H5_MAX_RANK], count[LS_H5_MAX_RANK];
} box;

static int64_t box_elements(const ls_field *f, const box *b)
{
    int64_t elements = 1;
    for (int d = 1; d < ls_field_shape(f)->rank; d++)
        elements *= b->count[d];
    return elements;
}

/* Sets the box's extent in dimension `d`: to the end of the unit that it starts in, or of the part
 * that is read. */
static void fit_box(const ls_field *f, box *b, int d)
{
    const int64_t unit = ls_h5_table_unit(f->table)[d];
    const int64_t left = f->part[d].first + f->part[d].count - b->start[d];
    b->count[d] = ls_min(unit - b->start[d] % unit, left);
}

/* Returns the first box of a row. */
static box first_box(const ls_field *f)
{
    box b = {0};
    for (int d = 1; d < ls_field_shape(f)->rank; d++) {
        b.start[d] = f->part[d].first;
        fit_box(f, &b, d);
    }
    return b;
}

/* Moves the box to the next elements of its rows; returns false after the last. */
static bool next_box(const ls_field *f, box *b)
{
    int d = ls_field_shape(f)->rank - 1;
    for (; d >= 1; d--) {
        b->start[d] += b->count[d];
        const bool more = b->start[d] < f->part[d].first + f->part[d].count;
        if (!more)
            b->start[d] = f->part[d].first;
        fit_box(f, b, d);
        if (more)
            break;
    }
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

/* Copies a box of one row to its place in a sample's numbers. */
static void scatter_numbers(const ls_field *f, size_t bytes, const box *b, const uint8_t *from,
                            uint8_t *to)
{
    const int rank = ls_field_shape(f)->rank, x = rank - 1;
    const int64_t planes = rank == 4 ? b->count[1] : 1, lines = rank >= 3 ? b->count[x - 1] : 1;
    const int64_t plane = rank == 4 ? f->stride[1] : 0, line = rank >= 3 ? f->stride[x - 1] : 0;
    const int64_t count = rank > 1 ? b->count[x] : 1, stride = rank > 1 ? f->stride[x] : 1;
    int64_t start = f->first;
    for (int d = 1; d < rank; d++)
        start += (b->start[d] - f->part[d].first) * f->stride[d];
    for (int64_t i = 0; i < planes; i++)
        for (int64_t j = 0; j < lines; j++) {
            copy_numbers(to + (size_t)(start + i * plane + j * line) * bytes, from, count, stride,
                         bytes);
            from += (size_t)count * bytes;
        }
}

/* Fails for the element `at` of a box.
 * what  the number
 * why   what is expected, with punctuation before it */
static ls_status fail_number(const ls_field *f, const box *b, int64_t at, const char *what,
                             const char *why)
{
    char text[LS_FIELD_SHAPE];
    int64_t index[LS_H5_MAX_RANK] = {0};
    const int rank = ls_field_shape(f)->rank;
    for (int d = rank - 1; d >= 1; d--) {
        index[d] = b->start[d] + at % b->count[d];
        at /= b->count[d];
    }
    index[0] = b->start[0] + at;
    if (rank == 2)
        return ls_fail(LS_ERR_DATA, "%s: '/%s' is %s in row %" PRId64 ", %s %" PRId64 "%s",
                       ls_h5_path(f->file), f->name, what, index[0],
                       f->limits.column != NULL ? f->limits.column : "column", index[1], why);
    return ls_fail(LS_ERR_DATA, "%s: '/%s' is %s in row %" PRId64 "%s%s%s", ls_h5_path(f->file),
                   f->name, what, index[0], rank > 1 ? ", element " : "",
                   rank > 1 ? ls_h5_format_indices(rank - 1, index + 1, text) : "", why);
}

static bool is_in_limits(const ls_limits *l, float x)
{
    return x >= l->least && x <= l->most && (!l->whole || x == floorf(x));
}

/* Fails for the number `at` of a box, which is out of its limits. */
static ls_status fail_limits(const ls_field *f, const box *b, int64_t at, float x)
{
    const ls_limits *l = &f->limits;
    char value[32], why[128];
    snprintf(value, sizeof value, l->whole && fabsf(x) < 1e9f ? "%.9g" : "%g", (double)x);
    if (l->whole)
        snprintf(why, sizeof why, ": expected %s, a whole number of %.0f to %.0f", l->expected,
                 (double)l->least, (double)l->most);
    else
        snprintf(why, sizeof why, ": %s", l->expected);
    return fail_number(f, b, at, value, why);
}

/* Checks that the numbers of a box are in their limits. */
static ls_status check_limits(const ls_field *f, const box *b, ls_element element, int64_t count,
                              const uint8_t *numbers)
{
    enum { PIECE = 1024 };
    float x[PIECE];
    for (int64_t at = 0; at < count; at += PIECE) {
        const int64_t some = ls_min(count - at, PIECE);
        ls_element_convert(element, some, numbers + (size_t)at * ls_element_bytes(element), 1, 0,
                           x);
        for (int64_t i = 0; i < some; i++)
            if (!is_in_limits(&f->limits, x[i]))
                return fail_limits(f, b, at + i, x[i]);
    }
    return LS_OK;
}

static ls_h5_type memory_type(ls_element element)
{
    static const ls_h5_type types[LS_ELEMENTS] = {
        [LS_U8] = LS_H5_U8,   [LS_I8] = LS_H5_I8,   [LS_I16] = LS_H5_I16, [LS_U16] = LS_H5_U16,
        [LS_I32] = LS_H5_I32, [LS_I64] = LS_H5_I64, [LS_F16] = LS_H5_F16, [LS_F32] = LS_H5_F32};
    return types[element];
}

/* One reading of rows. */
typedef struct reading {
    const ls_field *field;
    const ls_destination *to;
    bool targets;
    ls_element element; /* type that the numbers are read as: float32 for targets */
    uint8_t *staging;   /* a piece */
} reading;

/* Returns true if the element `at` of a box is finite in the file, but not as float32. */
static bool is_rounded_to(const ls_field *f, const box *b, int64_t at)
{
    double value = INFINITY;
    box one = {0};
    for (int d = ls_field_shape(f)->rank - 1; d >= 0; d--) {
        one.start[d] = b->start[d] + at % b->count[d];
        one.count[d] = 1;
        at /= b->count[d];
    }
    ls_h5_lock();
    const bool known = ls_field_shape(f)->type == LS_H5_F64 &&
                       ls_h5_table_read(f->table, LS_H5_F64, one.start, one.count, &value) == LS_OK;
    ls_h5_unlock();
    return known && isfinite(value);
}

/* Checks that all numbers of a box are finite and in their limits. */
static ls_status check_numbers(const reading *r, const box *b)
{
    const ls_field *f = r->field;
    const int64_t count = b->count[0] * box_elements(f, b);
    const int64_t at = ls_element_find_special(r->element, count, r->staging);
    float value;
    if (at < 0)
        return f->limits.expected == NULL ? LS_OK
                                          : check_limits(f, b, r->element, count, r->staging);
    ls_element_convert(r->element, 1, r->staging + (size_t)at * ls_element_bytes(r->element), 1, 0,
                       &value);
    const char *what = value != value ? "NaN" : value > 0 ? "infinite" : "-infinite";
    return fail_number(f, b, at, is_rounded_to(f, b, at) ? "too large for float32" : what, "");
}

/* Reads one box of rows, unless no row of it is selected. */
static ls_status read_box(const reading *r, const box *b)
{
    const ls_field *f = r->field;
    const size_t bytes = ls_element_bytes(r->element);
    const int64_t elements = box_elements(f, b);
    const bool whole =
        elements == f->numbers && (elements == 1 || f->stride[ls_field_shape(f)->rank - 1] == 1);
    int64_t at = ls_destination_find(r->to, b->start[0]);
    if (ls_destination_find(r->to, b->start[0] + b->count[0]) == at)
        return LS_OK;
    ls_h5_lock();
    ls_status status =
        ls_h5_table_read(f->table, memory_type(r->element), b->start, b->count, r->staging);
    ls_h5_unlock();
    if (status == LS_OK)
        status = check_numbers(r, b);
    for (int64_t i = 0; status == LS_OK && i < b->count[0]; i++) {
        ls_sample *sample = ls_destination_next(r->to, b->start[0] + i, &at);
        if (sample == NULL)
            continue;
        const uint8_t *from = r->staging + (size_t)(i * elements) * bytes;
        uint8_t *place = r->targets ? (uint8_t *)(void *)ls_sample_targets(r->to->samples, sample)
                                    : sample->inputs;
        if (whole)
            memcpy(place + (size_t)f->first * bytes, from, (size_t)elements * bytes);
        else
            scatter_numbers(f, bytes, b, from, place);
    }
    return status;
}

/* Order of reading: all boxes of `span` rows before the next rows; within a box `piece` rows at a
 * time. */
typedef struct traversal {
    int64_t span, piece;
    int64_t bytes; /* of a piece */
} traversal;

static traversal plan_traversal(const reading *r)
{
    const ls_h5_shape *shape = ls_field_shape(r->field);
    const int64_t *unit = ls_h5_table_unit(r->field->table);
    int64_t part = (int64_t)ls_element_bytes(r->element);
    bool whole = true;
    for (int d = 1; d < shape->rank; d++) {
        part *= ls_min(unit[d], r->field->part[d].count);
        whole = whole && unit[d] == shape->dims[d];
    }
    traversal t = {.piece = part < PIECE_BYTES ? PIECE_BYTES / part : 1};
    if (unit[0] < t.piece)
        t.piece -= t.piece % unit[0]; /* whole chunks */
    t.span = whole ? t.piece : unit[0];
    t.bytes = t.piece * part;
    return t;
}

/* Reads rows from .. to-1, within a span, box by box. */
static ls_status read_span(const reading *r, const traversal *t, int64_t from, int64_t to)
{
    ls_status status = LS_OK;
    box b = first_box(r->field);
    do {
        for (int64_t row = from; status == LS_OK && row < to; row += t->piece) {
            b.start[0] = row;
            b.count[0] = ls_min(to - row, t->piece);
            status = read_box(r, &b);
            if (status == LS_OK)
                status = ls_interrupt_poll(LS_INTERRUPT_GRACE);
        }
    } while (status == LS_OK && next_box(r->field, &b));
    return status;
}

ls_status ls_field_read(const ls_field *f, bool targets, int64_t first, int64_t count,
                        const ls_destination *to)
{
    reading r = {.field = f, .to = to, .targets = targets};
    r.element = targets ? LS_F32 : f->element;
    const traversal t = plan_traversal(&r);
    const int64_t end = first + count;
    r.staging = ls_alloc(t.bytes, 1);
    ls_status status = r.staging == NULL ? LS_ERR_FAILURE : LS_OK;
    for (int64_t from = first, until; status == LS_OK && from < end; from = until) {
        until = ls_min((from / t.span + 1) * t.span, end);
        status = read_span(&r, &t, from, until);
    }
    ls_free(r.staging);
    return status;
}
