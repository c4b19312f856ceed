/* CIFAR-10 and CIFAR-100, binary versions: records of one label (CIFAR-100: coarse, then fine) and
 * 3 x 32 x 32 pixels, without a header. */
#include <lockstep/import.h>

#include "base/file.h"
#include "base/memory.h"
#include "sources/import_common.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHANNELS = 3, SIDE = 32, PIXELS = CHANNELS * SIDE * SIDE, BATCHES = 5, SPLITS = 2 };

/* The kind of labels. */
typedef struct kind {
    int labels, at; /* bytes before the pixels, and which one is the label */
    int classes;
    const char *names; /* file */
} kind;

static const kind cifar10 = {1, 0, 10, "batches.meta.txt"};
static const kind fine = {2, 1, 100, "fine_label_names.txt"};
static const kind coarse = {2, 0, 20, "coarse_label_names.txt"};

/* One split: files that are read one after the other. */
typedef struct reader {
    const kind *kind;
    ls_text_list paths;
    int64_t rows;    /* to import, after the limit */
    int32_t *label;  /* [rows], filled in as rows are read */
    FILE *file;      /* the open one, NULL: none */
    int64_t next;    /* file */
    int64_t row;     /* of the split, the next one to read */
    int64_t in_file; /* row of the open file */
} reader;

static void reader_close(reader *r)
{
    if (r->file != NULL)
        fclose(r->file);
    ls_text_list_free(&r->paths);
    ls_free(r->label);
}

/* Adds folder/name to the files; one that is missing is no error here. */
static ls_status add_file(ls_text_list *paths, const char *folder, const char *name)
{
    char path[LS_PATH_MAX];
    ls_status status = ls_path(path, folder, "/", name);
    if (status != LS_OK || access(path, F_OK) != 0)
        return status;
    return ls_text_list_add(paths, path);
}

/* Counts the rows of the files, which have whole records only. */
static ls_status count_rows(const reader *r, int64_t *out)
{
    const int64_t record = r->kind->labels + PIXELS;
    *out = 0;
    for (int64_t i = 0; i < r->paths.count; i++) {
        struct stat about;
        const char *path = r->paths.text[i];
        if (stat(path, &about) != 0)
            return ls_fail(LS_ERR_DATA, "%s: can't open: %s", path, strerror(errno));
        if (!S_ISREG(about.st_mode) || about.st_size == 0 || about.st_size % record != 0)
            return ls_fail(LS_ERR_DATA,
                           "%s: truncated or not of CIFAR-%d: its size of %lld bytes is no "
                           "multiple of %lld, the bytes of an image and its %s",
                           path, r->kind->labels == 1 ? 10 : 100, (long long)about.st_size,
                           (long long)record, r->kind->labels == 1 ? "label" : "two labels");
        *out += about.st_size / record;
    }
    return LS_OK;
}

static ls_status open_next(reader *r)
{
    if (r->file != NULL)
        fclose(r->file);
    r->file = NULL;
    const char *path = r->paths.text[r->next];
    r->file = fopen(path, "rbe");
    r->in_file = 0;
    if (r->file == NULL)
        return ls_fail(LS_ERR_DATA, "%s: can't open: %s", path, strerror(errno));
    r->next++;
    return LS_OK;
}

/* Reads the label bytes of the next row, from the next file at the end of one. */
static ls_status read_label(reader *r, unsigned char label[2])
{
    const size_t bytes = (size_t)r->kind->labels;
    ls_status status = r->file == NULL ? open_next(r) : LS_OK;
    while (status == LS_OK && fread(label, 1, bytes, r->file) != bytes) {
        if (r->next == r->paths.count)
            return ls_fail(LS_ERR_DATA, "%s: truncated: ends too early",
                           r->paths.text[r->next - 1]);
        status = open_next(r);
    }
    return status;
}

static ls_status cifar_read_images(void *user, int64_t rows, void *pixels)
{
    reader *r = user;
    uint8_t *to = pixels;
    for (int64_t i = 0; i < rows; i++, to += PIXELS, r->row++, r->in_file++) {
        unsigned char label[2];
        ls_status status = read_label(r, label);
        if (status != LS_OK)
            return status;
        const char *path = r->paths.text[r->next - 1];
        if (fread(to, 1, PIXELS, r->file) != PIXELS)
            return ls_fail(LS_ERR_DATA, "%s: truncated: ends too early", path);
        if (label[r->kind->at] >= r->kind->classes)
            return ls_fail(LS_ERR_DATA, "%s: label %d in row %lld: damaged, or not of CIFAR-%d",
                           path, label[r->kind->at], (long long)r->in_file,
                           r->kind->labels == 1 ? 10 : 100);
        r->label[r->row] = label[r->kind->at];
    }
    return LS_OK;
}

