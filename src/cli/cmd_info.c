#include <lockstep/dataset.h>
#include <lockstep/model.h>
#include <lockstep/run.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/show.h"
#include "cli/command.h"
#include "cli/console.h"
#include "cli/data_choice.h"
#include "cli/info_sequence.h"
#include "cli/info_text.h"

#include <stdlib.h>
#include <string.h>

typedef struct settings {
    const char *file, *inputs, *targets, *lengths, *test_data, *test_rows, *split, *fold;
    double validation;
    int hold_out, layout, order;
    int64_t padding, seed;
    bool json, verify;
} settings;

#define AT(field) offsetof(settings, field)
static const ls_setting table[] = {
    {"file", "FILE", LS_TYPE_TEXT, .flags = LS_SETTING_REQUIRED | LS_SETTING_ARGUMENT,
     .offset = offsetof(settings, file),
     .help = "a data set, a checkpoint, a run folder: its best checkpoint; or any HDF5 file"},
    {"verify", NULL, LS_TYPE_FLAG, .offset = offsetof(settings, verify),
     .help = "of a data set: read all rows and check every label, with or without a digest"},
    {"layout", .flags = LS_OPTION_AS_TRAIN, .offset = offsetof(settings, layout)},
    {"order", .flags = LS_OPTION_AS_TRAIN, .offset = offsetof(settings, order)},
    {"inputs", .flags = LS_OPTION_AS_TRAIN, .offset = AT(inputs), .group = "Selected rows"},
    {"targets", .flags = LS_OPTION_AS_TRAIN, .offset = AT(targets)},
    {"lengths", .flags = LS_OPTION_AS_TRAIN, .offset = AT(lengths)},
    {"padding", .flags = LS_OPTION_AS_TRAIN, .offset = AT(padding)},
    {"test-data", .flags = LS_OPTION_AS_TRAIN, .offset = AT(test_data)},
    {"test-rows", .flags = LS_OPTION_AS_TRAIN, .offset = AT(test_rows)},
    {"split", .flags = LS_OPTION_AS_TRAIN, .offset = AT(split)},
    {"fold", .flags = LS_OPTION_AS_TRAIN, .offset = AT(fold)},
    {"validation", .flags = LS_OPTION_AS_TRAIN, .offset = AT(validation), .initial = "0"},
    {"hold-out", .flags = LS_OPTION_AS_TRAIN, .offset = AT(hold_out)},
    {"seed", .flags = LS_OPTION_AS_TRAIN, .offset = AT(seed), .help = "as for train"},
    {"json", NULL, LS_TYPE_FLAG, .offset = offsetof(settings, json), .help = "print JSON"},
    {0},
};

/* The file to describe. */
typedef struct request {
    const char *path;
    bool counts; /* the rows of each class, too */
    ls_dataset_options options;
} request;

/* Every description is made as JSON, and printed as JSON or as text. */
static json_t *describe_info(const ls_dataset_info *info)
{
    json_t *rows = json_object();
    for (int i = 0; i < LS_SPLITS; i++)
        if (info->rows[i] > 0)
            json_object_set_new(rows, ls_split_name((ls_split)i), json_integer(info->rows[i]));
    return json_pack("{s:s, s:o, s:o, s:s, s:[I,I,I], s:i, s:o}", "kind", "data set", "name",
                     ls_json_text(info->name), "rows", rows, "type", ls_element_name(info->element),
                     "image", (json_int_t)info->channels, (json_int_t)info->height,
                     (json_int_t)info->width, "classes", info->classes, "source_sha256",
                     ls_json_text(info->source_sha256));
}

/* The names of the classes; NULL if the data set has none. */
static json_t *class_names_json(const ls_dataset *dataset)
{
    json_t *names = json_array();
    for (int k = 0; k < ls_dataset_describe(dataset)->classes; k++) {
        const char *name = ls_dataset_class_name(dataset, k);
        if (name != NULL)
            json_array_append_new(names, ls_json_text(name));
    }
    return json_array_size(names) > 0 ? names : NULL;
}

