#include <lockstep/dataset.h>

#include "base/child.h"
#include "base/fault.h"
#include "base/fraction.h"
#include "base/memory.h"
#include "data/class_names.h"
#include "data/division.h"
#include "data/files.h"
#include "data/h5.h"
#include "data/header.h"
#include "data/magic.h"
#include "data/samples.h"
#include "data/seal.h"
#include "data/series.h"
#include "base/range.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

struct ls_dataset {
    ls_files paths;
    ls_h5 **files;    /* [paths.count] NULL from the first that is not open */
    ls_dataset *test; /* another file, whose training rows are the test rows; NULL: none */
    ls_dataset_info info;
    ls_series groups[LS_SPLITS]; /* in the files */
    ls_split group[LS_SPLITS]; /* that has the rows of a split: all its rows, or with LS_TRAIN those
                                  of the division */
    ls_division *division;     /* of the training group */
    ls_text_list class_names;  /* empty: none */
};

static bool is_given(const char *text)
{
    return text != NULL && *text != '\0';
}

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
        return ls_field_fail("%s: '/%s' has no rows", ls_h5_path(f->file), ls_fields_name(f));
    return LS_OK;
}

/* Checks that rows are as the training rows. */
static ls_status compare_rows(const ls_dataset_info *info, const ls_fields *f,
                              const ls_fields *train)
{
    const char *path = ls_h5_path(f->file), *name = ls_fields_name(f);
    if (f->channels != info->channels || f->height != info->height || f->width != info->width)
        return ls_field_fail("%s: '/%s' and '/%s' differ in shape", path, name,
                             ls_fields_name(train));
    if (f->inputs.element != info->element)
        return ls_field_fail("%s: '/%s' and '/%s' differ in type", path, name,
                             ls_fields_name(train));
    if (f->values != info->values)
        return ls_field_fail("%s: the targets of '/%s' and '/%s' differ: %d and %d values (0: "
                             "classes)",
                             path, name, ls_fields_name(train), f->values, info->values);
    return LS_OK;
}

static const char *first_path(const ls_dataset *dataset)
{
    return dataset->paths.path[0];
}

/* Opens a group of a file and compares it with the training rows. */
static ls_status open_group(ls_dataset *dataset, ls_split split, const ls_h5 *file,
                            const ls_fields_choice *choice)
{
    ls_series *group = &dataset->groups[split];
    const bool first = split == LS_TRAIN && group->count == 0;
    ls_status status = ls_series_append(group, file, choice);
    if (status != LS_OK)
        return status;
    const ls_fields *f = &group->parts[group->count - 1];
    dataset->group[split] = split;
    dataset->info.rows[split] = group->rows;
    return first ? describe_rows(&dataset->info, f)
                 : compare_rows(&dataset->info, f, &dataset->groups[LS_TRAIN].parts[0]);
}

static ls_status dataset_read_train_labels(const void *dataset, int64_t first, int64_t count,
                                           int32_t *labels)
{
    const ls_dataset *d = dataset;
    return ls_series_labels(&d->groups[LS_TRAIN], first, count, d->info.classes, labels);
}

/* Checks that the rows of the training group may be divided as planned. */
static ls_status check_division(const ls_dataset *dataset, const ls_division_plan *plan)
{
    const char *path = first_path(dataset);
    const bool has_test = dataset->group[LS_TEST] == LS_TEST;
    const bool has_validation = dataset->group[LS_VALIDATION] == LS_VALIDATION;
    if (has_test && (plan->fixed > 0 || plan->test > 0))
        return ls_fail(LS_ERR_USAGE, "%s: has test rows of its own: leave --%s out", path,
                       plan->fixed > 0 ? "test-rows" : "split");
    if (has_validation && plan->folds > 0)
        return ls_fail(LS_ERR_USAGE, "%s: has validation rows of its own: leave --fold out", path);
    if (plan->how == LS_HOLD_OUT_STRATIFIED && dataset->info.classes == 0)
        return ls_fail(LS_ERR_USAGE,
                       "%s: --hold-out stratified needs classes, but the targets are values: give "
                       "--hold-out random",
                       path);
    return LS_OK;
}

