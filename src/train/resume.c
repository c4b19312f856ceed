/* Resumes from a checkpoint: rank 0 finds, checks and reads the file, and broadcasts the state. */
#include "train/trainer_state.h"

#include "parallel/collectives.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/show.h"
#include "data/h5.h"
#include "train/standby.h"
#include "run/checkpoint_file.h"
#include "train/records.h"

#include <lockstep/run.h>
#include <lockstep/settings.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    CHANGES = 512,
    REMEDY = LS_PATH_MAX + 128
}; /* bytes of a list of changed settings; of a remedy */

/* Lists the settings of a set of ls_change that differ from the checkpoint's. Local. */
static bool settings_differ(const ls_trainer *t, const char *before, int set, char out[CHANGES])
{
    const ls_preset_data data = ls_trainer_model_data(t);
    return ls_config_diff(before, t->config, &data, set, out, CHANGES);
}

/* Writes how to continue the checkpoint's run. Local.
 * may_change  the settings that differ may, with --resume-anyway */
static void write_remedy(const ls_trainer *t, bool may_change, char out[REMEDY])
{
    char path[LS_PATH_MAX];
    const bool has_file = t->records.in_place &&
                          ls_path(path, t->config->run, "/config.conf", NULL) == LS_OK &&
                          access(path, R_OK) == 0;
    snprintf(out, REMEDY, "give the same options again%s%s%s%s", has_file ? " (or --config " : "",
             has_file ? path : "", has_file ? ")" : "",
             may_change ? ", or --resume-anyway to change them" : "");
}

/* Refuses settings that must not change after the checkpoint; with --resume-anyway only those that
 * can't. Local. */
static ls_status check_changes(ls_trainer *t, const char *path, const char *before,
                               bool within_epoch)
{
    char changes[CHANGES], remedy[REMEDY];
    const int never = LS_CHANGE_BOUND | (within_epoch ? LS_CHANGE_ORDER : 0);
    const bool may_change = !settings_differ(t, before, never, changes);
    write_remedy(t, may_change && !t->config->resume_anyway, remedy);
    if (!t->config->resume_anyway)
        return !settings_differ(t, before, LS_CHANGE_RESULT, changes)
                   ? LS_OK
                   : ls_fail(LS_ERR_USAGE, "can't resume from %s with other settings: %s; %s", path,
                             changes, remedy);
    if (settings_differ(t, before, LS_CHANGE_BOUND, changes))
        return ls_fail(
            LS_ERR_USAGE,
            "can't resume from %s with other settings, not even by --resume-anyway: %s; %s", path,
            changes, remedy);
    if (within_epoch && settings_differ(t, before, LS_CHANGE_ORDER, changes))
        return ls_fail(
            LS_ERR_USAGE,
            "can't resume from %s, which is in the middle of an epoch, with settings that change "
            "the samples of its steps: %s; %s",
            path, changes, remedy);
    if (!settings_differ(t, before, LS_CHANGE_RESULT, changes))
        return LS_OK;
    ls_trainer_note(t, "resuming from %s with other settings: %s", path, changes);
    ls_free(t->records.changed);
    t->records.changed = ls_strdup(changes);
    return t->records.changed != NULL ? LS_OK : LS_ERR_FAILURE;
}

/* Returns true if the rows of a split differ from the checkpoint's, where both fingerprints are
 * known. Local. */
static bool rows_differ(const ls_trainer *t, const ls_model_info *id, ls_split split)
{
    const ls_model_info *now = &t->records.info;
    if (split == LS_TRAIN)
        return id->fingerprint != 0 && now->fingerprint != 0 && id->fingerprint != now->fingerprint;
    return id->knows_validation && now->knows_validation &&
           id->validation_fingerprint != now->validation_fingerprint;
}

/* Returns true if early stopping's best value was measured on other rows. Local. */
static bool monitored_rows_differ(const ls_trainer *t, const ls_model_info *id)
{
    return (ls_monitor_is_validation(t->config->monitor) && rows_differ(t, id, LS_VALIDATION)) ||
           (!ls_monitor_is_validation(t->monitor) && rows_differ(t, id, LS_TRAIN));
}

/* Refuses rows that differ from the checkpoint's. With --resume-anyway only training rows in the
 * middle of an epoch are refused: the samples of a step don't depend on the validation rows. Local.
 * within_epoch  the checkpoint is in the middle of an epoch */
