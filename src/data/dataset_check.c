/* Checks data files before they are used, in a child process. */
#include <lockstep/dataset.h>

#include "base/child.h"
#include "data/dataset_state.h"
#include "data/magic.h"
#include "data/seal.h"

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
                                        .weights = t->options->weights,
                                        .lengths = t->options->lengths,
                                        .padding = t->options->padding,
                                        .padded = t->options->padded,
                                        .kind = t->options->kind,
                                        .classes = LS_MAX_CLASSES};
    ls_status status = ls_dataset_open_any(&dataset, t->path, &options);
    if (status == LS_OK && t->content) {
        raise_time_limit(dataset);
        status = ls_dataset_verify(dataset);
    }
    ls_dataset_close(&dataset);
    return status;
}

static ls_status try_file(const char *path, const ls_dataset_options *options, bool content)
{
    const ls_dataset_options none = {0};
    return ls_h5_try(path, dataset_try_reading,
                     &(trial){path, options != NULL ? options : &none, content});
}

ls_status ls_dataset_try(const char *path, const ls_dataset_options *options, bool content)
{
    ls_files files = {0};
    ls_status status = ls_files_find(&files, path);
    for (int i = 0; status == LS_OK && i < files.count; i++)
        status = try_file(files.path[i], options, content);
    ls_files_free(&files);
    return status;
}

static ls_status check_file(const char *path, const ls_dataset_options *options)
{
    ls_seal seal;
    ls_status status = ls_magic_refuse_folder(path);
    if (status == LS_OK)
        status = ls_seal_verify(path, &seal, NULL);
    return status == LS_OK ? try_file(path, options, seal == LS_SEAL_ABSENT) : status;
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
