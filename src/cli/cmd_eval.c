#include <lockstep/checkpoint.h>
#include <lockstep/compute.h>
#include <lockstep/evaluate.h>
#include <lockstep/source.h>
#include <lockstep/mistakes.h>
#include <lockstep/plan.h>
#include <lockstep/topology.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/show.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/confusion.h"
#include "cli/console.h"
#include "cli/sheet.h"
#include "data/samples.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct settings {
    const char *data, *checkpoint;
    int split, layout;
    int64_t threads;
    int read;
    bool raw, trust_data, json;
    int64_t errors;
    const char *errors_file;
} settings;

#define AT(field) offsetof(settings, field)
enum { MOST_ERRORS = 10000 };
static const ls_choice split_choices[] = {LS_SPLIT_LIST(LS_CHOICE_ROW){NULL, NULL}};
static const ls_setting table[] = {
    {"data", .flags = LS_OPTION_AS_TRAIN | LS_SETTING_REQUIRED, .offset = AT(data),
     .help = "HDF5 data set"},
    {"checkpoint", "PATH", LS_TYPE_TEXT, .flags = LS_SETTING_REQUIRED, .offset = AT(checkpoint),
     .help = "a checkpoint file, or a run folder: its best, else its last"},
    {"split", "NAME", LS_TYPE_CHOICE, .offset = AT(split), .initial = "test",
     .choices = split_choices, .help = "rows to evaluate"},
    {"layout", .flags = LS_OPTION_AS_TRAIN, .offset = AT(layout)},
    {"raw", NULL, LS_TYPE_FLAG, .offset = AT(raw),
     .help = "the parameters themselves where the checkpoint holds their average, too"},
    {"threads", .flags = LS_OPTION_AS_TRAIN, .offset = AT(threads)},
    {"read", .flags = LS_OPTION_AS_TRAIN, .offset = AT(read)},
    {"trust-data", .flags = LS_OPTION_AS_TRAIN, .offset = AT(trust_data),
     .help = "do not check the whole data set first, as for train"},
    {"errors", "N", LS_TYPE_INT, .offset = AT(errors), .initial = "0", .max = MOST_ERRORS,
     .help = "list and picture the N wrong rows that the network is surest of"},
    {"errors-file", "FILE", LS_TYPE_TEXT, .offset = AT(errors_file), .initial = "errors.png",
     .help = "the picture, a PNG; none: the list only"},
    {"json", NULL, LS_TYPE_FLAG, .offset = AT(json), .help = "print JSON"},
    {0},
};

/* What an evaluation works with. */
typedef struct work {
    char path[LS_PATH_MAX];
    ls_checkpoint *checkpoint; /* rank 0 only */
    char *model;               /* the checkpoint's, owned */
    struct {                   /* the rest of its identity, as plain values */
        int64_t epoch;
        bool averaged; /* its average is what is evaluated */
        int loss, classes;
        ls_shape input;
        double mean, std;
        ls_dataset_options reading; /* of the data set that it was trained on */
    } id;
    ls_dataset_info info;
    ls_samples *samples;
    ls_network *network;
    ls_batch *batch;
    ls_topology *topology;
    float *params;
    int64_t *confusion; /* NULL for too many classes */
    ls_score score;
    ls_mistake *mistake; /* [settings.errors] */
    int64_t mistakes;    /* found */
} work;

/* Takes a setting from a checkpoint's; one that it is too old to name keeps its default. Local. */
static ls_status recall(const char *path, const char *saved, const char *name,
                        ls_train_config *out)
{
    char value[64];
    ls_pair pair;
    if (!ls_text_find_pair(saved, name, strlen(name), &pair))
        return LS_OK;
    snprintf(value, sizeof value, "%.*s", (int)pair.value_length, pair.value);
    if (ls_config_set(out, name, value) == LS_OK)
        return LS_OK;
    return ls_fail(LS_ERR_DATA, "%s: '--%s %s' is not known here", path, name, value);
}

