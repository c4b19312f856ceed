/* Rows for an open model: they are checked to fit its network, read, and evaluated. */
#include "train/model_state.h"

#include "base/memory.h"
#include "base/show.h"
#include "base/text.h"
#include "data/samples.h"
#include "parallel/collectives.h"

#include "train/evaluate.h"
#include "train/model_outputs.h"
#include "train/reconstruct.h"
#include "train/tokens.h"

#include <assert.h>
#include <string.h>

static const char *target_words(int classes, int64_t values)
{
    return classes == 0 ? "values" : values > 0 ? "classes in each step" : "classes";
}

/* Returns what to do about a split without rows. */
static const char *remedy_for_none(ls_split split)
{
    return split == LS_TEST ? ": give --split validation for those held out in training, or "
                              "--test-rows all"
           : split == LS_VALIDATION ? ": none were held out in training"
                                    : "";
}

/* Makes sure that the rows of a data set fit the network; the same result on all ranks. Local. */
static ls_status check_fit(const ls_model *m, const ls_model_data *data,
                           const ls_dataset_info *info)
{
    const ls_shape *in = &m->info.input;
    const bool fits =
        in->channels == info->channels && in->height == info->height && in->width == info->width;
    if (m->info.generates && !fits)
        return ls_fail(LS_ERR_USAGE,
                       "%s: is a generator, which takes %s of noise, not rows of a data set: "
                       "`lockstep generate` makes rows by it, and with --score evaluates them",
                       m->path, ls_counted(ls_shape_size(*in), "number").text);
    if (info->rows[data->split] == 0)
        return ls_fail(LS_ERR_DATA, "%s: has no %s rows%s", data->path, ls_split_name(data->split),
                       remedy_for_none(data->split));
    if (m->info.vocabulary == 0 && (info->element == LS_U8) != (m->info.element == LS_U8))
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
    if (!fits || (targets && (m->info.classes != info->classes || m->info.values != info->values)))
        return ls_fail(
            LS_ERR_DATA,
            "%s: inputs of size %s and %d %s don't fit the checkpoint's network, which takes size "
            "%s and %d %s%s",
            data->path, ls_sized(info->channels, info->height, info->width).text,
            ls_dataset_outputs(info), target_words(info->classes, info->values),
            ls_sized(in->channels, in->height, in->width).text, ls_model_info_outputs(&m->info),
            target_words(m->info.classes, m->info.values),
            info->doubtful ? "; if its channels come last give --layout nhwc" : "");
    return info->ragged ? ls_network_check_lengths(m->network, ls_dataset_steps(info)) : LS_OK;
}

/* Makes sure that each text of a list is that of the training, where both are known. Local.
 * what  "class" */
static ls_status compare_texts(const char *path, const char *what, const ls_text_list *now,
                               const ls_text_list *then)
{
    const int64_t at = ls_text_list_differ(then, now);
    return at < 0 ? LS_OK
                  : ls_fail(LS_ERR_DATA, "%s: %s %lld is '%s', but '%s' in the checkpoint", path,
                            what, (long long)at, now->text[at], then->text[at]);
}

/* Makes sure that classes and tokens have the texts that they had in training; on rank 0. Local. */
static ls_status check_texts(const ls_model *m, const ls_source *source, const char *path)
{
    ls_text_list names = {0}, tokens = {0};
    ls_status status = ls_source_class_names(source, &names);
    if (status == LS_OK)
        status = compare_texts(path, "class", &names, &m->class_names);
    if (status == LS_OK)
        status = ls_source_vocabulary(source, &tokens);
    if (status == LS_OK)
        status = compare_texts(path, "token", &tokens, &m->tokens);
    ls_text_list_free(&names);
    ls_text_list_free(&tokens);
    return status;
}

ls_input_format ls_model_format(const ls_model *m)
{
    return (ls_input_format){
        .shape = m->info.input,
        .mean = m->info.mean,
        .std = m->info.std,
        .standardization = &m->standardization,
        .reconstructs = m->reconstructs,
        .vocabulary =
            m->info.vocabulary > 0 ? ls_tokens_vocabulary(m->info.model, m->info.vocabulary) : 0,
        .channels_last = ls_network_channels_last(m->network)};
}

/* The options to read a split: test rows that are not drawn need no draw of validation rows, which
 * may need more rows, or classes, than there are. Local. */
static ls_dataset_options options_for(const ls_model_data *data)
{
    ls_dataset_options o = data->options;
    if (data->split == LS_TEST && (o.split == NULL || *o.split == '\0')) {
        o.hold_out = LS_HOLD_OUT_LAST;
        o.validation = 0;
        o.fold = NULL;
    }
    return o;
}

