#include <lockstep/prediction.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/temporary.h"
#include "base/text.h"
#include "data/class_names.h"
#include "data/files.h"
#include "data/h5.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

static const char format[] = "lockstep-predictions";

struct ls_prediction_file {
    char path[LS_PATH_MAX], temporary[LS_PATH_MAX];
    ls_prediction_about about; /* its texts are not valid */
    int64_t written;           /* rows */
    FILE *csv;                 /* or NULL */
    ls_h5 *h5;                 /* or NULL */
    ls_text_list names;        /* of the classes, as fields of CSV; empty: they have none */
};

static bool ends_with(const char *path, const char *extension)
{
    const size_t length = strlen(path), end = strlen(extension);
    return length > end && strcasecmp(path + length - end, extension) == 0;
}

static bool is_hdf5(const char *path)
{
    return ends_with(path, ".h5") || ends_with(path, ".hdf5");
}

static bool is_csv(const unsigned char *begin, size_t length)
{
    static const char *const heads[] = {"row,class,", "row,label,", "row,y0", "row,t0",
                                        "row,step,"};
    bool found = false;
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        found =
            found || (length >= strlen(heads[i]) && memcmp(begin, heads[i], strlen(heads[i])) == 0);
    return found;
}

/* Reads the attribute that tells a file of predictions from others; runs in a child process. */
static ls_status read_format(const void *path)
{
    ls_h5 *file = NULL;
    char *text = NULL;
    ls_status status = ls_h5_open(&file, path);
    if (status == LS_OK)
        status = ls_h5_get_text(file, "format", &text);
    if (status == LS_OK && strcmp(text, format) != 0)
        status = ls_fail(LS_ERR_DATA, "%s: no predictions", (const char *)path);
    ls_free(text);
    (void)ls_h5_close(&file);
    return status;
}

/* Refuses to replace an HDF5 file of another kind. */
static ls_status refuse_other_hdf5(const char *path)
{
    struct stat about;
    if (stat(path, &about) != 0 || about.st_size == 0 ||
        ls_h5_try(path, read_format, path) == LS_OK)
        return LS_OK;
    return ls_fail(LS_ERR_USAGE,
                   "%s: this file exists and does not hold predictions: not overwritten; choose "
                   "another name",
                   path);
}

ls_status ls_prediction_file_check(const char *path)
{
    if (!is_hdf5(path) && !ends_with(path, ".csv"))
        return ls_fail(LS_ERR_USAGE, "%s: predictions are written to NAME.csv or NAME.h5", path);
    const ls_status status = ls_check_folder_of(path);
    if (status != LS_OK)
        return status;
    return is_hdf5(path) ? refuse_other_hdf5(path)
                         : ls_refuse_other_kind(path, is_csv, "CSV of predictions");
}

/* Refuses to replace a file of the data set, if `data` names files. */
static ls_status refuse_data(const char *path, const char *data)
{
    ls_files files = {0};
    ls_status status = LS_OK;
    if (ls_files_find(&files, data) == LS_OK)
        status = ls_refuse_input(path, (const char *const *)files.path, files.count);
    ls_files_free(&files);
    return status;
}

/* The HDF5 dataset of the outputs. */
static const char *name_outputs(const ls_prediction_file *f)
{
    return f->about.steps > 1                             ? "probability"
           : f->about.meaning == LS_MEANING_PROBABILITIES ? "probabilities"
                                                          : "values";
}

/* Writes the names of the classes; they fit an attribute, as they were in one. */
static ls_status write_names(ls_h5 *h5, const ls_prediction_about *about)
{
    const ls_text_list names = {.text = (char **)about->class_names, .count = about->outputs};
    return ls_class_names_write(h5, &names);
}

static ls_status write_attributes(ls_h5 *h5, const ls_prediction_about *about)
{
    ls_status status = ls_h5_put_text(h5, "format", format);
    if (status == LS_OK)
        status = ls_h5_put_int(h5, "version", 1);
    if (status == LS_OK)
        status = ls_h5_put_text(h5, "checkpoint", about->checkpoint);
    if (status == LS_OK)
        status = ls_h5_put_text(h5, "data", about->data);
    if (status == LS_OK && about->class_names != NULL)
        status = write_names(h5, about);
    return status == LS_OK ? ls_h5_put_text(h5, "split", about->split) : status;
}