/* Divides the rows of the training group into the splits that have no group of their own. */
static ls_status divide_rows(ls_dataset *dataset, const ls_dataset_options *options)
{
    ls_division_plan plan;
    ls_dataset_info *info = &dataset->info;
    const ls_label_reader labels = {dataset, dataset_read_train_labels};
    ls_status status = ls_division_plan_make(&plan, options);
    if (status == LS_OK)
        status = check_division(dataset, &plan);
    info->held_out = dataset->group[LS_VALIDATION] == LS_TRAIN;
    if (!info->held_out)
        plan.validation = 0;
    if (status == LS_OK)
        status = ls_division_make(&dataset->division, &plan, info->rows[LS_TRAIN], info->classes,
                                  labels);
    if (status != LS_OK)
        return status;
    const bool wanted = ls_part_of(plan.validation, info->rows[LS_TRAIN]) > 0;
    for (int split = 0; split < LS_SPLITS; split++)
        if (dataset->group[split] == LS_TRAIN)
            info->rows[split] = ls_division_count(dataset->division, (ls_split)split);
    if (wanted && info->rows[LS_VALIDATION] == 0 && plan.how == LS_HOLD_OUT_STRATIFIED)
        return ls_fail(LS_ERR_USAGE,
                       "%s: no class has enough rows to hold one out: omit --hold-out "
                       "stratified, or change --validation",
                       first_path(dataset));
    return LS_OK;
}

/* Returns the choice with the order of dimensions, which the first file decides. */
static ls_fields_choice with_order(ls_dataset *dataset, ls_order order, ls_fields_choice choice)
{
    ls_dataset_info *info = &dataset->info;
    if (dataset->groups[LS_TRAIN].count == 0)
        info->column_major =
            order == LS_ORDER_COLUMN_MAJOR ||
            (order == LS_ORDER_AUTO && ls_fields_look_column_major(dataset->files[0], &choice));
    choice.column_major = info->column_major;
    return choice;
}

/* Opens the groups of a file of the own layout. */
static ls_status open_groups(ls_dataset *dataset, const ls_h5 *file,
                             const ls_dataset_options *options)
{
    ls_dataset_info header = {0};
    ls_status status = ls_header_read(file, &header);
    for (int split = 0; status == LS_OK && split < LS_SPLITS; split++) {
        const char *name = ls_split_name((ls_split)split);
        const ls_fields_choice choice = with_order(
            dataset, options->order,
            (ls_fields_choice){.group = name, .kind = options->kind, .layout = options->layout});
        if (split == LS_TRAIN || ls_h5_has(file, name))
            status = open_group(dataset, (ls_split)split, file, &choice);
    }
    if (status == LS_OK && dataset->info.values == 0)
        status = ls_header_read_classes(file, &header.classes);
    if (status == LS_OK && dataset->info.values == 0 && file == dataset->files[0])
        status = ls_class_names_read(file, header.classes, &dataset->class_names);
    if (status != LS_OK)
        return status;
    if (file != dataset->files[0] && header.classes != dataset->info.classes)
        return ls_fail(LS_ERR_DATA, "%s and %s differ in their attribute classes",
                       first_path(dataset), ls_h5_path(file));
    dataset->info.classes = header.classes;
    snprintf(dataset->info.name, sizeof header.name, "%s", header.name);
    if (dataset->paths.count == 1)
        memcpy(dataset->info.source_sha256, header.source_sha256, sizeof header.source_sha256);
    return LS_OK;
}

