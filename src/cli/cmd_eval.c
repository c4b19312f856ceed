#include <lockstep/comm.h>
#include <lockstep/compute.h>
#include <lockstep/dataset.h>
#include <lockstep/model.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/show.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/confusion.h"
#include "cli/console.h"
#include "cli/sheet.h"

#include <math.h>
#include <string.h>

typedef struct settings {
    const char *data, *inputs, *targets, *test_data, *test_rows, *checkpoint;
    int split, layout, order;
    int64_t threads;
    int read;
    bool raw, trust_data, json;
    int64_t errors;
    const char *errors_file, *predictions;
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
    {"raw", NULL, LS_TYPE_FLAG, .offset = AT(raw),
     .help = "take the parameters, not their average, if the checkpoint holds both"},
    {"threads", .flags = LS_OPTION_AS_TRAIN, .offset = AT(threads)},
    {"read", .flags = LS_OPTION_AS_TRAIN, .offset = AT(read)},
    {"trust-data", .flags = LS_OPTION_AS_TRAIN, .offset = AT(trust_data),
     .help = "do not check the whole data set first, as for train"},
    {"errors", "N", LS_TYPE_INT, .offset = AT(errors), .initial = "0", .max = MOST_ERRORS,
     .help = "list and picture the N misclassified rows of highest confidence"},
    {"errors-file", "FILE", LS_TYPE_TEXT, .offset = AT(errors_file), .initial = "errors.png",
     .help = "PNG file of their picture; none: list only"},
    {"predictions", "FILE", LS_TYPE_TEXT, .offset = AT(predictions),
     .help = "also write class and outputs of each row to a CSV or HDF5 file (NAME.csv, NAME.h5)"},
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
    int classes;                               /* that rows can be of; 0: they are of none */
    ls_evaluated found;                        /* no confusion for too many classes */
    ls_class_score *of_class, macro, weighted; /* [classes]; NULL as the confusion */
    ls_calibration calibration;
    ls_misclassified *wrong; /* [settings.errors] */
    int64_t wrongs;          /* found */
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
                              .trust = s->trust_data};
    if (*s->inputs != '\0')
        w->data.options.inputs = s->inputs;
    if (*s->targets != '\0')
        w->data.options.targets = s->targets;
    if (*s->test_rows != '\0') {
        w->data.options.test_rows = s->test_rows;
        w->data.options.test_data = w->data.options.split = NULL;
    }
    if (*s->test_data != '\0') {
        w->data.options.test_data = s->test_data;
        w->data.options.test_rows = w->data.options.split = NULL;
    }
    if (s->layout != LS_LAYOUT_AUTO)
        w->data.options.layout = (ls_layout_order)s->layout;
    if (s->order != LS_ORDER_AUTO)
        w->data.options.order = (ls_order)s->order;
    return LS_OK;
}

/* Returns the number of classes that rows can be of; 0: they are of none, or of several. */
static int classes_of(const ls_task *task)
{
    return task->kind == LS_TASK_CLASSIFICATION ? task->outputs
           : task->kind == LS_TASK_BINARY       ? 2
                                                : 0;
}

/* Allocates the results. Local. */
static ls_status make_room(const settings *s, work *w)
{
    const int64_t classes = w->classes = classes_of(&w->facts->task);
    const bool whole = classes > 0 && classes <= LS_MAX_CONFUSION;
    const bool regression = w->facts->task.kind == LS_TASK_REGRESSION;
    w->found.calibration = &w->calibration;
    if (whole)
        w->found.confusion = ls_alloc(classes * classes, sizeof *w->found.confusion);
    if (regression)
        w->found.output = ls_alloc(w->facts->task.outputs, sizeof *w->found.output);
    w->of_class = w->found.confusion != NULL ? ls_alloc(classes, sizeof *w->of_class) : NULL;
    w->wrong = ls_alloc(s->errors, sizeof *w->wrong);
    return w->wrong != NULL && (w->of_class != NULL || !whole) &&
                   (w->found.output != NULL || !regression)
               ? LS_OK
               : LS_ERR_FAILURE;
}

