/* The division of the training group of a data set, and the rows of a split. */
#include "data/dataset_state.h"

static ls_status dataset_read_train_labels(const void *dataset, int64_t first, int64_t count,
                                           int32_t *labels)
{
    const ls_dataset *d = dataset;
    return ls_series_labels(&d->groups[LS_TRAIN], first, count, d->info.classes, labels);
}

/* Returns the classes of rows: also of one value, of which a half divides two; 0: none, or those of
 * steps. */
static int classes_of(const ls_dataset_info *info, const ls_dataset_options *options)
{
    const bool two =
        options->kind == LS_TARGET_FRACTIONS && info->values == 1 && !info->reconstructs;
    return info->classes == 0 && two ? 2 : ls_dataset_by_step(info) ? 0 : info->classes;
}

/* Checks that the rows of the training group may be divided as planned. */
static ls_status check_division(const ls_dataset *dataset, const ls_division_plan *plan,
                                int classes)
{
    const char *path = ls_dataset_first_path(dataset);
    const bool has_test = dataset->group[LS_TEST] == LS_TEST;
    const bool has_validation = dataset->group[LS_VALIDATION] == LS_VALIDATION;
    if (has_test && (plan->fixed > 0 || plan->test > 0))
        return ls_fail(LS_ERR_USAGE, "%s: has test rows of its own: leave --%s out", path,
                       plan->fixed > 0 ? "test-rows" : "split");
    if (has_validation && plan->folds > 0)
        return ls_fail(LS_ERR_USAGE, "%s: has validation rows of its own: leave --fold out", path);
    if (plan->how == LS_HOLD_OUT_STRATIFIED && !ls_dataset_has_targets(&dataset->info))
        return ls_fail(LS_ERR_USAGE,
                       "%s: the rows were divided by their classes: without --targets only test "
                       "rows that the file or --test-rows tells apart can be read",
                       path);
    if (plan->how == LS_HOLD_OUT_STRATIFIED && ls_dataset_by_step(&dataset->info))
        return ls_fail(LS_ERR_USAGE,
                       "%s: --hold-out stratified needs a class of each row, but the targets are "
                       "the classes of steps: give --hold-out random",
                       path);
    if (plan->how == LS_HOLD_OUT_STRATIFIED && classes == 0)
        return ls_fail(LS_ERR_USAGE,
                       "%s: --hold-out stratified needs classes, but the targets are values: give "
                       "--hold-out random, or for two classes --loss bce",
                       path);
    return LS_OK;
}

/* Divides the rows of the training group into the splits that have no group of their own. */
ls_status ls_dataset_divide(ls_dataset *dataset, const ls_dataset_options *options)
{
    ls_division_plan plan;
    ls_dataset_info *info = &dataset->info;
    const ls_label_reader labels = {dataset, dataset_read_train_labels};
    ls_status status = ls_division_plan_make(&plan, options);
    const int classes = classes_of(info, options);
    if (status == LS_OK)
        status = check_division(dataset, &plan, classes);
    info->held_out = dataset->group[LS_VALIDATION] == LS_TRAIN;
    if (!info->held_out)
        plan.validation = 0;
    if (status == LS_OK)
        status = ls_division_make(&dataset->division, &plan, info->rows[LS_TRAIN], classes, labels);
    if (status != LS_OK)
        return status;
    for (int split = 0; split < LS_SPLITS; split++)
        if (dataset->group[split] == LS_TRAIN)
            info->rows[split] = ls_division_count(dataset->division, (ls_split)split);
    return LS_OK;
}
