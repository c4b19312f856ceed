#include <lockstep/comm.h>
#include <lockstep/compute.h>
#include <lockstep/dataset.h>
#include <lockstep/model.h>

#include "base/show.h"
#include "cli/command.h"
#include "cli/console.h"
#include "cli/data_choice.h"
#include "cli/generated.h"
#include "cli/pictures.h"
#include "cli/texts.h"

#include <string.h>

typedef struct settings {
    const char *file, *checkpoint, *data, *inputs, *targets, *lengths, *test_data, *test_rows, *out,
        *show, *prompt, *text;
    int split, layout, order;
    int64_t padding, threads, generate, seed;
    double temperature;
    int read, part;
    bool raw, trust_data, csv, json, digit, lines;
} settings;

#define AT(field) offsetof(settings, field)
static const ls_choice split_choices[] = {LS_SPLIT_LIST(LS_CHOICE_ROW){NULL, NULL}};
static const ls_choice part_choices[] = {LS_PART_LIST(LS_CHOICE_ROW){NULL, NULL}};
static const ls_setting table[] = {
    {"file", "FILE", LS_TYPE_TEXT, .flags = LS_SETTING_ARGUMENT | LS_OPTION_MANY,
     .offset = AT(file),
     .help =
         "PNG files, each a picture to classify; or, if the network was trained on texts, files "
         "each of which is a text"},
    {"checkpoint", "PATH", LS_TYPE_TEXT, .flags = LS_SETTING_REQUIRED, .offset = AT(checkpoint),
     .help = "checkpoint file, or run folder: its best checkpoint, else its last"},
    {"part", "NAME", LS_TYPE_CHOICE, .offset = AT(part), .initial = "whole",
     .choices = part_choices, .help = "of a variational autoencoder: what predicts"},
    {"raw", NULL, LS_TYPE_FLAG, .offset = AT(raw),
     .help = "take the parameters, not their average, if the checkpoint holds both"},
    {"threads", .flags = LS_OPTION_AS_TRAIN, .offset = AT(threads), .group = "Options"},
    {"csv", NULL, LS_TYPE_FLAG, .offset = AT(csv),
     .help = "print CSV with the outputs of all classes, of pictures or texts"},
    {"json", NULL, LS_TYPE_FLAG, .offset = AT(json), .help = "print JSON, with all outputs"},
    {"digit", NULL, LS_TYPE_FLAG, .offset = AT(digit), .group = "Pictures",
     .help = "prepare each picture of one digit as MNIST was made: bright on black, cropped, "
             "centred"},
    {"show", "FILE", LS_TYPE_TEXT, .offset = AT(show),
     .help = "write a PNG of what the network sees"},
    {"data", .flags = LS_OPTION_AS_TRAIN, .offset = AT(data), .group = "Data sets",
     .help = "HDF5 data set: predict its rows instead of pictures"},
    {"inputs", .flags = LS_OPTION_AS_TRAIN, .offset = AT(inputs), .group = "Data sets",
     .help = "datasets that are the inputs, if not those of the training"},
    {"targets", .flags = LS_OPTION_AS_TRAIN, .offset = AT(targets), .group = "Data sets",
     .help = "datasets that are the targets, if not those of the training; none: there are none"},
    {"lengths", .flags = LS_OPTION_AS_TRAIN, .offset = AT(lengths), .group = "Data sets",
     .help = "dataset of the number of steps of each row, if not that of the training"},
    {"padding", .flags = LS_OPTION_AS_TRAIN, .offset = AT(padding), .group = "Data sets"},
    {"test-data", .flags = LS_OPTION_AS_TRAIN, .offset = AT(test_data), .group = "Data sets",
     .help = "file of the test rows, if not that of the training"},
    {"test-rows", .flags = LS_OPTION_AS_TRAIN, .offset = AT(test_rows), .group = "Data sets",
     .help = "the test rows, if not those of the training: last:N, first:N or all"},
    {"out", "FILE", LS_TYPE_TEXT, .offset = AT(out),
     .help = "the CSV or HDF5 file to write (NAME.csv, NAME.h5)"},
    {"split", "NAME", LS_TYPE_CHOICE, .offset = AT(split), .initial = "test",
     .choices = split_choices, .help = "rows to predict"},
    {"layout", .flags = LS_OPTION_AS_TRAIN, .offset = AT(layout), .group = "Data sets"},
    {"order", .flags = LS_OPTION_AS_TRAIN, .offset = AT(order), .group = "Data sets"},
    {"read", .flags = LS_OPTION_AS_TRAIN, .offset = AT(read), .group = "Data sets"},
    {"trust-data", .flags = LS_OPTION_AS_TRAIN, .offset = AT(trust_data), .group = "Data sets",
     .help = "do not check the whole data set first, as for train"},
    {"text", "TEXT", LS_TYPE_TEXT, .offset = AT(text), .group = "Texts",
     .help = "classify this text"},
    {"lines", NULL, LS_TYPE_FLAG, .offset = AT(lines), .group = "Texts",
     .help = "each line of the files is a text to classify"},
    {"generate", "N", LS_TYPE_INT, .offset = AT(generate), .initial = "0", .max = 1e9,
     .group = "Texts", .help = "write N tokens behind a prompt, by a model of the next token"},
    {"prompt", "TEXT", LS_TYPE_TEXT, .offset = AT(prompt), .group = "Texts",
     .help = "the text to continue; \\n is a line end"},
    {"temperature", "X", LS_TYPE_REAL, .offset = AT(temperature), .initial = "1", .max = 1e6,
     .group = "Texts", .help = "draw with softmax(outputs / X); 0: take the likeliest token"},
    {"seed", "N", LS_TYPE_INT, .offset = AT(seed), .initial = "0", .max = 1e15, .group = "Texts",
     .help = "seed of the draws"},
    {0},
};