/* Checks that --errors has a meaning: rows are of one class each. The same on all ranks. Local. */
static ls_status check_errors(const settings *s, const work *w)
{
    if (s->errors == 0 || w->facts->task.kind == LS_TASK_CLASSIFICATION)
        return LS_OK;
    return ls_fail(LS_ERR_USAGE, "--errors lists misclassified rows, but the network's task is %s",
                   ls_task_name(w->facts->task.kind));
}

static json_t *confusion_json(const work *w)
{
    const int64_t classes = w->classes;
    if (w->found.confusion == NULL)
        return json_null();
    json_t *confusion = json_array();
    for (int64_t i = 0; i < classes; i++) {
        json_t *row = json_array();
        for (int64_t j = 0; j < classes; j++)
            json_array_append_new(row, json_integer(w->found.confusion[i * classes + j]));
        json_array_append_new(confusion, row);
    }
    return confusion;
}

static json_t *class_json(const ls_class_score *score)
{
    return json_pack("{s:f, s:f, s:f, s:I}", "precision", score->precision, "recall", score->recall,
                     "f1", score->f1, "support", (json_int_t)score->support);
}

/* The scores of the classes, in their order, as JSON. */
static json_t *classes_json(const work *w)
{
    if (w->found.confusion == NULL)
        return json_null();
    json_t *list = json_array();
    for (int k = 0; k < w->classes; k++)
        json_array_append_new(list, class_json(&w->of_class[k]));
    return json_pack("{s:o, s:o, s:o}", "of_class", list, "macro", class_json(&w->macro),
                     "weighted", class_json(&w->weighted));
}

static json_t *number_json(double value)
{
    return isnan(value) ? json_null() : json_real(value);
}

/* The misclassified rows of highest confidence, as JSON. */
static json_t *wrong_json(const work *w)
{
    json_t *list = json_array();
    for (int64_t i = 0; i < w->wrongs; i++) {
        const ls_misclassified *m = &w->wrong[i];
        json_array_append_new(list, json_pack("{s:I, s:i, s:i, s:f}", "row", (json_int_t)m->row,
                                              "label", (int)m->label, "predicted",
                                              (int)m->predicted, "probability", m->probability));
    }
    return list;
}

/* The errors of the outputs of a regression, in their order, as JSON. */
static json_t *outputs_json(const work *w)
{
    json_t *list = json_array();
    for (int k = 0; k < w->facts->task.outputs; k++) {
        const ls_output_score *o = &w->found.output[k];
        json_array_append_new(list, json_pack("{s:o, s:o, s:o}", "mae", number_json(o->mae), "rmse",
                                              number_json(o->rmse), "r2", number_json(o->r2)));
    }
    return list;
}

/* Adds all metrics of the task to an object; null for a metric that needs more classes or rows. */
static void add_metrics(const work *w, json_t *object)
{
    const ls_task *task = &w->facts->task;
    for (int m = 0; m < LS_METRICS; m++) {
        const ls_metric_kind *kind = ls_metric_describe((ls_metric)m);
        if ((kind->tasks & task->kind) != 0)
            json_object_set_new(object, kind->name, number_json(w->found.metric[m]));
    }
    if (w->found.output != NULL)
        json_object_set_new(object, "outputs", outputs_json(w));
    if (task->kind != LS_TASK_CLASSIFICATION)
        return;
    json_object_set_new(object, "calibration_error", number_json(w->calibration.error));
    json_object_set_new(object, "brier", number_json(w->calibration.brier));
}

static ls_status print_json(const settings *s, const work *w)
{
    json_t *result = json_pack("{s:s, s:I}", "split", ls_split_name((ls_split)s->split), "rows",
                               (json_int_t)w->found.score.rows);
    json_t *rest = json_pack(
        "{s:s, s:o, s:I, s:b, s:o, s:o}", "task", ls_task_name(w->facts->task.kind), "checkpoint",
        ls_json_text(w->facts->path), "epoch", (json_int_t)w->facts->epoch, "averaged",
        w->facts->averaged, "scores", classes_json(w), "confusion", confusion_json(w));
    add_metrics(w, result);
    if (json_object_update(result, rest) != 0) {
        json_decref(result);
        result = NULL;
    }
    json_decref(rest);
    if (result == NULL ||
        (s->errors > 0 && json_object_set_new(result, "errors", wrong_json(w)) != 0)) {
        json_decref(result);
        return ls_fail(LS_ERR_FAILURE, "out of memory for the result");
    }
    ls_print_json(stdout, result);
    json_decref(result);
    return LS_OK;
}

