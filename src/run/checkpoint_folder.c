/* The folder that a run writes its checkpoints into: publish a new file whole, let `last` and
 * `best` lead to files that are there, then prune. In this order a crash at any instant leaves a
 * loadable checkpoint. */
#include "base/file.h"
#include "base/memory.h"
#include "run/checkpoint_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct ls_checkpoint_folder {
    char path[LS_PATH_MAX];
    int handle;    /* of the folder, open */
    int64_t *own;  /* [count] steps of the run's checkpoints, most first */
    int64_t count; /* of `room` */
    int64_t room;
};

static ls_status path_of(const ls_checkpoint_folder *folder, int64_t steps, char out[LS_PATH_MAX])
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

/* Makes sure that one more can be owned. */
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

/* Counts a checkpoint among the run's own, for which there is room. */
static void own(ls_checkpoint_folder *folder, int64_t steps)
{
    int64_t at = folder->count;
    if (owns(folder, steps))
        return;
    for (; at > 0 && folder->own[at - 1] < steps; at--)
        folder->own[at] = folder->own[at - 1];
    folder->own[at] = steps;
    folder->count++;
}

/* Removes one of the run's own, number `at` of them. */
static ls_status disown(ls_checkpoint_folder *folder, int64_t at)
{
    char path[LS_PATH_MAX];
    ls_status status = path_of(folder, folder->own[at], path);
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

/* Makes sure that the folder is the one that was opened; one that was removed is made anew. */
static ls_status check_place(ls_checkpoint_folder *folder)
{
    ls_found found;
    ls_status status = ls_find_again(folder->handle, folder->path, &found);
    if (status != LS_OK || found == LS_FOUND_SAME)
        return status;
    if (found == LS_FOUND_OTHER)
        return ls_fail(
            LS_ERR_FAILURE,
            "%s: this is another folder than the one that the run writes its checkpoints "
            "into: it was replaced meanwhile",
            folder->path);
    int fresh = -1;
    status = ls_make_folder(folder->path);
    if (status == LS_OK)
        status = ls_hold_folder(&fresh, folder->path);
    if (status != LS_OK)
        return status; /* the next save tries that again */
    ls_unlock_file(&folder->handle);
    folder->handle = fresh;
    folder->count = 0;
    return LS_OK;
}

/* Removes all of the run's but those to keep and the best. The newest one is saved, whether older
 * ones can be removed or not; the next save tries that again. */
static void prune(ls_checkpoint_folder *folder, const ls_progress *progress, ls_keep keep)
{
    for (int64_t i = folder->count - 1; i >= keep.newest; i--) {
        const bool kept = keep.every > 0 && folder->own[i] % keep.every == 0;
        if (!kept && folder->own[i] != progress->best_steps)
            (void)disown(folder, i);
    }
}

/* Lets a link lead to the checkpoint of so many steps. Nothing depends on it: where that checkpoint
 * is not there, or the link can't be made, as on file systems that have none, there is no such
 * link. */
static void point(const ls_checkpoint_folder *folder, const char *link, int64_t steps)
{
    char name[LS_CHECKPOINT_NAME], target[LS_PATH_MAX], path[LS_PATH_MAX];
    ls_checkpoint_name(name, steps);
    if (path_of(folder, steps, target) == LS_OK &&
        ls_path(path, folder->path, "/", link) == LS_OK &&
        (access(target, F_OK) != 0 || ls_replace_symlink(path, name) != LS_OK))
        (void)unlink(path);
}

static void point_links(const ls_checkpoint_folder *folder, const ls_progress *progress)
{
    point(folder, "last", progress->optimizer_steps);
    point(folder, "best", progress->best_steps);
}

/* Makes sure that what is to be written replaces nothing that is not the run's. */
static ls_status check_name(const ls_checkpoint_folder *folder, const char *path, int64_t steps)
{
    if (owns(folder, steps) || access(path, F_OK) != 0)
        return LS_OK;
    return ls_fail(LS_ERR_FAILURE,
                   "%s: this run has not written it, so it stays: move it elsewhere, for the run's "
                   "own checkpoint comes here",
                   path);
}

ls_status ls_checkpoint_save(ls_checkpoint_folder *folder, const ls_state *state, ls_keep keep)
{
    char path[LS_PATH_MAX], temporary[LS_PATH_MAX];
    const int64_t steps = state->progress->optimizer_steps;
    ls_status status = check_place(folder);
    if (status == LS_OK)
        status = make_room(folder);
    if (status == LS_OK)
        status = path_of(folder, steps, path);
    if (status == LS_OK)
        status = check_name(folder, path, steps);
    /* Always the same name, so that what a crash leaves of it is gone with the next one. */
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
    if (status == LS_OK || access(path, F_OK) == 0) /* also if it can't be told that it lasts */
        own(folder, steps);
    if (status != LS_OK)
        return status;
    point_links(folder, state->progress);
    prune(folder, state->progress, keep);
    return LS_OK;
}

/* Whether a later checkpoint than the one that is gone on from is to be removed. */
static ls_status judge_later(const char *path, const char *run, bool *remove)
{
    ls_checkpoint *checkpoint = NULL;
    ls_condition condition;
    ls_status status = ls_checkpoint_examine(&checkpoint, path, &condition);
    *remove = status == LS_OK || condition == LS_CHECKPOINT_DAMAGED;
    if (status == LS_OK && !ls_checkpoint_is_of(ls_checkpoint_model(checkpoint)->run, run))
        status = ls_fail(
            LS_ERR_DATA,
            "%s: another run's, and later than what is gone on from: move it elsewhere", path);
    else if (status == LS_ERR_DATA && condition == LS_CHECKPOINT_UNREADABLE)
        status = ls_fail(status,
                         "%s; it is later than what is gone on from and may be whole, so it is not "
                         "removed: move it elsewhere",
                         ls_error_text());
    else if (status == LS_ERR_DATA)
        status = LS_OK;
    ls_checkpoint_close(&checkpoint);
    return status;
}

/* Whether a checkpoint before that one is the run's. One that does not tell is not counted. */
static ls_status judge_earlier(const char *path, const char *run, bool *is_own)
{
    char *theirs = NULL;
    const ls_status status = ls_checkpoint_peek_run(path, &theirs);
    *is_own = status == LS_OK && ls_checkpoint_is_of(theirs, run);
    ls_free(theirs);
    return status == LS_ERR_DATA ? LS_OK : status;
}

/* Renames a file that has a checkpoint's name and was not written as one, so that it is not in the
 * way of those to come. */
static ls_status set_aside(const char *path)
{
    char aside[LS_PATH_MAX];
    ls_status status = ls_path(aside, path, ".aside", NULL);
    if (status == LS_OK && rename(path, aside) != 0)
        status = ls_fail(LS_ERR_FAILURE, "%s: can't rename: %s", path, strerror(errno));
    return status;
}

/* Finds out which of these checkpoints are the run's, or damaged later ones. */
static ls_status judge(ls_checkpoint_folder *folder, const char *run, int64_t current,
                       const int64_t *steps, int count)
{
    char path[LS_PATH_MAX];
    ls_status status = LS_OK;
    folder->count = 0;
    for (int i = 0; status == LS_OK && i < count; i++) {
        bool is_own = steps[i] == current; /* it has just been read */
        status = make_room(folder);
        if (status == LS_OK)
            status = path_of(folder, steps[i], path);
        if (status == LS_OK && steps[i] > current)
            status = judge_later(path, run, &is_own);
        else if (status == LS_OK && steps[i] < current)
            status = judge_earlier(path, run, &is_own);
        if (status == LS_OK && is_own)
            own(folder, steps[i]);
    }
    return status;
}

ls_status ls_checkpoint_rewind(ls_checkpoint_folder *folder, const char *run,
                               const ls_progress *progress)
{
    int64_t *steps = NULL;
    int count;
    ls_status status = check_place(folder);
    if (status == LS_OK)
        status = ls_checkpoint_list(folder->path, &steps, &count);
    if (status == LS_OK)
        status = judge(folder, run, progress->optimizer_steps, steps, count);
    for (int i = 0; status == LS_OK && i < count && steps[i] > progress->optimizer_steps; i++) {
        char path[LS_PATH_MAX];
        if (!owns(folder, steps[i]))
            status = path_of(folder, steps[i], path);
        if (status == LS_OK && !owns(folder, steps[i]))
            status = set_aside(path);
    }
    ls_free(steps);
    if (status != LS_OK)
        return status;
    point_links(folder, progress);
    while (status == LS_OK && folder->count > 0 && folder->own[0] > progress->optimizer_steps)
        status = disown(folder, 0);
    return status;
}

void ls_checkpoint_discard(ls_checkpoint_folder *folder)
{
    char text[LS_ERROR_TEXT_MAX];
    snprintf(text, sizeof text, "%s", ls_error_text());
    while (folder->count > 0 && disown(folder, 0) == LS_OK)
        continue;
    (void)ls_fail(LS_ERR_FAILURE, "%s",
                  text); /* the failure that it is called for stays the latest */
}

ls_status ls_checkpoint_copy(const ls_checkpoint *checkpoint, ls_checkpoint_folder *folder)
{
    char path[LS_PATH_MAX], *bytes = NULL;
    size_t length = 0;
    const int64_t steps = ls_checkpoint_progress(checkpoint)->optimizer_steps;
    ls_status status = make_room(folder);
    if (status == LS_OK)
        status = path_of(folder, steps, path);
    if (status == LS_OK)
        status = check_name(folder, path, steps);
    if (status == LS_OK)
        status = ls_read_file(ls_checkpoint_path(checkpoint), SIZE_MAX / 4, LS_ERR_DATA, &bytes,
                              &length);
    if (status == LS_OK)
        status = ls_write_file(path, bytes, length);
    ls_free(bytes);
    if (status == LS_OK)
        own(folder, steps);
    return status;
}
