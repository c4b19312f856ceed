/* The content of a checkpoint file. checkpoint_folder.c and checkpoint_find.c manage the files. */
#include "run/checkpoint.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/memory.h"
#include "data/h5.h"
#include "data/magic.h"
#include "data/samples.h"
#include "data/seal.h"
#include "run/checkpoint_arena.h"
#include "run/checkpoint_attributes.h"
#include "run/checkpoint_file.h"
#include "run/checkpoint_history.h"
#include "run/checkpoint_standardization.h"

#include <errno.h>
#include <unistd.h>

struct ls_checkpoint {
    ls_h5 *file;
    ls_checkpoint_facts facts;
    ls_standardization standardization;
};

/* Writes a network's parameters and its optimizer's slots. */
static ls_status write_trained(ls_h5 *file, ls_player player, const ls_trained *t)
{
    char group[LS_ARENA_NAME];
    ls_arena_group(group, player, LS_ARENA_PARAMETERS);
    ls_status status = ls_arena_write(file, group, t->network, t->params);
    for (int i = 0; status == LS_OK && i < ls_optimizer_slots(t->optimizer); i++) {
        ls_arena_slot_group(group, player, t->optimizer, i);
        status =
            ls_arena_write(file, group, t->network,
                           t->slots != NULL ? t->slots[i] : ls_optimizer_slot(t->optimizer, i));
    }
    return status;
}

ls_status ls_checkpoint_write(const char *path, const ls_state *state)
{
    const ls_checkpoint_facts facts = {*state->info, *state->progress};
    ls_status status = ls_fault(LS_FAULT_CHECKPOINT);
    ls_h5 *file = NULL;
    ls_h5_lock();
    if (status == LS_OK)
        status = ls_h5_create(&file, path);
    if (status == LS_OK)
        status = ls_attributes_write(file, &facts);
    if (status == LS_OK)
        status = ls_history_write(file, state->history, state->progress->epoch);
    if (status == LS_OK && state->info->standardization != NULL)
        status = ls_standardization_write(file, state->info->standardization);
    for (ls_player p = LS_MODEL; status == LS_OK && p < LS_PLAYERS; p++)
        if (state->trained[p].network != NULL)
            status = write_trained(file, p, &state->trained[p]);
    ls_status closed = ls_h5_close(&file);
    ls_h5_unlock();
    if (status == LS_OK)
        status = closed;
    return status == LS_OK ? ls_seal_write(path) : status;
}

/* Returns true if the targets are classes, of rows or of steps, or values, and the loss is one of
 * theirs. */
static bool targets_fit(const ls_model_info *id)
{
    return (id->classes == 0 ? id->values > 0 : id->classes >= 2) &&
           ls_loss_check(id->loss, id->values, id->classes) == LS_OK;
}

/* Returns true if the inputs can be normalised as the file says. */
static bool inputs_fit(const ls_model_info *id)
{
    ls_normalization normalization;
    return ls_image_is_sane(id->input.channels, id->input.height, id->input.width) &&
           ls_normalization_make(&normalization, id->mean, id->std) == LS_OK &&
           (!id->has_border || (id->border >= 0 && id->border <= 1));
}

/* Checks what the file says of the model's data, each number and all together: whoever reads the
 * checkpoint relies on it. The config's settings are checked where they are read. */
static ls_status check_info(const ls_h5 *file, const ls_model_info *id)
{
    if ((id->values < 1 && id->classes < 2) || !inputs_fit(id))
        return ls_fail(LS_ERR_DATA, "%s: describes inputs or targets of an absurd size or range",
                       ls_h5_path(file));
    if (!targets_fit(id))
        return ls_fail(LS_ERR_DATA,
                       "%s: contradicts itself: a loss of %s for targets of %d classes and %d "
                       "values",
                       ls_h5_path(file), ls_loss_name(id->loss), id->classes, id->values);
    if (id->generates &&
        (id->classes > 0 || id->conditions >= id->input.channels || id->input.height != 1 ||
         id->input.width != 1 ||
         !ls_image_is_sane(id->picture.channels, id->picture.height, id->picture.width) ||
         ls_shape_size(id->picture) != id->values))
        return ls_fail(LS_ERR_DATA, "%s: contradicts itself: a generator of other rows",
                       ls_h5_path(file));
    return LS_OK;
}

/* Creates a network without memory for rows, as the file describes it. */
static ls_status create_described(ls_network **out, ls_player player, const ls_model_info *id)
{
    if (player == LS_DISCRIMINATOR)
        return ls_network_create(out, id->discriminator, id->picture, ls_model_info_judgements(id),
                                 LS_BCE, 0);
    ls_status status =
        ls_network_create(out, id->model, id->input, ls_model_info_outputs(id), id->loss, 0);
    return status == LS_OK ? ls_network_check_targets(*out, id->values) : status;
}