/* How the training read its data: which rows it held out, and the layout of the images. Local. */
static ls_status read_as_trained(const char *path, const char *saved, ls_dataset_options *out)
{
    static const char *const names[] = {"validation", "hold-out", "seed", "layout"};
    ls_train_config config;
    ls_status status = LS_OK;
    ls_config_default(&config);
    for (size_t i = 0; status == LS_OK && i < sizeof names / sizeof *names; i++)
        status = recall(path, saved, names[i], &config);
    if (config.layout == LS_LAYOUT_AUTO) /* training took the images for nchw */
        config.layout = LS_LAYOUT_NCHW;
    *out = (ls_dataset_options){.validation = config.validation,
                                .hold_out = config.hold_out,
                                .seed = config.seed,
                                .layout = config.layout};
    return status;
}

/* Rank 0 opens the checkpoint; all ranks get to know what it describes. Collective. */
static ls_status open_checkpoint(ls_comm *comm, const settings *s, work *w)
{
    ls_status status = LS_OK;
    if (ls_comm_rank(comm) == 0) {
        status = ls_checkpoint_find(s->checkpoint, false, w->path, sizeof w->path);
        if (status == LS_OK)
            status = ls_checkpoint_open(&w->checkpoint, w->path);
        if (status == LS_OK) {
            const ls_identity *id = ls_checkpoint_identity(w->checkpoint);
            w->id.epoch = ls_checkpoint_progress(w->checkpoint)->epoch;
            w->id.averaged = !s->raw && ls_checkpoint_has_average(w->checkpoint);
            w->id.loss = (int)id->loss;
            w->id.classes = id->classes;
            w->id.input = id->input;
            w->id.mean = id->mean;
            w->id.std = id->std;
            status = read_as_trained(w->path, id->config, &w->id.reading);
            if (s->layout != LS_LAYOUT_AUTO)
                w->id.reading.layout = (ls_layout_order)s->layout;
            w->model = ls_strdup(id->model);
            status = status == LS_OK && w->model == NULL ? LS_ERR_FAILURE : status;
        }
    }
    status = ls_agree(comm, status);
    if (status != LS_OK)
        return status;
    ls_broadcast(comm, &w->id, sizeof w->id);
    return ls_broadcast_text(comm, &w->model);
}

/* Whether the network fits the data set. The same on all ranks. Local. */
static ls_status check_fit(const settings *s, const work *w)
{
    const ls_split split = (ls_split)s->split;
    const ls_shape *in = &w->id.input;
    if (w->info.rows[split] == 0)
        return ls_fail(LS_ERR_DATA, "%s: has no %s rows", s->data, ls_split_name(split));
    if (in->channels != w->info.channels || in->height != w->info.height ||
        in->width != w->info.width || w->id.classes != w->info.classes)
        return ls_fail(LS_ERR_DATA,
                       "%s: images of %lldx%lldx%lld and %d classes don't fit the checkpoint's "
                       "network, which takes %lldx%lldx%lld and %d%s",
                       s->data, (long long)w->info.channels, (long long)w->info.height,
                       (long long)w->info.width, w->info.classes, (long long)in->channels,
                       (long long)in->height, (long long)in->width, w->id.classes,
                       w->info.doubtful ? "; if its channels come last give --layout nhwc" : "");
    return LS_OK;
}

/* Reads this rank's rows. Collective. */
static ls_status load_rows(ls_comm *comm, const settings *s, work *w)
{
    const ls_split split = (ls_split)s->split;
    ls_source *source = NULL;
    ls_status status = ls_source_open(&source, comm, s->data, &w->id.reading, !s->trust_data,
                                      (ls_read)s->read, &w->info);
    if (status == LS_OK)
        status = check_fit(s, w);
    if (status == LS_OK) {
        const ls_range rows =
            ls_evaluation_shard(w->info.rows[split], ls_comm_size(comm), ls_comm_rank(comm));
        status = ls_source_read(source, split, rows, rows.count, &w->samples);
    }
    ls_source_close(&source);
    return status;
}

