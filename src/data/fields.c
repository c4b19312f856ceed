#include "data/fields.h"

#include "base/integer.h"
#include "base/interrupt.h"
#include "base/memory.h"

#include <inttypes.h>
#include <stdio.h>

enum { PIECE_LABELS = 1 << 13 };

/* Writes the name of a dataset of the group. */
static const char *name_of(const ls_fields *f, const char *what, char name[LS_FIELD_NAME])
{
    snprintf(name, LS_FIELD_NAME, "%s/%s", f->group, what);
    return name;
}

/* Opens the inputs, by either name. */
static ls_status open_inputs(ls_fields *f)
{
    char name[LS_FIELD_NAME];
    const char *what = ls_h5_has(f->file, name_of(f, "inputs", name)) ? "inputs" : "images";
    return ls_field_open(&f->inputs, f->file, name_of(f, what, name),
                         "[N,F], [N,H,W] or [N,C,H,W]");
}

/* Programs with column-major arrays write dimensions in reverse order: errors mention it. */
static ls_status fail_by_columns(const ls_fields *f, const char *name, int64_t rows)
{
    char text[LS_FIELD_SHAPE];
    return ls_field_fail("%s: '/%s' is %s but '/%s' has %" PRId64
                         " rows: the rows come last; a program that stores arrays by columns "
                         "(MATLAB, Julia, Fortran) must write images as (W,H,N) or (W,H,C,N)",
                         ls_h5_path(f->file), f->inputs.name,
                         ls_format_shape(ls_field_shape(&f->inputs), text), name, rows);
}

/* Checks that labels or targets have as many rows as the inputs. */
static ls_status check_rows(const ls_fields *f, const char *name, int64_t rows)
{
    const ls_h5_shape *inputs = ls_field_shape(&f->inputs);
    if (rows != inputs->dims[0] && rows == inputs->dims[inputs->rank - 1])
        return fail_by_columns(f, name, rows);
    if (rows != inputs->dims[0])
        return ls_field_fail("%s: '/%s' has %" PRId64 " rows but '/%s' has %" PRId64,
                             ls_h5_path(f->file), f->inputs.name, inputs->dims[0], name, rows);
    return LS_OK;
}

static bool is_integer(ls_h5_type type)
{
    return type <= LS_H5_BOOL && type != LS_H5_F16 && type != LS_H5_F32 && type != LS_H5_F64;
}

static ls_status check_labels(const ls_fields *f, const char *name)
{
    char text[LS_FIELD_SHAPE];
    const char *path = ls_h5_path(f->file);
    const ls_h5_shape *labels = ls_h5_table_shape(f->labels);
    const bool column = labels->rank == 2 && labels->dims[1] == 1;
    if (labels->rank == 2 && !column && labels->dims[0] == 1)
        return ls_field_fail("%s: '/%s' has 2 dimensions, %s, expected [N] or [N,1]: a program "
                             "that stores arrays by columns (MATLAB, Julia, Fortran) must write it "
                             "as 1 x N",
                             path, name, ls_format_shape(labels, text));
    if (labels->rank != 1 && !column)
        return ls_field_fail("%s: '/%s' has %d dimensions, %s, expected [N] or [N,1]; values go to "
                             "'/%s/targets'",
                             path, name, labels->rank, ls_format_shape(labels, text), f->group);
    if (!is_integer(labels->type))
        return ls_field_fail("%s: '/%s' is not of an integer type; values go to '/%s/targets'",
                             path, name, f->group);
    return check_rows(f, name, labels->dims[0]);
}

/* Checks that targets are [N] or [N,K], and sets K. */
static ls_status check_targets(ls_fields *f)
{
    char text[LS_FIELD_SHAPE];
    const ls_h5_shape *shape = ls_field_shape(&f->targets);
    if (shape->rank > 2)
        return ls_field_fail("%s: '/%s' has %d dimensions, %s, expected [N] or [N,K]",
                             ls_h5_path(f->file), f->targets.name, shape->rank,
                             ls_format_shape(shape, text));
    if (f->targets.numbers < 1 || f->targets.numbers > LS_MAX_VALUES)
        return ls_field_fail("%s: '/%s' has %" PRId64 " values in a row, expected 1 to %d",
                             ls_h5_path(f->file), f->targets.name, f->targets.numbers,
                             LS_MAX_VALUES);
    f->values = (int)f->targets.numbers;
    return check_rows(f, f->targets.name, f->targets.rows);
}

