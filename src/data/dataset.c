#include <lockstep/dataset.h>

#include "base/child.h"
#include "base/fault.h"
#include "base/fraction.h"
#include "base/memory.h"
#include "data/class_names.h"
#include "data/fields.h"
#include "data/h5.h"
#include "data/hold_out.h"
#include "data/magic.h"
#include "data/samples.h"
#include "data/seal.h"
#include "base/range.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { VERSION = 1 };

struct ls_dataset {
    ls_h5 *file;
    ls_dataset_info info;
    ls_fields fields[LS_SPLITS]; /* of the groups in the file */
    /* Rows of each split: first .. first+info.rows-1 of its group. With `held`, training and
     * validation are instead the rows of the training group that are not held out and that are. */
    ls_split group[LS_SPLITS];
    int64_t first[LS_SPLITS];
    ls_held *held;            /* NULL: the last rows are held out, or none */
    ls_text_list class_names; /* empty: none */
};

const char *ls_split_name(ls_split split)
{
    static const char *const names[LS_SPLITS] = {LS_SPLIT_LIST(LS_CHOICE_NAME)};
    return names[split];
}

/* Takes the description of a row from the training rows. */
static ls_status describe_rows(ls_dataset_info *info, const ls_fields *f)
{
    info->channels = f->channels;
    info->height = f->height;
    info->width = f->width;
    info->features = f->channels * f->height * f->width;
    info->element = f->inputs.element;
    info->rounded = f->inputs.rounded;
    info->values = f->values;
    info->doubtful = f->doubtful;
    if (f->rows == 0)
        return ls_field_fail("%s: '/%s' has no rows", ls_h5_path(f->file), f->inputs.name);
    return LS_OK;
}

/* Checks that rows are as the training rows. */
static ls_status compare_rows(const ls_dataset_info *info, const ls_fields *f,
                              const ls_fields *train)
{
    const char *path = ls_h5_path(f->file), *name = f->inputs.name;
    if (f->channels != info->channels || f->height != info->height || f->width != info->width)
        return ls_field_fail("%s: '/%s' and '/%s' differ in shape", path, name, train->inputs.name);
    if (f->inputs.element != info->element)
        return ls_field_fail("%s: '/%s' and '/%s' differ in type", path, name, train->inputs.name);
    if (f->values != info->values)
        return ls_field_fail("%s: the targets of '/%s' and '/%s' differ: %d and %d values (0: "
                             "classes)",
                             path, name, train->inputs.name, f->values, info->values);
    return LS_OK;
}

/* Opens one group and compares it with the training rows. */
static ls_status open_group(ls_dataset *dataset, ls_split split, ls_layout_order layout)
{
    ls_fields *f = &dataset->fields[split];
    ls_status status = ls_fields_open(f, dataset->file, ls_split_name(split), layout);
    if (status == LS_OK)
        status = split == LS_TRAIN ? describe_rows(&dataset->info, f)
                                   : compare_rows(&dataset->info, f, &dataset->fields[LS_TRAIN]);
    if (status != LS_OK)
        return status;
    dataset->group[split] = split;
    dataset->first[split] = 0;
    dataset->info.rows[split] = f->rows;
    return LS_OK;
}

/* Reads an optional text attribute into a field of `size` bytes, cut to fit. */
static ls_status read_optional_text(const ls_h5 *file, const char *name, char *field, size_t size)
{
    if (!ls_h5_has_attribute(file, name))
        return LS_OK;
    char *text;
    ls_status status = ls_h5_get_text(file, name, &text);
    if (status != LS_OK)
        return status;
    snprintf(field, size, "%s", text);
    ls_free(text);
    return LS_OK;
}

