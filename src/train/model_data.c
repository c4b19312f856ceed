/* Rows for an open model: they are checked to fit its network, read, and evaluated. */
#include "train/model_state.h"

#include "data/class_names.h"
#include "parallel/collectives.h"
#include "train/evaluate.h"

#include <assert.h>

static const char *target_words(int values)
{
    return values > 0 ? "values" : "classes";
}

/* Makes sure that the rows of a data set fit the network; the same result on all ranks. Local. */
static ls_status check_fit(const ls_model *m, const ls_model_data *data,
                           const ls_dataset_info *info)
{
    const ls_shape *in = &m->info.input;
    if (info->rows[data->split] == 0)
        return ls_fail(LS_ERR_DATA, "%s: has no %s rows", data->path, ls_split_name(data->split));
    if ((info->element == LS_U8) != (m->info.element == LS_U8))
        return ls_fail(LS_ERR_DATA,
                       "%s: the inputs are %s, but the checkpoint's network was trained on %s: "
                       "only uint8 is divided by 255",
                       data->path, ls_element_name(info->element),
                       ls_element_name(m->info.element));
    const bool targets = ls_dataset_has_targets(info);
    if (targets && info->reconstructs != m->reconstructs)
        return ls_fail(LS_ERR_USAGE,
                       "--targets: the checkpoint's network was %strained with "
                       "--targets inputs",
                       m->reconstructs ? "" : "not ");
    if (in->channels != info->channels || in->height != info->height || in->width != info->width ||
        (targets && (m->info.classes != info->classes || m->info.values != info->values)))
        return ls_fail(LS_ERR_DATA,
                       "%s: inputs of %lldx%lldx%lld and %d %s don't fit the checkpoint's "
                       "network, which takes %lldx%lldx%lld and %d %s%s",
                       data->path, (long long)info->channels, (long long)info->height,
                       (long long)info->width, ls_dataset_outputs(info), target_words(info->values),
                       (long long)in->channels, (long long)in->height, (long long)in->width,
                       ls_model_info_outputs(&m->info), target_words(m->info.values),
                       info->doubtful ? "; if its channels come last give --layout nhwc" : "");
    return LS_OK;
}

/* Makes sure that a class has the name that it had in training, where both are known; on rank 0.
 * Local. */
static ls_status check_class_names(const ls_model *m, const ls_source *source, const char *path)
{
    ls_text_list names = {0};
    ls_status status = ls_source_class_names(source, &names);
    const int64_t at = status == LS_OK ? ls_class_names_differ(&m->class_names, &names) : -1;
    if (at >= 0)
        status = ls_fail(LS_ERR_DATA, "%s: class %lld is '%s', but '%s' in the checkpoint", path,
                         (long long)at, names.text[at], m->class_names.text[at]);
    ls_text_list_free(&names);
    return status;
}

ls_input_format ls_model_format(const ls_model *m)
{
    return (ls_input_format){.shape = m->info.input,
                             .mean = m->info.mean,
                             .std = m->info.std,
                             .standardization = &m->standardization,
                             .reconstructs = m->reconstructs,
                             .channels_last = ls_network_channels_last(m->network)};
}

ls_status ls_model_open_data(ls_source **out, const ls_model *m, const ls_model_data *data,
                             ls_dataset_info *info)
{
    ls_source *source = NULL;
    if (m->comm == NULL || m->params == NULL)
        return ls_fail(LS_ERR_USAGE, "%s: opened %s, so it can't be evaluated", m->path,
                       m->comm == NULL ? "without MPI" : "without its parameters");
    assert(data->split < LS_SPLITS);
    ls_status status = ls_source_open(&source, m->comm, data->path, &data->options, !data->trust,
                                      data->read, info);
    if (status == LS_OK)
        status = check_fit(m, data, info);
    if (status == LS_OK)
        status = ls_agree_root(
            m->comm, ls_comm_rank(m->comm) == 0 ? check_class_names(m, source, data->path) : LS_OK);
    if (status == LS_OK)
        *out = source;
    else
        ls_source_close(&source);
    return status;
}

ls_status ls_model_check_targets(const ls_dataset_info *info)
{
    return ls_dataset_has_targets(info)
               ? LS_OK
               : ls_fail(LS_ERR_USAGE, "--targets none: there is nothing to compare outputs with");
}

ls_status ls_model_read(ls_rows **out, const ls_model *m, const ls_model_data *data)
{
    const ls_input_format format = ls_model_format(m);
    ls_dataset_info info;
    ls_source *source = NULL;
    ls_status status = ls_model_open_data(&source, m, data, &info);
    if (status == LS_OK)
        status = ls_model_check_targets(&info);
    if (status == LS_OK)
        status = ls_source_rows(source, data->split, &format, out);
    ls_source_close(&source);
    return status;
}

static ls_evaluation evaluation_of(const ls_model *m, ls_rows *rows)
{
    return (ls_evaluation){.comm = m->comm,
                           .network = m->network,
                           .params = m->params,
                           .rows = rows,
                           .batch = m->batch};
}

ls_status ls_model_evaluate(const ls_model *m, ls_rows *rows, ls_evaluated *out)
{
    const ls_evaluation evaluation = evaluation_of(m, rows);
    return ls_evaluate(&evaluation, out);
}

ls_status ls_model_misclassified(const ls_model *m, ls_rows *rows, int64_t most,
                                 ls_misclassified *out, int64_t *count)
{
    const ls_evaluation evaluation = evaluation_of(m, rows);
    return ls_find_misclassified(&evaluation, most, out, count);
}