/* Most classes whose tables are printed. */
enum { WHOLE = 20 };

static void print_scores_of(const char *name, const ls_class_score *score)
{
    ls_print(stdout, "%12s%11.4f%11.4f%11.4f%12s\n", name, score->precision, score->recall,
             score->f1, ls_grouped(score->support).text);
}

/* Prints the scores of the classes; with many classes, their means only. */
static void print_scores(const work *w)
{
    char name[16];
    ls_print(stdout, "%12s%11s%11s%11s%12s\n", "class", "precision", "recall", "f1", "rows");
    for (int k = 0; k < w->classes && w->classes <= WHOLE; k++) {
        snprintf(name, sizeof name, "%d", k);
        print_scores_of(name, &w->of_class[k]);
    }
    print_scores_of("macro mean", &w->macro);
    print_scores_of("weighted", &w->weighted);
}

/* Prints the confusion matrix; with many classes, the most confused pairs. */
static void print_confusion(const work *w)
{
    enum { WORST = 20 };
    const int64_t K = w->classes;
    if (K <= WHOLE) {
        ls_print(stdout, "confusion matrix, true class by row, predicted by column\n");
        ls_print(stdout, "%6s", "");
        for (int64_t j = 0; j < K; j++)
            ls_print(stdout, "%7lld", (long long)j);
        for (int64_t i = 0; i < K; i++) {
            ls_print(stdout, "\n%6lld", (long long)i);
            for (int64_t j = 0; j < K; j++)
                ls_print(stdout, "%7lld", (long long)w->found.confusion[i * K + j]);
        }
        ls_print(stdout, "\n");
        return;
    }
    ls_confused worst[WORST];
    const int count = ls_most_confused(w->found.confusion, K, WORST, worst);
    ls_print(stdout, "most confused classes, true and predicted\n");
    for (int i = 0; i < count; i++)
        ls_print(stdout, "%6lld taken for %6lld: %s\n", (long long)worst[i].label,
                 (long long)worst[i].predicted, ls_counted(worst[i].rows, "row").text);
}

static void print_wrong(const work *w)
{
    ls_print(stdout, "misclassified rows of highest confidence\n");
    ls_print(stdout, "%12s%10s%11s%13s\n", "row", "class", "predicted", "probability");
    for (int64_t i = 0; i < w->wrongs; i++) {
        const ls_misclassified *m = &w->wrong[i];
        ls_print(stdout, "%12lld%10d%11d%13.6f\n", (long long)m->row, (int)m->label,
                 (int)m->predicted, m->probability);
    }
}

/* Prints loss and accuracy, or the loss alone. */
static void print_first(const settings *s, const work *w)
{
    const char *split = ls_split_name((ls_split)s->split);
    const ls_score *score = &w->found.score;
    const double loss = w->found.metric[LS_METRIC_LOSS];
    const double accuracy = w->found.metric[LS_METRIC_ACCURACY];
    if (isnan(accuracy))
        ls_print(stdout, "%s loss %.6g: %s\n", split, loss, ls_counted(score->rows, "row").text);
    else if (w->classes == 0)
        ls_print(stdout, "%s loss %.4f, accuracy %.4f: %s of %s right\n", split, loss, accuracy,
                 ls_grouped((int64_t)score->correct).text,
                 ls_counted(score->rows * w->facts->task.outputs, "output").text);
    else
        ls_print(stdout, "%s loss %.4f, accuracy %.4f: %lld of %s right\n", split, loss, accuracy,
                 (long long)score->correct, ls_counted(score->rows, "row").text);
}