/* Checks that the file holds parameters for a network that it names, before memory is allocated for
 * them. */
static ls_status check_network(const ls_h5 *file, ls_player player, const ls_model_info *id)
{
    /* Every file has parameters; the other arenas depend on the optimizer. */
    static const char *const arenas[] = {LS_ARENA_PARAMETERS, "optimizer/m", "optimizer/v",
                                         "optimizer/momentum", LS_ARENA_AVERAGE};
    ls_network *network = NULL;
    ls_status status = create_described(&network, player, id);
    if (status == LS_ERR_USAGE)
        status = ls_fail(LS_ERR_DATA, "%s: names an impossible model: %s", ls_h5_path(file),
                         ls_error_text());
    for (size_t i = 0; status == LS_OK && i < sizeof arenas / sizeof *arenas; i++) {
        char group[LS_ARENA_NAME];
        ls_arena_group(group, player, arenas[i]);
        if (i == 0 || ls_h5_has(file, group))
            status = ls_arena_read(file, group, network, NULL);
    }
    ls_network_destroy(&network);
    return status;
}

static ls_status check_model(const ls_h5 *file, const ls_model_info *id)
{
    const ls_status status = check_network(file, LS_MODEL, id);
    return status == LS_OK && id->generates ? check_network(file, LS_DISCRIMINATOR, id) : status;
}

/* Returns true if the numbers are possible and consistent. */
static bool is_plausible(const ls_progress *p)
{
    const int64_t limit = INT64_C(1) << 53;
    const ls_early_stop *stop = &p->early_stop;
    return p->epoch >= 0 && p->step >= 0 && p->epoch <= p->optimizer_steps &&
           p->step <= p->optimizer_steps - p->epoch && p->optimizer_steps < limit &&
           stop->best_epoch >= 0 && stop->best_epoch <= p->epoch && stop->waited >= 0 &&
           stop->waited <= p->epoch && p->best_steps >= 0 && p->best_steps <= p->optimizer_steps &&
           p->totals.score.rows >= 0 && p->totals.score.rows < limit;
}

static ls_status check_progress(const ls_h5 *file, const ls_progress *progress)
{
    ls_status status = ls_history_check(file, progress->epoch);
    if (status == LS_OK && !is_plausible(progress))
        status = ls_fail(LS_ERR_DATA, "%s: its progress and its metrics contradict each other",
                         ls_h5_path(file));
    return status;
}

static ls_status read_standardization(ls_checkpoint *checkpoint)
{
    ls_model_info *id = &checkpoint->facts.info;
    id->standardization = &checkpoint->standardization;
    return ls_standardization_read(checkpoint->file, id->input.channels, id->values,
                                   &checkpoint->standardization);
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
        status = ls_attributes_read(checkpoint->file, &checkpoint->facts);
    if (status == LS_OK)
        status = check_info(checkpoint->file, &checkpoint->facts.info);
    if (status == LS_OK)
        status = check_model(checkpoint->file, &checkpoint->facts.info);
    if (status == LS_OK)
        status = read_standardization(checkpoint);
    if (status == LS_OK)
        status = check_progress(checkpoint->file, &checkpoint->facts.progress);
    if (status != LS_OK) {
        ls_checkpoint_close(&checkpoint);
        return status;
    }
    *out = checkpoint;
    return LS_OK;
}

static ls_status checkpoint_try_open(const void *path)
{
    ls_checkpoint *checkpoint = NULL;
    ls_status status = open_sealed(&checkpoint, path);
    ls_checkpoint_close(&checkpoint);
    return status;
}

static ls_status try_dataset(const void *path)
{
    ls_h5 *file = NULL;
    ls_status status = ls_h5_open(&file, path);
    if (status == LS_OK)
        status = ls_attributes_check_dataset(file);
    (void)ls_h5_close(&file);
    return status;
}

static ls_status try_open(const void *path)
{
    ls_h5 *file = NULL;
    const ls_status status = ls_h5_open(&file, path);
    (void)ls_h5_close(&file);
    return status;
}

/* Names an HDF5 file that is neither a checkpoint nor a data set. */
static const char *name_hdf5(const char *path)
{
    ls_h5 *file = NULL;
    if (ls_h5_open(&file, path) != LS_OK)
        return NULL;
    const char *what = ls_h5_has_attribute(file, "model_config") ? "a Keras network"
                       : ls_h5_has_attribute(file, "format")     ? "a file of predictions"
                                                                 : "another HDF5 file";
    (void)ls_h5_close(&file);
    return what;
}