/* Makes this rank's replica. Local. */
static ls_status make_replica(work *w)
{
    ls_status status = ls_network_create(&w->network, w->model, w->id.input, w->id.classes,
                                         (ls_loss)w->id.loss, LS_EVALUATION_ROWS);
    if (status == LS_OK)
        status = ls_batch_create(&w->batch, LS_EVALUATION_ROWS, w->info.features);
    if (status == LS_OK) {
        const int64_t classes = w->id.classes;
        w->params = ls_alloc(ls_network_size(w->network), sizeof *w->params);
        if (classes <= LS_MAX_CONFUSION)
            w->confusion = ls_alloc(classes * classes, sizeof *w->confusion);
        if (w->params == NULL || (w->confusion == NULL && classes <= LS_MAX_CONFUSION))
            status = LS_ERR_FAILURE;
    }
    return status;
}

static ls_status load_params(ls_comm *comm, work *w)
{
    ls_status status = LS_OK;
    if (ls_comm_rank(comm) == 0)
        status = (w->id.averaged ? ls_checkpoint_read_outcome
                                 : ls_checkpoint_read_params)(w->checkpoint, w->network, w->params);
    status = ls_agree(comm, status);
    if (status == LS_OK)
        ls_broadcast(comm, w->params, (size_t)ls_network_size(w->network) * sizeof *w->params);
    return status;
}

static json_t *confusion_json(const work *w)
{
    const int64_t classes = w->id.classes;
    if (w->confusion == NULL)
        return json_null();
    json_t *confusion = json_array();
    for (int64_t i = 0; i < classes; i++) {
        json_t *row = json_array();
        for (int64_t j = 0; j < classes; j++)
            json_array_append_new(row, json_integer(w->confusion[i * classes + j]));
        json_array_append_new(confusion, row);
    }
    return confusion;
}

/* The rows that it is most wrong about. */
static json_t *mistakes_json(const work *w)
{
    json_t *list = json_array();
    for (int64_t i = 0; i < w->mistakes; i++) {
        const ls_mistake *m = &w->mistake[i];
        json_array_append_new(list, json_pack("{s:I, s:i, s:i, s:f}", "row", (json_int_t)m->row,
                                              "label", (int)m->label, "predicted",
                                              (int)m->predicted, "probability", m->probability));
    }
    return list;
}

static ls_status print_json(const settings *s, const work *w)
{
    json_t *result = json_pack("{s:s, s:I, s:f, s:f, s:o, s:I, s:b, s:o}", "split",
                               ls_split_name((ls_split)s->split), "rows", (json_int_t)w->score.rows,
                               "loss", w->score.loss / (double)w->score.rows, "accuracy",
                               (double)w->score.correct / (double)w->score.rows, "checkpoint",
                               ls_json_text(w->path), "epoch", (json_int_t)w->id.epoch, "averaged",
                               w->id.averaged, "confusion", confusion_json(w));
    if (result == NULL ||
        (s->errors > 0 && json_object_set_new(result, "errors", mistakes_json(w)) != 0)) {
        json_decref(result);
        return ls_fail(LS_ERR_FAILURE, "out of memory for the result");
    }
    ls_print_json(stdout, result);
    json_decref(result);
    return LS_OK;
}

