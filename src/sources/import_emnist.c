/* EMNIST: IDX files whose images are transposed. */
#include <lockstep/import.h>

#include "base/file.h"
#include "sources/import_idx.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { FILES = 4, NAME = 64 };

static const char *const all_splits[] = {"balanced", "byclass", "bymerge",
                                         "digits",   "letters", "mnist"};

/* Finds the only split of the folder. */
static ls_status find_split(const char *folder, char split[NAME])
{
    char path[LS_PATH_MAX], stem[NAME], found[NAME] = "";
    for (size_t i = 0; i < sizeof all_splits / sizeof *all_splits; i++) {
        snprintf(stem, sizeof stem, "emnist-%s-train-images", all_splits[i]);
        if (ls_import_find(folder, stem, path, sizeof path) != LS_OK)
            continue;
        if (*found != '\0')
            return ls_fail(LS_ERR_USAGE, "%s: has EMNIST's splits %s and %s: give --emnist %s,%s",
                           folder, found, all_splits[i], folder, found);
        snprintf(found, sizeof found, "%s", all_splits[i]);
    }
    if (*found == '\0')
        return ls_fail(LS_ERR_DATA, "%s: has no file emnist-SPLIT-train-images-idx3-ubyte or .gz",
                       folder);
    snprintf(split, NAME, "%s", found);
    return LS_OK;
}

/* Makes the name of a class, the characters of a line "LABEL CODE [CODE]", which must have this
 * label. */
static ls_status read_mapping(const char *path, const char *line, int label, char name[NAME])
{
    int number, code[2] = {0, 0};
    const int got = sscanf(line, "%9d %9d %9d", &number, &code[0], &code[1]);
    if (got < 2 || number != label || code[0] <= ' ' || code[0] > '~' ||
        (got == 3 && (code[1] <= ' ' || code[1] > '~')))
        return ls_fail(LS_ERR_DATA, "%s: '%.40s' is not '%d' and one or two codes of characters",
                       path, line, label);
    snprintf(name, NAME, got == 3 ? "%c%c" : "%c", code[0], code[1]);
    return LS_OK;
}

/* Reads the names of classes, if there is a file of them. */
static ls_status read_names(const char *folder, const char *split, int first, ls_text_list *names)
{
    char path[LS_PATH_MAX], file[2 * NAME], name[NAME];
    ls_text_list lines = {0};
    snprintf(file, sizeof file, "emnist-%s-mapping.txt", split);
    ls_status status = ls_path(path, folder, "/", file);
    if (status != LS_OK || access(path, F_OK) != 0)
        return status;
    status = ls_text_list_read(&lines, path);
    if (status == LS_OK && lines.count < 2)
        status = ls_fail(LS_ERR_DATA, "%s: has fewer than 2 classes", path);
    for (int i = 0; status == LS_OK && i < lines.count; i++) {
        status = read_mapping(path, lines.text[i], first + i, name);
        if (status == LS_OK)
            status = ls_text_list_add(names, name);
    }
    ls_text_list_free(&lines);
    return status;
}

/* Finds the four files. */
static ls_status find_files(const char *folder, const char *split, char paths[FILES][LS_PATH_MAX])
{
    static const char *const stems[FILES] = {"train-images", "train-labels", "test-images",
                                             "test-labels"};
    char stem[2 * NAME];
    ls_status status = LS_OK;
    for (int i = 0; status == LS_OK && i < FILES; i++) {
        snprintf(stem, sizeof stem, "emnist-%s-%s", split, stems[i]);
        status = ls_import_find(folder, stem, paths[i], LS_PATH_MAX);
    }
    return status;
}

ls_status ls_import_emnist(const ls_import *import, const char *folder, const char *split,
                           const char *path)
{
    char paths[FILES][LS_PATH_MAX], chosen[NAME];
    ls_text_list names = {0};
    if (strlen(split) >= NAME)
        return ls_fail(LS_ERR_USAGE, "--emnist: '%.60s...' is no split of EMNIST", split);
    snprintf(chosen, sizeof chosen, "%s", split);
    ls_status status = *split == '\0' ? find_split(folder, chosen) : LS_OK;
    if (status == LS_OK)
        status = find_files(folder, chosen, paths);
    if (status != LS_OK)
        return status;
    const ls_idx_form form = {
        .transposed = true, .first_label = strcmp(chosen, "letters") == 0 ? 1 : 0, .names = &names};
    ls_import files = *import;
    files.train_images = paths[0];
    files.train_labels = paths[1];
    files.test_images = paths[2];
    files.test_labels = paths[3];
    status = read_names(folder, chosen, form.first_label, &names);
    if (status == LS_OK && names.count > 0 && import->classes == 0)
        files.classes = names.count;
    if (status == LS_OK && names.count > 0 && files.classes != names.count)
        status = ls_fail(LS_ERR_USAGE, "--classes %lld: the mapping of %s has %lld classes",
                         (long long)files.classes, chosen, (long long)names.count);
    if (status == LS_OK)
        status = ls_import_idx_form(&files, &form, path);
    ls_text_list_free(&names);
    return status;
}