/* Returns the error for a file without a seal, which no checkpoint is. */
static ls_status fail_without_seal(const char *path)
{
    if (ls_h5_try(path, try_dataset, path) == LS_OK)
        return ls_fail(LS_ERR_DATA, "%s: is a data set, not a checkpoint", path);
    const char *what = ls_magic_name(path);
    if (what == NULL && ls_h5_try(path, try_open, path) == LS_OK)
        what = name_hdf5(path);
    return what != NULL ? ls_fail(LS_ERR_DATA,
                                  "%s: not a checkpoint, but %s: give the run folder, or a file of "
                                  "its folder checkpoints",
                                  path, what)
                        : ls_fail(LS_ERR_DATA, "%s: not a checkpoint: it carries no seal", path);
}

ls_status ls_checkpoint_examine(ls_checkpoint **out, const char *path, ls_condition *condition)
{
    ls_seal seal;
    ls_status status = ls_seal_verify(path, &seal, NULL);
    if (status == LS_OK && seal == LS_SEAL_ABSENT)
        status = fail_without_seal(path);
    if (status == LS_OK)
        status = ls_h5_try(path, checkpoint_try_open, path);
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
        status = ls_attributes_read_run(file, out);
    (void)ls_h5_close(&file);
    return status;
}

static ls_status checkpoint_try_peek(const void *path)
{
    char *run = NULL;
    ls_status status = peek_run(path, &run);
    ls_free(run);
    return status;
}

ls_status ls_checkpoint_peek_run(const char *path, char **out)
{
    ls_status status = ls_h5_try(path, checkpoint_try_peek, path);
    return status == LS_OK ? peek_run(path, out) : status;
}

void ls_checkpoint_close(ls_checkpoint **checkpoint)
{
    if (checkpoint == NULL || *checkpoint == NULL)
        return;
    (void)ls_h5_close(&(*checkpoint)->file);
    ls_attributes_clear(&(*checkpoint)->facts);
    ls_standardization_destroy(&(*checkpoint)->standardization);
    ls_free(*checkpoint);
    *checkpoint = NULL;
}

const char *ls_checkpoint_path(const ls_checkpoint *checkpoint)
{
    return ls_h5_path(checkpoint->file);
}

const ls_model_info *ls_checkpoint_model(const ls_checkpoint *checkpoint)
{
    return &checkpoint->facts.info;
}

const ls_progress *ls_checkpoint_progress(const ls_checkpoint *checkpoint)
{
    return &checkpoint->facts.progress;
}

ls_status ls_checkpoint_read_history(const ls_checkpoint *checkpoint, ls_metrics *history)
{
    return ls_history_read(checkpoint->file, history, checkpoint->facts.progress.epoch);
}

ls_status ls_checkpoint_read_params(const ls_checkpoint *checkpoint, ls_player player,
                                    const ls_network *network, float *params)
{
    char group[LS_ARENA_NAME];
    ls_arena_group(group, player, LS_ARENA_PARAMETERS);
    return ls_arena_read(checkpoint->file, group, network, params);
}

bool ls_checkpoint_has_average(const ls_checkpoint *checkpoint, ls_player player)
{
    char group[LS_ARENA_NAME];
    ls_arena_group(group, player, LS_ARENA_AVERAGE);
    return ls_h5_has(checkpoint->file, group);
}

ls_status ls_checkpoint_read_outcome(const ls_checkpoint *checkpoint, const ls_network *network,
                                     float *params)
{
    const bool average = ls_checkpoint_has_average(checkpoint, LS_MODEL);
    return ls_arena_read(checkpoint->file, average ? LS_ARENA_AVERAGE : LS_ARENA_PARAMETERS,
                         network, params);
}

ls_status ls_checkpoint_read_optimizer(const ls_checkpoint *checkpoint, ls_player player,
                                       const ls_network *network, ls_optimizer *optimizer)
{
    ls_status status = LS_OK;
    for (int i = 0; status == LS_OK && i < ls_optimizer_slots(optimizer); i++) {
        char group[LS_ARENA_NAME];
        if (ls_arena_is_average(optimizer, i) && !ls_checkpoint_has_average(checkpoint, player))
            continue;
        ls_arena_slot_group(group, player, optimizer, i);
        status = ls_arena_read(checkpoint->file, group, network, ls_optimizer_slot(optimizer, i));
    }
    if (status == LS_OK)
        ls_optimizer_set_steps(optimizer, checkpoint->facts.progress.optimizer_steps);
    return status;
}
