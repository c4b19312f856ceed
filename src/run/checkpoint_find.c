/* Finds checkpoints: the file names in a folder give their steps, and the newest checkpoint names
 * the best one. */
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

#include <lockstep/run.h>

void ls_checkpoint_name(char out[LS_CHECKPOINT_NAME], int64_t steps)
{
    snprintf(out, LS_CHECKPOINT_NAME, "step-%08lld.h5", (long long)steps);
}

/* Returns the steps in a checkpoint's file name; -1 if it is not a checkpoint's name. */
static int64_t parse_name(const char *name)
{
    char again[LS_CHECKPOINT_NAME];
    long long steps = -1;
    if (sscanf(name, "step-%lld", &steps) != 1 || steps < 0)
        return -1;
    ls_checkpoint_name(again, steps);
    return strcmp(again, name) == 0 ? steps : -1;
}

static int checkpoint_filter(const struct dirent *entry)
{
    return parse_name(entry->d_name) >= 0;
}

static int checkpoint_compare(const struct dirent **a, const struct dirent **b)
{
    const int64_t x = parse_name((*a)->d_name), y = parse_name((*b)->d_name);
    return (x < y) - (x > y);
}

ls_status ls_checkpoint_list(const char *folder, int64_t **out, int *count)
{
    struct dirent **entries = NULL;
    *out = NULL;
    *count = 0;
    const int found = scandir(folder, &entries, checkpoint_filter, checkpoint_compare);
    if (found < 0 && (errno == ENOENT || errno == ENOTDIR))
        return LS_OK;
    if (found < 0)
        return ls_fail(LS_ERR_DATA, "%s: can't read this folder: %s", folder, strerror(errno));
    *out = ls_alloc(found, sizeof **out);
    for (int i = 0; i < found; i++) {
        if (*out != NULL)
            (*out)[(*count)++] = parse_name(entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return *out == NULL ? LS_ERR_FAILURE : LS_OK;
}

bool ls_checkpoint_is_of(const char *file, const char *run)
{
    return file == NULL || run == NULL || *file == '\0' || *run == '\0' || strcmp(file, run) == 0;
}

/* Writes the path of the checkpoint after `steps` steps. */
static ls_status make_path(char out[LS_PATH_MAX], const char *folder, int64_t steps)
{
    char name[LS_CHECKPOINT_NAME];
    ls_checkpoint_name(name, steps);
    return ls_path(out, folder, "/", name);
}

/* Opens the newest intact checkpoint of a list.
 * steps    [count] descending
 * skipped  on return the error of the newest damaged one
 * gone     set to true if a file has disappeared since it was listed */
static ls_status open_first_intact(const char *folder, const int64_t *steps, int count,
                                   ls_checkpoint **out, char skipped[LS_ERROR_TEXT_MAX], bool *gone)
{
    char path[LS_PATH_MAX];
    ls_condition condition;
    for (int i = 0; i < count; i++) {
        ls_status status = make_path(path, folder, steps[i]);
        if (status != LS_OK)
            return status;
        status = ls_checkpoint_examine(out, path, &condition);
        if (status != LS_ERR_DATA)
            return status; /* opened, or an error that is not the file's */
        if (condition == LS_CHECKPOINT_UNREADABLE)
            return ls_fail(LS_ERR_DATA,
                           "%s; it may be whole, and is the newest one: try again when it can be "
                           "read, or name the checkpoint to use",
                           ls_error_text());
        if (condition != LS_CHECKPOINT_GONE && *skipped == '\0')
            snprintf(skipped, LS_ERROR_TEXT_MAX, "%s", ls_error_text());
        *gone = *gone || condition == LS_CHECKPOINT_GONE;
    }
    return LS_OK;
}

/* ls_checkpoint_open_newest() for a folder of checkpoints. A run that still writes into it may
 * remove listed checkpoints after it has written newer ones: then the folder is listed again. */
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
            status = open_first_intact(folder, steps, count, out, skipped, &gone);
        ls_free(steps);
    }
    if (status == LS_OK && *out == NULL && *skipped != '\0')
        return ls_fail(LS_ERR_DATA, "%s: none of its checkpoints is intact; the newest: %s", folder,
                       skipped);
    return status;
}

