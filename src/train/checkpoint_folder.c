/* The folder of checkpoints: publish a new file whole, let `last` and `best` point to files that
 * are there, then prune. In this order a crash at any instant leaves a loadable checkpoint. */
#include "base/file.h"
#include "base/memory.h"
#include "train/checkpoint_file.h"

#include <dirent.h>
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHECKPOINT_NAME = 64 };

static void checkpoint_name(char out[CHECKPOINT_NAME], int64_t steps)
{
    snprintf(out, CHECKPOINT_NAME, "step-%08lld.h5", (long long)steps);
}

/* step-NNNNNNNN.h5, NNNNNNNN at least 8 digits. */
static int is_checkpoint(const struct dirent *entry)
{
    const char *name = entry->d_name;
    size_t length = strlen(name);
    if (length < strlen("step-00000000.h5") || strncmp(name, "step-", 5) != 0 ||
        strcmp(name + length - 3, ".h5") != 0)
        return false;
    return strspn(name + 5, "0123456789") == length - 8;
}

/* Below 0 if checkpoint x is of more steps than y. */
static int compare_names(const char *x, const char *y)
{
    size_t n = strlen(x), m = strlen(y);
    return n != m ? (n < m) - (n > m) : strcmp(y, x);
}

static int newest_first(const struct dirent **a, const struct dirent **b)
{
    return compare_names((*a)->d_name, (*b)->d_name);
}

static void free_list(struct dirent **entries, int count)
{
    for (int i = 0; i < count; i++)
        free(entries[i]);
    free(entries);
}

/* The checkpoint files of a folder, newest first; none if there is no such folder. */
static ls_status list(const char *folder, struct dirent ***out, int *count)
{
    *out = NULL;
    *count = scandir(folder, out, is_checkpoint, newest_first);
    if (*count >= 0)
        return LS_OK;
    *count = 0;
    if (errno == ENOENT || errno == ENOTDIR)
        return LS_OK;
    return ls_fail(LS_ERR_DATA, "%s: can't read this folder: %s", folder, strerror(errno));
}

static ls_status remove_file(const char *folder, const char *name)
{
    char path[LS_PATH_MAX];
    ls_status status = ls_path(path, folder, "/", name);
    if (status == LS_OK && unlink(path) != 0 && errno != ENOENT)
        status = ls_fail(LS_ERR_FAILURE, "%s: can't remove: %s", path, strerror(errno));
    return status;
}

/* Removes all but the `keep` newest checkpoints and the best. */
static ls_status prune(const char *folder, const ls_progress *progress, int64_t keep)
{
    char best[CHECKPOINT_NAME];
    struct dirent **entries;
    int count;
    checkpoint_name(best, progress->best_steps);
    ls_status status = list(folder, &entries, &count);
    for (int64_t i = keep; status == LS_OK && i < count; i++)
        if (strcmp(entries[i]->d_name, best) != 0)
            status = remove_file(folder, entries[i]->d_name);
    free_list(entries, count);
    return status;
}

/* Lets a link point to the checkpoint of so many steps; without that there is no such link. */
static ls_status point(const char *folder, const char *link, int64_t steps)
{
    char name[CHECKPOINT_NAME], path[LS_PATH_MAX];
    checkpoint_name(name, steps);
    ls_status status = ls_path(path, folder, "/", name);
    if (status != LS_OK)
        return status;
    if (access(path, F_OK) != 0)
        return errno == ENOENT
                   ? remove_file(folder, link)
                   : ls_fail(LS_ERR_FAILURE, "%s: can't access: %s", path, strerror(errno));
    status = ls_path(path, folder, "/", link);
    return status == LS_OK ? ls_point(path, name) : status;
}

static ls_status point_links(const char *folder, const ls_progress *progress)
{
    ls_status status = point(folder, "last", progress->optimizer_steps);
    return status == LS_OK ? point(folder, "best", progress->best_steps) : status;
}

ls_status ls_checkpoint_save(const char *folder, const ls_state *state, int64_t keep)
{
    char name[CHECKPOINT_NAME], path[LS_PATH_MAX], temporary[LS_PATH_MAX];
    checkpoint_name(name, state->progress->optimizer_steps);
    ls_status status = ls_path(path, folder, "/", name);
    /* Always the same name, so that what a crash leaves of it is gone with the next one. */
    if (status == LS_OK)
        status = ls_path(temporary, folder, "/new.h5.tmp", NULL);
    if (status != LS_OK)
        return status;
    status = ls_checkpoint_write(temporary, state);
    if (status != LS_OK) {
        unlink(temporary);
        return status;
    }
    status = ls_publish(temporary, path);
    if (status == LS_OK)
        status = point_links(folder, state->progress);
    /* Saved it is, whether older ones can be removed or not; the next save tries that again. */
    if (status == LS_OK)
        (void)prune(folder, state->progress, keep);
    return status;
}

