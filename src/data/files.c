#include "data/files.h"

#include "base/memory.h"

#include <glob.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static ls_status append_path(ls_files *f, const char *path)
{
    if (f->count == LS_FILES_MOST)
        return ls_fail(LS_ERR_USAGE, "more than %d data files", LS_FILES_MOST);
    f->path[f->count] = ls_strdup(path);
    return f->path[f->count++] == NULL ? LS_ERR_FAILURE : LS_OK;
}

static ls_status append_matches(ls_files *f, const char *pattern)
{
    glob_t found = {0};
    const int failed = glob(pattern, 0, NULL, &found); /* sorted */
    ls_status status = failed == 0 ? LS_OK
                       : failed == GLOB_NOMATCH
                           ? ls_fail(LS_ERR_DATA, "%s: no file matches", pattern)
                           : ls_fail(LS_ERR_DATA, "%s: can't search for files", pattern);
    for (size_t i = 0; status == LS_OK && i < found.gl_pathc; i++)
        status = append_path(f, found.gl_pathv[i]);
    globfree(&found);
    return status;
}

/* Appends the file or the files of a part of the list. */
static ls_status append_item(ls_files *f, const char *item)
{
    if (*item == '\0')
        return ls_fail(LS_ERR_USAGE, "a list of data files has an empty name");
    const bool pattern = strpbrk(item, "*?[") != NULL && access(item, F_OK) != 0;
    return pattern ? append_matches(f, item) : append_path(f, item);
}

/* Cuts a list, in place. */
static ls_status append_items(ls_files *f, char *text)
{
    ls_status status = LS_OK;
    for (char *end; status == LS_OK && text != NULL; text = end != NULL ? end + 1 : NULL) {
        end = strchr(text, ',');
        if (end != NULL)
            *end = '\0';
        status = append_item(f, text);
    }
    return status;
}

ls_status ls_files_find(ls_files *out, const char *text)
{
    ls_files f = {.path = ls_alloc(LS_FILES_MOST, sizeof *f.path)};
    char *copy = ls_strdup(text);
    ls_status status = f.path == NULL || copy == NULL ? LS_ERR_FAILURE : LS_OK;
    if (status == LS_OK)
        status = access(text, F_OK) == 0 ? append_path(&f, text) : append_items(&f, copy);
    ls_free(copy);
    if (status != LS_OK)
        ls_files_free(&f);
    else
        *out = f;
    return status;
}

/* A file, whatever its name. */
typedef struct identity {
    dev_t device;
    ino_t inode;
    int list, at;
} identity;

static int compare(const void *a, const void *b)
{
    const identity *x = a, *y = b;
    return x->device != y->device ? (x->device > y->device) - (x->device < y->device)
           : x->inode != y->inode ? (x->inode > y->inode) - (x->inode < y->inode)
           : x->list != y->list   ? x->list - y->list
                                  : x->at - y->at;
}

/* Appends the files of a list that exist. Returns the number of all. */
static int identify(const ls_files *f, int list, identity *out, int count)
{
    struct stat found;
    for (int i = 0; i < f->count; i++)
        if (stat(f->path[i], &found) == 0)
            out[count++] = (identity){found.st_dev, found.st_ino, list, i};
    return count;
}

const char *ls_files_find_same(const ls_files *a, const ls_files *b)
{
    const char *same = NULL;
    identity *all = ls_alloc(a->count + (b != NULL ? b->count : 0), sizeof *all);
    if (all == NULL)
        return NULL;
    int count = identify(a, 0, all, 0);
    if (b != NULL)
        count = identify(b, 1, all, count);
    if (count > 1)
        qsort(all, (size_t)count, sizeof *all, compare);
    for (int i = 1; i < count && same == NULL; i++)
        if (all[i].device == all[i - 1].device && all[i].inode == all[i - 1].inode &&
            (b == NULL || all[i].list != all[i - 1].list))
            same = (all[i].list == 0 ? a : b)->path[all[i].at];
    ls_free(all);
    return same;
}

void ls_files_free(ls_files *files)
{
    for (int i = 0; files->path != NULL && i < files->count; i++)
        ls_free(files->path[i]);
    ls_free(files->path);
    *files = (ls_files){0};
}
