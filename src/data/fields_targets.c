/* The targets of rows: classes, classes of steps, or values. */
#include "data/fields_parts.h"

#include <inttypes.h>
#include <stdio.h>

/* Makes the labels, which are open, the classes of steps: a row's values. */
static void set_by_step(ls_fields *f)
{
    f->labels.by_step = true;
    f->values = (int)f->labels.field.numbers;
}

/* Checks the shape of labels of a group. `values`: where values go instead. */
static ls_status check_labels(ls_fields *f, const char *values)
{
    char text[LS_FIELD_SHAPE];
    const char *path = ls_h5_path(f->file), *name = f->labels.field.name;
    const ls_h5_shape *labels = ls_field_shape(&f->labels.field);
    const int64_t width = labels->rank == 2 ? labels->dims[1] : 1, steps = ls_fields_steps(f);
    if (width != 1 && width != steps && labels->dims[0] == 1)
        return ls_field_fail("%s: '/%s' has 2 dimensions, %s, expected [N] or [N,1]: a program "
                             "that stores arrays by columns (MATLAB, Julia, Fortran) must write it "
                             "as 1 x N",
                             path, name, ls_format_shape(labels, text));
    if (labels->rank > 2 || (width != 1 && width != steps))
        return ls_field_fail("%s: '/%s' has %d dimensions, %s, expected [N] or [N,1], or for the "
                             "class of each step of the inputs [N,%" PRId64 "]; values go to '/%s'",
                             path, name, labels->rank, ls_format_shape(labels, text), steps,
                             values);
    if (!ls_labels_are_integers(labels->type))
        return ls_field_fail("%s: '/%s' is not of an integer type; values go to '/%s'", path, name,
                             values);
    if (width > 1)
        set_by_step(f);
    return ls_fields_check_rows(f, name, labels->dims[0]);
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
    return ls_fields_check_rows(f, first->name, f->targets.rows);
}

static ls_status open_labels(ls_fields *f, const ls_selection *selection)
{
    f->has_labels = true;
    return ls_field_open(&f->labels.field, f->file, selection, ls_fields_view(f, "[N] or [N,1]"));
}

static ls_status open_values(ls_fields *f, const ls_selections *selections, ls_target_kind kind)
{
    const ls_status status =
        ls_joint_open(&f->targets, f->file, selections, ls_fields_view(f, "[N] or [N,K]"));
    for (int i = 0; status == LS_OK && kind == LS_TARGET_FRACTIONS && i < f->targets.count; i++)
        f->targets.fields[i].limits =
            (ls_limits){"--loss bce needs targets of 0 to 1", 0, 1, .whole = false};
    return status == LS_OK ? check_targets(f) : status;
}

/* Opens the targets of a group: labels, or values. */
static ls_status open_group_targets(ls_fields *f, const char *group, ls_target_kind kind)
{
    char labels[LS_FIELD_NAME], targets[LS_FIELD_NAME], contents[LS_H5_CONTENTS];
    const bool classes = ls_h5_has(f->file, ls_fields_name_of(group, "labels", labels));
    const bool values = ls_h5_has(f->file, ls_fields_name_of(group, "targets", targets));
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

/* Returns true if the inputs are a sequence beyond doubt: tokens, or features of each step. */
static bool has_steps(const ls_fields *f)
{
    const bool integers = f->inputs.element != LS_F16 && f->inputs.element != LS_F32;
    return (integers || f->inputs.fields[0].dims > 1) && ls_fields_steps(f) > 1;
}

/* Fails for labels of a shape that does not fit. */
static ls_status fail_shape(const ls_fields *f, const char *expected)
{
    char text[LS_FIELD_SHAPE];
    const ls_field *labels = &f->labels.field;
    return ls_field_fail("%s: '/%s' is %s: expected %s", ls_h5_path(f->file), labels->name,
                         ls_format_shape(ls_field_shape(labels), text), expected);
}

/* Finds out if selected labels, which are open, are the classes of steps: integers [N,T] for inputs
 * of T steps, of which not all first rows are one-hot. */
static ls_status judge_steps(ls_fields *f, ls_target_kind kind, bool *out)
{
    char expected[128];
    bool one_hot = false;
    const ls_field *l = &f->labels.field;
    const int64_t steps = ls_fields_steps(f);
    const bool wanted = kind == LS_TARGET_STEPS, fits = l->dims == 1 && l->numbers == steps;
    *out = false;
    if (!wanted && (!ls_labels_are_integers(ls_field_shape(l)->type) || l->dims != 1 ||
                    l->numbers < 2 || !has_steps(f)))
        return LS_OK;
    ls_status status = wanted ? ls_field_check_type(&f->labels.field) : LS_OK;
    if (status == LS_OK && !wanted)
        status = ls_labels_look_one_hot(&f->labels, &one_hot);
    if (status != LS_OK || one_hot || (!fits && kind == LS_TARGET_AUTO))
        return status;
    snprintf(expected, sizeof expected, "the class of each step, integers [N,%" PRId64 "]%s", steps,
             wanted ? "" : ", or an integer in each row, or one-hot rows");
    if (!fits || !ls_labels_are_integers(ls_field_shape(l)->type))
        return fail_shape(f, expected);
    *out = true;
    set_by_step(f);
    return ls_fields_check_rows(f, l->name, l->rows);
}

/* Finds out if selected labels, which are open, are an integer or one-hot.
 * kind  LS_TARGET_AUTO: they are classes only if they are an integer
 * out   on return true if they are classes */
static ls_status judge_labels(ls_fields *f, ls_target_kind kind, bool *out)
{
    char expected[128];
    ls_labels *l = &f->labels;
    const ls_h5_shape *shape = ls_field_shape(&l->field);
    const bool single = l->field.numbers == 1, integers = ls_labels_are_integers(shape->type);
    *out = kind == LS_TARGET_CLASSES || (single && integers);
    l->one_hot = *out && !single;
    if (!*out)
        return LS_OK;
    if (single && !integers && !ls_labels_are_floats(shape->type))
        return ls_field_check_type(&l->field);
    snprintf(expected, sizeof expected,
             "an integer in each row, or a one-hot row of 2 to %d numbers", LS_MAX_CLASSES);
    if (l->field.dims > 1 || l->field.numbers < 1 || l->field.numbers > LS_MAX_CLASSES)
        return fail_shape(f, expected);
    if (l->one_hot) { /* read as float32 */
        const ls_status status = ls_field_check_type(&l->field);
        if (status != LS_OK)
            return status;
    }
    return ls_fields_check_rows(f, l->field.name, l->field.rows);
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
        status = judge_steps(f, choice->kind, &classes);
    if (status == LS_OK && !classes)
        status = judge_labels(f, choice->kind, &classes);
    if (status != LS_OK || classes)
        return status;
    ls_field_close(&f->labels.field);
    f->has_labels = false;
    return open_values(f, targets, choice->kind);
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

ls_status ls_fields_open_targets(ls_fields *f, const ls_fields_choice *choice)
{
    if (choice->untargeted)
        return LS_OK;
    if (choice->reconstructs)
        return reconstruct(f);
    return choice->targets != NULL ? open_selected_targets(f, choice)
                                   : open_group_targets(f, choice->group, choice->kind);
}