static ls_status check_rows(const ls_trainer *t, const char *path, const ls_model_info *id,
                            bool within_epoch)
{
    const bool train = rows_differ(t, id, LS_TRAIN);
    const bool validation = rows_differ(t, id, LS_VALIDATION);
    const char *which = train && validation ? "training and validation"
                        : train             ? "training"
                                            : "validation";
    const bool hinders = within_epoch && train;
    if (!train && !validation)
        return LS_OK;
    if (!t->config->resume_anyway || hinders)
        return ls_fail(LS_ERR_DATA,
                       "can't resume from %s%s: the %s rows of %s differ from those it was %s; %s",
                       path, hinders ? ", which is in the middle of an epoch" : "", which,
                       t->config->data, train ? "trained on" : "validated on",
                       hinders ? "resume from the end of an epoch with --resume-anyway, or begin "
                                 "another run"
                               : "--resume-anyway continues with these rows");
    ls_trainer_note(t, "resuming from %s with other %s rows: %s%s", path, which, t->config->data,
                    monitored_rows_differ(t, id) ? "; the best epoch so far is discarded" : "");
    return LS_OK;
}

/* Refuses statistics of --standardize that differ from the checkpoint's, unless --resume-anyway is
 * given: the network was trained on inputs standardised by those. Local. */
static ls_status check_standardization(const ls_trainer *t, const char *path,
                                       const ls_model_info *id)
{
    const ls_standardization *before = id->standardization, *now = t->records.info.standardization;
    if (ls_columns_equal(&before->inputs, &now->inputs) &&
        ls_columns_equal(&before->targets, &now->targets))
        return LS_OK;
    if (!t->config->resume_anyway)
        return ls_fail(LS_ERR_DATA,
                       "can't resume from %s: the means and deviations of --standardize differ "
                       "from those it was trained with; --resume-anyway takes the new ones",
                       path);
    ls_trainer_note(t, "resuming from %s with other means and deviations of --standardize", path);
    return LS_OK;
}

/* Opens the requested checkpoint; *out is NULL if "auto" finds none. Local. */
static ls_status open_requested(const ls_trainer *t, const char *wanted, ls_checkpoint **out)
{
    char path[LS_PATH_MAX], skipped[LS_ERROR_TEXT_MAX];
    const bool automatic = strcmp(wanted, "auto") == 0;
    const char *run = automatic ? t->config->run : wanted;
    if (automatic && *run == '\0')
        return ls_fail(LS_ERR_USAGE, "--resume auto needs --run, the folder to search");
    ls_status status = ls_checkpoint_open_newest(run, out, skipped);
    if (status == LS_OK && *out != NULL && *skipped != '\0')
        ls_trainer_note(t, "%s; resuming from %s", skipped, ls_checkpoint_path(*out));
    if (status != LS_OK || *out != NULL || automatic)
        return status;
    status = ls_checkpoint_find(wanted, true, path, sizeof path);
    return status == LS_OK ? ls_checkpoint_open(out, path) : status;
}

/* Reads the vocabulary of the requested checkpoint, if there is one; on rank 0. Local. */
static ls_status read_vocabulary(const ls_trainer *t, int64_t *out)
{
    ls_checkpoint *checkpoint = NULL;
    const ls_status status = open_requested(t, t->config->resume, &checkpoint);
    if (status == LS_OK && checkpoint != NULL)
        *out = ls_checkpoint_model(checkpoint)->vocabulary;
    ls_checkpoint_close(&checkpoint);
    return status;
}

ls_status ls_trainer_find_vocabulary(const ls_trainer *t, int64_t *out)
{
    *out = 0;
    if (*t->config->resume == '\0')
        return LS_OK;
    const ls_status status = ls_agree_root(t->comm, t->rank == 0 ? read_vocabulary(t, out) : LS_OK);
    if (status == LS_OK)
        ls_broadcast(t->comm, out, sizeof *out);
    return status;
}

/* With --reproducible, refuses to resume with other BLAS kernels. Local. */
static ls_status check_compute(const ls_trainer *t, const char *path, const char *compute)
{
    if (!t->config->reproducible || strcmp(compute, t->records.info.compute) == 0)
        return LS_OK;
    if (!t->config->resume_anyway)
        return ls_fail(LS_ERR_USAGE,
                       "can't resume from %s with the same bits: it was computed by %s, this is %s "
                       "(see OPENBLAS_CORETYPE)",
                       path, compute, t->records.info.compute);
    ls_trainer_note(t, "resuming from %s, computed by %s, with %s: the bits will differ", path,
                    compute, t->records.info.compute);
    return LS_OK;
}

/* Refuses another run's checkpoint in the run folder. A run folder without a run id adopts the
 * checkpoint's. Local. */
static ls_status check_run_id(ls_trainer *t, const char *path, const char *run)
{
    if (!ls_checkpoint_is_of(run, t->records.id))
        return ls_fail(LS_ERR_DATA,
                       "%s: belongs to run %s, but %s belongs to run %s: move it elsewhere, or "
                       "resume from it in another folder",
                       path, run, t->config->run, t->records.id);
    if (*t->records.id == '\0')
        snprintf(t->records.id, sizeof t->records.id, "%s", run);
    return LS_OK;
}