/* Finds the number of classes of selected targets. */
static ls_status find_classes(ls_dataset *dataset, const ls_dataset_options *options)
{
    const ls_series *group = &dataset->groups[LS_TRAIN];
    const ls_labels *labels = &group->parts[0].labels;
    int32_t most = -1, largest;
    ls_status status = LS_OK;
    dataset->info.classes = labels->one_hot ? (int)labels->field.numbers : options->classes;
    for (int i = 0; i < group->count; i++)
        if (group->parts[i].labels.one_hot != labels->one_hot ||
            (labels->one_hot && group->parts[i].labels.field.numbers != labels->field.numbers))
            return ls_fail(LS_ERR_DATA, "%s and %s differ in the shape of '/%s'",
                           first_path(dataset), dataset->paths.path[i], labels->field.name);
    if (dataset->info.classes > 0)
        return LS_OK;
    for (int i = 0; status == LS_OK && i < group->count; i++) {
        status = ls_labels_find_largest(&group->parts[i].labels, &largest);
        most = largest > most ? largest : most;
    }
    if (status == LS_OK && most < 1)
        return ls_fail(LS_ERR_DATA, "%s: '/%s' has no class but 0", first_path(dataset),
                       labels->field.name);
    dataset->info.classes = most + 1;
    return status;
}

/* Opens the file that has the test rows, as one table of rows of the same datasets. */
static ls_status open_test(ls_dataset *dataset, const ls_dataset_options *options)
{
    ls_dataset_info *info = &dataset->info;
    const ls_dataset_options o = {.inputs = options->inputs,
                                  .targets = options->targets,
                                  .kind = options->kind,
                                  .layout = options->layout,
                                  .order = info->column_major ? LS_ORDER_COLUMN_MAJOR
                                                              : LS_ORDER_ROW_MAJOR,
                                  .classes = info->classes};
    const ls_status status = ls_dataset_open(&dataset->test, options->test_data, &o);
    if (status != LS_OK)
        return status;
    const ls_fields *f = &dataset->test->groups[LS_TRAIN].parts[0];
    dataset->group[LS_TEST] = LS_TEST;
    info->rows[LS_TEST] = dataset->test->info.rows[LS_TRAIN];
    if (dataset->test->info.classes != info->classes)
        return ls_fail(LS_ERR_DATA, "%s: has %d classes, but %s has %d", ls_h5_path(f->file),
                       dataset->test->info.classes, first_path(dataset), info->classes);
    return compare_rows(info, f, &dataset->groups[LS_TRAIN].parts[0]);
}

/* Opens the selected inputs and targets of files of any layout: one table of rows. */
static ls_status open_selected(ls_dataset *dataset, const ls_dataset_options *options)
{
    ls_selections inputs, targets;
    ls_fields_choice choice = {
        .inputs = &inputs, .targets = &targets, .kind = options->kind, .layout = options->layout};
    ls_status status = ls_selections_parse(&inputs, "inputs", options->inputs);
    if (status == LS_OK)
        status = ls_selections_parse(&targets, "targets", options->targets);
    if (status == LS_OK)
        choice = with_order(dataset, options->order, choice);
    for (int i = 0; status == LS_OK && i < dataset->paths.count; i++)
        status = open_group(dataset, LS_TRAIN, dataset->files[i], &choice);
    if (status == LS_OK && dataset->info.values == 0)
        status = find_classes(dataset, options);
    if (status == LS_OK && is_given(options->test_data))
        status = open_test(dataset, options);
    return status;
}

ls_status ls_dataset_check_options(const ls_dataset_options *o)
{
    ls_selections selections;
    ls_division_plan plan;
    const bool inputs = is_given(o->inputs), targets = is_given(o->targets);
    if (inputs != targets)
        return ls_fail(LS_ERR_USAGE, "--%s needs --%s, too", inputs ? "inputs" : "targets",
                       inputs ? "targets" : "inputs");
    ls_status status = inputs ? ls_selections_parse(&selections, "inputs", o->inputs) : LS_OK;
    if (status == LS_OK && targets)
        status = ls_selections_parse(&selections, "targets", o->targets);
    if (status == LS_OK && is_given(o->test_data) && !inputs)
        status = ls_fail(LS_ERR_USAGE, "--test-data needs --inputs: a data set has its own /test");
    return status == LS_OK ? ls_division_plan_make(&plan, o) : status;
}

