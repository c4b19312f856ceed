#include "sources/class_folders.h"

#include <lockstep/dataset.h>

#include "base/memory.h"
#include "base/show.h"
#include "sources/import_common.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static bool is_folder(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

/* Appends the names in a folder, sorted; hidden ones are left out. */
static ls_status list_folder(const char *folder, bool folders, ls_text_list *out)
{
    char path[LS_PATH_MAX];
    ls_status status = LS_OK;
    DIR *open = opendir(folder);
    if (open == NULL)
        return ls_fail(LS_ERR_DATA, "%s: can't open this folder: %s", folder, strerror(errno));
    for (struct dirent *e; status == LS_OK && (e = readdir(open)) != NULL;) {
        if (e->d_name[0] == '.')
            continue;
        status = ls_path(path, folder, "/", e->d_name);
        if (status == LS_OK && is_folder(path) == folders)
            status = ls_text_list_add(out, e->d_name);
    }
    closedir(open);
    ls_text_list_sort(out);
    return status;
}

/* Appends the files of a class. */
static ls_status add_class(ls_class_folder *a, const char *class, const ls_file_kind *kind)
{
    char folder[LS_PATH_MAX], path[LS_PATH_MAX];
    ls_text_list files = {0};
    const int64_t before = a->paths.count;
    ls_status status = ls_path(folder, a->folder, "/", class);
    if (status == LS_OK)
        status = list_folder(folder, false, &files);
    for (int64_t i = 0; status == LS_OK && i < files.count; i++) {
        status = ls_path(path, folder, "/", files.text[i]);
        if (status == LS_OK && (kind->is_wanted == NULL || kind->is_wanted(files.text[i])))
            status = ls_text_list_add(&a->paths, path);
        else if (status == LS_OK && a->others++ == 0)
            memcpy(a->first, path, sizeof path);
    }
    if (status == LS_OK && a->paths.count == before && files.count > 0)
        status = ls_fail(LS_ERR_DATA, "%s: has no %s files; %s must be converted to one", folder,
                         kind->name, files.text[0]);
    ls_text_list_free(&files);
    return status;
}

/* Lists the files of a split, and their labels. */
static ls_status list_files(ls_class_folder *a, const ls_text_list *classes,
                            const ls_text_list *here, const ls_file_kind *kind)
{
    ls_status status = LS_OK;
    int64_t *end = ls_alloc(here->count, sizeof *end), row = 0;
    if (end == NULL)
        return LS_ERR_FAILURE;
    for (int64_t k = 0; status == LS_OK && k < here->count; k++) {
        if (ls_text_list_find(classes, here->text[k]) < 0)
            status = ls_fail(LS_ERR_DATA, "%s/%s: there is no such class among the training rows",
                             a->folder, here->text[k]);
        if (status == LS_OK)
            status = add_class(a, here->text[k], kind);
        end[k] = a->paths.count;
    }
    if (status == LS_OK && a->paths.count == 0)
        status = ls_fail(LS_ERR_DATA, "%s: its folders have no %s files", a->folder, kind->name);
    a->label = status == LS_OK ? ls_alloc(a->paths.count, sizeof *a->label) : NULL;
    for (int64_t k = 0; a->label != NULL && k < here->count; k++)
        for (; row < end[k]; row++)
            a->label[row] = (int32_t)ls_text_list_find(classes, here->text[k]);
    ls_free(end);
    return status == LS_OK && a->label == NULL ? LS_ERR_FAILURE : status;
}

static ls_status list_split(ls_class_folder *a, int64_t limit, const ls_file_kind *kind,
                            ls_text_list *classes)
{
    ls_text_list here = {0};
    ls_status status = list_folder(a->folder, true, &here);
    for (int64_t i = 0; status == LS_OK && strcmp(a->group, "train") == 0 && i < here.count; i++)
        status = ls_text_list_add(classes, here.text[i]);
    if (status == LS_OK && (classes->count < 2 || classes->count > LS_MAX_CLASSES))
        status = ls_fail(
            LS_ERR_DATA, "%s: has %s: expected 2 to %d, one for each class, with %s files in them",
            a->folder, classes->count == 1 ? "1 folder" : "no folders", LS_MAX_CLASSES, kind->name);
    if (status == LS_OK)
        status = list_files(a, classes, &here, kind);
    a->rows = ls_import_rows(a->paths.count, limit);
    ls_text_list_free(&here);
    return status;
}

/* Finds the folders of the splits: those of these names, else the folder itself. */
static ls_status find_folders(ls_class_folders *f, const char *folder)
{
    static const struct {
        const char *group, *name;
    } known[] = {
        {"train", "train"}, {"validation", "validation"}, {"validation", "val"}, {"test", "test"}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        ls_class_folder *a = &f->split[f->splits];
        const bool again = f->splits > 0 && strcmp(a[-1].group, known[i].group) == 0;
        ls_status status = again ? LS_OK : ls_path(a->folder, folder, "/", known[i].name);
        if (status != LS_OK)
            return status;
        if (again || !is_folder(a->folder))
            continue;
        a->group = known[i].group;
        f->splits++;
    }
    if (f->splits > 0 && strcmp(f->split->group, "train") == 0)
        return LS_OK;
    f->splits = 1;
    f->split->group = "train";
    return ls_path(f->split->folder, folder, NULL, NULL);
}

/* Tells the user of files that are left out. */
void ls_class_folders_note(const ls_class_folders *f, const ls_import *import,
                           const ls_file_kind *kind)
{
    char text[LS_PATH_MAX + 96];
    const char *first = NULL;
    int64_t others = 0;
    for (int k = 0; k < f->splits; k++) {
        first = others == 0 ? f->split[k].first : first;
        others += f->split[k].others;
    }
    if (others == 0 || import->note == NULL)
        return;
    snprintf(text, sizeof text, "%s of other kinds than %s left out: %s%s",
             ls_counted(others, "file").text, kind->name, first, others > 1 ? ", ..." : "");
    import->note(import->user, text);
}

ls_status ls_class_folders_list(ls_class_folders **out, const ls_import *import, const char *folder,
                                const ls_file_kind *kind)
{
    ls_class_folders *f = ls_alloc(1, sizeof *f);
    if (f == NULL)
        return LS_ERR_FAILURE;
    *out = f;
    ls_status status =
        import->classes == 0
            ? find_folders(f, folder)
            : ls_fail(LS_ERR_USAGE, "the folders are the classes: leave out --classes");
    for (int k = 0; status == LS_OK && k < f->splits; k++) {
        const bool test = strcmp(f->split[k].group, "test") == 0;
        const int64_t limit = test ? import->limit_test : k == 0 ? import->limit : 0;
        status = list_split(&f->split[k], limit, kind, &f->classes);
    }
    return status;
}

void ls_class_folders_free(ls_class_folders **folders)
{
    ls_class_folders *f = *folders;
    for (int k = 0; f != NULL && k < LS_FOLDER_SPLITS; k++) {
        ls_text_list_free(&f->split[k].paths);
        ls_free(f->split[k].label);
    }
    if (f != NULL)
        ls_text_list_free(&f->classes);
    ls_free(f);
    *folders = NULL;
}