/* Prints the other metrics that are defined. */
static void print_metrics(const settings *s, const work *w)
{
    const bool values = w->facts->task.kind == LS_TASK_REGRESSION; /* of any magnitude */
    for (int m = LS_METRIC_ACCURACY + 1; m < LS_METRICS; m++)
        if (!isnan(w->found.metric[m]))
            ls_print(stdout, values ? "%s %s %.6g\n" : "%s %s %.4f\n",
                     ls_split_name((ls_split)s->split), ls_metric_describe((ls_metric)m)->name,
                     w->found.metric[m]);
    if (!isnan(w->calibration.error))
        ls_print(stdout, "%s calibration error %.4f, Brier score %.4f\n",
                 ls_split_name((ls_split)s->split), w->calibration.error, w->calibration.brier);
}

/* Prints the errors of the outputs of a regression. */
static void print_outputs(const work *w)
{
    ls_print(stdout, "%12s%14s%14s%14s\n", "output", "mae", "rmse", "r2");
    for (int k = 0; k < w->facts->task.outputs; k++) {
        const ls_output_score *o = &w->found.output[k];
        ls_print(stdout, "%12d%14.6g%14.6g", k, o->mae, o->rmse);
        if (isnan(o->r2))
            ls_print(stdout, "\n");
        else
            ls_print(stdout, "%14.6f\n", o->r2);
    }
}

static ls_status print_text(const settings *s, const work *w)
{
    if (!isfinite(w->found.score.loss))
        return ls_fail(LS_ERR_NUMERIC, "%s: the loss on the %s rows is %g", w->facts->path,
                       ls_split_name((ls_split)s->split), ls_plain_number(w->found.score.loss));
    if (s->json)
        return print_json(s, w);
    ls_print(stdout, "%s of %s, epoch %lld%s\n", w->facts->path, w->facts->model,
             (long long)w->facts->epoch, w->facts->averaged ? ", averaged parameters" : "");
    print_first(s, w);
    print_metrics(s, w);
    if (w->found.output != NULL)
        print_outputs(w);
    if (w->found.confusion != NULL) {
        print_scores(w);
        print_confusion(w);
    } else if (w->classes > 0)
        ls_print(stdout, "no confusion matrix: there are more than %d classes\n", LS_MAX_CONFUSION);
    if (s->errors > 0)
        print_wrong(w);
    return LS_OK;
}

/* Puts the image of each misclassified row on the sheet; on rank 0. Local. */
static ls_status draw_wrong(const settings *s, const work *w, const ls_dataset *dataset,
                            ls_sheet *sheet)
{
    enum { TEXT = 32 };
    char caption[TEXT], note[TEXT];
    uint8_t *picture = ls_alloc(ls_dataset_describe(dataset)->features, 1);
    ls_status status = picture == NULL ? LS_ERR_FAILURE : LS_OK;
    for (int64_t i = 0; status == LS_OK && i < w->wrongs; i++) {
        const ls_misclassified *m = &w->wrong[i];
        ls_samples *one = NULL;
        status = ls_dataset_read(dataset, (ls_split)s->split, m->row, 1, 1, &one);
        if (status != LS_OK)
            break;
        snprintf(caption, TEXT, "%d>%d", (int)m->label, (int)m->predicted);
        /* Rounded down: 100% only where the probability is 1. */
        snprintf(note, TEXT, "%.1f%%", floor(1000 * (double)m->probability) / 10);
        const bool probable =
            ls_loss_takes_logits(w->facts->loss); /* outputs of mse are no probabilities */
        ls_samples_picture(one, 0, picture);
        ls_sheet_put(sheet, i, picture, caption, probable ? note : "");
        ls_samples_destroy(&one);
    }
    ls_free(picture);
    if (status == LS_OK)
        status = ls_sheet_write(sheet, s->errors_file);
    if (status == LS_OK)
        ls_print(stderr, "%s: picture of the misclassified rows\n", s->errors_file);
    return status;
}