ls_status ls_checkpoint_rewind(const char *folder, const ls_progress *progress)
{
    char current[CHECKPOINT_NAME];
    struct dirent **entries;
    int count;
    checkpoint_name(current, progress->optimizer_steps);
    ls_status status = point_links(folder, progress);
    if (status == LS_OK)
        status = list(folder, &entries, &count);
    if (status != LS_OK)
        return status;
    for (int i = 0; status == LS_OK && i < count; i++)
        if (compare_names(entries[i]->d_name, current) < 0)
            status = remove_file(folder, entries[i]->d_name);
    free_list(entries, count);
    return status;
}

ls_status ls_checkpoint_open_best(const ls_checkpoint *current, ls_checkpoint **out)
{
    char path[LS_PATH_MAX], folder[LS_PATH_MAX], name[CHECKPOINT_NAME];
    const ls_progress *progress = ls_checkpoint_progress(current);
    const int64_t wanted = progress->early_stop.best_epoch;
    ls_status status = ls_path(path, ls_checkpoint_path(current), NULL, NULL);
    if (status == LS_OK && progress->best_steps != progress->optimizer_steps) {
        checkpoint_name(name, progress->best_steps);
        status = ls_path(folder, path, NULL, NULL);
        if (status == LS_OK)
            status = ls_path(path, dirname(folder), "/", name);
    }
    ls_checkpoint *best = NULL;
    if (status == LS_OK)
        status = ls_checkpoint_open(&best, path);
    if (status != LS_OK)
        return status;
    const ls_progress *found = ls_checkpoint_progress(best);
    if (found->epoch > wanted || found->epoch != found->early_stop.best_epoch || found->step != 0) {
        ls_checkpoint_close(&best);
        return ls_fail(LS_ERR_DATA,
                       "%s: is not of epoch %lld, the best one, nor of a best one before", path,
                       (long long)wanted);
    }
    *out = best;
    return LS_OK;
}

ls_status ls_checkpoint_copy(const ls_checkpoint *checkpoint, const char *folder)
{
    char name[CHECKPOINT_NAME], path[LS_PATH_MAX], *bytes = NULL;
    size_t length = 0;
    checkpoint_name(name, ls_checkpoint_progress(checkpoint)->optimizer_steps);
    ls_status status = ls_path(path, folder, "/", name);
    if (status == LS_OK)
        status = ls_read_file(ls_checkpoint_path(checkpoint), SIZE_MAX / 4, LS_ERR_DATA, &bytes,
                              &length);
    if (status == LS_OK)
        status = ls_write_file(path, bytes, length);
    ls_free(bytes);
    return status;
}

ls_status ls_checkpoint_find(const char *path, bool newest, char *out, size_t size)
{
    static const char *const members[] = {"/checkpoints/best", "/checkpoints/last", "/best",
                                          "/last"};
    struct stat found;
    if (stat(path, &found) != 0)
        return ls_fail(LS_ERR_DATA, "%s: can't open: %s", path, strerror(errno));
    if (!S_ISDIR(found.st_mode)) {
        if ((size_t)snprintf(out, size, "%s", path) >= size)
            return ls_fail(LS_ERR_USAGE, "%.60s...: path too long", path);
        return LS_OK;
    }
    for (size_t i = newest ? 1 : 0; i < sizeof members / sizeof *members; i += newest ? 2 : 1) {
        if ((size_t)snprintf(out, size, "%s%s", path, members[i]) >= size)
            return ls_fail(LS_ERR_USAGE, "%.60s...: path too long", path);
        if (stat(out, &found) == 0)
            return LS_OK;
    }
    return ls_fail(LS_ERR_DATA, "%s: this folder holds no checkpoint", path);
}

ls_status ls_checkpoint_open_newest(const char *run, ls_checkpoint **out,
                                    char skipped[LS_ERROR_TEXT_MAX])
{
    char folder[LS_PATH_MAX], path[LS_PATH_MAX];
    struct dirent **entries;
    int count;
    *out = NULL;
    *skipped = '\0';
    ls_status status = ls_path(folder, run, "/checkpoints", NULL);
    if (status == LS_OK)
        status = list(folder, &entries, &count);
    if (status != LS_OK)
        return status;
    for (int i = 0; i < count; i++) {
        status = ls_path(path, folder, "/", entries[i]->d_name);
        if (status == LS_OK)
            status = ls_checkpoint_open(out, path);
        if (status != LS_ERR_DATA)
            break; /* found, or something else is wrong than the file */
        if (*skipped == '\0')
            snprintf(skipped, LS_ERROR_TEXT_MAX, "%s", ls_error_text());
    }
    free_list(entries, count);
    if (status == LS_ERR_DATA)
        return ls_fail(LS_ERR_DATA, "%s: none of its checkpoints is intact; the newest: %s", run,
                       skipped);
    return status;
}
