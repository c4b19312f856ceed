#include "data/fields.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char INPUT_SHAPES[] = "[N,F], [N,H,W] or [N,C,H,W]";

/* Writes the name of a dataset of a group. */
static const char *name_of(const char *group, const char *what, char name[LS_FIELD_NAME])
{
    snprintf(name, LS_FIELD_NAME, "%s/%s", group, what);
    return name;
}

/* Selects the inputs of a group, which have either name. */
static ls_selections inputs_of_group(const ls_h5 *file, const char *group)
{
    char name[LS_FIELD_NAME];
    const bool inputs = ls_h5_has(file, name_of(group, "inputs", name));
    return ls_selection_of_all(name_of(group, inputs ? "inputs" : "images", name));
}

static ls_field_view view_of(const ls_fields *f, const char *shapes)
{
    return (ls_field_view){shapes, f->column_major, f->selected};
}

/* Opens the inputs. */
static ls_status open_inputs(ls_fields *f, const ls_fields_choice *choice)
{
    const ls_field_view view = view_of(f, INPUT_SHAPES);
    if (choice->inputs != NULL)
        return ls_joint_open(&f->inputs, f->file, choice->inputs, view);
    const ls_selections all = inputs_of_group(f->file, choice->group);
    return ls_joint_open(&f->inputs, f->file, &all, view);
}

const char *ls_fields_name(const ls_fields *f)
{
    return f->inputs.fields[0].name;
}

/* Checks that labels or targets have as many rows as the inputs. */
static ls_status check_rows(const ls_fields *f, const char *name, int64_t rows)
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

/* Checks the shape of labels of a group. `values`: where values go instead. */
static ls_status check_labels(const ls_fields *f, const char *values)
{
    char text[LS_FIELD_SHAPE];
    const char *path = ls_h5_path(f->file), *name = f->labels.field.name;
    const ls_h5_shape *labels = ls_field_shape(&f->labels.field);
    const bool column = labels->rank == 2 && labels->dims[1] == 1;
    if (labels->rank == 2 && !column && labels->dims[0] == 1)
        return ls_field_fail("%s: '/%s' has 2 dimensions, %s, expected [N] or [N,1]: a program "
                             "that stores arrays by columns (MATLAB, Julia, Fortran) must write it "
                             "as 1 x N",
                             path, name, ls_format_shape(labels, text));
    if (labels->rank != 1 && !column)
        return ls_field_fail("%s: '/%s' has %d dimensions, %s, expected [N] or [N,1]; values go to "
                             "'/%s'",
                             path, name, labels->rank, ls_format_shape(labels, text), values);
    if (!ls_labels_are_integers(labels->type))
        return ls_field_fail("%s: '/%s' is not of an integer type; values go to '/%s'", path, name,
                             values);
    return check_rows(f, name, labels->dims[0]);
}

/* Checks that targets are [N] or [N,K], and sets K. */
static ls_status check_targets(ls_fields *f)
{
    char text[LS_FIELD_SHAPE];
    const ls_field *first = &f->targets.fields[0];
    const ls_h5_shape *shape = ls_field_shape(first);
    if (first->dims > 1)
        return ls_field_fail("%s: '/%s' has %d dimensions, %s, expected [N] or [N,K]",
                             ls_h5_path(f->file), first->name, shape->rank,
                             ls_format_shape(shape, text));
    if (f->targets.numbers < 1 || f->targets.numbers > LS_MAX_VALUES)
        return ls_field_fail("%s: '/%s' has %" PRId64 " values in a row, expected 1 to %d",
                             ls_h5_path(f->file), first->name, f->targets.numbers, LS_MAX_VALUES);
    f->values = (int)f->targets.numbers;
    return check_rows(f, first->name, f->targets.rows);
}

static ls_status open_labels(ls_fields *f, const ls_selection *selection)
{
    f->has_labels = true;
    return ls_field_open(&f->labels.field, f->file, selection, view_of(f, "[N] or [N,1]"));
}

