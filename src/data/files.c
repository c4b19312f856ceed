#include "data/files.h"

#include "base/memory.h"

#include <glob.h>
#include <stdbool.h>
#include <string.h>
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

void ls_files_free(ls_files *files)
{
    for (int i = 0; files->path != NULL && i < files->count; i++)
        ls_free(files->path[i]);
    ls_free(files->path);
    *files = (ls_files){0};
}