/* Finds the files of both splits, and by them the kind. */
static ls_status find_files(reader *r, const char *folder, bool wants_coarse)
{
    ls_status status = LS_OK;
    for (int i = 1; status == LS_OK && i <= BATCHES; i++) {
        char name[32];
        snprintf(name, sizeof name, "data_batch_%d.bin", i);
        status = add_file(&r[0].paths, folder, name);
    }
    const bool ten = r[0].paths.count > 0;
    if (status == LS_OK && !ten)
        status = add_file(&r[0].paths, folder, "train.bin");
    if (status == LS_OK)
        status = add_file(&r[1].paths, folder, ten ? "test_batch.bin" : "test.bin");
    r[0].kind = r[1].kind = ten ? &cifar10 : wants_coarse ? &coarse : &fine;
    if (status == LS_OK && ten && wants_coarse)
        status =
            ls_fail(LS_ERR_USAGE, "--coarse: %s has CIFAR-10, which has no coarse classes", folder);
    if (status != LS_OK || r[0].paths.count > 0)
        return status;
    if (access(folder, F_OK) != 0)
        return ls_fail(LS_ERR_DATA, "%s: can't open this folder: %s", folder, strerror(errno));
    return ls_fail(LS_ERR_DATA,
                   "%s: has neither data_batch_1.bin (CIFAR-10) nor train.bin (CIFAR-100): of the "
                   "versions for download, the binary one is needed",
                   folder);
}

static ls_status open_split(reader *r, int64_t limit)
{
    int64_t rows;
    ls_status status = count_rows(r, &rows);
    if (status != LS_OK)
        return status;
    r->rows = ls_import_rows(rows, limit);
    r->label = ls_alloc(r->rows, sizeof *r->label);
    return r->label != NULL ? LS_OK : LS_ERR_FAILURE;
}

static ls_status read_names(const kind *of, const char *folder, ls_text_list *names)
{
    char path[LS_PATH_MAX];
    ls_status status = ls_path(path, folder, "/", of->names);
    if (status != LS_OK || access(path, F_OK) != 0)
        return status;
    status = ls_text_list_read(names, path);
    if (status == LS_OK && names->count != of->classes)
        status = ls_fail(LS_ERR_DATA, "%s: has the names of %lld classes, not of %d", path,
                         (long long)names->count, of->classes);
    return status;
}

static ls_status write_splits(const ls_import *import, reader *r, const ls_text_list *names,
                              const char *path)
{
    static const char *const groups[SPLITS] = {"train", "test"};
    ls_split_source split[SPLITS];
    const ls_text_list *const sources[SPLITS] = {&r[0].paths, &r[1].paths};
    const int splits = r[1].paths.count > 0 ? SPLITS : 1;
    for (int k = 0; k < splits; k++)
        split[k] = (ls_split_source){.group = groups[k],
                                     .rows = r[k].rows,
                                     .dims = 3,
                                     .image = {CHANNELS, SIDE, SIDE},
                                     .label = r[k].label,
                                     .source = &r[k],
                                     .read = cifar_read_images};
    return ls_import_write(import, split, splits, r->kind->classes, names, sources, path);
}

ls_status ls_import_cifar(const ls_import *import, const char *folder, bool wants_coarse,
                          const char *path)
{
    reader r[SPLITS] = {{.kind = NULL}};
    ls_text_list names = {0};
    if (import->classes > 0)
        return ls_fail(LS_ERR_USAGE, "CIFAR has its own number of classes: leave out --classes");
    ls_status status = find_files(r, folder, wants_coarse);
    if (status == LS_OK)
        status = open_split(&r[0], import->limit);
    if (status == LS_OK && r[1].paths.count > 0)
        status = open_split(&r[1], import->limit_test);
    if (status == LS_OK)
        status = read_names(r->kind, folder, &names);
    if (status == LS_OK)
        status = write_splits(import, r, &names, path);
    for (int k = 0; k < SPLITS; k++)
        reader_close(&r[k]);
    ls_text_list_free(&names);
    return status;
}
