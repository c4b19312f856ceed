/* The options of a data set, and the names of its splits. */
#include "data/dataset_state.h"

#include <string.h>

const char *ls_split_name(ls_split split)
{
    static const char *const names[LS_SPLITS] = {LS_SPLIT_LIST(LS_CHOICE_NAME)};
    return names[split];
}

bool ls_dataset_targets_are_inputs(const ls_dataset_options *options)
{
    return options->targets != NULL && strcmp(options->targets, "inputs") == 0;
}

bool ls_dataset_targets_are_none(const ls_dataset_options *options)
{
    return options->targets != NULL && strcmp(options->targets, "none") == 0;
}

/* Reads an option that selects one dataset.
 * out  on return the selection, in `parsed`; NULL: none is given */
static ls_status parse_one(const char *option, const char *text, ls_selections *parsed,
                           const ls_selection **out)
{
    *out = NULL;
    if (!ls_is_given(text))
        return LS_OK;
    const ls_status status = ls_selections_parse(parsed, option, text);
    if (status == LS_OK && parsed->count > 1)
        return ls_fail(LS_ERR_USAGE, "--%s %s: expected one dataset", option, text);
    *out = &parsed->of[0];
    return status;
}

ls_status ls_dataset_parse_beside(const ls_dataset_options *o, ls_beside *parsed,
                                  ls_fields_choice *choice)
{
    ls_status status = parse_one("weights", o->weights, &parsed->weights, &choice->weights);
    if (status == LS_OK)
        status = parse_one("lengths", o->lengths, &parsed->lengths, &choice->lengths);
    choice->padded = o->padded;
    choice->padding = o->padding;
    return status;
}

static ls_status check_padding(const ls_dataset_options *o)
{
    if (o->padded && ls_is_given(o->lengths))
        return ls_fail(LS_ERR_USAGE,
                       "--lengths and --padding both say how long rows are: leave one "
                       "of them out");
    if (o->padded && (o->padding < -LS_MAX_TOKEN || o->padding > LS_MAX_TOKEN))
        return ls_fail(LS_ERR_USAGE, "--padding %lld: expected a number of at most 2^24",
                       (long long)o->padding);
    return LS_OK;
}

ls_status ls_dataset_check_options(const ls_dataset_options *o)
{
    ls_selections selections;
    ls_beside beside;
    ls_fields_choice choice;
    ls_division_plan plan;
    const bool inputs = ls_is_given(o->inputs); /* without targets to select: */
    const bool alone = ls_dataset_targets_are_inputs(o) || ls_dataset_targets_are_none(o);
    const bool targets = ls_is_given(o->targets) && !alone;
    if (inputs != targets && !alone)
        return ls_fail(LS_ERR_USAGE, "--%s needs --%s, too", inputs ? "inputs" : "targets",
                       inputs ? "targets" : "inputs");
    ls_status status = inputs ? ls_selections_parse(&selections, "inputs", o->inputs) : LS_OK;
    if (status == LS_OK && targets)
        status = ls_selections_parse(&selections, "targets", o->targets);
    if (status == LS_OK && ls_is_given(o->test_data) && !inputs)
        status = ls_fail(LS_ERR_USAGE, "--test-data needs --inputs: a data set has its own /test");
    if (status == LS_OK)
        status = ls_dataset_parse_beside(o, &beside, &choice);
    if (status == LS_OK)
        status = check_padding(o);
    return status == LS_OK ? ls_division_plan_make(&plan, o) : status;
}
