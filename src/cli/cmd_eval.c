#include <lockstep/comm.h>
#include <lockstep/compute.h>
#include <lockstep/dataset.h>
#include <lockstep/model.h>

#include "base/json.h"
#include "base/show.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/console.h"
#include "cli/data_choice.h"
#include "cli/eval_plots.h"
#include "cli/eval_result.h"
#include "cli/png.h"
#include "cli/samples.h"

#include <math.h>
#include <string.h>

typedef struct settings {
    const char *data, *inputs, *targets, *lengths, *test_data, *test_rows, *checkpoint;
    int split, layout, order;
    int64_t padding, threads;
    int read;
    bool raw, trust_data, same_data, json;
    int64_t errors;
    const char *errors_file, *predictions, *corrupt, *sheet;
} settings;

#define AT(field) offsetof(settings, field)
enum { MOST_ERRORS = 10000 };
static const ls_choice split_choices[] = {LS_SPLIT_LIST(LS_CHOICE_ROW){NULL, NULL}};
static const ls_setting table[] = {
    {"data", .flags = LS_OPTION_AS_TRAIN | LS_SETTING_REQUIRED, .offset = AT(data),
     .help = "HDF5 data set"},
    {"inputs", .flags = LS_OPTION_AS_TRAIN, .offset = AT(inputs),
     .help = "datasets that are the inputs, if not those of the training"},
    {"targets", .flags = LS_OPTION_AS_TRAIN, .offset = AT(targets),
     .help = "datasets that are the targets, if not those of the training"},
    {"lengths", .flags = LS_OPTION_AS_TRAIN, .offset = AT(lengths),
     .help = "dataset of the number of steps of each row, if not that of the training"},
    {"padding", .flags = LS_OPTION_AS_TRAIN, .offset = AT(padding)},
    {"test-data", .flags = LS_OPTION_AS_TRAIN, .offset = AT(test_data),
     .help = "file of the test rows, if not that of the training"},
    {"test-rows", .flags = LS_OPTION_AS_TRAIN, .offset = AT(test_rows),
     .help = "the test rows, if not those of the training: last:N, first:N or all"},
    {"checkpoint", "PATH", LS_TYPE_TEXT, .flags = LS_SETTING_REQUIRED, .offset = AT(checkpoint),
     .help = "checkpoint file, or run folder: its best checkpoint, else its last"},
    {"split", "NAME", LS_TYPE_CHOICE, .offset = AT(split), .initial = "test",
     .choices = split_choices, .help = "rows to evaluate"},
    {"layout", .flags = LS_OPTION_AS_TRAIN, .offset = AT(layout)},
    {"order", .flags = LS_OPTION_AS_TRAIN, .offset = AT(order)},
    {"corrupt", .flags = LS_OPTION_AS_TRAIN, .offset = AT(corrupt), .initial = "",
     .help = "noise in the inputs; without it an autoencoder's as in its training; none: without"},
    {"raw", NULL, LS_TYPE_FLAG, .offset = AT(raw),
     .help = "take the parameters, not their average, if the checkpoint holds both"},
    {"threads", .flags = LS_OPTION_AS_TRAIN, .offset = AT(threads)},
    {"read", .flags = LS_OPTION_AS_TRAIN, .offset = AT(read)},
    {"trust-data", .flags = LS_OPTION_AS_TRAIN, .offset = AT(trust_data),
     .help = "do not check the whole data set first, as for train"},
    {"same-data", NULL, LS_TYPE_FLAG, .offset = AT(same_data),
     .help = "refuse a file whose training and validation rows are not those of the training"},
    {"errors", "N", LS_TYPE_INT, .offset = AT(errors), .initial = "0", .max = MOST_ERRORS,
     .help = "list and picture the N misclassified rows of highest confidence"},
    {"errors-file", "FILE", LS_TYPE_TEXT, .offset = AT(errors_file), .initial = "errors.png",
     .help = "PNG file of their picture; none: list only"},
    {"predictions", "FILE", LS_TYPE_TEXT, .offset = AT(predictions),
     .help = "also write class and outputs of each row to a CSV or HDF5 file (NAME.csv, NAME.h5)"},
    {"sheet", "FILE", LS_TYPE_TEXT, .offset = AT(sheet),
     .help = "PNG of the first 16 rows of an autoencoder: inputs, corrupted inputs, outputs"},
    {"json", NULL, LS_TYPE_FLAG, .offset = AT(json), .help = "print JSON"},
    {0},
};