/* Opens the files. */
static ls_status open_files(ls_dataset *dataset, const char *path)
{
    ls_status status = ls_files_find(&dataset->paths, path);
    const int count = dataset->paths.count;
    if (status != LS_OK)
        return status;
    dataset->files = ls_alloc(count, sizeof(ls_h5 *));
    if (dataset->files == NULL)
        return LS_ERR_FAILURE;
    for (int i = 0; status == LS_OK && i < count; i++)
        status = ls_h5_open(&dataset->files[i], dataset->paths.path[i]);
    for (int split = 0; status == LS_OK && split < LS_SPLITS; split++)
        status = ls_series_create(&dataset->groups[split], count);
    return status;
}

static ls_status open_rows(ls_dataset *dataset, const ls_dataset_options *options)
{
    ls_status status = ls_dataset_check_options(options);
    if (status == LS_OK && is_given(options->inputs))
        status = open_selected(dataset, options);
    else
        for (int i = 0; status == LS_OK && i < dataset->paths.count; i++)
            status = open_groups(dataset, dataset->files[i], options);
    return status == LS_OK ? divide_rows(dataset, options) : status;
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
    status = open_files(dataset, path);
    if (status == LS_OK)
        status = open_rows(dataset, &o);
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

/* Returns the rows that a split's rows are among. */
static const ls_series *find_series(const ls_dataset *dataset, ls_split split)
{
    return split == LS_TEST && dataset->test != NULL ? &dataset->test->groups[LS_TRAIN]
                                                     : &dataset->groups[dataset->group[split]];
}

/* Rows of a split among those of its group. */
typedef struct chosen {
    const ls_division *division; /* NULL: all rows of the group */
    ls_split split;
} chosen;

static chosen find_chosen(const ls_dataset *dataset, ls_split split)
{
    return (chosen){dataset->group[split] == LS_TRAIN ? dataset->division : NULL, split};
}

static int64_t chosen_before(const void *user, int64_t row)
{
    const chosen *c = user;
    return ls_division_before(c->division, c->split, row);
}

/* Returns the range of group rows that contains rows first .. first+count-1 of a split. */
static ls_range find_group_rows(const chosen *c, int64_t first, int64_t count)
{
    if (c->division == NULL || count == 0)
        return (ls_range){first, count};
    const int64_t begin = ls_division_row(c->division, c->split, first);
    const int64_t last = ls_division_row(c->division, c->split, first + count - 1);
    return (ls_range){begin, last + 1 - begin};
}

ls_status ls_dataset_read_into(const ls_dataset *dataset, ls_split split, int64_t first,
                               int64_t count, ls_samples *samples)
{
    assert(first >= 0 && count >= 0 && first + count <= dataset->info.rows[split]);
    assert(samples->capacity >= count && samples->format.features == dataset->info.features &&
           samples->format.values == dataset->info.values &&
           samples->format.element == dataset->info.element);
    const chosen c = find_chosen(dataset, split);
    const ls_pick pick = {chosen_before, &c};
    const ls_range rows = find_group_rows(&c, first, count);
    const ls_destination to = {samples, c.division != NULL && count > 0 ? &pick : NULL,
                               .first = rows.first};
    ls_status status = ls_fault(LS_FAULT_READ);
    if (status == LS_OK)
        status = ls_series_read(find_series(dataset, split), rows.first, rows.count,
                                dataset->info.classes, &to);
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
    const chosen c = find_chosen(dataset, split);
    const ls_range rows = find_group_rows(&c, 0, dataset->info.rows[split]);
    int32_t *labels = ls_alloc(ROOM, sizeof *labels);
    ls_status status = labels == NULL ? LS_ERR_FAILURE : LS_OK;
    for (int64_t done = 0; status == LS_OK && done < rows.count; done += ROOM) {
        const int64_t left = rows.count - done, some = left < ROOM ? left : ROOM;
        const int64_t first = rows.first + done;
        status = ls_series_labels(find_series(dataset, split), first, some, dataset->info.classes,
                                  labels);
        for (int64_t i = 0; status == LS_OK && i < some; i++)
            counts[labels[i]] +=
                c.division == NULL || ls_division_split(c.division, first + i) == split;
    }
    ls_free(labels);
    return status;
}

ls_status ls_dataset_verify(const ls_dataset *dataset)
{
    const ls_destination nowhere = {0};
    ls_status status = LS_OK;
    for (int group = 0; status == LS_OK && group < LS_SPLITS; group++) {
        const ls_series *rows = &dataset->groups[group];
        status = ls_series_read(rows, 0, rows->rows, dataset->info.classes, &nowhere);
    }
    return status == LS_OK && dataset->test != NULL ? ls_dataset_verify(dataset->test) : status;
}

typedef struct trial {
    const char *path;
    const ls_dataset_options *options;
    bool content;
} trial;

/* Raises the child's time limit for unpacking the content: far more time than it should take. */
static void raise_time_limit(const ls_dataset *dataset)
{
    enum { BYTES_A_SECOND = 4 << 20 };
    int64_t bytes = 0;
    for (int group = 0; group < LS_SPLITS; group++)
        for (int i = 0; i < dataset->groups[group].count; i++)
            bytes += ls_fields_bytes(&dataset->groups[group].parts[i]);
    ls_child_allow(bytes / BYTES_A_SECOND);
}

static ls_status dataset_try_reading(const void *arg)
{
    const trial *t = arg;
    ls_dataset *dataset = NULL;
    /* Any layout: the ambiguity of NCHW and NHWC is reported when the data set is used. No rows are
     * held out: that needs all files. */
    const ls_dataset_options options = {.layout = LS_LAYOUT_NCHW,
                                        .order = t->options->order,
                                        .inputs = t->options->inputs,
                                        .targets = t->options->targets,
                                        .kind = t->options->kind,
                                        .classes = LS_MAX_CLASSES};
    ls_status status = ls_dataset_open(&dataset, t->path, &options);
    if (status == LS_OK && t->content) {
        raise_time_limit(dataset);
        status = ls_dataset_verify(dataset);
    }
    ls_dataset_close(&dataset);
    return status;
}

ls_status ls_dataset_try(const char *path, const ls_dataset_options *options, bool content)
{
    const ls_dataset_options none = {0};
    return ls_h5_try(path, dataset_try_reading,
                     &(trial){path, options != NULL ? options : &none, content});
}

static ls_status check_file(const char *path, const ls_dataset_options *options)
{
    ls_seal seal;
    ls_status status = ls_magic_refuse_folder(path);
    if (status == LS_OK)
        status = ls_seal_verify(path, &seal, NULL);
    return status == LS_OK ? ls_dataset_try(path, options, seal == LS_SEAL_ABSENT) : status;
}

ls_status ls_dataset_check(const char *path, const ls_dataset_options *options)
{
    ls_files files = {0};
    ls_status status = ls_files_find(&files, path);
    for (int i = 0; status == LS_OK && i < files.count; i++)
        status = check_file(files.path[i], options);
    ls_files_free(&files);
    return status;
}

void ls_dataset_close(ls_dataset **dataset)
{
    if (dataset == NULL || *dataset == NULL)
        return;
    for (int group = 0; group < LS_SPLITS; group++)
        ls_series_close(&(*dataset)->groups[group]);
    for (int i = 0; (*dataset)->files != NULL && i < (*dataset)->paths.count; i++)
        (void)ls_h5_close(&(*dataset)->files[i]);
    ls_free((*dataset)->files);
    ls_files_free(&(*dataset)->paths);
    ls_dataset_close(&(*dataset)->test);
    ls_division_destroy(&(*dataset)->division);
    ls_text_list_free(&(*dataset)->class_names);
    ls_free(*dataset);
    *dataset = NULL;
}

const char *ls_dataset_library_version(void)
{
    return ls_h5_version();
}
