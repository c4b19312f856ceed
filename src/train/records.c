#include "train/trainer_state.h"

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "run/checkpoint_file.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* Resolves the path of the requested checkpoint; of a missing link `last` or `best` the path of its
 * folder. Returns true on success. */
static bool find_real_path(const char *path, char out[PATH_MAX])
{
    char folder[LS_PATH_MAX];
    bool last;
    return realpath(path, out) != NULL ||
           (ls_checkpoint_is_link(path, folder, &last) && realpath(folder, out) != NULL);
}

/* Returns true if the checkpoint to resume lies in the run folder, so that its records continue. */
static bool continues_in_place(const ls_train_config *c)
{
    char run[PATH_MAX], from[PATH_MAX];
    if (*c->resume == '\0' || realpath(c->run, run) == NULL)
        return false;
    if (strcmp(c->resume, "auto") == 0 || !find_real_path(c->resume, from))
        return true; /* a missing checkpoint is refused when it is opened */
    /* The run folder, its folder of checkpoints, or a file in that; but no run folder inside it. */
    size_t length = strlen(run);
    if (strncmp(run, from, length) != 0)
        return false;
    static const char folder[] = "/checkpoints";
    const char *rest = from + length;
    if (*rest == '\0')
        return true;
    if (strncmp(rest, folder, sizeof folder - 1) != 0)
        return false;
    rest += sizeof folder - 1;
    return *rest == '\0' || (*rest == '/' && strchr(rest + 1, '/') == NULL);
}

ls_status ls_records_check(ls_trainer *t)
{
    if (*t->config->run == '\0' || t->rank != 0)
        return LS_OK;
    t->records.in_place = continues_in_place(t->config);
    return t->records.in_place ? LS_OK : ls_run_folder_refuse_used(t->config->run);
}

ls_status ls_records_take(ls_trainer *t)
{
    ls_status status = ls_run_folder_take(&t->records.run, t->config->run);
    return status == LS_OK ? ls_run_log_find_run(t->config->run, t->records.id) : status;
}

/* Makes the id of a new run. */
static ls_status make_id(ls_trainer *t)
{
    uint64_t bits;
    if (getrandom(&bits, sizeof bits, 0) != (ssize_t)sizeof bits)
        return ls_fail(LS_ERR_FAILURE, "can't make an id for the run: %s", strerror(errno));
    snprintf(t->records.id, sizeof t->records.id, "%016" PRIx64, bits);
    return LS_OK;
}

/* Locks a folder for a new run. */
static ls_status lock_new_folder(ls_trainer *t)
{
    ls_status status = ls_run_folder_take(&t->records.run, t->config->run);
    return status == LS_OK
               ? ls_run_folder_refuse_used(t->config->run) /* another run may have begun since */
               : status;
}

static ls_status open_checkpoints(ls_trainer *t)
{
    char path[LS_PATH_MAX];
    ls_status status = ls_path(path, t->config->run, "/checkpoints", NULL);
    return status == LS_OK ? ls_checkpoint_folder_open(&t->records.folder, path) : status;
}

/* Copies the resumed checkpoint, and the best one of its folder, into the run folder. */
static ls_status import_checkpoint(ls_trainer *t)
{
    char missing[LS_ERROR_TEXT_MAX] = "";
    ls_checkpoint *from = NULL, *best = NULL;
    ls_status status = ls_checkpoint_open(&from, t->records.resumed);
    if (status == LS_OK)
        status = ls_checkpoint_open_best(from, &best, missing);
    if (status == LS_OK && best != NULL)
        status = ls_checkpoint_copy(best, t->records.folder);
    if (status == LS_OK)
        status = ls_checkpoint_copy(from, t->records.folder);
    if (status != LS_OK) /* so that the same command can be run again */
        ls_checkpoint_discard(t->records.folder);
    if (status == LS_OK && *missing != '\0')
        ls_trainer_note(t, "the best checkpoint so far can't be copied: %s", missing);
    ls_checkpoint_close(&best);
    ls_checkpoint_close(&from);
    return status;
}

/* Opens the logs, cut at the run's progress. */
static ls_status open_log(ls_trainer *t)
{
    return ls_run_log_open(&t->records.log, t->records.run, t->text, ls_task_kinds(&t->task),
                           t->config->tensorboard, t->history, t->progress.epoch);
}

/* Logs the start of the run, or that it goes on. */
static ls_status log_start(const ls_trainer *t, bool resumed)
{
    json_t *event = json_pack("{s:s, s:i, s:i, s:o}", "run", t->records.id, "ranks",
                              ls_trainer_plan(t)->ranks, "threads", t->topology->mine.threads,
                              "checkpoint", ls_json_text(t->records.resumed));
    if (t->records.changed != NULL)
        json_object_set_new(event, "changed", ls_json_text(t->records.changed));
    return ls_run_log_event(t->records.log, resumed ? LS_EVENT_RESUME : LS_EVENT_START,
                            t->progress.epoch, event);
}

ls_status ls_records_begin(ls_trainer *t)
{
    const bool resumed = *t->records.resumed != '\0';
    ls_status status = t->records.in_place ? LS_OK : lock_new_folder(t);
    if (status == LS_OK && *t->records.id == '\0')
        status = make_id(t);
    if (status == LS_OK)
        status = open_checkpoints(t);
    if (status == LS_OK && resumed && !t->records.in_place)
        status = import_checkpoint(t);
    if (status == LS_OK && resumed)
        status = ls_checkpoint_rewind(t->records.folder, t->records.id, &t->progress);
    if (status == LS_OK)
        status = open_log(t);
    return status == LS_OK ? log_start(t, resumed) : status;
}

ls_status ls_records_rewind(ls_trainer *t)
{
    ls_status status = ls_checkpoint_rewind(t->records.folder, t->records.id, &t->progress);
    ls_run_log_close(&t->records.log);
    return status == LS_OK ? open_log(t) : status;
}

ls_status ls_records_write(const ls_trainer *t, const ls_state *state)
{
    ls_status status = ls_run_folder_check(t->records.run);
    if (status != LS_OK)
        return status;
    status = ls_checkpoint_save(t->records.folder, state,
                                (ls_keep){t->config->keep, t->config->keep_every});
    return ls_run_folder_blame(t->records.run, status);
}

void ls_records_close(ls_trainer *t)
{
    ls_run_log_close(&t->records.log);
    ls_checkpoint_folder_close(&t->records.folder);
    ls_run_folder_release(&t->records.run);
    ls_free(t->records.resumed);
    ls_free(t->records.changed);
    t->records.resumed = t->records.changed = NULL;
}
