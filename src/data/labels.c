#include "data/labels.h"

#include "base/integer.h"
#include "base/interrupt.h"
#include "base/memory.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { PIECE_LABELS = 1 << 13, PIECE_NUMBERS = 1 << 17 };

/* Room for a piece of rows. */
typedef struct room {
    int64_t rows;
    int64_t *labels; /* [rows][labels of a row] */
    float *numbers;  /* of one-hot rows; NULL without */
} room;

/* Returns the number of a row's labels. */
static int64_t labels_of_row(const ls_labels *l)
{
    return l->by_step ? l->field.numbers : 1;
}

bool ls_labels_are_floats(ls_h5_type type)
{
    return type == LS_H5_F16 || type == LS_H5_F32 || type == LS_H5_F64;
}

bool ls_labels_are_integers(ls_h5_type type)
{
    return type <= LS_H5_BOOL && !ls_labels_are_floats(type);
}

static ls_status make_room(const ls_labels *l, room *out)
{
    out->rows = ls_max(1, ls_min(PIECE_LABELS, PIECE_NUMBERS / l->field.numbers));
    out->labels = ls_alloc(out->rows * labels_of_row(l), sizeof *out->labels);
    out->numbers = l->one_hot && out->labels != NULL
                       ? ls_alloc(out->rows * l->field.numbers, sizeof *out->numbers)
                       : NULL;
    return out->labels == NULL || (l->one_hot && out->numbers == NULL) ? LS_ERR_FAILURE : LS_OK;
}

static ls_status read_table(const ls_field *f, ls_h5_type type, int64_t first, int64_t count,
                            void *out)
{
    int64_t start[LS_H5_MAX_RANK] = {first}, extent[LS_H5_MAX_RANK] = {count};
    for (int d = 1; d < ls_field_shape(f)->rank; d++) {
        start[d] = f->part[d].first;
        extent[d] = f->part[d].count;
    }
    ls_h5_lock();
    const ls_status status = ls_h5_table_read(f->table, type, start, extent, out);
    ls_h5_unlock();
    return status;
}

/* Writes where label `at` behind the first of row `first` is. */
static const char *place_of(const ls_labels *l, int64_t first, int64_t at, char text[64])
{
    const int64_t width = labels_of_row(l);
    if (l->by_step)
        snprintf(text, 64, "row %" PRId64 ", step %" PRId64, first + at / width, at % width);
    else
        snprintf(text, 64, "row %" PRId64, first + at);
    return text;
}

static ls_status check_label(const ls_labels *l, int64_t first, int64_t at, int64_t label,
                             int classes)
{
    if ((uint64_t)label < (uint64_t)classes)
        return LS_OK;
    char value[24], place[64];
    if (ls_field_shape(&l->field)->type == LS_H5_U64)
        snprintf(value, sizeof value, "%" PRIu64, (uint64_t)label);
    else
        snprintf(value, sizeof value, "%" PRId64, label);
    if (classes == LS_MAX_CLASSES)
        return ls_fail(LS_ERR_DATA,
                       "%s: '/%s' %s is %s, but classes are numbered 0, 1, ... and are at most "
                       "%d: number them so; values are for --loss mse",
                       ls_h5_path(l->field.file), l->field.name, place_of(l, first, at, place),
                       value, classes);
    return ls_fail(LS_ERR_DATA, "%s: '/%s' %s is %s, expected a class of 0 to %d%s",
                   ls_h5_path(l->field.file), l->field.name, place_of(l, first, at, place), value,
                   classes - 1, label == classes ? " (classes count from 0, not from 1)" : "");
}

/* Finds the class of a one-hot row; -1 if it is none. */
static int64_t find_hot(const float *numbers, int64_t count)
{
    int64_t hot = -1;
    for (int64_t k = 0; k < count; k++) {
        if (numbers[k] == 0)
            continue;
        if (numbers[k] != 1 || hot >= 0)
            return -1;
        hot = k;
    }
    return hot;
}

ls_status ls_labels_look_one_hot(const ls_labels *l, bool *out)
{
    enum { FIRST_ROWS = 100 };
    const int64_t numbers = l->field.numbers;
    const int64_t some = ls_min(ls_max(1, PIECE_NUMBERS / numbers), FIRST_ROWS);
    const int64_t rows = ls_min(l->field.rows, some);
    float *read = ls_alloc(some * numbers, sizeof *read);
    ls_status status = read == NULL ? LS_ERR_FAILURE : LS_OK;
    if (status == LS_OK && rows > 0)
        status = read_table(&l->field, LS_H5_F32, 0, rows, read);
    *out = status == LS_OK && rows > 0;
    for (int64_t i = 0; *out && i < rows; i++)
        *out = find_hot(read + i * numbers, numbers) >= 0;
    ls_free(read);
    return status;
}

static ls_status read_one_hot(const ls_labels *l, int64_t first, int64_t count, const room *r)
{
    const int64_t classes = l->field.numbers;
    ls_status status = read_table(&l->field, LS_H5_F32, first, count, r->numbers);
    for (int64_t i = 0; status == LS_OK && i < count; i++) {
        r->labels[i] = find_hot(r->numbers + i * classes, classes);
        if (r->labels[i] < 0)
            status = ls_fail(LS_ERR_DATA,
                             "%s: '/%s' row %" PRId64 " is not a class: one number must be 1 and "
                             "the others 0",
                             ls_h5_path(l->field.file), l->field.name, first + i);
    }
    return status;
}