ls_status ls_model_open_data(ls_source **out, const ls_model *m, const ls_model_data *data,
                             ls_dataset_info *info)
{
    ls_source *source = NULL;
    if (m->comm == NULL || m->params == NULL)
        return ls_fail(LS_ERR_USAGE, "%s: opened %s, so it can't be evaluated", m->path,
                       m->comm == NULL ? "without MPI" : "without its parameters");
    assert(data->split < LS_SPLITS);
    const ls_dataset_options options = options_for(data);
    ls_status status =
        ls_source_open(&source, m->comm, data->path, &options, !data->trust, data->read, info);
    if (status == LS_OK)
        status = check_fit(m, data, info);
    if (status == LS_OK)
        status = ls_agree_root(
            m->comm, ls_comm_rank(m->comm) == 0 ? check_texts(m, source, data->path) : LS_OK);
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

void ls_model_labels(const ls_model *m, const ls_samples *samples, int64_t at, int32_t *labels)
{
    const ls_sample *sample = ls_sample_at(samples, at);
    const ls_sample_format *format = &samples->format;
    const int64_t T = ls_model_steps(m);
    const int64_t length = format->ragged ? (int64_t)*ls_sample_length(samples, sample) : T;
    labels[0] = sample->label;
    for (int64_t t = 0; ls_model_info_by_step(&m->info) && t < T; t++)
        labels[t] =
            format->values == T && t < length ? (int32_t)ls_sample_targets(samples, sample)[t] : -1;
}

/* Sets the corruption of the rows; the same on all ranks. Local. */
static ls_status set_corruption(ls_input_format *format, const ls_model_data *data)
{
    const ls_status status =
        data->corrupt != NULL
            ? ls_corruption_make(&format->corruption, data->corrupt, data->options.seed)
            : LS_OK;
    return status == LS_OK && format->vocabulary > 0 && ls_corruption_is_some(&format->corruption)
               ? ls_fail(LS_ERR_USAGE,
                         "--corrupt: the inputs of %s are tokens, numbers of words: leave it out",
                         data->path)
               : status;
}

ls_status ls_model_read(ls_rows **out, const ls_model *m, const ls_model_data *data)
{
    ls_input_format format = ls_model_format(m);
    ls_dataset_info info;
    ls_source *source = NULL;
    if (m->info.generates)
        return ls_fail(
            LS_ERR_USAGE,
            "%s: is a generator, which makes rows from noise: `lockstep generate --score` "
            "evaluates it",
            m->path);
    ls_status status = set_corruption(&format, data);
    if (status == LS_OK)
        status = ls_model_open_data(&source, m, data, &info);
    if (status == LS_OK && !data->bare)
        status = ls_model_check_targets(&info);
    if (status == LS_OK)
        status = ls_source_rows(source, data->split, &format, out);
    ls_source_close(&source);
    return status;
}

/* Compares the rows of a split with those of the training. Local.
 * wanted  their fingerprint; 0: unknown */
static ls_status compare_split(const ls_model *m, const ls_dataset *dataset, ls_split split,
                               uint64_t wanted)
{
    uint64_t found = 0;
    const ls_status status = wanted == 0 ? LS_OK : ls_dataset_fingerprint(dataset, split, &found);
    if (status != LS_OK || found == wanted)
        return status;
    return ls_fail(LS_ERR_DATA, "%s: its %s rows are not those that %s was %s on",
                   ls_dataset_file(dataset, 0), ls_split_name(split), m->path,
                   split == LS_TRAIN ? "trained" : "validated");
}

/* Returns the dataset of the training's weights, "" without, in a copy of the settings. */
static const char *weights_of(char *config)
{
    char *name, *value, *at = config;
    int line = 0;
    while (ls_text_cut_pair(&at, &line, &name, &value))
        if (value != NULL && strcmp(name, "weights") == 0)
            return value;
    return "";
}

/* Compares the rows with those of the training. Local. */
static ls_status compare_rows(const ls_model *m, const ls_model_data *data)
{
    ls_dataset *dataset = NULL;
    ls_dataset_options options = data->options;
    char *config = ls_strdup(m->info.config);
    if (config == NULL)
        return LS_ERR_FAILURE;
    options.weights = weights_of(config);
    ls_status status = ls_dataset_open(&dataset, data->path, &options);
    if (status == LS_OK)
        status = compare_split(m, dataset, LS_TRAIN, m->info.fingerprint);
    if (status == LS_OK)
        status = compare_split(m, dataset, LS_VALIDATION, m->info.validation_fingerprint);
    ls_dataset_close(&dataset);
    ls_free(config);
    return status;
}

ls_status ls_model_check_same(const ls_model *m, const ls_model_data *data)
{
    const bool root = ls_comm_rank(m->comm) == 0;
    return ls_agree_root(m->comm, root ? compare_rows(m, data) : LS_OK);
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

ls_status ls_model_reconstruct(const ls_model *m, ls_rows *rows, int64_t most,
                               ls_pictures_sink sink, void *user)
{
    const ls_evaluation evaluation = evaluation_of(m, rows);
    const ls_generated wanted = {
        .epoch = m->facts.epoch, .rows = most, .shape = m->info.input, .element = m->info.element};
    if (!m->reconstructs)
        return ls_fail(LS_ERR_USAGE,
                       "%s: reconstructs nothing: it was not trained with --targets "
                       "inputs",
                       m->path);
    return ls_reconstruct(&evaluation, wanted, sink, user);
}

ls_status ls_model_misclassified(const ls_model *m, ls_rows *rows, int64_t most,
                                 ls_misclassified *out, int64_t *count)
{
    const ls_evaluation evaluation = evaluation_of(m, rows);
    return ls_find_misclassified(&evaluation, most, out, count);
}
