/* Opens a checkpoint's model, with or without MPI: rank 0 reads it, the others receive it. */
#include "train/model_state.h"

#include "parallel/collectives.h"
#include "train/evaluate.h"
#include "train/reading.h"

#include "base/memory.h"
#include "base/text.h"

#include <lockstep/run.h>

#include <math.h>

/* ls_agree(), or the status itself without MPI. Collective. */
static ls_status agree(const ls_model *m, ls_status status)
{
    return m->comm != NULL ? ls_agree(m->comm, status) : status;
}

/* The same for an action of rank 0. Collective. */
static ls_status agree_root(const ls_model *m, ls_status status)
{
    return m->comm != NULL ? ls_agree_root(m->comm, status) : status;
}

static bool is_root(const ls_model *m)
{
    return m->comm == NULL || ls_comm_rank(m->comm) == 0;
}

/* Sets facts.reading and facts.corrupt from the settings. Local. */
static ls_status read_dataset_options(ls_model *m)
{
    ls_dataset_options *o = &m->facts.reading;
    ls_train_config config;
    const ls_status status = ls_reading_parse(&config, m->path, m->info.config, &m->reading_texts);
    *o = ls_reading_options(&config);
    m->reconstructs = status == LS_OK && ls_dataset_targets_are_inputs(o);
    m->facts.corrupt = m->reconstructs ? config.corrupt : "none";
    o->kind = ls_model_info_by_step(&m->info) ? LS_TARGET_STEPS
              : m->info.classes > 0           ? LS_TARGET_CLASSES
              : m->info.loss == LS_BCE        ? LS_TARGET_FRACTIONS
                                              : LS_TARGET_VALUES;
    o->classes = m->info.classes;
    if (m->reconstructs && m->info.values != ls_shape_size(m->info.input))
        return ls_fail(LS_ERR_DATA,
                       "%s: contradicts itself: its targets are its inputs, but %lld numbers "
                       "against %d values",
                       m->path, (long long)ls_shape_size(m->info.input), m->info.values);
    return status;
}

/* Lists the texts of a model's info. */
enum { TEXTS = 6 };
static void list_texts(ls_model_info *id, char **texts[TEXTS])
{
    texts[0] = &id->run;
    texts[1] = &id->model;
    texts[2] = &id->dataset;
    texts[3] = &id->compute;
    texts[4] = &id->config;
    texts[5] = &id->discriminator;
}

static ls_model_info without_texts(ls_model_info id)
{
    char **texts[TEXTS];
    list_texts(&id, texts);
    for (int i = 0; i < TEXTS; i++)
        *texts[i] = NULL;
    return id;
}

/* Copies a model's info and its texts. Local. */
static ls_status copy_model_info(ls_model_info *to, const ls_model_info *from)
{
    char **texts[TEXTS];
    bool whole = true;
    *to = *from;
    to->class_names = to->tokens = (ls_text_list){0};
    list_texts(to, texts);
    for (int i = 0; i < TEXTS; i++) {
        *texts[i] = ls_strdup(*texts[i] != NULL ? *texts[i] : "");
        whole = whole && *texts[i] != NULL;
    }
    return whole ? LS_OK : LS_ERR_FAILURE;
}

/* Reads the metrics of the latest epoch. Local. */
static ls_status read_latest(ls_model *m, const ls_checkpoint *checkpoint)
{
    const int64_t epochs = m->facts.epoch;
    if (epochs == 0)
        return LS_OK;
    ls_metrics *history = ls_alloc(epochs, sizeof *history);
    const ls_status status =
        history == NULL ? LS_ERR_FAILURE : ls_checkpoint_read_history(checkpoint, history);
    if (status == LS_OK)
        m->facts.latest = history[epochs - 1];
    ls_free(history);
    return status;
}

/* Copies the statistics of --standardize, and their numbers to the facts. Local. */
static ls_status copy_standardization(ls_model *m, const ls_standardization *from)
{
    m->facts.inputs.count = from->inputs.count;
    m->facts.targets.count = from->targets.count;
    const ls_status status = ls_columns_copy(&m->standardization.inputs, &from->inputs);
    return status == LS_OK ? ls_columns_copy(&m->standardization.targets, &from->targets) : status;
}