/* State of an evaluation. */
typedef struct work {
    ls_model *model;
    const ls_model_facts *facts; /* the model's */
    ls_model_data data;
    ls_rows *rows; /* this rank's */
    ls_topology *topology;
    ls_eval_result result;
    const char *predictions;  /* path of the file of predictions; NULL: none is wanted */
    ls_prediction_file *file; /* on rank 0, while it is written */
    bool plots;               /* wanted */
} work;

/* Opens the checkpoint on all ranks. Collective. */
static ls_status open_model(ls_comm *comm, const settings *s, work *w)
{
    const ls_status status =
        ls_model_open(&w->model, comm, s->checkpoint, s->raw ? LS_MODEL_RAW : LS_MODEL_EVALUATED);
    if (status != LS_OK)
        return status;
    w->facts = ls_model_describe(w->model);
    w->data = (ls_model_data){.path = s->data,
                              .options = w->facts->reading,
                              .split = (ls_split)s->split,
                              .read = (ls_read)s->read,
                              .trust = s->trust_data,
                              .corrupt = *s->corrupt != '\0' ? s->corrupt : w->facts->corrupt};
    ls_data_choose(&w->data.options, &(ls_data_choice){.inputs = s->inputs,
                                                       .targets = s->targets,
                                                       .lengths = s->lengths,
                                                       .padded = s->padding >= 0,
                                                       .padding = s->padding,
                                                       .test_data = s->test_data,
                                                       .test_rows = s->test_rows,
                                                       .layout = s->layout,
                                                       .order = s->order});
    return LS_OK;
}

/* Checks that --errors has a meaning: rows are of one class each. The same on all ranks. Local. */
static ls_status check_errors(const settings *s, const work *w)
{
    if (s->errors == 0 || w->facts->task.kind == LS_TASK_CLASSIFICATION)
        return LS_OK;
    return ls_fail(LS_ERR_USAGE, "--errors lists misclassified rows, but the network's task is %s",
                   ls_task_name(w->facts->task.kind));
}

/* Takes predictions, once the evaluation is finished; on rank 0. Local. */
static ls_status take_rows(void *user, const ls_predictions *rows)
{
    work *w = user;
    const ls_eval_result *r = &w->result;
    const ls_prediction_about about = {.rows = r->found.score.rows,
                                       .outputs = rows->outputs,
                                       .steps = rows->steps,
                                       .meaning = ls_model_meaning(w->model),
                                       .class_names = w->facts->class_names,
                                       .truth = true,
                                       .checkpoint = w->facts->path,
                                       .data = w->data.path,
                                       .split = ls_split_name(r->split)};
    ls_status status = LS_OK;
    if (w->plots && r->plots == NULL)
        status = ls_eval_plots_create(&w->result.plots, &w->facts->task, &r->found);
    if (status == LS_OK && w->predictions != NULL && w->file == NULL)
        status = ls_prediction_file_create(&w->file, w->predictions, &about);
    if (status == LS_OK && w->plots)
        ls_eval_plots_add(r->plots, rows);
    return status == LS_OK && w->file != NULL ? ls_prediction_file_write(w->file, rows) : status;
}

/* Evaluates the rows, and takes their predictions if they are wanted. Collective. */
static ls_status score(const settings *s, work *w)
{
    const unsigned plotted = LS_TASK_REGRESSION | LS_TASK_RANKED;
    w->predictions = *s->predictions != '\0' ? s->predictions : NULL;
    w->plots = s->json && (ls_task_kinds(&w->facts->task) & plotted) != 0;
    if (!w->plots && w->predictions == NULL)
        return ls_model_evaluate(w->model, w->rows, &w->result.found);
    return ls_model_evaluate_to(w->model, w->rows, &w->result.found, take_rows, w);
}

/* Evaluates the rows, and finds the misclassified ones for --errors. Collective. */
static ls_status evaluate(const settings *s, work *w)
{
    ls_eval_result *r = &w->result;
    ls_status status = score(s, w);
    r->corrupt = w->data.corrupt;
    if (status == LS_OK && r->found.confusion != NULL)
        ls_class_scores(r->found.confusion, r->classes, r->of_class, &r->macro, &r->weighted);
    /* NaN and Inf have no order: print_root() reports them. */
    if (status == LS_OK && s->errors > 0 && isfinite(r->found.score.loss))
        status = ls_model_misclassified(w->model, w->rows, s->errors, r->wrong, &r->wrongs);
    return status;
}