static ls_status open_values(ls_fields *f, const ls_selections *selections, ls_target_kind kind)
{
    const ls_status status =
        ls_joint_open(&f->targets, f->file, selections, view_of(f, "[N] or [N,K]"));
    for (int i = 0; status == LS_OK && kind == LS_TARGET_FRACTIONS && i < f->targets.count; i++)
        f->targets.fields[i].limits = (ls_limits){"--loss bce needs targets of 0 to 1", 0, 1};
    return status == LS_OK ? check_targets(f) : status;
}

/* Opens the weights, a number of each row.
 * group  that they are in; NULL: none */
static ls_status open_weights(ls_fields *f, const char *group, const ls_selection *selection)
{
    char text[LS_FIELD_SHAPE];
    ls_selection in_group = *selection;
    if (group != NULL && snprintf(in_group.name, sizeof in_group.name, "%s/%s", group,
                                  selection->name) >= (int)sizeof in_group.name)
        return ls_fail(LS_ERR_USAGE, "--weights %s: the name is too long", selection->name);
    ls_status status = ls_field_open(&f->weights, f->file, &in_group, view_of(f, "[N] or [N,1]"));
    f->has_weights = status == LS_OK;
    if (status == LS_OK)
        status = ls_field_check_type(&f->weights);
    if (status == LS_OK && f->weights.numbers != 1)
        status = ls_field_fail("%s: '/%s' is %s, expected a weight of each row, [N] or [N,1]",
                               ls_h5_path(f->file), f->weights.name,
                               ls_format_shape(ls_field_shape(&f->weights), text));
    if (status != LS_OK)
        return status;
    f->weights.first = f->targets.numbers;
    f->weights.limits = (ls_limits){"a weight is 0 to 1e20", 0, LS_MAX_WEIGHT};
    return check_rows(f, f->weights.name, f->weights.rows);
}

/* Opens the targets of a group: labels, or values. */
static ls_status open_group_targets(ls_fields *f, const char *group, ls_target_kind kind)
{
    char labels[LS_FIELD_NAME], targets[LS_FIELD_NAME], contents[LS_H5_CONTENTS];
    const bool classes = ls_h5_has(f->file, name_of(group, "labels", labels));
    const bool values = ls_h5_has(f->file, name_of(group, "targets", targets));
    if (classes && values)
        return ls_field_fail("%s: has both '/%s' and '/%s': remove one of them",
                             ls_h5_path(f->file), labels, targets);
    if (!classes && !values)
        return ls_field_fail("%s: has no dataset '/%s' or '/%s': %s", ls_h5_path(f->file), labels,
                             targets, ls_h5_contents(f->file, contents));
    const ls_selections all = ls_selection_of_all(classes ? labels : targets);
    if (values)
        return open_values(f, &all, kind);
    const ls_status status = open_labels(f, &all.of[0]);
    return status == LS_OK ? check_labels(f, targets) : status;
}

/* Finds out if selected labels, which are open, are an integer or one-hot.
 * kind  LS_TARGET_AUTO: they are classes only if they are an integer
 * out   on return true if they are classes */
static ls_status judge_labels(ls_fields *f, ls_target_kind kind, bool *out)
{
    char text[LS_FIELD_SHAPE];
    ls_labels *l = &f->labels;
    const ls_h5_shape *shape = ls_field_shape(&l->field);
    const bool single = l->field.numbers == 1, integers = ls_labels_are_integers(shape->type);
    *out = kind == LS_TARGET_CLASSES || (single && integers);
    l->one_hot = *out && !single;
    if (!*out)
        return LS_OK;
    if (single && !integers && !ls_labels_are_floats(shape->type))
        return ls_field_check_type(&l->field);
    if (l->field.dims > 1 || l->field.numbers < 1 || l->field.numbers > LS_MAX_CLASSES)
        return ls_field_fail("%s: '/%s' is %s: expected an integer in each row, or a one-hot row "
                             "of 2 to %d numbers",
                             ls_h5_path(f->file), l->field.name, ls_format_shape(shape, text),
                             LS_MAX_CLASSES);
    if (l->one_hot) { /* read as float32 */
        const ls_status status = ls_field_check_type(&l->field);
        if (status != LS_OK)
            return status;
    }
    return check_rows(f, l->field.name, l->field.rows);
}

