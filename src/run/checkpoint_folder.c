/* The folder that a run writes its checkpoints into: publish a new file atomically, update the
 * links `last` and `best`, then prune. In this order a crash at any instant leaves a loadable
 * checkpoint. */
#include "base/file.h"
#include "base/memory.h"
#include "run/checkpoint_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct ls_checkpoint_folder {
    char path[LS_PATH_MAX];
    int handle;   /* of the folder, open */
    int64_t *own; /* [count] steps of the run's own checkpoints, descending */
    int64_t count;
    int64_t room; /* capacity of `own` */
};

static ls_status make_path(const ls_checkpoint_folder *folder, int64_t steps, char out[LS_PATH_MAX])
{
    char name[LS_CHECKPOINT_NAME];
    ls_checkpoint_name(name, steps);
    return ls_path(out, folder->path, "/", name);
}

static bool owns(const ls_checkpoint_folder *folder, int64_t steps)
{
    for (int64_t i = 0; i < folder->count; i++)
        if (folder->own[i] == steps)
            return true;
    return false;
}

/* Makes room for one more entry in `own`. */
static ls_status make_room(ls_checkpoint_folder *folder)
{
    if (folder->count < folder->room)
        return LS_OK;
    const int64_t room = 2 * folder->room + 8;
    int64_t *larger = ls_alloc(room, sizeof *larger);
    if (larger == NULL)
        return LS_ERR_FAILURE;
    if (folder->count > 0)
        memcpy(larger, folder->own, (size_t)folder->count * sizeof *larger);
    ls_free(folder->own);
    folder->own = larger;
    folder->room = room;
    return LS_OK;
}

/* Adds a checkpoint to the run's own. make_room() has been called. */
static void add_own(ls_checkpoint_folder *folder, int64_t steps)
{
    int64_t at = folder->count;
    if (owns(folder, steps))
        return;
    for (; at > 0 && folder->own[at - 1] < steps; at--)
        folder->own[at] = folder->own[at - 1];
    folder->own[at] = steps;
    folder->count++;
}

/* Removes the file of own[at], and its entry. */
static ls_status remove_own(ls_checkpoint_folder *folder, int64_t at)
{
    char path[LS_PATH_MAX];
    ls_status status = make_path(folder, folder->own[at], path);
    if (status != LS_OK)
        return status;
    if (unlink(path) != 0 && errno != ENOENT)
        return ls_fail(LS_ERR_FAILURE, "%s: can't remove: %s", path, strerror(errno));
    folder->count--;
    memmove(folder->own + at, folder->own + at + 1,
            (size_t)(folder->count - at) * sizeof *folder->own);
    return LS_OK;
}

ls_status ls_checkpoint_folder_open(ls_checkpoint_folder **out, const char *path)
{
    ls_checkpoint_folder *folder = ls_alloc(1, sizeof *folder);
    if (folder == NULL)
        return LS_ERR_FAILURE;
    folder->handle = -1;
    ls_status status = ls_path(folder->path, path, NULL, NULL);
    if (status == LS_OK)
        status = ls_make_folder(path);
    if (status == LS_OK)
        status = ls_hold_folder(&folder->handle, path);
    if (status != LS_OK) {
        ls_checkpoint_folder_close(&folder);
        return status;
    }
    *out = folder;
    return LS_OK;
}

void ls_checkpoint_folder_close(ls_checkpoint_folder **folder)
{
    if (folder == NULL || *folder == NULL)
        return;
    ls_unlock_file(&(*folder)->handle);
    ls_free((*folder)->own);
    ls_free(*folder);
    *folder = NULL;
}

/* Checks that the folder is the one that was opened. A folder that was removed is created again. */
static ls_status check_folder(ls_checkpoint_folder *folder)
{
    ls_found found;
    ls_status status = ls_find_again(folder->handle, folder->path, &found);
    if (status != LS_OK || found == LS_FOUND_SAME)
        return status;
    if (found == LS_FOUND_OTHER)
        return ls_fail(
            LS_ERR_FAILURE,
            "%s: this is not the folder that the run writes its checkpoints into: it was "
            "replaced during the run",
            folder->path);
    int fresh = -1;
    status = ls_make_folder(folder->path);
    if (status == LS_OK)
        status = ls_hold_folder(&fresh, folder->path);
    if (status != LS_OK)
        return status; /* the next save tries again */
    ls_unlock_file(&folder->handle);
    folder->handle = fresh;
    folder->count = 0;
    return LS_OK;
}