/* Reads labels that are whole numbers of a floating-point type. */
static ls_status read_whole(const ls_labels *l, int64_t first, int64_t count, int64_t *labels)
{
    double value;
    ls_status status = read_table(&l->field, LS_H5_F64, first, count, labels);
    for (int64_t i = 0; status == LS_OK && i < count; i++) {
        memcpy(&value, &labels[i], sizeof value);
        if (!(fabs(value) < 0x1p53) || value != floor(value))
            return ls_fail(LS_ERR_DATA,
                           "%s: '/%s' row %" PRId64 " is %g, which is no class: values are for "
                           "networks trained with --loss mse",
                           ls_h5_path(l->field.file), l->field.name, first + i, value);
        labels[i] = (int64_t)value;
    }
    return status;
}

/* Reads labels as int64, which holds all types but uint64; uint64 is read as uint64 bits. */
static ls_status read_piece(const ls_labels *l, int64_t first, int64_t count, int classes,
                            const room *r)
{
    const ls_h5_type file = ls_field_shape(&l->field)->type;
    const ls_h5_type type = file == LS_H5_U64 ? LS_H5_U64 : LS_H5_I64;
    ls_status status = l->one_hot ? read_one_hot(l, first, count, r)
                       : ls_labels_are_floats(file)
                           ? read_whole(l, first, count, r->labels)
                           : read_table(&l->field, type, first, count, r->labels);
    for (int64_t i = 0; status == LS_OK && i < count * labels_of_row(l); i++)
        status = check_label(l, first, i, r->labels[i], classes);
    return status;
}

/* What is done with each piece of labels. */
typedef struct sink {
    int32_t *out;             /* [count] or NULL */
    const ls_destination *to; /* or NULL */
    int32_t largest;
} sink;

/* Puts the labels of a row into its sample. */
static void put_row(const ls_samples *samples, ls_sample *sample, int64_t width, bool by_step,
                    const int64_t *labels)
{
    if (!by_step)
        sample->label = (int32_t)*labels;
    for (int64_t step = 0; by_step && step < width; step++)
        ls_sample_targets(samples, sample)[step] = (float)labels[step];
}

static void put_piece(sink *s, const ls_labels *l, int64_t done, int64_t first, int64_t count,
                      const int64_t *labels, int64_t *at)
{
    const int64_t width = labels_of_row(l);
    for (int64_t i = 0; i < count; i++) {
        ls_sample *sample = s->to != NULL ? ls_destination_next(s->to, first + i, at) : NULL;
        if (sample != NULL)
            put_row(s->to->samples, sample, width, l->by_step, labels + i * width);
        if (s->out != NULL)
            s->out[done + i] = (int32_t)labels[i * width];
        for (int64_t k = 0; k < width; k++)
            s->largest = (int32_t)ls_max(s->largest, labels[i * width + k]);
    }
}

static ls_status scan_labels(const ls_labels *l, int64_t first, int64_t count, int classes, sink *s)
{
    room r = {0};
    int64_t at = s->to != NULL ? ls_destination_find(s->to, first) : 0;
    ls_status status = make_room(l, &r);
    for (int64_t done = 0; status == LS_OK && done < count; done += r.rows) {
        const int64_t some = ls_min(count - done, r.rows);
        status = read_piece(l, first + done, some, classes, &r);
        if (status == LS_OK) {
            put_piece(s, l, done, first + done, some, r.labels, &at);
            status = ls_interrupt_poll(LS_INTERRUPT_GRACE);
        }
    }
    ls_free(r.numbers);
    ls_free(r.labels);
    return status;
}

ls_status ls_labels_read(const ls_labels *labels, int64_t first, int64_t count, int classes,
                         int32_t *out, const ls_destination *to)
{
    sink s = {.out = out, .to = to};
    return scan_labels(labels, first, count, classes, &s);
}

ls_status ls_labels_find_largest(const ls_labels *labels, int32_t *out)
{
    sink s = {.largest = -1};
    const ls_status status = scan_labels(labels, 0, labels->field.rows, LS_MAX_CLASSES, &s);
    *out = s.largest;
    return status;
}

ls_status ls_labels_of_values(const ls_field *field, int64_t first, int64_t count, int32_t *out)
{
    float *values = ls_alloc(PIECE_LABELS, sizeof *values);
    ls_status status = values == NULL ? LS_ERR_FAILURE : LS_OK;
    for (int64_t done = 0; status == LS_OK && done < count; done += PIECE_LABELS) {
        const int64_t some = ls_min(count - done, PIECE_LABELS);
        status = read_table(field, LS_H5_F32, first + done, some, values);
        for (int64_t i = 0; status == LS_OK && i < some; i++)
            out[done + i] = values[i] > 0.5f;
        if (status == LS_OK)
            status = ls_interrupt_poll(LS_INTERRUPT_GRACE);
    }
    ls_free(values);
    return status;
}
