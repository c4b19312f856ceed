#include "sources/documents.h"

#include "base/file.h"
#include "base/memory.h"
#include "sources/class_folders.h"
#include "sources/csv_layout.h"
#include "sources/import_common.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

enum { DOCUMENT_MOST = 64 << 20 /* bytes */ };

struct ls_documents {
    ls_document_split split[LS_DOCUMENT_SPLITS];
    int splits;
    int at;       /* the split that is read */
    int64_t next; /* its next document */
    /* Of a folder: */
    ls_class_folders *folders; /* NULL: a table */
    char *text;                /* of the latest document */
    /* Of a table: */
    ls_csv *csv[LS_DOCUMENT_SPLITS];
    ls_csv_layout layout;
    int64_t column; /* of the texts */
    ls_text_list paths[LS_DOCUMENT_SPLITS];
};

/* Opens the documents of a folder. */
static ls_status open_folder(ls_documents *d, const ls_import *import, const ls_text_source *source)
{
    static const ls_file_kind all = {.name = "text"};
    if (*source->target != '\0' || *source->column != '\0' || source->test != NULL)
        return ls_fail(LS_ERR_USAGE,
                       "%s: is a folder, whose folders are the classes: leave out --target, "
                       "--text-column and --text-test",
                       source->path);
    ls_status status = ls_class_folders_list(&d->folders, import, source->path, &all);
    for (int k = 0; status == LS_OK && k < d->folders->splits; k++) {
        const ls_class_folder *f = &d->folders->split[k];
        d->split[k] = (ls_document_split){
            .group = f->group, .rows = f->rows, .label = f->label, .sources = &f->paths};
        d->splits = k + 1;
    }
    return status;
}

/* Finds the column of the texts: that of the option, else the only one beside the target. */
static ls_status find_texts(ls_documents *d, const ls_text_source *source)
{
    const ls_csv_layout *l = &d->layout;
    if (*source->column == '\0' && l->columns != 2)
        return ls_fail(LS_ERR_USAGE,
                       "%s: has %lld columns: give --text-column, that of the documents",
                       source->path, (long long)l->columns);
    d->column = l->is_target[0] ? 1 : 0;
    if (*source->column == '\0')
        return LS_OK;
    ls_status status = ls_csv_find_column(l, d->csv[0], "text-column", source->column, &d->column);
    if (status == LS_OK && l->is_target[d->column])
        status = ls_fail(LS_ERR_USAGE, "--text-column and --target are the same column, '%.60s'",
                         source->column);
    return status;
}

/* Learns the columns of the training table, and counts its rows. */
static ls_status learn_table(ls_documents *d, const ls_import *import, const ls_text_source *source,
                             int64_t *rows)
{
    const ls_csv_source table = {.train = source->path, .target = source->target};
    ls_status status = ls_csv_open(&d->csv[0], source->path);
    if (status == LS_OK)
        status = ls_csv_learn(&d->layout, d->csv[0], &table, import->classes, rows);
    if (status == LS_OK && d->layout.kind == LS_CSV_VALUES)
        status = ls_fail(LS_ERR_USAGE,
                         "%s: --target: documents have classes, one column of texts or of integers "
                         "from 0",
                         source->path);
    return status == LS_OK ? find_texts(d, source) : status;
}

static ls_status add_table(ls_documents *d, const char *group, const char *path, int64_t rows)
{
    const int k = d->splits++;
    d->split[k] = (ls_document_split){.group = group, .rows = rows, .sources = &d->paths[k]};
    d->split[k].label = ls_alloc(rows, sizeof *d->split[k].label);
    return d->split[k].label != NULL ? ls_text_list_add(&d->paths[k], path) : LS_ERR_FAILURE;
}