/* Broadcasts rank 0's statistics of some columns. Collective. */
static ls_status broadcast_columns(const ls_model *m, int64_t count, ls_columns *columns)
{
    const ls_status status =
        ls_agree(m->comm, is_root(m) ? LS_OK : ls_columns_create(columns, count));
    if (status != LS_OK)
        return status;
    ls_broadcast(m->comm, columns->mean, 2 * (size_t)count * sizeof *columns->mean);
    (void)ls_columns_complete(columns);
    return LS_OK;
}

/* Opens the checkpoint and reads everything except the parameters; on rank 0. Local. */
static ls_status read_facts(ls_model *m, const char *path, ls_checkpoint **out)
{
    ls_status status = ls_checkpoint_find(path, false, m->path, sizeof m->path);
    if (status == LS_OK)
        status = ls_checkpoint_open(out, m->path);
    if (status != LS_OK)
        return status;
    const ls_progress *progress = ls_checkpoint_progress(*out);
    m->facts.epoch = progress->epoch;
    m->facts.step = progress->step;
    m->facts.steps = progress->optimizer_steps;
    m->facts.best_epoch = progress->early_stop.best_epoch;
    m->facts.has_average = ls_checkpoint_has_average(*out, LS_MODEL);
    m->facts.averaged = m->facts.has_average && m->load == LS_MODEL_EVALUATED;
    status = copy_model_info(&m->info, ls_checkpoint_model(*out));
    if (status == LS_OK)
        status = ls_text_list_append(&m->class_names, &ls_checkpoint_model(*out)->class_names);
    if (status == LS_OK)
        status = ls_text_list_append(&m->tokens, &ls_checkpoint_model(*out)->tokens);
    if (status == LS_OK)
        status = copy_standardization(m, ls_checkpoint_model(*out)->standardization);
    return status == LS_OK ? read_latest(m, *out) : status;
}

/* Broadcasts rank 0's facts. Collective. */
static ls_status broadcast_facts(ls_model *m)
{
    char **texts[TEXTS];
    ls_status status = LS_OK;
    if (m->comm == NULL)
        return LS_OK;
    ls_broadcast(m->comm, &m->facts, sizeof m->facts);
    ls_model_info received = m->info;
    ls_broadcast(m->comm, &received, sizeof received);
    if (!is_root(m)) /* the texts in it are rank 0's addresses */
        m->info = without_texts(received);
    list_texts(&m->info, texts);
    for (int i = 0; status == LS_OK && i < TEXTS; i++)
        status = ls_broadcast_text(m->comm, texts[i]);
    if (status == LS_OK)
        status = broadcast_columns(m, m->facts.inputs.count, &m->standardization.inputs);
    if (status == LS_OK)
        status = broadcast_columns(m, m->facts.targets.count, &m->standardization.targets);
    return status;
}

ls_status ls_model_create_network(ls_model *m)
{
    const ls_model_info *id = &m->info;
    const int64_t rows = m->load == LS_MODEL_NONE ? 0 : LS_EVALUATION_ROWS;
    ls_status status = ls_network_create(&m->network, id->model, id->input,
                                         ls_model_info_outputs(id), id->loss, rows);
    if (status == LS_OK)
        ls_network_set_huber(m->network, id->huber);
    const ls_columns *targets = &m->standardization.targets;
    if (status == LS_OK && targets->count > 0 && targets->count == id->values)
        status = ls_network_set_target_scale(m->network, targets->std);
    if (status == LS_OK && m->reconstructs)
        ls_network_set_reconstructs(m->network);
    if (status != LS_OK || m->load == LS_MODEL_NONE)
        return status;
    m->params = ls_alloc(ls_network_size(m->network), sizeof *m->params);
    if (m->params == NULL)
        return LS_ERR_FAILURE;
    return ls_batch_create(&m->batch, rows, ls_shape_size(id->input), id->values);
}

/* Loads the parameters on all ranks. Collective. */
static ls_status load_params(ls_model *m, const ls_checkpoint *checkpoint)
{
    ls_status status = LS_OK;
    if (m->load == LS_MODEL_NONE)
        return LS_OK;
    if (is_root(m))
        status = m->facts.averaged
                     ? ls_checkpoint_read_outcome(checkpoint, m->network, m->params)
                     : ls_checkpoint_read_params(checkpoint, LS_MODEL, m->network, m->params);
    status = agree_root(m, status);
    if (status == LS_OK && m->comm != NULL)
        ls_broadcast(m->comm, m->params, (size_t)ls_network_size(m->network) * sizeof *m->params);
    return status;
}