/* Writes a picture of the misclassified rows; on rank 0. Local. */
static ls_status picture_wrong(const settings *s, const work *w)
{
    char widest[64];
    ls_dataset *dataset = NULL;
    ls_sheet *sheet = NULL;
    const int64_t columns = ls_sheet_columns(w->wrongs);
    const ls_sheet_layout layout = {
        .shape = w->facts->input,
        .columns = columns,
        .rows = w->wrongs > 0 ? (w->wrongs + columns - 1) / columns : 1,
        .line = {widest, ls_loss_takes_logits(w->facts->loss) ? "100.0%" : ""}};
    snprintf(widest, sizeof widest, "%d>%d", w->facts->classes - 1, w->facts->classes - 1);
    ls_status status = ls_sheet_create(&sheet, &layout);
    if (status == LS_OK)
        status = ls_dataset_open(&dataset, s->data, &w->data.options);
    if (status == LS_OK)
        status = draw_wrong(s, w, dataset, sheet);
    ls_dataset_close(&dataset);
    ls_sheet_destroy(&sheet);
    if (status != LS_OK)
        return ls_fail(status,
                       "can't draw the misclassified rows: %s (--errors-file none: no picture)",
                       ls_error_text());
    return LS_OK;
}

/* Evaluates the rows, and finds the misclassified ones for --errors. Collective. */
static ls_status evaluate(const settings *s, work *w)
{
    ls_status status = ls_model_evaluate(w->model, w->rows, &w->found);
    if (status == LS_OK && w->found.confusion != NULL)
        ls_class_scores(w->found.confusion, w->classes, w->of_class, &w->macro, &w->weighted);
    /* NaN and Inf have no order: print_text() reports them. */
    if (status == LS_OK && s->errors > 0 && isfinite(w->found.score.loss))
        status = ls_model_misclassified(w->model, w->rows, s->errors, w->wrong, &w->wrongs);
    return status;
}

/* Writes the file of --predictions; the data set is checked already. Collective. */
static ls_status write_predictions(const settings *s, const work *w)
{
    ls_model_data data = w->data;
    data.trust = true;
    return ls_model_predict_to(w->model, &data, s->predictions, true);
}

/* Rank 0 prints the result. Collective. */
static ls_status print_result(ls_comm *comm, const settings *s, const work *w)
{
    const bool root = ls_comm_rank(comm) == 0;
    const bool pictured = s->errors > 0 && strcmp(s->errors_file, "none") != 0;
    ls_status status = ls_agree_root(comm, root ? print_text(s, w) : LS_OK);
    if (status == LS_OK && pictured)
        status = ls_agree_root(comm, root ? picture_wrong(s, w) : LS_OK);
    return status;
}

/* Sets the threads and checks the BLAS kernels. Collective. */
static ls_status prepare_compute(ls_comm *comm, const settings *s, work *w)
{
    const ls_status status = ls_topology_create(&w->topology, comm, (int)s->threads);
    if (status != LS_OK)
        return status;
    ls_compute_set_threads(w->topology->mine.threads);
    return ls_agree(comm, ls_compute_check());
}

static ls_status eval_run(ls_comm *comm, const ls_options *options, const void *values)
{
    const settings *s = values;
    work w = {0};
    (void)options;
    ls_status status = prepare_compute(comm, s, &w);
    if (status == LS_OK && *s->predictions != '\0')
        status = ls_agree_root(
            comm, ls_comm_rank(comm) == 0 ? ls_prediction_file_check(s->predictions) : LS_OK);
    if (status == LS_OK)
        status = open_model(comm, s, &w);
    if (status == LS_OK)
        status = check_errors(s, &w);
    if (status == LS_OK)
        status = ls_model_read(&w.rows, w.model, &w.data);
    if (status == LS_OK)
        status = ls_agree(comm, make_room(s, &w));
    if (status == LS_OK)
        status = evaluate(s, &w);
    if (status == LS_OK)
        status = print_result(comm, s, &w);
    if (status == LS_OK && *s->predictions != '\0')
        status = write_predictions(s, &w);
    ls_rows_destroy(&w.rows);
    ls_model_destroy(&w.model);
    ls_topology_destroy(&w.topology);
    ls_free(w.found.confusion);
    ls_free(w.found.output);
    ls_free(w.of_class);
    ls_free(w.wrong);
    return status;
}

const ls_command ls_command_eval = {
    .name = "eval",
    .usage = "--data FILE --checkpoint PATH [OPTION ...]",
    .summary = "test loss, accuracy and confusion matrix of a checkpoint",
    .options = {table, false},
    .settings_size = sizeof(settings),
    .parallel = true,
    .run = eval_run,
};