/* Writes the folder of checkpoints: path/checkpoints if it exists, else path itself. */
static ls_status checkpoints_folder(char out[LS_PATH_MAX], const char *path)
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
    ls_status status = checkpoints_folder(folder, run);
    return status == LS_OK ? open_newest(folder, out, skipped) : status;
}

/* Writes the path of the best checkpoint according to `current`. */
static ls_status best_path(const ls_checkpoint *current, char out[LS_PATH_MAX])
{
    char path[LS_PATH_MAX];
    const ls_progress *progress = ls_checkpoint_progress(current);
    ls_status status = ls_path(out, ls_checkpoint_path(current), NULL, NULL);
    if (status != LS_OK || progress->best_steps == progress->optimizer_steps)
        return status;
    status = ls_path(path, out, NULL, NULL);
    return status == LS_OK ? make_path(out, dirname(path), progress->best_steps) : status;
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
                      "%s: is neither of epoch %lld, the best, nor of an earlier best epoch", path,
                      (long long)wanted);
    ls_checkpoint_close(out);
    snprintf(missing, LS_ERROR_TEXT_MAX, "%s", ls_error_text());
    return LS_OK;
}

/* Determines the best or last checkpoint from the files of a folder, without links; "" if there are
 * none. */
static ls_status find_without_links(const char *folder, bool newest, char out[LS_PATH_MAX])
{
    char skipped[LS_ERROR_TEXT_MAX];
    ls_checkpoint *last = NULL;
    *out = '\0';
    ls_status status = open_newest(folder, &last, skipped);
    if (status != LS_OK || last == NULL)
        return status;
    if (*skipped != '\0')
        status = ls_fail(LS_ERR_DATA, "%s; name the checkpoint to use", skipped);
    else if (!newest && ls_checkpoint_progress(last)->best_steps > 0)
        status = best_path(last, out);
    if (status == LS_OK && (*out == '\0' || (access(out, F_OK) != 0 && errno == ENOENT)))
        status = ls_path(out, ls_checkpoint_path(last), NULL, NULL);
    ls_checkpoint_close(&last);
    return status;
}

/* ls_checkpoint_find() for a folder of checkpoints; "" if it holds none. */
static ls_status find_in_folder(const char *folder, bool newest, char out[LS_PATH_MAX])
{
    ls_status status = ls_path(out, folder, "/best", NULL);
    if (status != LS_OK || (!newest && access(out, F_OK) == 0))
        return status;
    status = find_without_links(folder, newest, out);
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

/* ls_checkpoint_find() without its last checks; "" if a folder holds no checkpoint. */
static ls_status find_path(const char *path, bool newest, char out[LS_PATH_MAX])
{
    char folder[LS_PATH_MAX];
    struct stat found;
    *out = '\0';
    if (stat(path, &found) != 0) {
        const int reason = errno;
        bool last;
        ls_status status = LS_OK;
        if (reason == ENOENT && ls_checkpoint_is_link(path, folder, &last))
            status = find_without_links(folder, last, out);
        return status != LS_OK || *out != '\0'
                   ? status
                   : ls_fail(LS_ERR_DATA, "%s: can't open: %s", path, strerror(reason));
    }
    if (!S_ISDIR(found.st_mode))
        return ls_path(out, path, NULL, NULL);
    ls_status status = checkpoints_folder(folder, path);
    return status == LS_OK ? find_in_folder(folder, newest, out) : status;
}

ls_status ls_checkpoint_find(const char *path, bool newest, char *out, size_t size)
{
    char found[LS_PATH_MAX];
    ls_status status = find_path(path, newest, found);
    if (status == LS_OK && *found == '\0')
        status = ls_fail(LS_ERR_DATA, "%s: this folder holds no checkpoint", path);
    if (status == LS_OK && (size_t)snprintf(out, size, "%s", found) >= size)
        status = ls_fail(LS_ERR_USAGE, "%.60s...: path too long", path);
    return status;
}