/* Adds the number of a split's rows in each class. */
static ls_status add_counts(const ls_dataset *dataset, ls_split split, json_t *out)
{
    const int classes = ls_dataset_describe(dataset)->classes;
    int64_t *counts = ls_alloc(classes, sizeof *counts);
    const ls_status status =
        counts == NULL ? LS_ERR_FAILURE : ls_dataset_count_classes(dataset, split, counts);
    json_t *list = json_array();
    for (int k = 0; status == LS_OK && k < classes; k++)
        json_array_append_new(list, json_integer(counts[k]));
    json_object_set_new(out, ls_split_name(split), list);
    ls_free(counts);
    return status;
}

/* Adds the number of each split's rows, or their steps, in each class. */
static ls_status describe_counts(const ls_dataset *dataset, json_t *out)
{
    const ls_dataset_info *info = ls_dataset_describe(dataset);
    json_t *counts = json_object();
    ls_status status = LS_OK;
    for (int split = 0; status == LS_OK && split < LS_SPLITS; split++)
        if (info->rows[split] > 0 && info->classes > 0)
            status = add_counts(dataset, (ls_split)split, counts);
    if (info->classes > 0)
        json_object_set(out, ls_dataset_by_step(info) ? "steps of classes" : "rows of classes",
                        counts);
    json_decref(counts);
    return status;
}

/* Describes a data set, also if its layout is ambiguous. */
static ls_status describe_dataset(const request *r, json_t **out)
{
    ls_dataset *dataset = NULL;
    const bool open = r->options.layout == LS_LAYOUT_AUTO;
    ls_dataset_options options = r->options;
    if (open)
        options.layout = LS_LAYOUT_NCHW;
    ls_status status = ls_dataset_open(&dataset, r->path, &options);
    if (status != LS_OK)
        return status;
    const ls_dataset_info *info = ls_dataset_describe(dataset);
    *out = describe_info(info);
    if (info->reconstructs)
        json_object_set_new(*out, "targets", json_string("the inputs"));
    else if (ls_dataset_by_step(info))
        json_object_set_new(*out, "targets", json_string("the class of each step"));
    else if (info->values > 0)
        json_object_set_new(*out, "values", json_integer(info->values));
    status = ls_info_sequence(dataset, *out);
    if (status == LS_OK && r->counts)
        status = describe_counts(dataset, *out);
    json_t *names = class_names_json(dataset);
    if (names != NULL)
        json_object_set_new(*out, "class_names", names);
    if (open && info->doubtful)
        json_object_set_new(*out, "layout",
                            json_string("taken for nchw, but it looks like nhwc: give --layout"));
    if (info->column_major)
        json_object_set_new(*out, "order", json_string("column-major"));
    ls_dataset_close(&dataset);
    return status;
}

/* Lists the datasets of a file of another layout. */
static ls_status describe_foreign(const char *path, json_t **out)
{
    enum { SHOWN = 200 };
    int count = 0;
    ls_file_entry *entry = ls_alloc(SHOWN, sizeof *entry);
    const ls_status status =
        entry == NULL ? LS_ERR_FAILURE : ls_file_list(path, SHOWN, entry, &count);
    json_t *datasets = json_array();
    for (int i = 0; status == LS_OK && i < count && i < SHOWN; i++)
        json_array_append_new(
            datasets, entry[i].type != NULL
                          ? json_pack("{s:o, s:s, s:s}", "path", ls_json_text(entry[i].path),
                                      "shape", entry[i].shape, "type", entry[i].type)
                          : json_pack("{s:o}", "path", ls_json_text(entry[i].path)));
    if (status == LS_OK)
        *out = json_pack("{s:s, s:O}", "kind", "HDF5 file", "datasets", datasets);
    if (status == LS_OK && count > SHOWN)
        json_object_set_new(*out, "more", json_integer(count - SHOWN));
    json_decref(datasets);
    ls_free(entry);
    return status;
}

static json_t *describe_params(const ls_network *network)
{
    int rows;
    const ls_param *param = ls_network_params(network, &rows);
    json_t *object = json_object();
    for (int i = 0; i < rows; i++) {
        json_t *shape = json_array();
        for (int d = 0; d < param[i].rank; d++)
            json_array_append_new(shape, json_integer(param[i].shape[d]));
        json_object_set_new(object, param[i].name, shape);
    }
    return object;
}