/* Prints the result; on rank 0. Local. */
static ls_status print_root(const settings *s, const ls_eval_result *r)
{
    if (!isfinite(r->found.score.loss))
        return ls_fail(LS_ERR_NUMERIC, "%s: the loss on the %s rows is %g", r->facts->path,
                       ls_split_name(r->split), ls_plain_number(r->found.score.loss));
    if (!s->json) {
        ls_eval_print(r);
        return LS_OK;
    }
    json_t *json = ls_eval_json(r);
    if (json == NULL)
        return ls_fail(LS_ERR_FAILURE, "out of memory for the result");
    ls_print_json(stdout, json);
    json_decref(json);
    return LS_OK;
}

static bool is_pictured(const settings *s)
{
    return s->errors > 0 && strcmp(s->errors_file, "none") != 0;
}

/* Writes rows and their reconstructions as a sheet; on rank 0. Local.
 * user  address of its path */
static ls_status write_sheet(void *user, const ls_generated *rows)
{
    const char *path = *(const char **)user;
    const ls_shape *shape = &rows->shape;
    return ls_samples_are_pictures(rows->shape)
               ? ls_samples_write(path, rows, 0)
               : ls_fail(LS_ERR_USAGE, "--sheet: rows of %s are no pictures: leave it out",
                         ls_sized(shape->channels, shape->height, shape->width).text);
}

/* Writes the sheet, if it is wanted. Collective. */
static ls_status show(const settings *s, const work *w)
{
    const char *path = s->sheet;
    return *path != '\0'
               ? ls_model_reconstruct(w->model, w->rows, LS_RECONSTRUCTED, write_sheet, &path)
               : LS_OK;
}

/* Rank 0 prints the result, and draws the misclassified rows. Collective. */
static ls_status print_result(ls_comm *comm, const settings *s, const work *w)
{
    const bool root = ls_comm_rank(comm) == 0;
    ls_status status = ls_agree_root(comm, root ? print_root(s, &w->result) : LS_OK);
    if (status == LS_OK && is_pictured(s))
        status = ls_agree_root(
            comm,
            root ? ls_eval_picture(&w->result, s->data, &w->data.options, s->errors_file) : LS_OK);
    return status;
}

/* Sets the threads and checks the BLAS kernels. Collective. */
static ls_status prepare_compute(ls_comm *comm, const settings *s, work *w)
{
    const ls_status status = ls_topology_create(&w->topology, comm, (int)s->threads);
    if (status != LS_OK)
        return status;
    ls_compute_set_products(w->topology->mine.threads, LS_PRODUCTS_AUTO);
    return ls_agree(comm, ls_compute_check());
}

/* Checks the output files before any work is done; on rank 0. Local. */
static ls_status check_outputs(const settings *s)
{
    ls_status status = *s->predictions != '\0' ? ls_prediction_file_check(s->predictions) : LS_OK;
    if (status == LS_OK && *s->sheet != '\0')
        status = ls_png_check(s->sheet);
    return status == LS_OK && is_pictured(s) ? ls_png_check(s->errors_file) : status;
}

static ls_status eval_run(ls_comm *comm, const ls_options *options, const void *values)
{
    const settings *s = values;
    work w = {0};
    (void)options;
    ls_status status = prepare_compute(comm, s, &w);
    if (status == LS_OK)
        status = ls_agree_root(comm, ls_comm_rank(comm) == 0 ? check_outputs(s) : LS_OK);
    if (status == LS_OK)
        status = open_model(comm, s, &w);
    if (status == LS_OK)
        status = check_errors(s, &w);
    if (status == LS_OK)
        status = ls_model_read(&w.rows, w.model, &w.data);
    if (status == LS_OK && s->same_data)
        status = ls_model_check_same(w.model, &w.data);
    if (status == LS_OK)
        status = ls_agree(comm, ls_eval_result_create(&w.result, w.facts, w.data.split, s->errors));
    if (status == LS_OK)
        status = evaluate(s, &w);
    if (status == LS_OK)
        status = show(s, &w);
    if (status == LS_OK)
        status = print_result(comm, s, &w);
    if (w.predictions != NULL)
        status = ls_agree_root(comm, ls_prediction_file_finish(&w.file, status));
    ls_rows_destroy(&w.rows);
    ls_model_destroy(&w.model);
    ls_topology_destroy(&w.topology);
    ls_eval_result_free(&w.result);
    return status;
}

const ls_command ls_command_eval = {
    .name = "eval",
    .usage = "--data FILE --checkpoint PATH [OPTION ...]",
    .summary = "scores of a checkpoint on test rows: loss, metrics by task, classes, errors",
    .options = {table, false},
    .settings_size = sizeof(settings),
    .parallel = true,
    .run = eval_run,
};