static ls_status check_attributes(ls_dataset *dataset)
{
    const ls_h5 *file = dataset->file;
    const char *path = ls_h5_path(file);
    char format[32] = "";
    ls_status status = read_optional_text(file, "format", format, sizeof format);
    if (status != LS_OK)
        return status;
    if (strcmp(format, "lockstep-checkpoint") == 0)
        return ls_fail(LS_ERR_DATA, "%s: is a checkpoint, not a data set", path);
    if (*format == '\0')
        snprintf(format, sizeof format, "missing or empty");
    if (strcmp(format, "lockstep-dataset") != 0)
        return ls_field_fail("%s: not a data set: its attribute format is %s, not "
                             "lockstep-dataset",
                             path, format);
    int64_t version;
    status = ls_h5_get_int(file, "version", &version);
    if (status == LS_ERR_DATA)
        return ls_field_fail("%s", ls_error_text());
    if (status == LS_OK)
        status = read_optional_text(file, "name", dataset->info.name, sizeof dataset->info.name);
    if (status == LS_OK)
        status = read_optional_text(file, "source_sha256", dataset->info.source_sha256,
                                    sizeof dataset->info.source_sha256);
    if (status != LS_OK)
        return status;
    if (version != VERSION)
        return ls_field_fail("%s: data set version %lld, this program reads version %d", path,
                             (long long)version, VERSION);
    return LS_OK;
}

/* Reads the number of classes, if the targets are classes. */
static ls_status read_classes(ls_dataset *dataset)
{
    int64_t classes;
    if (dataset->info.values > 0)
        return LS_OK;
    const ls_status status = ls_h5_get_int(dataset->file, "classes", &classes);
    if (status == LS_ERR_DATA)
        return ls_field_fail("%s", ls_error_text());
    if (status != LS_OK)
        return status;
    if (classes < 2 || classes > LS_MAX_CLASSES)
        return ls_field_fail("%s: attribute classes is %lld, expected 2 to %d",
                             ls_h5_path(dataset->file), (long long)classes, LS_MAX_CLASSES);
    dataset->info.classes = (int)classes;
    return ls_class_names_read(dataset->file, classes, &dataset->class_names);
}

static ls_status dataset_read_train_labels(const void *dataset, int64_t first, int64_t count,
                                           int32_t *labels)
{
    const ls_dataset *d = dataset;
    return ls_fields_labels(&d->fields[LS_TRAIN], first, count, d->info.classes, labels);
}

/* Holds out training rows for validation. */
static ls_status hold_out_rows(ls_dataset *dataset, const ls_dataset_options *o)
{
    int64_t *rows = dataset->info.rows;
    const ls_label_reader labels = {dataset, dataset_read_train_labels};
    if (o->hold_out == LS_HOLD_OUT_STRATIFIED && dataset->info.classes == 0)
        return ls_fail(LS_ERR_USAGE,
                       "%s: --hold-out stratified needs classes, but the targets are values: give "
                       "--hold-out random",
                       ls_h5_path(dataset->file));
    rows[LS_VALIDATION] = ls_part_of(o->validation, rows[LS_TRAIN]);
    dataset->info.held_out = true;
    dataset->group[LS_VALIDATION] = LS_TRAIN;
    if (o->hold_out != LS_HOLD_OUT_LAST && rows[LS_VALIDATION] > 0) {
        ls_status status = ls_held_draw(&dataset->held, o->hold_out, o->seed, rows[LS_TRAIN],
                                        rows[LS_VALIDATION], dataset->info.classes, labels);
        if (status != LS_OK)
            return status;
        rows[LS_VALIDATION] = ls_held_count(dataset->held);
        if (rows[LS_VALIDATION] == 0)
            return ls_fail(LS_ERR_USAGE,
                           "%s: no class has enough rows to hold one out: omit --hold-out "
                           "stratified, or change --validation",
                           ls_h5_path(dataset->file));
    }
    rows[LS_TRAIN] -= rows[LS_VALIDATION];
    dataset->first[LS_VALIDATION] = rows[LS_TRAIN];
    return LS_OK;
}