/* Returns true if the outputs are of classes. */
static bool has_classes(const ls_prediction_file *f)
{
    return f->about.meaning != LS_MEANING_VALUES;
}

/* Returns true if there is a class for each of several steps. */
static bool is_by_step(const ls_prediction_file *f)
{
    return f->about.steps > 1;
}

static ls_status create_hdf5(ls_prediction_file *f)
{
    const int64_t steps = f->about.steps;
    const ls_h5_shape y = {LS_H5_F32, 2, {f->about.rows, is_by_step(f) ? steps : f->about.outputs}};
    const ls_h5_shape k = {LS_H5_I32, is_by_step(f) ? 2 : 1, {f->about.rows, steps}};
    ls_status status = ls_h5_create_plain(&f->h5, f->temporary);
    if (status == LS_OK)
        status = write_attributes(f->h5, &f->about);
    if (status == LS_OK)
        status = ls_h5_create_dataset(f->h5, name_outputs(f), &y, false);
    if (status == LS_OK && has_classes(f))
        status = ls_h5_create_dataset(f->h5, "class", &k, false);
    if (status == LS_OK && f->about.truth)
        status = has_classes(f) ? ls_h5_create_dataset(f->h5, "label", &k, false)
                                : ls_h5_create_dataset(f->h5, "targets", &y, false);
    return status;
}

/* Returns an error if a write to the CSV file failed. */
static ls_status check_csv(const ls_prediction_file *f)
{
    return ferror(f->csv) == 0
               ? LS_OK
               : ls_fail(LS_ERR_FAILURE, "%s: can't write: %s", f->path, strerror(errno));
}

/* Writes the names of columns, ",p0,p1,...". */
static void write_columns(FILE *csv, char letter, int count)
{
    for (int k = 0; k < count; k++)
        fprintf(csv, ",%c%d", letter, k);
}

static void write_head(const ls_prediction_file *f)
{
    const bool probable = f->about.meaning == LS_MEANING_PROBABILITIES;
    fputs(is_by_step(f) ? "row,step" : "row", f->csv);
    if (f->about.truth && has_classes(f))
        fputs(f->about.class_names != NULL ? ",label,label_name" : ",label", f->csv);
    else if (f->about.truth)
        write_columns(f->csv, 't', f->about.outputs);
    if (has_classes(f))
        fprintf(f->csv, ",class%s,%s", f->about.class_names != NULL ? ",class_name" : "",
                probable ? "probability" : "value");
    if (!is_by_step(f))
        write_columns(f->csv, probable ? 'p' : 'y', f->about.outputs);
    putc('\n', f->csv);
}

/* Keeps the names of the classes as fields of CSV. */
static ls_status keep_names(ls_prediction_file *f)
{
    ls_status status = LS_OK;
    for (int k = 0; status == LS_OK && f->about.class_names != NULL && k < f->about.outputs; k++) {
        char *field = ls_text_csv_name(f->about.class_names[k]);
        status = field == NULL ? LS_ERR_FAILURE : ls_text_list_add(&f->names, field);
        ls_free(field);
    }
    return status;
}

static ls_status create_csv(ls_prediction_file *f)
{
    const ls_status status = keep_names(f);
    if (status != LS_OK)
        return status;
    f->csv = fopen(f->temporary, "we");
    if (f->csv == NULL)
        return ls_fail(LS_ERR_FAILURE, "%s: can't open to write: %s", f->path, strerror(errno));
    write_head(f);
    return check_csv(f);
}

ls_status ls_prediction_file_create(ls_prediction_file **out, const char *path,
                                    const ls_prediction_about *about)
{
    ls_status status = ls_prediction_file_check(path);
    if (status == LS_OK)
        status = refuse_data(path, about->data);
    if (status != LS_OK)
        return status;
    ls_prediction_file *f = ls_alloc(1, sizeof *f);
    if (f == NULL)
        return LS_ERR_FAILURE;
    f->about = *about;
    status = ls_path(f->path, path, NULL, NULL);
    if (status == LS_OK)
        status = ls_temporary_name(f->temporary, path);
    if (status == LS_OK)
        status = is_hdf5(path) ? create_hdf5(f) : create_csv(f);
    f->about.checkpoint = f->about.data = f->about.split = NULL;
    f->about.class_names = NULL;
    if (status == LS_OK)
        *out = f;
    else
        status = ls_prediction_file_finish(&f, status);
    return status;
}

