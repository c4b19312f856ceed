/* Numbers beside the inputs and targets of rows: their weights, and the lengths of their sequences,
 * which are read or, of padded rows, found. */
#include "data/fields_parts.h"

#include "base/integer.h"
#include "data/element.h"

#include <stdio.h>

/* Opens a dataset of a number of each row, which is stored in samples behind `before` floats.
 * what  "weight" */
static ls_status open_numbers(ls_field *out, const ls_fields *f, const ls_fields_choice *choice,
                              const ls_selection *selection, const char *what, int64_t before)
{
    char text[LS_FIELD_SHAPE];
    ls_selection in_group = *selection;
    if (choice->inputs == NULL &&
        snprintf(in_group.name, sizeof in_group.name, "%s/%s", choice->group, selection->name) >=
            (int)sizeof in_group.name)
        return ls_fail(LS_ERR_USAGE, "--%ss %s: the name is too long", what, selection->name);
    ls_status status = ls_field_open(out, f->file, &in_group, ls_fields_view(f, "[N] or [N,1]"));
    if (status != LS_OK)
        return status;
    out->first = before;
    status = ls_field_check_type(out);
    if (status == LS_OK && out->numbers != 1)
        status = ls_field_fail("%s: '/%s' is %s, expected a %s of each row, [N] or [N,1]",
                               ls_h5_path(f->file), out->name,
                               ls_format_shape(ls_field_shape(out), text), what);
    return status == LS_OK ? ls_fields_check_rows(f, out->name, out->rows) : status;
}

/* Returns the floats of a target in samples. */
static int64_t floats_of_target(const ls_fields *f)
{
    return f->labels.by_step ? f->labels.field.numbers : f->targets.numbers;
}

/* Finds the selection of the lengths: the given one, or the lengths of a group that has some.
 * all  memory for the result
 * out  on return NULL: there are none */
static ls_status find_lengths(const ls_fields *f, const ls_fields_choice *choice,
                              ls_selections *all, const ls_selection **out)
{
    char name[LS_FIELD_NAME];
    const bool own = choice->lengths == NULL && choice->inputs == NULL &&
                     ls_h5_has(f->file, ls_fields_name_of(choice->group, "lengths", name));
    *all = ls_selection_of_all("lengths");
    *out = own ? &all->of[0] : choice->lengths;
    return own && choice->padded ? ls_fail(LS_ERR_USAGE, "%s: has '/%s': leave --padding out",
                                           ls_h5_path(f->file), name)
                                 : LS_OK;
}

ls_status ls_fields_open_lengths(ls_fields *f, const ls_fields_choice *choice)
{
    ls_selections all;
    const ls_selection *lengths;
    ls_status status = find_lengths(f, choice, &all, &lengths);
    f->padded = choice->padded;
    f->padding = (float)choice->padding;
    if (status != LS_OK || (lengths == NULL && !f->padded))
        return status;
    if (choice->reconstructs)
        return ls_fail(LS_ERR_USAGE,
                       "%s: --targets inputs: rows of different lengths can't be reconstructed",
                       ls_h5_path(f->file));
    if (lengths == NULL)
        return LS_OK;
    status = open_numbers(&f->lengths, f, choice, lengths, "length", floats_of_target(f));
    f->has_lengths = status == LS_OK;
    f->lengths.limits = (ls_limits){"a length", 0, (float)ls_fields_steps(f), .whole = true};
    return status;
}

ls_status ls_fields_open_weights(ls_fields *f, const ls_fields_choice *choice)
{
    if (choice->weights == NULL)
        return LS_OK;
    const int64_t before = floats_of_target(f) + ls_fields_are_ragged(f);
    const ls_status status =
        open_numbers(&f->weights, f, choice, choice->weights, "weight", before);
    f->has_weights = status == LS_OK;
    f->weights.limits = (ls_limits){"a weight is 0 to 1e20", 0, LS_MAX_WEIGHT, .whole = false};
    return status;
}

/* Returns the end of the last number that is no padding, from 0, of `count` numbers. */
static int64_t find_end(ls_element element, const uint8_t *numbers, int64_t count, float padding)
{
    enum { PIECE = 64 };
    float x[PIECE];
    for (int64_t end = count; end > 0; end -= PIECE) {
        const int64_t first = ls_max(0, end - PIECE);
        ls_element_convert(element, end - first,
                           numbers + (size_t)first * ls_element_bytes(element), 1, 0, x);
        for (int64_t i = end - first; i > 0; i--)
            if (x[i - 1] != padding)
                return first + i;
    }
    return 0;
}

/* Finds the length of a padded row: the end of the last step with a number that is no padding. A
 * step is a number, or a line of each channel. */
static int64_t find_length(const ls_fields *f, const ls_sample *sample)
{
    const ls_element element = f->inputs.element;
    const bool lines = f->height * f->width > 1;
    const int64_t planes = lines ? f->channels : 1, width = lines ? f->width : 1;
    const int64_t plane = ls_fields_steps(f) * width;
    int64_t length = 0;
    for (int64_t c = 0; c < planes; c++) {
        const uint8_t *numbers = sample->inputs + (size_t)(c * plane) * ls_element_bytes(element);
        const int64_t end = find_end(element, numbers, plane, f->padding);
        length = ls_max(length, (end + width - 1) / width);
    }
    return length;
}

ls_status ls_fields_read_lengths(const ls_fields *f, int64_t first, int64_t count,
                                 const ls_destination *to)
{
    if (f->has_lengths)
        return ls_field_read(&f->lengths, true, first, count, to);
    if (!f->padded || to->samples == NULL)
        return LS_OK;
    int64_t at = ls_destination_find(to, first);
    for (int64_t row = first; row < first + count; row++) {
        const ls_sample *sample = ls_destination_next(to, row, &at);
        if (sample != NULL)
            *ls_sample_length(to->samples, sample) = (float)find_length(f, sample);
    }
    return LS_OK;
}

ls_status ls_fields_read_weights(const ls_fields *f, int64_t first, int64_t count,
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