/* [channels, height, width], of a sequence [steps, features]. */
static json_t *shape_json(ls_shape shape, bool sequence)
{
    if (sequence)
        return json_pack("[I,I]", (json_int_t)shape.height, (json_int_t)shape.channels);
    return json_pack("[I,I,I]", (json_int_t)shape.channels, (json_int_t)shape.height,
                     (json_int_t)shape.width);
}

/* Adds the attributes that a layer of this kind has. */
static void add_attributes(json_t *object, const ls_attributes *a)
{
    const struct {
        const char *name;
        int64_t value;
    } numbers[] = {{"units", a->units},
                   {"window", a->window},
                   {"stride", a->stride},
                   {"pad", a->pad},
                   {"vocabulary", a->vocabulary}};
    const struct {
        const char *name;
        bool value;
    } flags[] = {{"all", a->all},          {"reverse", a->reverse}, {"both", a->both},
                 {"chrono", a->chrono},    {"causal", a->causal},   {"pixels", a->pixels},
                 {"permuted", a->permuted}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (numbers[i].value > 0)
            json_object_set_new(object, numbers[i].name, json_integer(numbers[i].value));
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (flags[i].value)
            json_object_set_new(object, flags[i].name, json_true());
    if (a->rate > 0)
        json_object_set_new(object, "rate", json_real(a->rate));
}

/* The layers by name: word, the layers that each reads, shapes, attributes, number of
 * parameters. */
static json_t *layers_json(const ls_network *network)
{
    json_t *object = json_object();
    for (int i = 0; i < ls_network_layers(network); i++) {
        const ls_layer_info layer = ls_network_layer(network, i);
        json_t *reads = json_array();
        for (int k = 0; k < layer.inputs; k++)
            json_array_append_new(
                reads,
                json_string(layer.input[k] < 0 ? "input"
                                               : ls_network_layer(network, layer.input[k]).name));
        json_t *row = json_pack(
            "{s:s, s:s, s:o, s:o, s:o, s:I}", "word", layer.word, "kind", layer.kind, "reads",
            reads, "in", shape_json(layer.in[0], layer.in_sequence[0]), "out",
            shape_json(layer.out, layer.out_sequence), "parameters", (json_int_t)layer.parameters);
        add_attributes(row, &layer.attributes);
        json_object_set_new(object, layer.name, row);
    }
    return object;
}

static json_t *model_json(const ls_model *model)
{
    const ls_model_facts *facts = ls_model_describe(model);
    return json_pack(
        "{s:s, s:o, s:o, s:s, s:[I,I,I], s:i, s:i, s:i, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:b, "
        "s:o, "
        "s:o}",
        "kind", "checkpoint", "run", ls_json_text(facts->run), "model", ls_json_text(facts->model),
        "task", ls_task_name(facts->task.kind), "image", (json_int_t)facts->input.channels,
        (json_int_t)facts->input.height, (json_int_t)facts->input.width, "classes", facts->classes,
        "vocabulary", facts->vocabulary, "outputs", facts->task.outputs, "epoch",
        (json_int_t)facts->epoch, "step", (json_int_t)facts->step, "steps",
        (json_int_t)facts->steps, "best_epoch", (json_int_t)facts->best_epoch, "metrics",
        facts->epoch > 0 ? ls_metrics_json(&facts->latest, ls_task_kinds(&facts->task))
                         : json_object(),
        "layers", layers_json(ls_model_network(model)), "parameters",
        describe_params(ls_model_network(model)), "average", facts->has_average, "dataset",
        ls_json_text(facts->dataset), "config", ls_json_text(facts->config));
}

/* What a generator makes, and of what. */
static json_t *generator_json(const ls_model_facts *facts)
{
    const ls_shape *picture = &facts->picture;
    return json_pack("{s:[I,I,I], s:s, s:I, s:i, s:o}", "image", (json_int_t)picture->channels,
                     (json_int_t)picture->height, (json_int_t)picture->width, "type",
                     ls_element_name(facts->picture_element), "noise",
                     (json_int_t)(facts->input.channels - facts->conditions), "classes",
                     facts->conditions, "discriminator", ls_json_text(facts->discriminator));
}

static ls_status describe_checkpoint(const char *path, json_t **out)
{
    ls_model *model = NULL;
    const ls_status status = ls_model_open(&model, NULL, path, LS_MODEL_NONE);
    if (status == LS_OK)
        *out = model_json(model);
    if (status == LS_OK && ls_model_describe(model)->class_names != NULL)
        json_object_set_new(*out, "class_names",
                            ls_json_texts(ls_model_describe(model)->class_names,
                                          ls_model_describe(model)->classes));
    if (status == LS_OK && ls_model_describe(model)->generates)
        json_object_set_new(*out, "generator", generator_json(ls_model_describe(model)));
    ls_model_destroy(&model);
    return status;
}

/* Describes a file of a kind; with `verify`, reads all rows of a data set. */
static ls_status describe_file(const request *r, const ls_file_facts *file, bool verify,
                               json_t **out)
{
    if (file->checkpoint)
        return describe_checkpoint(r->path, out);
    if (file->foreign && verify)
        return ls_fail(LS_ERR_USAGE,
                       "%s: --verify needs --inputs and --targets: it is not a data set of "
                       "Lockstep's own layout",
                       r->path);
    if (file->foreign)
        return describe_foreign(r->path, out);
    const ls_status status = ls_dataset_try(r->path, &r->options, verify);
    return status == LS_OK ? describe_dataset(r, out) : status;
}

/* Describes a file, or selected rows of files, of which none is a checkpoint. */
static ls_status examine(const request *r, bool verify, json_t **out)
{
    ls_file_facts file = {0};
    const bool selected = r->counts;
    ls_status status = selected ? LS_OK : ls_file_identify(r->path, &file);
    if (status == LS_OK)
        status = describe_file(r, &file, verify, out);
    if (status == LS_OK && *out == NULL)
        status = ls_fail(LS_ERR_FAILURE, "out of memory for the description");
    if (status != LS_OK)
        return status;
    json_object_set_new(*out, "file", ls_json_text(r->path));
    if (verify && !file.checkpoint)
        json_object_set_new(*out, "rows_verified", json_true());
    if (selected)
        return LS_OK;
    json_object_set_new(*out, "digest", file.sealed ? json_string(file.digest) : json_null());
    json_object_set_new(*out, "verified", file.sealed ? json_true() : json_null());
    return LS_OK;
}

static void print_json(const json_t *result)
{
    ls_print_json(stdout, result);
}

static ls_status info_run(ls_comm *comm, const ls_options *options, const void *values)
{
    (void)comm, (void)options;
    const settings *s = values;
    char path[4096];
    json_t *result = NULL;
    const bool selected = *s->inputs != '\0' || *s->targets != '\0';
    request r = {.path = selected ? s->file : path,
                 .counts = selected,
                 .options = {.validation = s->validation,
                             .hold_out = (ls_hold_out)s->hold_out,
                             .seed = (uint64_t)s->seed}};
    ls_data_choose(&r.options, &(ls_data_choice){.inputs = s->inputs,
                                                 .targets = s->targets,
                                                 .lengths = s->lengths,
                                                 .padded = s->padding >= 0,
                                                 .padding = s->padding,
                                                 .test_data = s->test_data,
                                                 .test_rows = s->test_rows,
                                                 .split = s->split,
                                                 .fold = s->fold,
                                                 .layout = s->layout,
                                                 .order = s->order});
    ls_status status = ls_dataset_check_options(&r.options);
    if (status == LS_OK && s->validation > 0 && (*s->fold != '\0' || *s->split != '\0'))
        status = ls_fail(LS_ERR_USAGE, "--%s chooses the validation rows: leave --validation out",
                         *s->fold != '\0' ? "fold" : "split");
    if (status == LS_OK && !selected)
        status = ls_checkpoint_find(s->file, false, path, sizeof path);
    if (status == LS_OK)
        status = examine(&r, s->verify, &result);
    if (status == LS_OK)
        (s->json ? print_json : ls_info_print)(result);
    json_decref(result);
    return status;
}

const ls_command ls_command_info = {
    .name = "info",
    .usage = "FILE [--verify] [--layout HOW] [--inputs PATHS --targets PATHS] [--json]",
    .summary = "describes a data set, a checkpoint or any HDF5 file",
    .options = {table, false},
    .settings_size = sizeof(settings),
    .run = info_run,
};