/* The confusion matrix: whole for few classes, else the pairs that are confused most. */
static void print_confusion(const work *w)
{
    enum { WHOLE = 20, WORST = 20 };
    const int64_t K = w->id.classes;
    if (K <= WHOLE) {
        ls_print(stdout, "confusion matrix, true class by row, predicted by column\n");
        ls_print(stdout, "%6s", "");
        for (int64_t j = 0; j < K; j++)
            ls_print(stdout, "%7lld", (long long)j);
        for (int64_t i = 0; i < K; i++) {
            ls_print(stdout, "\n%6lld", (long long)i);
            for (int64_t j = 0; j < K; j++)
                ls_print(stdout, "%7lld", (long long)w->confusion[i * K + j]);
        }
        ls_print(stdout, "\n");
        return;
    }
    ls_confused worst[WORST];
    const int count = ls_most_confused(w->confusion, K, WORST, worst);
    ls_print(stdout, "most confused classes, true and predicted\n");
    for (int i = 0; i < count; i++)
        ls_print(stdout, "%6lld taken for %6lld: %s\n", (long long)worst[i].label,
                 (long long)worst[i].predicted, ls_counted(worst[i].rows, "row").text);
}

static void print_mistakes(const work *w)
{
    ls_print(stdout, "wrong rows that it is surest of\n");
    ls_print(stdout, "%12s%10s%11s%13s\n", "row", "class", "predicted", "probability");
    for (int64_t i = 0; i < w->mistakes; i++) {
        const ls_mistake *m = &w->mistake[i];
        ls_print(stdout, "%12lld%10d%11d%13.6f\n", (long long)m->row, (int)m->label,
                 (int)m->predicted, m->probability);
    }
}

static ls_status print(const settings *s, const work *w)
{
    if (!isfinite(w->score.loss))
        return ls_fail(LS_ERR_NUMERIC, "%s: its loss on the %s rows is %g", w->path,
                       ls_split_name((ls_split)s->split), ls_plain_number(w->score.loss));
    if (s->json)
        return print_json(s, w);
    ls_print(stdout, "%s of %s, epoch %lld%s\n", w->path, w->model, (long long)w->id.epoch,
             w->id.averaged ? ", averaged parameters" : "");
    ls_print(stdout, "%s loss %.4f, accuracy %.4f: %lld of %s right\n",
             ls_split_name((ls_split)s->split), w->score.loss / (double)w->score.rows,
             (double)w->score.correct / (double)w->score.rows, (long long)w->score.correct,
             ls_counted(w->score.rows, "row").text);
    if (w->confusion != NULL)
        print_confusion(w);
    else
        ls_print(stdout, "no confusion matrix: there are more than %d classes\n", LS_MAX_CONFUSION);
    if (s->errors > 0)
        print_mistakes(w);
    return LS_OK;
}

/* Puts the image of each mistake on the sheet; on rank 0. Local. */
static ls_status draw_mistakes(const settings *s, const work *w, const ls_dataset *dataset,
                               ls_sheet *sheet)
{
    enum { TEXT = 32 };
    char caption[TEXT], note[TEXT];
    for (int64_t i = 0; i < w->mistakes; i++) {
        const ls_mistake *m = &w->mistake[i];
        ls_samples *one = NULL;
        ls_status status = ls_dataset_read(dataset, (ls_split)s->split, m->row, 1, 1, &one);
        if (status != LS_OK)
            return status;
        snprintf(caption, TEXT, "%d>%d", (int)m->label, (int)m->predicted);
        snprintf(note, TEXT, "%.1f%%", 100 * m->probability);
        const bool probable = w->id.loss == LS_CROSS_ENTROPY; /* what mse makes is anything */
        ls_sheet_put(sheet, i, ls_sample_at(one, 0)->pixels, caption, probable ? note : "");
        ls_samples_destroy(&one);
    }
    ls_status status = ls_sheet_write(sheet, s->errors_file);
    if (status == LS_OK)
        ls_print(stderr, "%s: a picture of them\n", s->errors_file);
    return status;
}