/* Opens the documents of one or two tables. */
static ls_status open_tables(ls_documents *d, const ls_import *import, const ls_text_source *source)
{
    int64_t rows = 0;
    if (import->limit_test > 0 && source->test == NULL)
        return ls_fail(LS_ERR_USAGE, "--limit-test %lld: there are no test rows: give --text-test",
                       (long long)import->limit_test);
    if (*source->target == '\0')
        return ls_fail(LS_ERR_USAGE,
                       "%s: --target must name the column of the classes; or give --characters, to "
                       "predict each next character of a text",
                       source->path);
    ls_status status = learn_table(d, import, source, &rows);
    if (status == LS_OK)
        status = add_table(d, "train", source->path, ls_import_rows(rows, import->limit));
    if (status != LS_OK || source->test == NULL)
        return status;
    status = ls_csv_open(&d->csv[1], source->test);
    if (status == LS_OK)
        status = ls_csv_check(&d->layout, d->csv[1], &rows);
    return status == LS_OK
               ? add_table(d, "test", source->test, ls_import_rows(rows, import->limit_test))
               : status;
}

ls_status ls_documents_open(ls_documents **out, const ls_import *import,
                            const ls_text_source *source)
{
    struct stat about;
    if (stat(source->path, &about) != 0)
        return ls_fail(LS_ERR_DATA, "%s: can't open: %s", source->path, strerror(errno));
    const bool folder = S_ISDIR(about.st_mode);
    ls_documents *d = ls_alloc(1, sizeof *d);
    if (d == NULL)
        return LS_ERR_FAILURE;
    const ls_status status = (folder ? open_folder : open_tables)(d, import, source);
    if (status == LS_OK)
        *out = d;
    else
        ls_documents_close(&d);
    return status;
}

const ls_document_split *ls_documents_splits(const ls_documents *d, int *splits)
{
    *splits = d->splits;
    return d->split;
}

const ls_text_list *ls_documents_classes(const ls_documents *d, int64_t *classes)
{
    const ls_text_list *names =
        d->folders != NULL ? &d->folders->classes : &d->layout.classes_by_name;
    *classes = d->folders != NULL ? names->count : d->layout.classes;
    return names;
}

ls_status ls_documents_first(ls_documents *d, int split)
{
    d->at = split;
    d->next = 0;
    return d->folders != NULL ? LS_OK : ls_csv_first_row(&d->layout, d->csv[split]);
}

const char *ls_documents_place(const ls_documents *d)
{
    return d->split[d->at].sources->text[d->folders != NULL ? d->next - 1 : 0];
}

/* Reads the next file. */
static ls_status next_file(ls_documents *d)
{
    size_t length = 0;
    ls_free(d->text);
    d->text = NULL;
    const char *path = ls_documents_place(d);
    ls_status status = ls_check_readable(path);
    if (status == LS_OK)
        status = ls_read_file(path, DOCUMENT_MOST, LS_ERR_DATA, &d->text, &length);
    if (status == LS_OK && memchr(d->text, '\0', length) != NULL)
        status = ls_fail(LS_ERR_DATA, "%s: a zero byte: not a text file", path);
    return status;
}

/* Reads the next row, and its class. */
static ls_status next_row(ls_documents *d)
{
    bool end = false;
    const ls_csv *csv = d->csv[d->at];
    ls_status status = ls_csv_next_row(&d->layout, d->csv[d->at], &end);
    if (status == LS_OK && end)
        return ls_fail(LS_ERR_DATA, "%s: changed while it was read", ls_csv_path(csv));
    return status == LS_OK ? ls_csv_label(&d->layout, csv, &d->split[d->at].label[d->next - 1])
                           : status;
}

ls_status ls_documents_next(ls_documents *d, const char **text)
{
    d->next++;
    const ls_status status = d->folders != NULL ? next_file(d) : next_row(d);
    if (status == LS_OK)
        *text = d->folders != NULL ? d->text : ls_csv_field(d->csv[d->at], d->column);
    return status;
}

void ls_documents_close(ls_documents **documents)
{
    ls_documents *d = *documents;
    for (int k = 0; d != NULL && k < LS_DOCUMENT_SPLITS; k++) {
        ls_csv_close(&d->csv[k]);
        ls_text_list_free(&d->paths[k]);
        if (d->folders == NULL)
            ls_free(d->split[k].label);
    }
    if (d != NULL) {
        ls_class_folders_free(&d->folders);
        ls_csv_layout_free(&d->layout);
        ls_free(d->text);
    }
    ls_free(d);
    *documents = NULL;
}