/* Opens the targets: labels, or values. */
static ls_status open_targets(ls_fields *f)
{
    char labels[LS_FIELD_NAME], targets[LS_FIELD_NAME];
    const bool classes = ls_h5_has(f->file, name_of(f, "labels", labels));
    const bool values = ls_h5_has(f->file, name_of(f, "targets", targets));
    if (classes && values)
        return ls_field_fail("%s: has both '/%s' and '/%s': remove one of them",
                             ls_h5_path(f->file), labels, targets);
    if (!classes && !values)
        return ls_field_fail("%s: has no dataset '/%s' or '/%s'", ls_h5_path(f->file), labels,
                             targets);
    ls_status status = classes ? ls_h5_table_open(&f->labels, f->file, labels)
                               : ls_field_open(&f->targets, f->file, targets, "[N] or [N,K]");
    if (status != LS_OK)
        return status;
    return classes ? check_labels(f, labels) : check_targets(f);
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
    const ls_h5_shape *inputs = ls_field_shape(&f->inputs);
    const int64_t *last = inputs->dims + inputs->rank - 1;
    f->rows = inputs->dims[0];
    f->channels = inputs->rank == 4 ? (nhwc ? last[0] : last[-2]) : inputs->rank == 2 ? last[0] : 1;
    f->height = inputs->rank < 3 ? 1 : nhwc ? last[-2] : last[-1];
    f->width = inputs->rank < 3 ? 1 : nhwc ? last[-1] : last[0];
}

/* Sets the strides of the file's dimensions in a row [C][H][W]. */
static void set_strides(ls_fields *f, bool nhwc)
{
    const int rank = ls_field_shape(&f->inputs)->rank;
    int64_t *last = f->inputs.stride + rank - 1;
    last[0] = nhwc ? f->height * f->width : 1;
    if (rank >= 3)
        last[-1] = nhwc ? 1 : f->width;
    if (rank == 4)
        last[-2] = nhwc ? f->width : f->height * f->width;
}

/* Sets shape and strides of a row from the layout. */
static ls_status resolve_layout(ls_fields *f, ls_layout_order layout)
{
    char text[LS_FIELD_SHAPE];
    const ls_h5_shape *inputs = ls_field_shape(&f->inputs);
    const bool nhwc = inputs->rank == 4 && layout == LS_LAYOUT_NHWC;
    set_shape(f, nhwc);
    set_strides(f, nhwc);
    f->doubtful = looks_like_nhwc(inputs) && layout != LS_LAYOUT_NHWC;
    if (!ls_image_is_sane(f->channels, f->height, f->width))
        return ls_field_fail("%s: '/%s' has rows of an unsupported size", ls_h5_path(f->file),
                             f->inputs.name);
    if (!f->doubtful || layout != LS_LAYOUT_AUTO)
        return LS_OK;
    return ls_fail(LS_ERR_USAGE,
                   "%s: '/%s' is %s: give --layout nhwc if its last dimension is the "
                   "channels, --layout nchw if the images have %" PRId64 " channels of %" PRId64
                   " x %" PRId64 " pixels",
                   ls_h5_path(f->file), f->inputs.name, ls_format_shape(inputs, text), f->channels,
                   f->height, f->width);
}

ls_status ls_fields_open(ls_fields *out, const ls_h5 *file, const char *group,
                         ls_layout_order layout)
{
    ls_fields f = {.file = file, .group = group};
    ls_status status = open_inputs(&f);
    if (status == LS_OK)
        status = open_targets(&f);
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
    const int64_t inputs = f->inputs.numbers * (int64_t)ls_element_bytes(f->inputs.element);
    return f->rows * (inputs + f->values * (int64_t)sizeof(double) + (int64_t)sizeof(int64_t));
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
 * out  [count] NULL: not stored there
 * to   NULL: not stored in samples */
static ls_status copy_labels(const ls_fields *f, int64_t first, int64_t count, int classes,
                             int32_t *out, const ls_destination *to)
{
    int64_t at = 0, *labels = ls_alloc(PIECE_LABELS, sizeof *labels);
    ls_status status = labels == NULL ? LS_ERR_FAILURE : LS_OK;
    for (int64_t done = 0; status == LS_OK && done < count; done += PIECE_LABELS) {
        const int64_t some = ls_min(count - done, PIECE_LABELS);
        status = read_labels(f, first + done, some, classes, labels);
        for (int64_t i = 0; status == LS_OK && i < some; i++) {
            ls_sample *sample = to != NULL ? ls_destination_next(to, first + done + i, &at) : NULL;
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
    const ls_destination to = {samples, pick, first};
    ls_status status = ls_field_read(&f->inputs, false, first, count, &to);
    if (status != LS_OK)
        return status;
    return f->labels != NULL ? copy_labels(f, first, count, classes, NULL, &to)
                             : ls_field_read(&f->targets, true, first, count, &to);
}

void ls_fields_close(ls_fields *f)
{
    ls_field_close(&f->inputs);
    ls_field_close(&f->targets);
    ls_h5_table_close(&f->labels);
}
