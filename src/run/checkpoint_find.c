/* Finding checkpoints: a folder tells by the names of its files which there are, and the newest of
 * them which was the best. */
#include "base/file.h"
#include "base/memory.h"
#include "run/checkpoint_file.h"

#include <dirent.h>
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void ls_checkpoint_name(char out[LS_CHECKPOINT_NAME], int64_t steps)
{
    snprintf(out, LS_CHECKPOINT_NAME, "step-%08lld.h5", (long long)steps);
}

/* The steps of the checkpoint of this name; -1: it is the name of none. */
static int64_t steps_of(const char *name)
{
    char again[LS_CHECKPOINT_NAME];
    long long steps = -1;
    if (sscanf(name, "step-%lld", &steps) != 1 || steps < 0)
        return -1;
    ls_checkpoint_name(again, steps);
    return strcmp(again, name) == 0 ? steps : -1;
}

static int is_checkpoint(const struct dirent *entry)
{
    return steps_of(entry->d_name) >= 0;
}

static int newest_first(const struct dirent **a, const struct dirent **b)
{
    const int64_t x = steps_of((*a)->d_name), y = steps_of((*b)->d_name);
    return (x < y) - (x > y);
}

ls_status ls_checkpoint_list(const char *folder, int64_t **out, int *count)
{
    struct dirent **entries = NULL;
    *out = NULL;
    *count = 0;
    const int found = scandir(folder, &entries, is_checkpoint, newest_first);
    if (found < 0 && (errno == ENOENT || errno == ENOTDIR))
        return LS_OK;
    if (found < 0)
        return ls_fail(LS_ERR_DATA, "%s: can't read this folder: %s", folder, strerror(errno));
    *out = ls_alloc(found, sizeof **out);
    for (int i = 0; i < found; i++) {
        if (*out != NULL)
            (*out)[(*count)++] = steps_of(entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return *out == NULL ? LS_ERR_FAILURE : LS_OK;
}

bool ls_checkpoint_is_of(const char *file, const char *run)
{
    return file == NULL || run == NULL || *file == '\0' || *run == '\0' || strcmp(file, run) == 0;
}

/* The checkpoint of so many steps in a folder. */
static ls_status path_of(char out[LS_PATH_MAX], const char *folder, int64_t steps)
{
    char name[LS_CHECKPOINT_NAME];
    ls_checkpoint_name(name, steps);
    return ls_path(out, folder, "/", name);
}

/* Opens the newest of these that is intact. `gone`: whether one has gone since they were listed. */
static ls_status open_first(const char *folder, const int64_t *steps, int count,
                            ls_checkpoint **out, char skipped[LS_ERROR_TEXT_MAX], bool *gone)
{
    char path[LS_PATH_MAX];
    ls_condition condition;
    for (int i = 0; i < count; i++) {
        ls_status status = path_of(path, folder, steps[i]);
        if (status != LS_OK)
            return status;
        status = ls_checkpoint_examine(out, path, &condition);
        if (status != LS_ERR_DATA)
            return status; /* found, or something else is wrong than the file */
        if (condition == LS_CHECKPOINT_UNREADABLE)
            return ls_fail(LS_ERR_DATA,
                           "%s; it may be whole, and is the newest one: try again when it can be "
                           "read, or name the checkpoint that is meant",
                           ls_error_text());
        if (condition != LS_CHECKPOINT_GONE && *skipped == '\0')
            snprintf(skipped, LS_ERROR_TEXT_MAX, "%s", ls_error_text());
        *gone = *gone || condition == LS_CHECKPOINT_GONE;
    }
    return LS_OK;
}

/* ls_checkpoint_open_newest() of a folder of checkpoints. A run that goes on meanwhile may remove
 * those that were listed, after it has written newer ones. */
static ls_status open_newest(const char *folder, ls_checkpoint **out,
                             char skipped[LS_ERROR_TEXT_MAX])
{
    ls_status status = LS_OK;
    bool gone = true;
    *out = NULL;
    for (int tries = 0; status == LS_OK && *out == NULL && gone && tries < 5; tries++) {
        int64_t *steps;
        int count;
        gone = false;
        *skipped = '\0';
        status = ls_checkpoint_list(folder, &steps, &count);
        if (status == LS_OK)
            status = open_first(folder, steps, count, out, skipped, &gone);
        ls_free(steps);
    }
    if (status == LS_OK && *out == NULL && *skipped != '\0')
        return ls_fail(LS_ERR_DATA, "%s: none of its checkpoints is intact; the newest: %s", folder,
                       skipped);
    return status;
}

/* The folder of checkpoints that is meant by a folder: the one in it, or itself. */
static ls_status folder_in(char out[LS_PATH_MAX], const char *path)
{
    struct stat found;
    ls_status status = ls_path(out, path, "/checkpoints", NULL);
    if (status == LS_OK && stat(out, &found) != 0 && errno == ENOENT)
        status = ls_path(out, path, NULL, NULL);
    return status;
}

ls_status ls_checkpoint_open_newest(const char *run, ls_checkpoint **out,
                                    char skipped[LS_ERROR_TEXT_MAX])
{
    char folder[LS_PATH_MAX];
    *out = NULL;
    *skipped = '\0';
    ls_status status = folder_in(folder, run);
    return status == LS_OK ? open_newest(folder, out, skipped) : status;
}

/* Where the best checkpoint lies that `current` knows of. */
static ls_status best_path(const ls_checkpoint *current, char out[LS_PATH_MAX])
{
    char path[LS_PATH_MAX];
    const ls_progress *progress = ls_checkpoint_progress(current);
    ls_status status = ls_path(out, ls_checkpoint_path(current), NULL, NULL);
    if (status != LS_OK || progress->best_steps == progress->optimizer_steps)
        return status;
    status = ls_path(path, out, NULL, NULL);
    return status == LS_OK ? path_of(out, dirname(path), progress->best_steps) : status;
}

ls_status ls_checkpoint_open_best(const ls_checkpoint *current, ls_checkpoint **out,
                                  char missing[LS_ERROR_TEXT_MAX])
{
    char path[LS_PATH_MAX];
    ls_condition condition;
    const ls_progress *progress = ls_checkpoint_progress(current);
    const int64_t wanted = progress->early_stop.best_epoch;
    *out = NULL;
    *missing = '\0';
    if (progress->best_steps == 0)
        return LS_OK;
    ls_status status = best_path(current, path);
    if (status != LS_OK)
        return status;
    status = ls_checkpoint_examine(out, path, &condition);
    if (status != LS_OK && condition == LS_CHECKPOINT_UNREADABLE)
        return status;
    const ls_progress *found = status == LS_OK ? ls_checkpoint_progress(*out) : NULL;
    if (found != NULL && found->epoch <= wanted && found->epoch == found->early_stop.best_epoch &&
        found->step == 0)
        return LS_OK;
    if (found != NULL)
        (void)ls_fail(LS_ERR_DATA,
                      "%s: is not of epoch %lld, the best one, nor of a best one before", path,
                      (long long)wanted);
    ls_checkpoint_close(out);
    snprintf(missing, LS_ERROR_TEXT_MAX, "%s", ls_error_text());
    return LS_OK;
}

/* Lets the checkpoints of a folder tell which is the best, or the last; "" if there are none. */
static ls_status derive(const char *folder, bool newest, char out[LS_PATH_MAX])
{
    char skipped[LS_ERROR_TEXT_MAX];
    ls_checkpoint *last = NULL;
    *out = '\0';
    ls_status status = open_newest(folder, &last, skipped);
    if (status != LS_OK || last == NULL)
        return status;
    if (*skipped != '\0')
        status = ls_fail(LS_ERR_DATA, "%s; name the checkpoint that is meant", skipped);
    else if (!newest && ls_checkpoint_progress(last)->best_steps > 0)
        status = best_path(last, out);
    if (status == LS_OK && (*out == '\0' || (access(out, F_OK) != 0 && errno == ENOENT)))
        status = ls_path(out, ls_checkpoint_path(last), NULL, NULL);
    ls_checkpoint_close(&last);
    return status;
}

/* ls_checkpoint_find() in a folder of checkpoints; "" if it holds none. */
static ls_status find_in(const char *folder, bool newest, char out[LS_PATH_MAX])
{
    ls_status status = ls_path(out, folder, "/best", NULL);
    if (status != LS_OK || (!newest && access(out, F_OK) == 0))
        return status;
    status = derive(folder, newest, out);
    if (status != LS_OK || *out != '\0')
        return status;
    status = ls_path(out, folder, "/last", NULL);
    if (status == LS_OK && access(out, F_OK) != 0)
        *out = '\0';
    return status;
}

bool ls_checkpoint_is_link(const char *path, char folder[LS_PATH_MAX], bool *last)
{
    char copy[LS_PATH_MAX];
    if (ls_path(copy, path, NULL, NULL) != LS_OK || ls_path(folder, path, NULL, NULL) != LS_OK)
        return false;
    const char *name = basename(copy), *before = dirname(folder);
    *last = strcmp(name, "last") == 0;
    memmove(folder, before, strlen(before) + 1);
    return *last || strcmp(name, "best") == 0;
}

/* ls_checkpoint_find() with a folder for its path: what it finds, "" if there is nothing. */
static ls_status find(const char *path, bool newest, char out[LS_PATH_MAX])
{
    char folder[LS_PATH_MAX];
    struct stat found;
    *out = '\0';
    if (stat(path, &found) != 0) {
        const int reason = errno;
        bool last;
        ls_status status = LS_OK;
        if (reason == ENOENT && ls_checkpoint_is_link(path, folder, &last))
            status = derive(folder, last, out);
        return status != LS_OK || *out != '\0'
                   ? status
                   : ls_fail(LS_ERR_DATA, "%s: can't open: %s", path, strerror(reason));
    }
    if (!S_ISDIR(found.st_mode))
        return ls_path(out, path, NULL, NULL);
    ls_status status = folder_in(folder, path);
    return status == LS_OK ? find_in(folder, newest, out) : status;
}

ls_status ls_checkpoint_find(const char *path, bool newest, char *out, size_t size)
{
    char found[LS_PATH_MAX];
    ls_status status = find(path, newest, found);
    if (status == LS_OK && *found == '\0')
        status = ls_fail(LS_ERR_DATA, "%s: this folder holds no checkpoint", path);
    if (status == LS_OK && (size_t)snprintf(out, size, "%s", found) >= size)
        status = ls_fail(LS_ERR_USAGE, "%.60s...: path too long", path);
    return status;
}
