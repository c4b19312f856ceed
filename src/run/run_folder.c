#include "run/run_folder.h"

#include "base/file.h"
#include "base/memory.h"
#include "run/checkpoint_file.h"

#include <pthread.h>
#include <unistd.h>

struct ls_run_folder {
    char path[LS_PATH_MAX];
    char lock_path[LS_PATH_MAX];
    int handle;            /* of the folder, open */
    int lock;              /* of the lock file, open; -1 if the file system has no locks */
    pthread_mutex_t mutex; /* of both: a thread may save while another writes the logs */
};

/* Refuses a folder with checkpoints whose records were removed. */
static ls_status refuse_orphans(const char *path)
{
    char folder[LS_PATH_MAX];
    int64_t *steps = NULL;
    int count = 0;
    ls_status status = ls_path(folder, path, "/checkpoints", NULL);
    if (status == LS_OK)
        status = ls_checkpoint_list(folder, &steps, &count);
    if (status == LS_OK && count > 0)
        status = ls_fail(LS_ERR_USAGE,
                         "--run: %s holds %d checkpoint%s of another run, whose records are "
                         "missing: remove the checkpoints, choose another folder, or continue that "
                         "run with --resume auto",
                         folder, count, count == 1 ? "" : "s");
    ls_free(steps);
    return status;
}

ls_status ls_run_folder_refuse_used(const char *path)
{
    static const char *const records[] = {"config.conf", "metrics.csv", "events.jsonl",
                                          "summary.json", "tensorboard"};
    char record[LS_PATH_MAX];
    for (size_t i = 0; i < sizeof records / sizeof *records; i++) {
        ls_status status = ls_path(record, path, "/", records[i]);
        if (status != LS_OK)
            return status;
        if (access(record, F_OK) == 0)
            return ls_fail(LS_ERR_USAGE,
                           "--run: %s holds a run already: continue it with --resume auto, or "
                           "choose another folder",
                           path);
    }
    return refuse_orphans(path);
}

ls_status ls_run_folder_take(ls_run_folder **out, const char *path)
{
    ls_run_folder *folder = ls_alloc(1, sizeof *folder);
    if (folder == NULL)
        return LS_ERR_FAILURE;
    folder->handle = folder->lock = -1;
    pthread_mutex_init(&folder->mutex, NULL);
    ls_status status = ls_path(folder->path, path, NULL, NULL);
    if (status == LS_OK)
        status = ls_path(folder->lock_path, path, "/lock", NULL);
    if (status == LS_OK)
        status = ls_make_folder(path);
    if (status == LS_OK)
        status = ls_hold_folder(&folder->handle, path);
    if (status == LS_OK)
        status = ls_lock_file(&folder->lock, folder->lock_path);
    if (status != LS_OK) {
        ls_run_folder_release(&folder);
        return status;
    }
    *out = folder;
    return LS_OK;
}

/* Checks the lock, and locks again if the lock file was removed. */
static ls_status check_lock(ls_run_folder *folder)
{
    ls_found found;
    int fresh = -1;
    if (folder->lock < 0)
        return LS_OK;
    ls_status status = ls_find_again(folder->lock, folder->lock_path, &found);
    if (status != LS_OK || found == LS_FOUND_SAME)
        return status;
    status = ls_lock_file(&fresh, folder->lock_path);
    if (status == LS_ERR_USAGE)
        return ls_fail(LS_ERR_FAILURE,
                       "%s: the lock file was removed and another run has begun in this folder, so "
                       "this run ends",
                       folder->lock_path);
    if (status != LS_OK)
        return status;
    ls_unlock_file(&folder->lock);
    folder->lock = fresh;
    return LS_OK;
}

/* ls_run_folder_check(). The mutex is held. */
static ls_status check_folder_and_lock(ls_run_folder *folder)
{
    ls_found found;
    ls_status status = ls_find_again(folder->handle, folder->path, &found);
    if (status != LS_OK)
        return status;
    if (found != LS_FOUND_SAME)
        return ls_fail(LS_ERR_FAILURE,
                       "%s: this folder was %s during the run, so the run ends: continue from its "
                       "latest checkpoint, wherever that is now, with --resume",
                       folder->path,
                       found == LS_FOUND_NONE ? "removed or renamed" : "replaced by another");
    return check_lock(folder);
}

ls_status ls_run_folder_check(ls_run_folder *folder)
{
    pthread_mutex_lock(&folder->mutex);
    const ls_status status = check_folder_and_lock(folder);
    pthread_mutex_unlock(&folder->mutex);
    return status;
}

ls_status ls_run_folder_blame(ls_run_folder *folder, ls_status outcome)
{
    if (outcome == LS_OK)
        return LS_OK;
    const ls_status status = ls_run_folder_check(folder);
    return status != LS_OK ? status : outcome;
}

const char *ls_run_folder_path(const ls_run_folder *folder)
{
    return folder->path;
}

void ls_run_folder_release(ls_run_folder **folder)
{
    if (folder == NULL || *folder == NULL)
        return;
    ls_unlock_file(&(*folder)->lock);
    ls_unlock_file(&(*folder)->handle);
    pthread_mutex_destroy(&(*folder)->mutex);
    ls_free(*folder);
    *folder = NULL;
}