static ls_status open_groups(ls_dataset *dataset, const ls_dataset_options *options)
{
    ls_status status = open_group(dataset, LS_TRAIN, options->layout);
    if (status == LS_OK)
        status = read_classes(dataset);
    if (status == LS_OK && ls_h5_has(dataset->file, "test"))
        status = open_group(dataset, LS_TEST, options->layout);
    if (status == LS_OK && ls_h5_has(dataset->file, "validation"))
        status = open_group(dataset, LS_VALIDATION, options->layout);
    else if (status == LS_OK)
        status = hold_out_rows(dataset, options);
    return status;
}

ls_status ls_dataset_open(ls_dataset **out, const char *path, const ls_dataset_options *options)
{
    const ls_dataset_options o = options != NULL ? *options : (ls_dataset_options){0};
    assert(o.validation >= 0 && o.validation < 1);
    ls_status status = ls_fault(LS_FAULT_OPEN);
    if (status != LS_OK)
        return status;
    ls_dataset *dataset = ls_alloc(1, sizeof *dataset);
    if (dataset == NULL)
        return LS_ERR_FAILURE;
    status = ls_h5_open(&dataset->file, path);
    if (status == LS_OK)
        status = check_attributes(dataset);
    if (status == LS_OK)
        status = open_groups(dataset, &o);
    if (status != LS_OK) {
        ls_dataset_close(&dataset);
        return status;
    }
    *out = dataset;
    return LS_OK;
}

const ls_dataset_info *ls_dataset_describe(const ls_dataset *dataset)
{
    return &dataset->info;
}

const char *ls_dataset_class_name(const ls_dataset *dataset, int64_t label)
{
    return label < dataset->class_names.count ? dataset->class_names.text[label] : NULL;
}

/* Returns the selection of the split's rows in its group; NULL: the split is a range of rows. */
static const ls_held *find_held(const ls_dataset *dataset, ls_split split)
{
    return dataset->group[split] == LS_TRAIN ? dataset->held : NULL;
}

static int64_t dataset_training_before(const void *held, int64_t row)
{
    return ls_held_before(held, false, row);
}

static int64_t dataset_validation_before(const void *held, int64_t row)
{
    return ls_held_before(held, true, row);
}

/* Returns the range of group rows that contains rows first .. first+count-1 of a split. */
static ls_range find_group_rows(const ls_dataset *dataset, ls_split split, int64_t first,
                                int64_t count)
{
    const ls_held *held = find_held(dataset, split);
    const bool out = split == LS_VALIDATION;
    if (held == NULL || count == 0)
        return (ls_range){dataset->first[split] + first, count};
    const int64_t begin = ls_held_row(held, out, first);
    return (ls_range){begin, ls_held_row(held, out, first + count - 1) + 1 - begin};
}

ls_status ls_dataset_read_into(const ls_dataset *dataset, ls_split split, int64_t first,
                               int64_t count, ls_samples *samples)
{
    assert(first >= 0 && count >= 0 && first + count <= dataset->info.rows[split]);
    assert(samples->capacity >= count && samples->format.features == dataset->info.features &&
           samples->format.values == dataset->info.values &&
           samples->format.element == dataset->info.element);
    const ls_held *held = find_held(dataset, split);
    const ls_pick pick = {
        split == LS_VALIDATION ? dataset_validation_before : dataset_training_before, held};
    const ls_range rows = find_group_rows(dataset, split, first, count);
    ls_status status = ls_fault(LS_FAULT_READ);
    if (status == LS_OK)
        status = ls_fields_read(&dataset->fields[dataset->group[split]], rows.first, rows.count,
                                dataset->info.classes, held != NULL ? &pick : NULL, samples);
    samples->rows = status == LS_OK ? count : 0;
    for (int64_t i = 0; i < samples->rows; i++)
        ls_sample_at(samples, i)->row = first + i;
    return status;
}

