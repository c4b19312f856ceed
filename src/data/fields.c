#include "data/fields_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char INPUT_SHAPES[] = "[N,F], [N,H,W] or [N,C,H,W]";

const char *ls_fields_name_of(const char *group, const char *what, char name[LS_FIELD_NAME])
{
    snprintf(name, LS_FIELD_NAME, "%s/%s", group, what);
    return name;
}

/* Selects the inputs of a group, which have either name. */
static ls_selections inputs_of_group(const ls_h5 *file, const char *group)
{
    char name[LS_FIELD_NAME];
    const bool inputs = ls_h5_has(file, ls_fields_name_of(group, "inputs", name));
    return ls_selection_of_all(ls_fields_name_of(group, inputs ? "inputs" : "images", name));
}

ls_field_view ls_fields_view(const ls_fields *f, const char *shapes)
{
    return (ls_field_view){shapes, f->column_major, f->selected};
}

/* Makes the inputs tokens of a vocabulary. */
static ls_status limit_tokens(ls_fields *f, int vocabulary)
{
    char text[LS_FIELD_SHAPE];
    ls_field *inputs = &f->inputs.fields[0];
    const bool integers = f->inputs.element != LS_F16 && f->inputs.element != LS_F32;
    if (!integers || inputs->dims != 1)
        return ls_field_fail("%s: '/%s' is %s %s, but the file has a vocabulary: tokens are "
                             "integers [N,T]",
                             ls_h5_path(f->file), inputs->name,
                             ls_format_shape(ls_field_shape(inputs), text),
                             ls_h5_type_name(ls_field_shape(inputs)->type));
    inputs->limits = (ls_limits){"a token", 0, (float)(vocabulary - 1), true, "step"};
    return LS_OK;
}

/* Opens the inputs. */
static ls_status open_inputs(ls_fields *f, const ls_fields_choice *choice)
{
    const ls_field_view view = ls_fields_view(f, INPUT_SHAPES);
    if (choice->inputs != NULL)
        return ls_joint_open(&f->inputs, f->file, choice->inputs, view);
    const ls_selections all = inputs_of_group(f->file, choice->group);
    const ls_status status = ls_joint_open(&f->inputs, f->file, &all, view);
    return status == LS_OK && choice->vocabulary > 0 ? limit_tokens(f, choice->vocabulary) : status;
}

const char *ls_fields_name(const ls_fields *f)
{
    return f->inputs.fields[0].name;
}

ls_status ls_fields_check_rows(const ls_fields *f, const char *name, int64_t rows)
{
    char text[LS_FIELD_SHAPE];
    const ls_h5_shape *inputs = ls_field_shape(&f->inputs.fields[0]);
    const bool last = inputs->rank > 1 && rows == inputs->dims[inputs->rank - 1];
    if (rows == inputs->dims[0])
        return LS_OK;
    if (last && !f->column_major)
        return ls_field_fail("%s: '/%s' is %s but '/%s' has %" PRId64
                             " rows: the rows come last; if a program that stores arrays by "
                             "columns (MATLAB, R, Julia, Fortran) wrote them, give --order "
                             "column-major",
                             ls_h5_path(f->file), ls_fields_name(f), ls_format_shape(inputs, text),
                             name, rows);
    return ls_field_fail("%s: '/%s' has %" PRId64 " rows but '/%s' has %" PRId64 "%s",
                         ls_h5_path(f->file), ls_fields_name(f), inputs->dims[0], name, rows,
                         last ? ": if the rows come first, give --order row-major" : "");
}

/* Returns true if the last dimension is a usual number of channels, and the second is larger. */
static bool looks_like_nhwc(const ls_field *inputs)
{
    if (inputs->dims != 3)
        return false;
    const int64_t last = ls_field_extent(inputs, 2);
    return (last == 1 || last == 3 || last == 4) && ls_field_extent(inputs, 0) > last;
}

/* Sets the shape of a row: [F] is F channels of one pixel, and so are joined fields. */
static void set_shape(ls_fields *f, bool nhwc)
{
    const ls_field *inputs = &f->inputs.fields[0];
    int64_t extent[3] = {1, 1, 1}; /* of channels, height, width */
    for (int d = 0; d < inputs->dims; d++)
        extent[inputs->dims == 2 ? d + 1 : d] = ls_field_extent(inputs, d);
    f->channels = inputs->dims <= 1 ? f->inputs.numbers : extent[nhwc ? 2 : 0];
    f->height = extent[nhwc ? 0 : 1];
    f->width = extent[nhwc ? 1 : 2];
}

/* Sets the strides of [H,W,C] in a row [C][H][W]. */
static void set_nhwc_strides(ls_fields *f)
{
    ls_field *inputs = &f->inputs.fields[0];
    inputs->stride[inputs->dim[0]] = f->width;
    inputs->stride[inputs->dim[1]] = 1;
    inputs->stride[inputs->dim[2]] = f->height * f->width;
}