/* Checks that the checkpoint can be resumed with this run's data and settings. Local. */
static ls_status check_resumable(ls_trainer *t, const ls_checkpoint *checkpoint)
{
    const char *path = ls_checkpoint_path(checkpoint);
    const ls_model_info *id = ls_checkpoint_model(checkpoint);
    const ls_progress *progress = ls_checkpoint_progress(checkpoint);
    const bool within_epoch = progress->step > 0;
    ls_status status = check_run_id(t, path, id->run);
    if (status == LS_OK)
        status = check_changes(t, path, id->config, within_epoch);
    if (status == LS_OK)
        status = check_rows(t, path, id, within_epoch);
    if (status == LS_OK)
        status = check_standardization(t, path, id);
    if (status == LS_OK)
        status = check_compute(t, path, id->compute);
    if (status != LS_OK)
        return status;
    if (ls_trainer_plan(t)->shuffle == LS_SHUFFLE_LOCAL &&
        progress->ranks != ls_trainer_plan(t)->ranks)
        return ls_fail(LS_ERR_USAGE,
                       "can't resume from %s on %s: with --shuffle local the rows of a step "
                       "depend on the number of ranks, which was %lld",
                       path, ls_counted(ls_trainer_plan(t)->ranks, "rank").text,
                       (long long)progress->ranks);
    if (progress->step > ls_trainer_plan(t)->steps)
        return ls_fail(LS_ERR_DATA, "%s: is after step %lld of an epoch of %lld steps", path,
                       (long long)progress->step, (long long)ls_trainer_plan(t)->steps);
    return LS_OK;
}

/* Notes that the run can't end with the best epoch's parameters, which are missing. Local. */
static void note_best_missing(const ls_trainer *t, const char *missing)
{
    char instead[40] = "the last epoch";
    if (t->best.epoch > 0)
        snprintf(instead, sizeof instead, "epoch %lld", (long long)t->best.epoch);
    ls_trainer_note(t,
                    "epoch %lld, the best so far, could not be saved or is missing%s%s%s: unless a "
                    "better epoch follows, the run ends with the parameters of %s",
                    (long long)t->progress.early_stop.best_epoch, *missing != '\0' ? " (" : "",
                    missing, *missing != '\0' ? ")" : "", instead);
}

/* Reads the parameters of the best saved epoch, for --restore-best. Local. */
static ls_status read_best(ls_trainer *t, const ls_checkpoint *current)
{
    const ls_progress *progress = &t->progress;
    ls_checkpoint *best = NULL;
    char missing[LS_ERROR_TEXT_MAX];
    t->best.epoch = 0;
    if (t->best.params == NULL || progress->early_stop.best_epoch == 0)
        return LS_OK;
    ls_status status = ls_checkpoint_open_best(current, &best, missing);
    if (status == LS_OK && best != NULL)
        status = ls_checkpoint_read_outcome(best, ls_replica_network(ls_trainer_replica(t)),
                                            t->best.params);
    if (status == LS_OK && best != NULL)
        t->best.epoch = ls_checkpoint_progress(best)->epoch;
    ls_checkpoint_close(&best);
    if (status == LS_OK && t->best.epoch != progress->early_stop.best_epoch)
        note_best_missing(t, missing);
    return status;
}

/* Copies what is known of the rows from the checkpoint if the rows were not read. Local. */
static void inherit_rows(ls_model_info *now, const ls_model_info *id)
{
    if (now->fingerprint != 0)
        return;
    now->fingerprint = id->fingerprint;
    now->validation_fingerprint = id->validation_fingerprint;
    now->knows_validation = id->knows_validation;
    now->has_border = id->has_border;
    now->border = id->border;
}

/* Reads a network's parameters and its optimizer's slots. Local. */
static ls_status read_learner(const ls_learner *l, ls_player player,
                              const ls_checkpoint *checkpoint)
{
    const ls_network *network = ls_replica_network(l->replica);
    ls_optimizer *optimizer = ls_replica_optimizer(l->replica);
    const ls_status status =
        ls_checkpoint_read_params(checkpoint, player, network, l->start_params);
    if (status != LS_OK)
        return status;
    /* If the checkpoint has no average, the average begins with these parameters. */
    ls_optimizer_start(optimizer, l->start_params);
    return ls_checkpoint_read_optimizer(checkpoint, player, network, optimizer);
}