ls_status ls_dataset_read(const ls_dataset *dataset, ls_split split, int64_t first, int64_t count,
                          int64_t capacity, ls_samples **out)
{
    ls_samples *samples = NULL;
    ls_status status = ls_samples_create(&samples, capacity, ls_dataset_format(&dataset->info));
    if (status == LS_OK)
        status = ls_dataset_read_into(dataset, split, first, count, samples);
    if (status != LS_OK) {
        ls_samples_destroy(&samples);
        return status;
    }
    *out = samples;
    return LS_OK;
}

ls_status ls_dataset_count_classes(const ls_dataset *dataset, ls_split split, int64_t *counts)
{
    enum { ROOM = 1 << 16 };
    if (dataset->info.classes == 0)
        return LS_OK;
    const ls_held *held = find_held(dataset, split);
    const ls_range rows = find_group_rows(dataset, split, 0, dataset->info.rows[split]);
    int32_t *labels = ls_alloc(ROOM, sizeof *labels);
    ls_status status = labels == NULL ? LS_ERR_FAILURE : LS_OK;
    for (int64_t done = 0; status == LS_OK && done < rows.count; done += ROOM) {
        const int64_t left = rows.count - done, some = left < ROOM ? left : ROOM;
        const int64_t first = rows.first + done;
        status = ls_fields_labels(&dataset->fields[dataset->group[split]], first, some,
                                  dataset->info.classes, labels);
        for (int64_t i = 0; status == LS_OK && i < some; i++)
            counts[labels[i]] +=
                held == NULL || ls_held_has(held, first + i) == (split == LS_VALIDATION);
    }
    ls_free(labels);
    return status;
}

ls_status ls_dataset_verify(const ls_dataset *dataset)
{
    ls_status status = LS_OK;
    for (int group = 0; status == LS_OK && group < LS_SPLITS; group++) {
        const ls_fields *f = &dataset->fields[group];
        if (f->rows > 0)
            status = ls_fields_read(f, 0, f->rows, dataset->info.classes, NULL, NULL);
    }
    return status;
}

typedef struct trial {
    const char *path;
    bool content;
} trial;

/* Raises the child's time limit for unpacking the content: far more time than it should take. */
static void raise_time_limit(const ls_dataset *dataset)
{
    enum { BYTES_A_SECOND = 4 << 20 };
    int64_t bytes = 0;
    for (int group = 0; group < LS_SPLITS; group++)
        bytes += ls_fields_bytes(&dataset->fields[group]);
    ls_child_allow(bytes / BYTES_A_SECOND);
}

static ls_status dataset_try_reading(const void *arg)
{
    const trial *t = arg;
    ls_dataset *dataset = NULL;
    /* Any layout: the ambiguity of NCHW and NHWC is reported when the data set is used. */
    ls_status status =
        ls_dataset_open(&dataset, t->path, &(ls_dataset_options){.layout = LS_LAYOUT_NCHW});
    if (status == LS_OK && t->content) {
        raise_time_limit(dataset);
        status = ls_dataset_verify(dataset);
    }
    ls_dataset_close(&dataset);
    return status;
}

ls_status ls_dataset_try(const char *path, bool content)
{
    return ls_h5_try(path, dataset_try_reading, &(trial){path, content});
}

ls_status ls_dataset_check(const char *path)
{
    ls_seal seal;
    ls_status status = ls_magic_refuse_folder(path);
    if (status == LS_OK)
        status = ls_seal_verify(path, &seal, NULL);
    return status == LS_OK ? ls_dataset_try(path, seal == LS_SEAL_ABSENT) : status;
}

void ls_dataset_close(ls_dataset **dataset)
{
    if (dataset == NULL || *dataset == NULL)
        return;
    for (int group = 0; group < LS_SPLITS; group++)
        ls_fields_close(&(*dataset)->fields[group]);
    (void)ls_h5_close(&(*dataset)->file);
    ls_held_destroy(&(*dataset)->held);
    ls_text_list_free(&(*dataset)->class_names);
    ls_free(*dataset);
    *dataset = NULL;
}

const char *ls_dataset_library_version(void)
{
    return ls_h5_version();
}