/* Removes the run's own checkpoints except those to keep and the best. Errors are ignored: the
 * newest is saved already, and the next save tries again. */
static void prune(ls_checkpoint_folder *folder, const ls_progress *progress, ls_keep keep)
{
    for (int64_t i = folder->count - 1; i >= keep.newest; i--) {
        const bool kept = keep.every > 0 && folder->own[i] % keep.every == 0;
        if (!kept && folder->own[i] != progress->best_steps)
            (void)remove_own(folder, i);
    }
}

/* Makes a link point to the checkpoint after `steps` steps. If that checkpoint does not exist, or
 * the file system has no links, the link is removed: nothing depends on it. */
static void update_link(const ls_checkpoint_folder *folder, const char *link, int64_t steps)
{
    char name[LS_CHECKPOINT_NAME], target[LS_PATH_MAX], path[LS_PATH_MAX];
    ls_checkpoint_name(name, steps);
    if (make_path(folder, steps, target) == LS_OK &&
        ls_path(path, folder->path, "/", link) == LS_OK &&
        (access(target, F_OK) != 0 || ls_replace_symlink(path, name) != LS_OK))
        (void)unlink(path);
}

static void update_links(const ls_checkpoint_folder *folder, const ls_progress *progress)
{
    update_link(folder, "last", progress->optimizer_steps);
    update_link(folder, "best", progress->best_steps);
}

/* Refuses to replace a file that is not the run's own. */
static ls_status check_overwrite(const ls_checkpoint_folder *folder, const char *path,
                                 int64_t steps)
{
    if (owns(folder, steps) || access(path, F_OK) != 0)
        return LS_OK;
    return ls_fail(LS_ERR_FAILURE,
                   "%s: this run did not write it, so it is not replaced: move it elsewhere, the "
                   "run's own checkpoint needs this name",
                   path);
}

ls_status ls_checkpoint_save(ls_checkpoint_folder *folder, const ls_state *state, ls_keep keep)
{
    char path[LS_PATH_MAX], temporary[LS_PATH_MAX];
    const int64_t steps = state->progress->optimizer_steps;
    ls_status status = check_folder(folder);
    if (status == LS_OK)
        status = make_room(folder);
    if (status == LS_OK)
        status = make_path(folder, steps, path);
    if (status == LS_OK)
        status = check_overwrite(folder, path, steps);
    /* Always the same name, so that the next save replaces the remains of a crash. */
    if (status == LS_OK)
        status = ls_path(temporary, folder->path, "/new.h5.tmp", NULL);
    if (status != LS_OK)
        return status;
    status = ls_checkpoint_write(temporary, state);
    if (status != LS_OK) {
        unlink(temporary);
        return status;
    }
    status = ls_publish(temporary, path);
    if (status == LS_OK || access(path, F_OK) == 0) /* also if syncing it failed */
        add_own(folder, steps);
    if (status != LS_OK)
        return status;
    update_links(folder, state->progress);
    prune(folder, state->progress, keep);
    return LS_OK;
}

/* Examines a checkpoint that is later than the resumed one.
 * remove  on return true if it must be removed: it is the run's own, or damaged */
static ls_status examine_later(const char *path, const char *run, bool *remove)
{
    ls_checkpoint *checkpoint = NULL;
    ls_condition condition;
    ls_status status = ls_checkpoint_examine(&checkpoint, path, &condition);
    *remove = status == LS_OK || condition == LS_CHECKPOINT_DAMAGED;
    if (status == LS_OK && !ls_checkpoint_is_of(ls_checkpoint_model(checkpoint)->run, run))
        status =
            ls_fail(LS_ERR_DATA,
                    "%s: belongs to another run and is later than the resumed checkpoint: move it "
                    "elsewhere",
                    path);
    else if (status == LS_ERR_DATA && condition == LS_CHECKPOINT_UNREADABLE)
        status = ls_fail(status,
                         "%s; it is later than the resumed checkpoint and may be whole, so it is "
                         "not removed: move it elsewhere",
                         ls_error_text());
    else if (status == LS_ERR_DATA)
        status = LS_OK;
    ls_checkpoint_close(&checkpoint);
    return status;
}