/* Reads the whole state into rank 0's replicas. Local. */
static ls_status read_state(ls_trainer *t, const ls_checkpoint *checkpoint)
{
    ls_status status = check_resumable(t, checkpoint);
    if (status != LS_OK)
        return status;
    t->progress = *ls_checkpoint_progress(checkpoint);
    inherit_rows(&t->records.info, ls_checkpoint_model(checkpoint));
    if (monitored_rows_differ(t, ls_checkpoint_model(checkpoint))) {
        t->progress.early_stop = (ls_early_stop){0};
        t->progress.best_steps = 0;
    }
    /* The history may be longer than --epochs, which can have become smaller. */
    ls_metrics *history = ls_alloc(t->progress.epoch + t->config->epochs, sizeof *history);
    char *path = ls_strdup(ls_checkpoint_path(checkpoint));
    if (history == NULL || path == NULL) {
        ls_free(history);
        ls_free(path);
        return LS_ERR_FAILURE;
    }
    ls_free(t->history);
    ls_free(t->records.resumed);
    t->history = history;
    t->records.resumed = path;
    status = ls_checkpoint_read_history(checkpoint, t->history);
    for (int p = 0; status == LS_OK && p < t->players; p++)
        status = read_learner(&t->learner[p], (ls_player)p, checkpoint);
    return status == LS_OK ? read_best(t, checkpoint) : status;
}

/* Broadcasts rank 0's state of a network. Collective.
 * steps  of its optimizer */
static void broadcast_learner(const ls_trainer *t, const ls_learner *l, int64_t steps)
{
    const size_t bytes = (size_t)ls_replica_size(l->replica) * sizeof(float);
    ls_optimizer *optimizer = ls_replica_optimizer(l->replica);
    ls_broadcast(t->comm, l->start_params, bytes);
    for (int i = 0; i < ls_optimizer_slots(optimizer); i++)
        ls_broadcast(t->comm, ls_optimizer_slot(optimizer, i), bytes);
    ls_optimizer_set_steps(optimizer, steps);
}

/* Broadcasts rank 0's state. Collective. */
static ls_status broadcast_state(ls_trainer *t)
{
    ls_broadcast(t->comm, &t->progress, sizeof t->progress);
    if (t->rank != 0) /* totals over ranks continue on rank 0 only */
        t->progress.totals.compute_s = t->progress.totals.communicate_s =
            t->progress.totals.exchange_s = 0;
    ls_status status = LS_OK;
    if (t->rank != 0 && t->progress.epoch > t->config->epochs) {
        ls_free(t->history);
        t->history = ls_alloc(t->progress.epoch, sizeof *t->history);
        status = t->history == NULL ? LS_ERR_FAILURE : LS_OK;
    }
    status = ls_agree(t->comm, status);
    if (status != LS_OK)
        return status;
    ls_broadcast(t->comm, t->history, (size_t)t->progress.epoch * sizeof *t->history);
    for (int p = 0; p < t->players; p++)
        broadcast_learner(t, &t->learner[p], ls_trainer_updates(t, (ls_player)p));
    if (t->best.params != NULL) {
        ls_broadcast(t->comm, t->best.params,
                     (size_t)ls_replica_size(ls_trainer_replica(t)) * sizeof(float));
        ls_broadcast(t->comm, &t->best.epoch, sizeof t->best.epoch);
    }
    return LS_OK;
}

/* Restores the requested checkpoint on all ranks, if there is one. Collective.
 * found  on return 1 if there is one, else 0 */
static ls_status restore(ls_trainer *t, const char *wanted, int *found)
{
    ls_checkpoint *checkpoint = NULL;
    ls_status status = LS_OK;
    if (t->rank == 0) {
        status = open_requested(t, wanted, &checkpoint);
        if (status == LS_OK && checkpoint != NULL)
            status = read_state(t, checkpoint);
    }
    *found = checkpoint != NULL;
    ls_checkpoint_close(&checkpoint);
    status = ls_agree_root(t->comm, status);
    if (status != LS_OK)
        return status;
    ls_broadcast(t->comm, found, sizeof *found);
    return *found ? broadcast_state(t) : LS_OK;
}

ls_status ls_trainer_resume(ls_trainer *t)
{
    int found;
    return *t->config->resume == '\0' ? LS_OK : restore(t, t->config->resume, &found);
}

ls_status ls_trainer_rollback(ls_trainer *t)
{
    int found = 0;
    ls_status status = ls_agree(t->comm, ls_trainer_take_start(t));
    ls_standby_lock(t->records.standby);
    ls_h5_lock(); /* the stream's thread may be reading */
    if (status == LS_OK)
        status = restore(t, "auto", &found);
    if (status == LS_OK && !found)
        status = ls_fail(LS_ERR_NUMERIC, "there is no checkpoint yet to roll back to");
    if (status == LS_OK)
        status = ls_agree_root(t->comm, t->rank == 0 ? ls_records_rewind(t) : LS_OK);
    ls_h5_unlock();
    ls_standby_unlock(t->records.standby, true); /* its copy holds discarded steps */
    for (int p = 0; status == LS_OK && p < t->players; p++)
        ls_replica_set_params(t->learner[p].replica, t->learner[p].start_params);
    ls_trainer_drop_start(t);
    return status;
}