/* Writes numbers, with a comma before each. Nine digits give the same float when they are read. */
static void write_numbers(FILE *csv, const float *y, int count)
{
    for (int k = 0; k < count; k++)
        fprintf(csv, ",%.9g", (double)y[k]);
}

/* Writes a comma, a class, and its name if it has one. */
static void write_class(const ls_prediction_file *f, int32_t class)
{
    fprintf(f->csv, ",%d", (int)class);
    if (f->names.count == 0)
        return;
    fprintf(f->csv, ",%s", f->names.text[class]);
}

static void write_line(const ls_prediction_file *f, const ls_predictions *p, int64_t i)
{
    const float *y = p->y + i * p->outputs;
    fprintf(f->csv, "%lld", (long long)(p->first + i));
    if (f->about.truth && has_classes(f))
        write_class(f, p->label[i]);
    else if (f->about.truth)
        write_numbers(f->csv, p->targets + i * p->outputs, p->outputs);
    if (has_classes(f)) {
        write_class(f, p->predicted[i]);
        fprintf(f->csv, ",%.9g", (double)y[p->predicted[i]]);
    }
    write_numbers(f->csv, y, p->outputs);
    putc('\n', f->csv);
}

/* Writes the lines of a row's steps. */
static void write_steps(const ls_prediction_file *f, const ls_predictions *p, int64_t row)
{
    for (int64_t t = 0; t < p->steps; t++) {
        const int64_t i = row * p->steps + t;
        if (p->predicted[i] < 0)
            continue;
        fprintf(f->csv, "%lld,%lld", (long long)(p->first + row), (long long)t);
        if (f->about.truth)
            write_class(f, p->label[i]);
        write_class(f, p->predicted[i]);
        fprintf(f->csv, ",%.9g\n", (double)p->y[i]);
    }
}

static ls_status write_hdf5(const ls_prediction_file *f, const ls_predictions *p)
{
    const int64_t at = f->written;
    ls_status status = ls_h5_write(f->h5, name_outputs(f), LS_H5_F32, at, p->rows, p->y);
    if (status == LS_OK && has_classes(f))
        status = ls_h5_write(f->h5, "class", LS_H5_I32, at, p->rows, p->predicted);
    if (status == LS_OK && f->about.truth)
        status = has_classes(f) ? ls_h5_write(f->h5, "label", LS_H5_I32, at, p->rows, p->label)
                                : ls_h5_write(f->h5, "targets", LS_H5_F32, at, p->rows, p->targets);
    return status;
}

ls_status ls_prediction_file_write(ls_prediction_file *f, const ls_predictions *rows)
{
    ls_status status = LS_OK;
    assert(rows->outputs == f->about.outputs && f->written + rows->rows <= f->about.rows);
    if (f->h5 != NULL)
        status = write_hdf5(f, rows);
    else {
        for (int64_t i = 0; i < rows->rows && ferror(f->csv) == 0; i++)
            (is_by_step(f) ? write_steps : write_line)(f, rows, i);
        status = check_csv(f);
    }
    f->written += rows->rows;
    return status;
}

/* Closes the file that was written; returns the first error. */
static ls_status close_file(ls_prediction_file *f, ls_status status)
{
    if (f->csv != NULL && fclose(f->csv) != 0 && status == LS_OK)
        status = ls_fail(LS_ERR_FAILURE, "%s: can't write: %s", f->path, strerror(errno));
    const ls_status closed = ls_h5_close(&f->h5);
    return status != LS_OK ? status : closed;
}

ls_status ls_prediction_file_finish(ls_prediction_file **file, ls_status status)
{
    if (file == NULL || *file == NULL)
        return status;
    ls_prediction_file *f = *file;
    status = close_file(f, status);
    if (status == LS_OK)
        status = ls_sync_file(f->temporary);
    if (status == LS_OK)
        status = ls_publish(f->temporary, f->path);
    if (status != LS_OK)
        ls_temporary_remove(f->temporary);
    ls_text_list_free(&f->names);
    ls_free(f);
    *file = NULL;
    return status;
}
