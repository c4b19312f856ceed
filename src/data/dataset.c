/* A data set from its opening to its end. Its groups of rows: dataset_groups.c; their division into
 * training, validation and test rows: dataset_divide.c; reading: dataset_read.c; checks of its
 * files: dataset_check.c; options: dataset_options.c. */
#include "data/dataset_state.h"

#include "base/fault.h"
#include "base/limits.h"
#include "base/memory.h"

#include <assert.h>
#include <string.h>

/* Opens the files. */
static ls_status open_files(ls_dataset *dataset, const char *path)
{
    enum { OTHER_FILES = 200 }; /* of MPI, among others */
    ls_status status = ls_files_find(&dataset->paths, path);
    const int count = dataset->paths.count;
    if (status != LS_OK)
        return status;
    dataset->files = ls_alloc(count, sizeof(ls_h5 *));
    if (dataset->files == NULL)
        return LS_ERR_FAILURE;
    if (count > 1)
        status = ls_limits_allow_files(count + OTHER_FILES);
    for (int i = 0; status == LS_OK && i < count; i++)
        status = ls_h5_open(&dataset->files[i], dataset->paths.path[i]);
    for (int split = 0; status == LS_OK && split < LS_SPLITS; split++)
        status = ls_series_create(&dataset->groups[split], count);
    return status;
}

/* Opens the file that has the test rows, as one table of rows of the same datasets. */
static ls_status open_test(ls_dataset *dataset, const ls_dataset_options *options)
{
    ls_dataset_info *info = &dataset->info;
    const ls_dataset_options o = {
        .inputs = options->inputs,
        .targets = options->targets,
        .lengths = options->lengths,
        .padding = options->padding,
        .padded = options->padded,
        .kind = ls_dataset_by_step(info) ? LS_TARGET_STEPS : options->kind,
        .layout = options->layout,
        .order = info->column_major ? LS_ORDER_COLUMN_MAJOR : LS_ORDER_ROW_MAJOR,
        .classes = info->classes};
    const ls_status status = ls_dataset_open(&dataset->test, options->test_data, &o);
    if (status != LS_OK)
        return status;
    const ls_fields *f = &dataset->test->groups[LS_TRAIN].parts[0];
    dataset->group[LS_TEST] = LS_TEST;
    info->rows[LS_TEST] = dataset->test->info.rows[LS_TRAIN];
    if (dataset->test->info.classes != info->classes)
        return ls_fail(LS_ERR_DATA, "%s: has %d classes, but %s has %d", ls_h5_path(f->file),
                       dataset->test->info.classes, ls_dataset_first_path(dataset), info->classes);
    return ls_dataset_compare_rows(info, f, &dataset->groups[LS_TRAIN].parts[0]);
}

static ls_status open_rows(ls_dataset *dataset, const ls_dataset_options *options)
{
    ls_status status = ls_dataset_check_options(options);
    if (status == LS_OK && ls_is_given(options->inputs))
        status = ls_dataset_open_selected(dataset, options);
    else
        for (int i = 0; status == LS_OK && i < dataset->paths.count; i++)
            status = ls_dataset_open_own(dataset, dataset->files[i], options);
    if (status == LS_OK && ls_is_given(options->test_data))
        status = open_test(dataset, options);
    const bool any = status == LS_OK && dataset->groups[LS_TRAIN].rows > 0;
    return any ? ls_dataset_divide(dataset, options) : status;
}

ls_status ls_dataset_open_any(ls_dataset **out, const char *path, const ls_dataset_options *options)
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

static ls_status check_rows(const ls_dataset *dataset)
{
    const ls_series *rows = &dataset->groups[LS_TRAIN];
    return rows->rows > 0 ? LS_OK
                          : ls_field_fail("%s: '/%s' has no rows", ls_dataset_first_path(dataset),
                                          ls_fields_name(&rows->parts[0]));
}

ls_status ls_dataset_open(ls_dataset **out, const char *path, const ls_dataset_options *options)
{
    ls_dataset *dataset = NULL;
    ls_status status = ls_dataset_open_any(&dataset, path, options);
    if (status == LS_OK)
        status = check_rows(dataset);
    if (status == LS_OK)
        *out = dataset;
    else
        ls_dataset_close(&dataset);
    return status;
}

const ls_dataset_info *ls_dataset_describe(const ls_dataset *dataset)
{
    return &dataset->info;
}

const char *ls_dataset_file(const ls_dataset *dataset, int at)
{
    return at < dataset->paths.count ? dataset->paths.path[at] : NULL;
}

const char *ls_dataset_class_name(const ls_dataset *dataset, int64_t label)
{
    return label < dataset->class_names.count ? dataset->class_names.text[label] : NULL;
}

const char *ls_dataset_token(const ls_dataset *dataset, int64_t id)
{
    return id >= 0 && id < dataset->vocabulary.count ? dataset->vocabulary.text[id] : NULL;
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
    ls_text_list_free(&(*dataset)->vocabulary);
    ls_free(*dataset);
    *dataset = NULL;
}

const char *ls_dataset_library_version(void)
{
    return ls_h5_version();
}
