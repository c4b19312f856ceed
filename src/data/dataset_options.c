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

ls_status ls_dataset_parse_weights(const ls_dataset_options *o, ls_selections *parsed,
                                   const ls_selection **out)
{
    *out = NULL;
    if (!ls_is_given(o->weights))
        return LS_OK;
    const ls_status status = ls_selections_parse(parsed, "weights", o->weights);
    if (status == LS_OK && parsed->count > 1)
        return ls_fail(LS_ERR_USAGE, "--weights %s: expected one dataset", o->weights);
    *out = &parsed->of[0];
    return status;
}

ls_status ls_dataset_check_options(const ls_dataset_options *o)
{
    ls_selections selections;
    const ls_selection *weights;
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
        status = ls_dataset_parse_weights(o, &selections, &weights);
    return status == LS_OK ? ls_division_plan_make(&plan, o) : status;
}