static ls_column_scale publish_columns(const ls_columns *c)
{
    return (ls_column_scale){c->count, c->mean, c->std};
}

void ls_model_publish(ls_model *m)
{
    m->facts.path = m->path;
    m->facts.run = m->info.run;
    m->facts.dataset = m->info.dataset;
    m->facts.config = m->info.config;
    m->facts.model = m->info.model;
    m->facts.input = m->info.input;
    m->facts.classes = m->info.classes;
    m->facts.values = m->info.values;
    m->facts.vocabulary = m->info.vocabulary;
    m->facts.tokens = m->tokens.count > 0 ? (const char *const *)m->tokens.text : NULL;
    m->facts.class_names =
        m->class_names.count > 0 ? (const char *const *)m->class_names.text : NULL;
    m->facts.generates = m->info.generates;
    m->facts.discriminator = m->info.discriminator;
    m->facts.picture = m->info.picture;
    m->facts.picture_element = m->info.picture_element;
    m->facts.conditions = m->info.conditions;
    m->facts.loss = m->info.loss;
    m->facts.huber = m->info.huber;
    if (m->network != NULL)
        m->facts.task = ls_network_task(m->network, m->info.values);
    if (m->info.generates)
        m->facts.task.kind = LS_TASK_GENERATION;
    m->facts.element = m->info.element;
    m->facts.mean = m->info.mean;
    m->facts.std = m->info.std;
    m->facts.border = m->info.has_border ? m->info.border : NAN;
    m->info.standardization = &m->standardization;
    m->facts.inputs = publish_columns(&m->standardization.inputs);
    m->facts.targets = publish_columns(&m->standardization.targets);
    m->facts.max_rows = m->load == LS_MODEL_NONE ? 0 : LS_EVALUATION_ROWS;
}

/* Reads the checkpoint on rank 0 and creates the model on all ranks. Collective. */
static ls_status open_model(ls_model *m, const char *path)
{
    ls_checkpoint *checkpoint = NULL; /* on rank 0 */
    ls_status status = agree_root(m, is_root(m) ? read_facts(m, path, &checkpoint) : LS_OK);
    if (status == LS_OK)
        status = broadcast_facts(m);
    if (status == LS_OK)
        status = agree(m, read_dataset_options(m));
    if (status == LS_OK)
        status = agree(m, ls_model_create_network(m));
    if (status == LS_OK)
        status = load_params(m, checkpoint);
    ls_checkpoint_close(&checkpoint);
    ls_model_publish(m);
    return status;
}

ls_status ls_model_open(ls_model **out, ls_comm *comm, const char *path, ls_model_load load)
{
    ls_model *m = ls_alloc(1, sizeof *m);
    ls_status status = m == NULL ? LS_ERR_FAILURE : LS_OK;
    if (comm != NULL)
        status = ls_agree(comm, status);
    if (status == LS_OK) {
        m->comm = comm;
        m->load = load;
        status = open_model(m, path);
    }
    if (status == LS_OK)
        *out = m;
    else
        ls_model_destroy(&m);
    return status;
}

const ls_model_facts *ls_model_describe(const ls_model *model)
{
    return &model->facts;
}

ls_network *ls_model_network(const ls_model *model)
{
    return model->network;
}

const float *ls_model_params(const ls_model *model)
{
    return model->params;
}

void ls_model_destroy(ls_model **model)
{
    if (model == NULL || *model == NULL)
        return;
    char **texts[TEXTS];
    list_texts(&(*model)->info, texts);
    for (int i = 0; i < TEXTS; i++)
        ls_free(*texts[i]);
    ls_network_destroy(&(*model)->network);
    ls_batch_destroy(&(*model)->batch);
    ls_standardization_destroy(&(*model)->standardization);
    ls_text_list_free(&(*model)->class_names);
    ls_text_list_free(&(*model)->tokens);
    ls_free((*model)->params);
    ls_free((*model)->reading_texts);
    ls_free(*model);
    *model = NULL;
}
