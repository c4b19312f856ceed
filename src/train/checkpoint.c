/* The content of a checkpoint file. Where the files lie is checkpoint_folder.c's business. */
#include <lockstep/checkpoint.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/memory.h"
#include "data/h5.h"
#include "data/samples.h"
#include "data/seal.h"
#include "train/checkpoint_arena.h"
#include "train/checkpoint_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { VERSION = 3 };

/* Checkpoints of older versions have none. */
static const char validation_name[] = "validation_fingerprint";

struct ls_checkpoint {
    ls_h5 *file;
    ls_identity identity;
    ls_progress progress;
};

static ls_status write_identity(ls_h5 *file, const ls_identity *id)
{
    char fingerprint[17], validation[17];
    snprintf(fingerprint, sizeof fingerprint, "%016" PRIx64, id->fingerprint);
    snprintf(validation, sizeof validation, "%016" PRIx64, id->validation_fingerprint);
    const struct {
        const char *name, *text;
    } texts[] = {
        {"format", "lockstep-checkpoint"},
        {"model", id->model},
        {"loss", ls_loss_name(id->loss)},
        {"dataset", id->dataset},
        {"compute", id->compute},
        {"config", id->config},
        {"dataset_fingerprint", fingerprint},
        {validation_name, validation},
    };
    const struct {
        const char *name;
        int64_t value;
    } integers[] = {
        {"version", VERSION},         {"classes", id->classes},   {"channels", id->input.channels},
        {"height", id->input.height}, {"width", id->input.width},
    };
    ls_status status = LS_OK;
    for (size_t i = 0; status == LS_OK && i < sizeof texts / sizeof *texts; i++)
        if (texts[i].name != validation_name || id->knows_validation)
            status = ls_h5_put_text(file, texts[i].name, texts[i].text);
    if (status == LS_OK && id->run != NULL)
        status = ls_h5_put_text(file, "run", id->run);
    for (size_t i = 0; status == LS_OK && i < sizeof integers / sizeof *integers; i++)
        status = ls_h5_put_int(file, integers[i].name, integers[i].value);
    if (status == LS_OK)
        status = ls_h5_put_real(file, "mean", id->mean);
    if (status == LS_OK)
        status = ls_h5_put_real(file, "std", id->std);
    return status;
}