/* Sets shape and strides of a row from the layout. */
static ls_status resolve_layout(ls_fields *f, ls_layout_order layout)
{
    char text[LS_FIELD_SHAPE];
    const ls_field *inputs = &f->inputs.fields[0];
    const bool nhwc = inputs->dims == 3 && layout == LS_LAYOUT_NHWC;
    f->rows = f->inputs.rows;
    set_shape(f, nhwc);
    if (nhwc)
        set_nhwc_strides(f);
    f->doubtful = looks_like_nhwc(inputs) && layout != LS_LAYOUT_NHWC;
    if (!ls_image_is_sane(f->channels, f->height, f->width))
        return ls_field_fail("%s: '/%s' has rows of an unsupported size", ls_h5_path(f->file),
                             inputs->name);
    if (!f->doubtful || layout != LS_LAYOUT_AUTO)
        return LS_OK;
    return ls_fail(LS_ERR_USAGE,
                   "%s: '/%s' is %s: give --layout nhwc if its last dimension is the "
                   "channels, --layout nchw if the images have %" PRId64 " channels of %" PRId64
                   " x %" PRId64 " pixels",
                   ls_h5_path(f->file), inputs->name, ls_format_shape(ls_field_shape(inputs), text),
                   f->channels, f->height, f->width);
}

/* The number of rows if they come first, and if they come last. */
typedef struct row_counts {
    int64_t first, last;
    bool first_agree, last_agree; /* of all datasets so far */
    int datasets;
} row_counts;

/* Adds the rows of a dataset; one that can't be described is left out. */
static void count_rows(row_counts *rows, const ls_h5 *file, const char *name)
{
    ls_h5_shape shape;
    if (ls_h5_describe(file, name, &shape) != LS_OK || shape.rank < 1 ||
        shape.rank > LS_H5_MAX_RANK)
        return;
    const int64_t last = shape.dims[shape.rank - 1];
    if (rows->datasets++ == 0)
        *rows = (row_counts){shape.dims[0], last, true, true, 1};
    rows->first_agree = rows->first_agree && shape.dims[0] == rows->first;
    rows->last_agree = rows->last_agree && last == rows->last;
}

static void count_rows_of_all(row_counts *rows, const ls_h5 *file, const ls_selections *s)
{
    for (int i = 0; i < s->count; i++)
        count_rows(rows, file, s->of[i].name);
}

/* Counts the rows of the datasets of a group. */
static void count_rows_of_group(row_counts *rows, const ls_h5 *file, const ls_fields_choice *choice)
{
    const char *const beside[] = {"labels", "targets",
                                  choice->lengths != NULL ? choice->lengths->name : "lengths"};
    char name[LS_FIELD_NAME];
    const ls_selections inputs = inputs_of_group(file, choice->group);
    count_rows_of_all(rows, file, &inputs);
    for (size_t i = 0; i < sizeof beside / sizeof *beside; i++)
        count_rows(rows, file, ls_fields_name_of(choice->group, beside[i], name));
}

bool ls_fields_look_column_major(const ls_h5 *file, const ls_fields_choice *choice)
{
    row_counts rows = {0};
    if (choice->inputs == NULL) {
        count_rows_of_group(&rows, file, choice);
    } else {
        count_rows_of_all(&rows, file, choice->inputs);
        if (!choice->reconstructs && !choice->untargeted)
            count_rows_of_all(&rows, file, choice->targets);
        if (choice->lengths != NULL)
            count_rows(&rows, file, choice->lengths->name);
    }
    return !rows.first_agree && rows.last_agree;
}

int64_t ls_fields_steps(const ls_fields *f)
{
    return f->height * f->width > 1 ? f->height : f->channels;
}

ls_status ls_fields_open(ls_fields *out, const ls_h5 *file, const ls_fields_choice *choice)
{
    ls_fields f = {
        .file = file, .selected = choice->inputs != NULL, .column_major = choice->column_major};
    ls_status status = open_inputs(&f, choice);
    if (status == LS_OK)
        status = resolve_layout(&f, choice->layout);
    if (status == LS_OK)
        status = ls_fields_open_targets(&f, choice);
    if (status == LS_OK)
        status = ls_fields_open_lengths(&f, choice);
    if (status == LS_OK)
        status = ls_fields_open_weights(&f, choice);
    if (status == LS_OK)
        *out = f;
    else
        ls_fields_close(&f);
    return status;
}

int64_t ls_fields_bytes(const ls_fields *f)
{
    const int64_t inputs = f->inputs.numbers * (int64_t)ls_element_bytes(f->inputs.element);
    const int64_t values = f->targets.numbers * (int64_t)sizeof(double);
    const int64_t label = f->has_labels ? f->labels.field.numbers * (int64_t)sizeof(int64_t) : 0;
    const int64_t beside = (f->has_weights + f->has_lengths) * (int64_t)sizeof(double);
    return f->rows * (inputs + values + label + beside);
}

ls_status ls_fields_read(const ls_fields *f, int64_t first, int64_t count, int classes,
                         const ls_destination *to)
{
    ls_status status = ls_joint_read(&f->inputs, false, first, count, to);
    if (status == LS_OK)
        status = f->has_labels ? ls_labels_read(&f->labels, first, count, classes, NULL, to)
                               : ls_joint_read(&f->targets, true, first, count, to);
    if (status == LS_OK)
        status = ls_fields_read_lengths(f, first, count, to);
    return status == LS_OK ? ls_fields_read_weights(f, first, count, to) : status;
}

void ls_fields_close(ls_fields *f)
{
    ls_joint_close(&f->inputs);
    ls_joint_close(&f->targets);
    ls_field_close(&f->labels.field);
    ls_field_close(&f->lengths);
    ls_field_close(&f->weights);
}
