#include "data/joint.h"

#include "base/memory.h"

#include <inttypes.h>

/* Appends a field: checks that it fits the others, and gives it its place in a sample. */
static ls_status append_field(ls_joint *j, ls_field *f)
{
    const ls_field *first = &j->fields[0];
    if (f->rows != first->rows)
        return ls_field_fail("%s: '/%s' has %" PRId64 " rows but '/%s' has %" PRId64,
                             ls_h5_path(f->file), first->name, first->rows, f->name, f->rows);
    f->first = j->numbers;
    if (f->numbers > INT32_MAX - j->numbers)
        return ls_field_fail("%s: '/%s' has rows of an unsupported size", ls_h5_path(f->file),
                             f->name);
    j->numbers += f->numbers;
    j->rounded = j->rounded || f->rounded;
    if (f->element != first->element)
        j->element = LS_F32;
    return LS_OK;
}

/* Joined fields are rows of numbers, [N,F] or [N]. */
static ls_status check_joined(const ls_joint *j, const ls_field *f)
{
    char text[LS_FIELD_SHAPE];
    return j->count == 1 || f->dims <= 1
               ? LS_OK
               : ls_field_fail("%s: '/%s' is %s: datasets that are joined must have rows of one "
                               "dimension: select an index in the others",
                               ls_h5_path(f->file), f->name,
                               ls_format_shape(ls_field_shape(f), text));
}

static ls_status open_field(ls_joint *j, int at, const ls_h5 *file, const ls_selection *selection,
                            ls_field_view view)
{
    ls_field *f = &j->fields[at];
    ls_status status = ls_field_open(f, file, selection, view);
    if (status == LS_OK)
        status = ls_field_check_type(f);
    if (status == LS_OK)
        status = check_joined(j, f);
    if (status == LS_OK && at == 0)
        j->element = f->element;
    return status == LS_OK ? append_field(j, f) : status;
}

ls_status ls_joint_open(ls_joint *out, const ls_h5 *file, const ls_selections *selections,
                        ls_field_view view)
{
    ls_joint j = {.count = selections->count};
    j.fields = ls_alloc(j.count, sizeof *j.fields);
    ls_status status = j.fields == NULL ? LS_ERR_FAILURE : LS_OK;
    for (int i = 0; status == LS_OK && i < j.count; i++)
        status = open_field(&j, i, file, &selections->of[i], view);
    if (status != LS_OK) {
        ls_joint_close(&j);
        return status;
    }
    for (int i = 0; i < j.count; i++)
        j.fields[i].element = j.element;
    j.rows = j.fields[0].rows;
    *out = j;
    return LS_OK;
}

ls_status ls_joint_read(const ls_joint *j, bool targets, int64_t first, int64_t count,
                        const ls_destination *to)
{
    ls_status status = LS_OK;
    for (int i = 0; status == LS_OK && i < j->count; i++)
        status = ls_field_read(&j->fields[i], targets, first, count, to);
    return status;
}

void ls_joint_close(ls_joint *j)
{
    for (int i = 0; j->fields != NULL && i < j->count; i++)
        ls_field_close(&j->fields[i]);
    ls_free(j->fields);
    *j = (ls_joint){0};
}