static ls_status write_progress(ls_h5 *file, const ls_progress *p, const ls_metrics *history)
{
    char columns[512] = "";
    for (int i = 0; i < LS_METRICS_COLUMNS; i++)
        snprintf(columns + strlen(columns), sizeof columns - strlen(columns), "%s%s",
                 i > 0 ? "," : "", ls_metrics_name(i));
    ls_h5_shape shape = {.type = LS_H5_F64, .rank = 2, .dims = {p->epoch, LS_METRICS_COLUMNS}};
    const struct {
        const char *name;
        int64_t value;
    } integers[] = {
        {"epoch", p->epoch},
        {"step", p->step},
        {"optimizer_steps", p->optimizer_steps},
        {"best_steps", p->best_steps},
        {"best_epoch", p->early_stop.best_epoch},
        {"waited", p->early_stop.waited},
        {"ranks", p->ranks},
    };
    ls_status status = ls_h5_put_text(file, "columns", columns);
    for (size_t i = 0; status == LS_OK && i < sizeof integers / sizeof *integers; i++)
        status = ls_h5_put_int(file, integers[i].name, integers[i].value);
    if (status == LS_OK)
        status = ls_h5_put_real(file, "best", p->early_stop.best);
#define PUT(name)                                                                                  \
    if (status == LS_OK)                                                                           \
        status = ls_h5_put_real(file, "partial_" #name, p->partial.name);
    LS_PARTIAL_LIST(PUT)
#undef PUT
    if (status == LS_OK)
        status = ls_h5_put_text(file, "reduce", ls_reduce_name(p->reduce));
    if (status == LS_OK)
        status = ls_h5_create_dataset(file, "metrics", &shape, false);
    if (status == LS_OK)
        status = ls_h5_write(file, "metrics", LS_H5_F64, 0, p->epoch, history);
    return status;
}

ls_status ls_checkpoint_write(const char *path, const ls_state *state)
{
    ls_status status = ls_fault(LS_FAULT_CHECKPOINT);
    ls_h5 *file = NULL;
    ls_h5_lock();
    if (status == LS_OK)
        status = ls_h5_create(&file, path);
    if (status == LS_OK)
        status = write_identity(file, state->identity);
    if (status == LS_OK)
        status = write_progress(file, state->progress, state->history);
    if (status == LS_OK)
        status = ls_arena_write(file, "parameters", state->network, state->params);
    for (int i = 0; status == LS_OK && i < ls_optimizer_slots(state->optimizer); i++) {
        char group[LS_ARENA_NAME];
        ls_arena_slot_group(group, state->optimizer, i);
        status = ls_arena_write(file, group, state->network,
                                state->slots != NULL ? state->slots[i]
                                                     : ls_optimizer_slot(state->optimizer, i));
    }
    ls_status closed = ls_h5_close(&file);
    ls_h5_unlock();
    if (status == LS_OK)
        status = closed;
    return status == LS_OK ? ls_seal_write(path) : status;
}

/* Reads a loss by its name. */
static ls_status read_loss(const ls_h5 *file, ls_loss *out)
{
    char *text;
    ls_status status = ls_h5_get_text(file, "loss", &text);
    if (status != LS_OK)
        return status;
    status = ls_fail(LS_ERR_DATA, "%s: attribute 'loss' is '%s', which is no loss that is known",
                     ls_h5_path(file), text);
#define IS_IT(value, name, help)                                                                   \
    if (strcmp(text, name) == 0) {                                                                 \
        *out = value;                                                                              \
        status = LS_OK;                                                                            \
    }
    LS_LOSS_LIST(IS_IT)
#undef IS_IT
    ls_free(text);
    return status;
}

static ls_status read_format(const ls_h5 *file)
{
    char *format = NULL;
    int64_t version = 0;
    ls_status status = LS_OK;
    if (ls_h5_has_attribute(file, "format"))
        status = ls_h5_get_text(file, "format", &format);
    if (status == LS_OK && (format == NULL || strcmp(format, "lockstep-checkpoint") != 0))
        status = ls_fail(LS_ERR_DATA, "%s: not a checkpoint", ls_h5_path(file));
    ls_free(format);
    if (status == LS_OK)
        status = ls_h5_get_int(file, "version", &version);
    if (status == LS_OK && version != VERSION)
        status = ls_fail(LS_ERR_DATA, "%s: checkpoint version %lld, this program reads version %d",
                         ls_h5_path(file), (long long)version, VERSION);
    return status;
}

static ls_status read_fingerprint(const ls_h5 *file, const char *name, uint64_t *out)
{
    char *text = NULL;
    ls_status status = ls_h5_get_text(file, name, &text);
    if (status == LS_OK)
        *out = strtoull(text, NULL, 16);
    ls_free(text);
    return status;
}

/* Files of before runs had an id have none. */
static ls_status read_run(const ls_h5 *file, char **out)
{
    if (!ls_h5_has_attribute(file, "run")) {
        *out = ls_strdup("");
        return *out == NULL ? LS_ERR_FAILURE : LS_OK;
    }
    ls_status status = ls_h5_get_text(file, "run", out);
    if (status == LS_OK && strlen(*out) >= LS_RUN_ID)
        status = ls_fail(LS_ERR_DATA, "%s: attribute 'run' is no run's id", ls_h5_path(file));
    return status;
}

static ls_status read_identity(const ls_h5 *file, ls_identity *id)
{
    int64_t classes = 0;
    ls_status status = ls_h5_get_text(file, "model", &id->model);
    if (status == LS_OK)
        status = read_run(file, &id->run);
    if (status == LS_OK)
        status = ls_h5_get_text(file, "dataset", &id->dataset);
    if (status == LS_OK)
        status = ls_h5_get_text(file, "compute", &id->compute);
    if (status == LS_OK)
        status = ls_h5_get_text(file, "config", &id->config);
    if (status == LS_OK)
        status = read_fingerprint(file, "dataset_fingerprint", &id->fingerprint);
    id->knows_validation = status == LS_OK && ls_h5_has_attribute(file, validation_name);
    if (id->knows_validation)
        status = read_fingerprint(file, validation_name, &id->validation_fingerprint);
    if (status == LS_OK)
        status = read_loss(file, &id->loss);
    if (status == LS_OK)
        status = ls_h5_get_int(file, "classes", &classes);
    if (status == LS_OK)
        status = ls_h5_get_int(file, "channels", &id->input.channels);
    if (status == LS_OK)
        status = ls_h5_get_int(file, "height", &id->input.height);
    if (status == LS_OK)
        status = ls_h5_get_int(file, "width", &id->input.width);
    if (status == LS_OK)
        status = ls_h5_get_real(file, "mean", &id->mean);
    if (status == LS_OK)
        status = ls_h5_get_real(file, "std", &id->std);
    if (status != LS_OK)
        return status;
    const ls_shape *in = &id->input;
    if (classes < 2 || classes > LS_MAX_CLASSES || !(id->std > 0) ||
        !ls_image_is_sane(in->channels, in->height, in->width))
        return ls_fail(LS_ERR_DATA, "%s: describes inputs or classes of an absurd size",
                       ls_h5_path(file));
    id->classes = (int)classes;
    return LS_OK;
}

/* Makes sure that the file holds the network that it names, before anybody takes memory for that.
 */
static ls_status check_model(const ls_h5 *file, const ls_identity *id)
{
    /* Parameters are in every file, of the others those of its optimizer. */
    static const char *const groups[] = {"parameters", "optimizer/m", "optimizer/v",
                                         "optimizer/momentum", LS_ARENA_AVERAGE};
    ls_network *network = NULL;
    ls_status status = ls_network_create(&network, id->model, id->input, id->classes, id->loss, 0);
    if (status == LS_ERR_USAGE)
        status = ls_fail(LS_ERR_DATA, "%s: names an impossible model: %s", ls_h5_path(file),
                         ls_error_text());
    for (size_t i = 0; status == LS_OK && i < sizeof groups / sizeof *groups; i++)
        if (i == 0 || ls_h5_has(file, groups[i]))
            status = ls_arena_read(file, groups[i], network, NULL);
    ls_network_destroy(&network);
    return status;
}

/* Whether numbers that a file gives can be those of a run with so many rows of metrics. */
static bool is_plausible(const ls_progress *p, const ls_h5_shape *metrics)
{
    const int64_t limit = INT64_C(1) << 53;
    const ls_early_stop *stop = &p->early_stop;
    return metrics->type == LS_H5_F64 && metrics->rank == 2 &&
           metrics->dims[1] == LS_METRICS_COLUMNS && metrics->dims[0] == p->epoch &&
           p->epoch >= 0 && p->step >= 0 && p->epoch <= p->optimizer_steps &&
           p->step <= p->optimizer_steps - p->epoch && p->optimizer_steps < limit &&
           stop->best_epoch >= 0 && stop->best_epoch <= p->epoch && stop->waited >= 0 &&
           stop->waited <= p->epoch && p->best_steps >= 0 && p->best_steps <= p->optimizer_steps;
}

/* A kind that this program does not know leaves the choice open. */
static ls_status read_reduce(const ls_h5 *file, ls_reduce *out)
{
    char *name = NULL;
    ls_status status = ls_h5_get_text(file, "reduce", &name);
    if (status != LS_OK)
        return status;
    int kind = 0;
    while (kind < LS_REDUCERS && strcmp(name, ls_reduce_name((ls_reduce)kind)) != 0)
        kind++;
    *out = (ls_reduce)kind;
    ls_free(name);
    return LS_OK;
}

static ls_status read_progress(const ls_h5 *file, ls_progress *p)
{
    const struct {
        const char *name;
        int64_t *value;
    } integers[] = {
        {"epoch", &p->epoch},
        {"step", &p->step},
        {"optimizer_steps", &p->optimizer_steps},
        {"best_steps", &p->best_steps},
        {"best_epoch", &p->early_stop.best_epoch},
        {"waited", &p->early_stop.waited},
        {"ranks", &p->ranks},
    };
    ls_status status = LS_OK;
    for (size_t i = 0; status == LS_OK && i < sizeof integers / sizeof *integers; i++)
        status = ls_h5_get_int(file, integers[i].name, integers[i].value);
    if (status == LS_OK)
        status = ls_h5_get_real(file, "best", &p->early_stop.best);
#define GET(name)                                                                                  \
    if (status == LS_OK)                                                                           \
        status = ls_h5_get_real(file, "partial_" #name, &p->partial.name);
    LS_PARTIAL_LIST(GET)
#undef GET
    if (status == LS_OK)
        status = read_reduce(file, &p->reduce);
    ls_h5_shape shape = {0};
    if (status == LS_OK)
        status = ls_h5_describe(file, "metrics", &shape);
    if (status == LS_OK && !is_plausible(p, &shape))
        status = ls_fail(LS_ERR_DATA, "%s: its progress and its metrics contradict each other",
                         ls_h5_path(file));
    return status;
}

/* Opens a file whose seal is intact. */
static ls_status open_sealed(ls_checkpoint **out, const char *path)
{
    ls_status status;
    ls_checkpoint *checkpoint = ls_alloc(1, sizeof *checkpoint);
    if (checkpoint == NULL)
        return LS_ERR_FAILURE;
    status = ls_h5_open(&checkpoint->file, path);
    if (status == LS_OK)
        status = read_format(checkpoint->file);
    if (status == LS_OK)
        status = read_identity(checkpoint->file, &checkpoint->identity);
    if (status == LS_OK)
        status = check_model(checkpoint->file, &checkpoint->identity);
    if (status == LS_OK)
        status = read_progress(checkpoint->file, &checkpoint->progress);
    if (status != LS_OK) {
        ls_checkpoint_close(&checkpoint);
        return status;
    }
    *out = checkpoint;
    return LS_OK;
}

static ls_status try_opening(const void *path)
{
    ls_checkpoint *checkpoint = NULL;
    ls_status status = open_sealed(&checkpoint, path);
    ls_checkpoint_close(&checkpoint);
    return status;
}

ls_status ls_checkpoint_examine(ls_checkpoint **out, const char *path, ls_condition *condition)
{
    ls_seal seal;
    ls_status status = ls_seal_verify(path, &seal, NULL);
    if (status == LS_OK && seal == LS_SEAL_ABSENT)
        status = ls_fail(LS_ERR_DATA, "%s: not a checkpoint: it carries no seal", path);
    if (status == LS_OK)
        status = ls_h5_try(path, try_opening, path);
    if (status == LS_OK)
        status = open_sealed(out, path);
    if (status == LS_OK)
        *condition = LS_CHECKPOINT_WHOLE;
    else if (seal == LS_SEAL_BROKEN)
        *condition = LS_CHECKPOINT_DAMAGED;
    else if (seal == LS_SEAL_ABSENT)
        *condition = LS_CHECKPOINT_FOREIGN;
    else
        *condition = access(path, F_OK) != 0 && errno == ENOENT ? LS_CHECKPOINT_GONE
                                                                : LS_CHECKPOINT_UNREADABLE;
    return status;
}

ls_status ls_checkpoint_open(ls_checkpoint **out, const char *path)
{
    ls_condition condition;
    return ls_checkpoint_examine(out, path, &condition);
}

static ls_status peek_run(const char *path, char **out)
{
    ls_h5 *file = NULL;
    ls_status status = ls_h5_open(&file, path);
    if (status == LS_OK)
        status = read_format(file);
    if (status == LS_OK)
        status = read_run(file, out);
    (void)ls_h5_close(&file);
    return status;
}

static ls_status try_peeking(const void *path)
{
    char *run = NULL;
    ls_status status = peek_run(path, &run);
    ls_free(run);
    return status;
}

ls_status ls_checkpoint_peek_run(const char *path, char **out)
{
    ls_status status = ls_h5_try(path, try_peeking, path);
    return status == LS_OK ? peek_run(path, out) : status;
}

void ls_checkpoint_close(ls_checkpoint **checkpoint)
{
    if (checkpoint == NULL || *checkpoint == NULL)
        return;
    (void)ls_h5_close(&(*checkpoint)->file);
    ls_free((*checkpoint)->identity.run);
    ls_free((*checkpoint)->identity.model);
    ls_free((*checkpoint)->identity.dataset);
    ls_free((*checkpoint)->identity.compute);
    ls_free((*checkpoint)->identity.config);
    ls_free(*checkpoint);
    *checkpoint = NULL;
}

const char *ls_checkpoint_path(const ls_checkpoint *checkpoint)
{
    return ls_h5_path(checkpoint->file);
}

const ls_identity *ls_checkpoint_identity(const ls_checkpoint *checkpoint)
{
    return &checkpoint->identity;
}

const ls_progress *ls_checkpoint_progress(const ls_checkpoint *checkpoint)
{
    return &checkpoint->progress;
}

ls_status ls_checkpoint_read_history(const ls_checkpoint *checkpoint, ls_metrics *history)
{
    return ls_h5_read(checkpoint->file, "metrics", LS_H5_F64, 0, checkpoint->progress.epoch,
                      history);
}

ls_status ls_checkpoint_read_params(const ls_checkpoint *checkpoint, const ls_network *network,
                                    float *params)
{
    return ls_arena_read(checkpoint->file, "parameters", network, params);
}

bool ls_checkpoint_has_average(const ls_checkpoint *checkpoint)
{
    return ls_h5_has(checkpoint->file, LS_ARENA_AVERAGE);
}

ls_status ls_checkpoint_read_outcome(const ls_checkpoint *checkpoint, const ls_network *network,
                                     float *params)
{
    const bool average = ls_checkpoint_has_average(checkpoint);
    return ls_arena_read(checkpoint->file, average ? LS_ARENA_AVERAGE : "parameters", network,
                         params);
}

ls_status ls_checkpoint_read_optimizer(const ls_checkpoint *checkpoint, const ls_network *network,
                                       ls_optimizer *optimizer)
{
    ls_status status = LS_OK;
    for (int i = 0; status == LS_OK && i < ls_optimizer_slots(optimizer); i++) {
        char group[LS_ARENA_NAME];
        if (ls_arena_is_average(optimizer, i) && !ls_checkpoint_has_average(checkpoint))
            continue;
        ls_arena_slot_group(group, optimizer, i);
        status = ls_arena_read(checkpoint->file, group, network, ls_optimizer_slot(optimizer, i));
    }
    if (status == LS_OK)
        ls_optimizer_set_steps(optimizer, checkpoint->progress.optimizer_steps);
    return status;
}
