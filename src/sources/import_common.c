#include "sources/import_common.h"

#include <lockstep/dataset.h>

#include <errno.h>
#include <sha2.h>
#include <stdio.h>
#include <string.h>

ls_status ls_import_classes(const ls_label_list *lists, int count, int64_t wanted, int64_t *out)
{
    int64_t largest = 0;
    for (int k = 0; k < count; k++) {
        for (int64_t i = 0; i < lists[k].rows; i++) {
            const int32_t label = lists[k].label[i];
            if (wanted > 0 && label >= wanted)
                return ls_fail(LS_ERR_DATA,
                               "%s: label %d in row %lld: too large for --classes %lld",
                               lists[k].path, label, (long long)i, (long long)wanted);
            if (label < 0)
                return ls_fail(LS_ERR_DATA, "%s: label %d in row %lld is negative", lists[k].path,
                               label, (long long)i);
            if (label >= LS_MAX_CLASSES)
                return ls_fail(LS_ERR_DATA, "%s: label %d in row %lld: the maximum is %d classes",
                               lists[k].path, label, (long long)i, LS_MAX_CLASSES);
            largest = label > largest ? label : largest;
        }
    }
    /* At least 2 classes, even if all labels are 0. */
    *out = wanted > 0 ? wanted : largest > 0 ? largest + 1 : 2;
    return LS_OK;
}

int64_t ls_import_rows(int64_t rows, int64_t limit)
{
    return limit > 0 && limit < rows ? limit : rows;
}

/* Computes the SHA-256 of a file as hex. */
static ls_status digest_file(const char *path, char digest[LS_SOURCE_DIGEST])
{
    unsigned char piece[1 << 16];
    SHA2_CTX sha;
    SHA256Init(&sha);
    FILE *file = fopen(path, "rbe");
    if (file == NULL)
        return ls_fail(LS_ERR_DATA, "%s: can't open: %s", path, strerror(errno));
    for (size_t got; (got = fread(piece, 1, sizeof piece, file)) > 0;)
        SHA256Update(&sha, piece, got);
    const bool damaged = ferror(file) != 0;
    fclose(file);
    SHA256End(&sha, digest);
    return damaged ? ls_fail(LS_ERR_DATA, "%s: can't read: %s", path, strerror(errno)) : LS_OK;
}

ls_status ls_import_digest(void *user, char digest[LS_SOURCE_DIGEST])
{
    const ls_text_list *paths = user;
    SHA2_CTX all;
    SHA256Init(&all);
    ls_status status = LS_OK;
    for (int64_t i = 0; status == LS_OK && i < paths->count; i++) {
        status = digest_file(paths->text[i], digest);
        if (status == LS_OK)
            SHA256Update(&all, (const uint8_t *)digest, strlen(digest));
    }
    SHA256End(&all, digest);
    return status;
}

ls_dataset_content ls_import_content(const ls_import *import, const ls_split_source *split,
                                     int splits)
{
    return (ls_dataset_content){.split = split,
                                .splits = splits,
                                .name = import->name,
                                .compress = import->compress,
                                .force = import->force};
}

ls_status ls_import_write(const ls_import *import, const ls_split_source *split, int splits,
                          int64_t classes, const ls_text_list *names,
                          const ls_text_list *const *sources, const char *path)
{
    ls_text_list all = {0};
    ls_status status = LS_OK;
    for (int k = 0; k < splits; k++)
        if (status == LS_OK)
            status = ls_text_list_append(&all, sources[k]);
    ls_dataset_content content = ls_import_content(import, split, splits);
    content.classes = classes;
    content.class_names = names;
    content.user = &all;
    content.digest = ls_import_digest;
    if (status == LS_OK)
        status = ls_dataset_write(&content, path);
    ls_text_list_free(&all);
    return status;
}