/* Writes a picture of the mistakes; on rank 0. Local. */
static ls_status picture_mistakes(const settings *s, const work *w)
{
    char widest[64];
    ls_dataset *dataset = NULL;
    ls_sheet *sheet = NULL;
    const int64_t columns = ls_sheet_columns(w->mistakes);
    const ls_sheet_layout layout = {
        .shape = w->id.input,
        .columns = columns,
        .rows = w->mistakes > 0 ? (w->mistakes + columns - 1) / columns : 1,
        .line = {widest, w->id.loss == LS_CROSS_ENTROPY ? "100.0%" : ""}};
    snprintf(widest, sizeof widest, "%d>%d", w->id.classes - 1, w->id.classes - 1);
    ls_status status = ls_sheet_create(&sheet, &layout);
    if (status == LS_OK)
        status = ls_dataset_open(&dataset, s->data, &w->id.reading);
    if (status == LS_OK)
        status = draw_mistakes(s, w, dataset, sheet);
    ls_dataset_close(&dataset);
    ls_sheet_destroy(&sheet);
    if (status != LS_OK)
        return ls_fail(status, "no picture of the wrong rows: %s (--errors-file none: without one)",
                       ls_error_text());
    return LS_OK;
}

/* Finds what the network is most wrong about. Collective. */
static ls_status look_at_mistakes(ls_comm *comm, const settings *s, work *w)
{
    w->mistake = ls_alloc(s->errors, sizeof *w->mistake);
    ls_status status = ls_agree(comm, w->mistake == NULL ? LS_ERR_FAILURE : LS_OK);
    if (status == LS_OK)
        status = ls_find_mistakes(comm, w->network, (ls_loss)w->id.loss, w->params, w->samples,
                                  w->id.mean, w->id.std, w->batch, w->id.classes, s->errors,
                                  w->mistake, &w->mistakes);
    return status;
}

static ls_status evaluate(ls_comm *comm, const settings *s, work *w)
{
    ls_status status = ls_topology_create(&w->topology, comm, (int)s->threads);
    if (status != LS_OK)
        return status;
    ls_compute_set_threads(w->topology->mine.threads);
    status = ls_agree(comm, ls_compute_check());
    if (status == LS_OK)
        status = open_checkpoint(comm, s, w);
    if (status == LS_OK)
        status = load_rows(comm, s, w);
    if (status == LS_OK)
        status = ls_agree(comm, make_replica(w));
    if (status == LS_OK)
        status = load_params(comm, w);
    if (status == LS_OK)
        status = ls_evaluate(comm, w->network, w->params, w->samples, w->id.mean, w->id.std,
                             w->batch, w->id.classes, &w->score, w->confusion);
    /* Outputs that are not finite have no order: print() tells of them. */
    if (status == LS_OK && s->errors > 0 && isfinite(w->score.loss))
        status = look_at_mistakes(comm, s, w);
    if (status == LS_OK)
        status = ls_agree(comm, ls_comm_rank(comm) == 0 ? print(s, w) : LS_OK);
    if (status == LS_OK && s->errors > 0 && strcmp(s->errors_file, "none") != 0)
        status = ls_agree(comm, ls_comm_rank(comm) == 0 ? picture_mistakes(s, w) : LS_OK);
    return status;
}

static ls_status run(ls_comm *comm, const ls_options *options, const void *values)
{
    work w = {0};
    (void)options;
    ls_status status = evaluate(comm, values, &w);
    ls_checkpoint_close(&w.checkpoint);
    ls_samples_destroy(&w.samples);
    ls_network_destroy(&w.network);
    ls_batch_destroy(&w.batch);
    ls_topology_destroy(&w.topology);
    ls_free(w.model);
    ls_free(w.params);
    ls_free(w.confusion);
    ls_free(w.mistake);
    return status;
}

const ls_command ls_command_eval = {
    .name = "eval",
    .usage = "--data FILE --checkpoint PATH [OPTION ...]",
    .summary = "test loss, accuracy and confusion matrix of a checkpoint",
    .options = {table, false},
    .settings_size = sizeof(settings),
    .parallel = true,
    .run = run,
};