/* Examines a checkpoint that is earlier than the resumed one. If its run id can't be read, it does
 * not count as the run's own. */
static ls_status examine_earlier(const char *path, const char *run, bool *is_own)
{
    char *theirs = NULL;
    const ls_status status = ls_checkpoint_peek_run(path, &theirs);
    *is_own = status == LS_OK && ls_checkpoint_is_of(theirs, run);
    ls_free(theirs);
    return status == LS_ERR_DATA ? LS_OK : status;
}

/* Renames a file that has a checkpoint's name but was not written as a checkpoint, so that the
 * run's own can be written under that name. */
static ls_status set_aside(const char *path)
{
    char aside[LS_PATH_MAX];
    ls_status status = ls_path(aside, path, ".aside", NULL);
    if (status == LS_OK && rename(path, aside) != 0)
        status = ls_fail(LS_ERR_FAILURE, "%s: can't rename: %s", path, strerror(errno));
    return status;
}

/* Fills `own` with the run's own checkpoints of a list, and with damaged ones that are later than
 * `current`. */
static ls_status find_own(ls_checkpoint_folder *folder, const char *run, int64_t current,
                          const int64_t *steps, int count)
{
    char path[LS_PATH_MAX];
    ls_status status = LS_OK;
    folder->count = 0;
    for (int i = 0; status == LS_OK && i < count; i++) {
        bool is_own = steps[i] == current; /* it has just been resumed */
        status = make_room(folder);
        if (status == LS_OK)
            status = make_path(folder, steps[i], path);
        if (status == LS_OK && steps[i] > current)
            status = examine_later(path, run, &is_own);
        else if (status == LS_OK && steps[i] < current)
            status = examine_earlier(path, run, &is_own);
        if (status == LS_OK && is_own)
            add_own(folder, steps[i]);
    }
    return status;
}

ls_status ls_checkpoint_rewind(ls_checkpoint_folder *folder, const char *run,
                               const ls_progress *progress)
{
    int64_t *steps = NULL;
    int count;
    ls_status status = check_folder(folder);
    if (status == LS_OK)
        status = ls_checkpoint_list(folder->path, &steps, &count);
    if (status == LS_OK)
        status = find_own(folder, run, progress->optimizer_steps, steps, count);
    for (int i = 0; status == LS_OK && i < count && steps[i] > progress->optimizer_steps; i++) {
        char path[LS_PATH_MAX];
        if (!owns(folder, steps[i]))
            status = make_path(folder, steps[i], path);
        if (status == LS_OK && !owns(folder, steps[i]))
            status = set_aside(path);
    }
    ls_free(steps);
    if (status != LS_OK)
        return status;
    update_links(folder, progress);
    while (status == LS_OK && folder->count > 0 && folder->own[0] > progress->optimizer_steps)
        status = remove_own(folder, 0);
    return status;
}

void ls_checkpoint_discard(ls_checkpoint_folder *folder)
{
    char text[LS_ERROR_TEXT_MAX];
    snprintf(text, sizeof text, "%s", ls_error_text());
    while (folder->count > 0 && remove_own(folder, 0) == LS_OK)
        continue;
    (void)ls_fail(LS_ERR_FAILURE, "%s", text); /* the caller's failure remains the latest */
}

ls_status ls_checkpoint_copy(const ls_checkpoint *checkpoint, ls_checkpoint_folder *folder)
{
    char path[LS_PATH_MAX], *bytes = NULL;
    size_t length = 0;
    const int64_t steps = ls_checkpoint_progress(checkpoint)->optimizer_steps;
    ls_status status = make_room(folder);
    if (status == LS_OK)
        status = make_path(folder, steps, path);
    if (status == LS_OK)
        status = check_overwrite(folder, path, steps);
    if (status == LS_OK)
        status = ls_read_file(ls_checkpoint_path(checkpoint), SIZE_MAX / 4, LS_ERR_DATA, &bytes,
                              &length);
    if (status == LS_OK)
        status = ls_write_file(path, bytes, length);
    ls_free(bytes);
    if (status == LS_OK)
        add_own(folder, steps);
    return status;
}