/* An option that another one rules out. */
typedef struct conflict {
    const char *option, *other;
} conflict;

/* Checks the options of texts that are written. Local. */
static ls_status check_generation(const ls_options *options, const settings *s)
{
    static const char *const other[] = {"data", "digit", "show", "csv",
                                        "json", "out",   "text", "lines"};
    static const char *const own[] = {"prompt", "temperature", "seed"};
    for (size_t i = 0; s->generate == 0 && i < sizeof own / sizeof *own; i++)
        if (ls_options_given(options, own[i]))
            return ls_fail(LS_ERR_USAGE, "--%s belongs to --generate", own[i]);
    if (s->generate > 0 && *s->file != '\0')
        return ls_fail(LS_ERR_USAGE, "files can't be predicted with --generate");
    for (size_t i = 0; s->generate > 0 && i < sizeof other / sizeof *other; i++)
        if (ls_options_given(options, other[i]))
            return ls_fail(LS_ERR_USAGE, "--%s can't be given with --generate", other[i]);
    return LS_OK;
}

/* Checks that no two options are given that don't go together. Local. */
static ls_status check_pairs(const ls_options *options)
{
    static const conflict pairs[] = {{"digit", "data"},  {"csv", "data"},   {"json", "data"},
                                     {"show", "data"},   {"text", "data"},  {"lines", "data"},
                                     {"csv", "json"},    {"text", "lines"}, {"text", "digit"},
                                     {"lines", "digit"}, {"text", "show"},  {"lines", "show"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (ls_options_given(options, pairs[i].option) && ls_options_given(options, pairs[i].other))
            return ls_fail(LS_ERR_USAGE, "--%s and --%s can't be given together", pairs[i].option,
                           pairs[i].other);
    return LS_OK;
}

/* Checks what is to be predicted. Local. */
static ls_status check_things(const settings *s)
{
    const bool files = *s->file != '\0', data = *s->data != '\0', text = *s->text != '\0';
    if (s->generate > 0)
        return LS_OK;
    if (s->lines && !files)
        return ls_fail(LS_ERR_USAGE, "--lines needs files; /dev/stdin is the standard input");
    if (!files && !data && !text)
        return ls_fail(LS_ERR_USAGE,
                       "nothing to predict: give PNG files or files of text, --text, a data set "
                       "with --data and --out, or --generate and --prompt");
    if (files && (data || text))
        return ls_fail(LS_ERR_USAGE, "files and --%s can't be predicted at once",
                       data ? "data" : "text");
    if (data && *s->out == '\0')
        return ls_fail(LS_ERR_USAGE, "--data needs --out: NAME.csv or NAME.h5");
    if (!data && *s->out != '\0')
        return ls_fail(LS_ERR_USAGE, "--out is for --data; others are printed, with --csv as CSV");
    return LS_OK;
}

static const char *const row_words[LS_SPLITS][2] = {
    [LS_TRAIN] = {"training row", "training rows"},
    [LS_VALIDATION] = {"validation row", "validation rows"},
    [LS_TEST] = {"test row", "test rows"}};

/* Predicts the rows of a data set. Collective. */
static ls_status predict_data(ls_comm *comm, const settings *s, const ls_model *model)
{
    const ls_model_facts *facts = ls_model_describe(model);
    ls_model_data data = {.path = s->data,
                          .options = facts->reading,
                          .split = (ls_split)s->split,
                          .read = (ls_read)s->read,
                          .trust = s->trust_data};
    ls_data_choose(&data.options, &(ls_data_choice){.inputs = s->inputs,
                                                    .targets = s->targets,
                                                    .lengths = s->lengths,
                                                    .padded = s->padding >= 0,
                                                    .padding = s->padding,
                                                    .test_data = s->test_data,
                                                    .test_rows = s->test_rows,
                                                    .layout = s->layout,
                                                    .order = s->order});
    int64_t rows = 0;
    const ls_status status = ls_model_predict_to(model, &data, s->out, false, &rows);
    if (status == LS_OK && ls_comm_rank(comm) == 0)
        ls_print(stderr, "%s: %s %s of %s, predicted by %s\n", s->out, ls_grouped(rows).text,
                 row_words[data.split][rows != 1], s->data, facts->path);
    return status;
}

/* Sets the threads and checks the BLAS kernels. Collective. */
static ls_status prepare_compute(ls_comm *comm, const settings *s, ls_topology **topology)
{
    const ls_status status = ls_topology_create(topology, comm, (int)s->threads);
    if (status != LS_OK)
        return status;
    ls_compute_set_products((*topology)->mine.threads, LS_PRODUCTS_AUTO);
    return ls_agree(comm, ls_compute_check());
}

/* Checks the output file before any work is done; on rank 0. Local. */
static ls_status check_out(const settings *s, const ls_picture_request *request)
{
    if (*s->out != '\0')
        return ls_prediction_file_check(s->out);
    return *s->show != '\0' ? ls_pictures_check_show(request) : LS_OK;
}

/* Writes a text, or predicts texts or pictures; on rank 0. Local. */
static ls_status predict_here(const settings *s, const ls_model *model,
                              const ls_picture_request *pictures)
{
    const ls_generation text = {.prompt = s->prompt,
                                .count = s->generate,
                                .temperature = s->temperature,
                                .seed = (uint64_t)s->seed};
    const ls_text_request texts = {.text = s->text,
                                   .path = pictures->path,
                                   .count = pictures->count,
                                   .lines = s->lines,
                                   .form = pictures->form};
    const bool takes_texts = ls_model_describe(model)->tokens != NULL;
    if (s->generate > 0)
        return ls_generated_print(model, &text);
    if (*s->text != '\0' || s->lines || (takes_texts && !s->digit && *s->show == '\0'))
        return ls_texts_predict(model, &texts);
    return ls_pictures_predict(model, pictures);
}

static ls_status predict_run(ls_comm *comm, const ls_options *options, const void *values)
{
    const settings *s = values;
    const bool root = ls_comm_rank(comm) == 0;
    ls_picture_request request = {.digit = s->digit,
                                  .show = s->show,
                                  .form = s->json  ? LS_PREDICTED_JSON
                                          : s->csv ? LS_PREDICTED_CSV
                                                   : LS_PREDICTED_TEXT};
    ls_model *model = NULL;
    ls_topology *topology = NULL;
    request.path = ls_options_words(options, &request.count);
    ls_status status = check_generation(options, s);
    if (status == LS_OK)
        status = check_pairs(options);
    if (status == LS_OK)
        status = check_things(s);
    if (status == LS_OK)
        status = ls_agree_root(comm, root ? check_out(s, &request) : LS_OK);
    if (status == LS_OK)
        status = prepare_compute(comm, s, &topology);
    if (status == LS_OK)
        status =
            ls_model_open(&model, comm, s->checkpoint, s->raw ? LS_MODEL_RAW : LS_MODEL_EVALUATED);
    if (status == LS_OK)
        status = ls_agree(comm, ls_model_take_part(model, (ls_network_part)s->part));
    if (status == LS_OK && *s->data != '\0')
        status = predict_data(comm, s, model);
    else if (status == LS_OK)
        status = ls_agree_root(comm, root ? predict_here(s, model, &request) : LS_OK);
    ls_model_destroy(&model);
    ls_topology_destroy(&topology);
    return status;
}

const ls_command ls_command_predict = {
    .name = "predict",
    .usage = "--checkpoint PATH (FILE ... | --text TEXT | --data FILE --out FILE | --generate N "
             "--prompt "
             "TEXT) [OPTION ...]",
    .summary = "classes and probabilities of pictures, texts or rows; texts that go on",
    .examples = "  lockstep predict --checkpoint runs/a --digit photo.png more/*.png\n"
                "  mpirun -n 4 lockstep predict --checkpoint runs/a --data mnist.h5 --out p.csv\n"
                "  lockstep predict --checkpoint runs/t --lines reviews.txt\n"
                "  lockstep predict --checkpoint runs/c --generate 500 --prompt 'The '\n",
    .options = {table, false},
    .settings_size = sizeof(settings),
    .parallel = true,
    .run = predict_run,
};