/* Opens selected targets. */
static ls_status open_selected_targets(ls_fields *f, const ls_fields_choice *choice)
{
    bool classes = false;
    const ls_selections *targets = choice->targets;
    if (choice->kind == LS_TARGET_VALUES || choice->kind == LS_TARGET_FRACTIONS ||
        targets->count > 1)
        return open_values(f, targets, choice->kind);
    ls_status status = open_labels(f, &targets->of[0]);
    if (status == LS_OK)
        status = judge_labels(f, choice->kind, &classes);
    if (status != LS_OK || classes)
        return status;
    ls_field_close(&f->labels.field);
    f->has_labels = false;
    return open_values(f, targets, choice->kind);
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

bool ls_fields_look_column_major(const ls_h5 *file, const ls_fields_choice *choice)
{
    row_counts rows = {0};
    char name[LS_FIELD_NAME];
    if (choice->inputs != NULL) {
        count_rows_of_all(&rows, file, choice->inputs);
        if (!choice->reconstructs && !choice->untargeted)
            count_rows_of_all(&rows, file, choice->targets);
        return !rows.first_agree && rows.last_agree;
    }
    const ls_selections inputs = inputs_of_group(file, choice->group);
    count_rows_of_all(&rows, file, &inputs);
    count_rows(&rows, file, name_of(choice->group, "labels", name));
    count_rows(&rows, file, name_of(choice->group, "targets", name));
    return !rows.first_agree && rows.last_agree;
}

/* Makes the inputs the targets. */
static ls_status reconstruct(ls_fields *f)
{
    if (f->inputs.numbers > LS_MAX_VALUES)
        return ls_field_fail("%s: '/%s' has %" PRId64 " numbers in a row, but targets have at most "
                             "%d",
                             ls_h5_path(f->file), ls_fields_name(f), f->inputs.numbers,
                             LS_MAX_VALUES);
    f->values = (int)f->inputs.numbers;
    return LS_OK;
}

static ls_status open_targets(ls_fields *f, const ls_fields_choice *choice)
{
    if (choice->untargeted)
        return LS_OK;
    if (choice->reconstructs)
        return reconstruct(f);
    return choice->targets != NULL ? open_selected_targets(f, choice)
                                   : open_group_targets(f, choice->group, choice->kind);
}

ls_status ls_fields_open(ls_fields *out, const ls_h5 *file, const ls_fields_choice *choice)
{
    ls_fields f = {
        .file = file, .selected = choice->inputs != NULL, .column_major = choice->column_major};
    ls_status status = open_inputs(&f, choice);
    if (status == LS_OK)
        status = open_targets(&f, choice);
    if (status == LS_OK && choice->weights != NULL)
        status = open_weights(&f, choice->inputs != NULL ? NULL : choice->group, choice->weights);
    if (status == LS_OK)
        status = resolve_layout(&f, choice->layout);
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
    const int64_t weight = f->has_weights ? (int64_t)sizeof(double) : 0;
    return f->rows * (inputs + values + label + weight);
}

/* Reads the weights; without weights, sets them to 1. */
static ls_status read_weights(const ls_fields *f, int64_t first, int64_t count,
                              const ls_destination *to)
{
    if (f->has_weights)
        return ls_field_read(&f->weights, true, first, count, to);
    if (to->samples == NULL || !to->samples->format.weighted)
        return LS_OK;
    int64_t at = ls_destination_find(to, first);
    for (int64_t row = first; row < first + count; row++) {
        const ls_sample *sample = ls_destination_next(to, row, &at);
        if (sample != NULL)
            *ls_sample_weight(to->samples, sample) = 1;
    }
    return LS_OK;
}

ls_status ls_fields_read(const ls_fields *f, int64_t first, int64_t count, int classes,
                         const ls_destination *to)
{
    ls_status status = ls_joint_read(&f->inputs, false, first, count, to);
    if (status == LS_OK)
        status = f->has_labels ? ls_labels_read(&f->labels, first, count, classes, NULL, to)
                               : ls_joint_read(&f->targets, true, first, count, to);
    return status == LS_OK ? read_weights(f, first, count, to) : status;
}

void ls_fields_close(ls_fields *f)
{
    ls_joint_close(&f->inputs);
    ls_joint_close(&f->targets);
    ls_field_close(&f->labels.field);
    ls_field_close(&f->weights);
}
