#include <lockstep/export.h>
#include <lockstep/model.h>
#include <lockstep/run.h>

#include "base/show.h"
#include "cli/command.h"
#include "cli/console.h"

#include <string.h>

typedef struct settings {
    const char *checkpoint, *out, *check;
    int format, input, part;
    bool logits, lengths, raw;
} settings;

enum { INPUT_RAW, INPUT_NORMALIZED };
static const ls_choice format_choices[] = {LS_EXPORT_LIST(LS_CHOICE_ROW){NULL, NULL}};
static const ls_choice part_choices[] = {LS_PART_LIST(LS_CHOICE_ROW){NULL, NULL}};
static const ls_choice input_choices[] = {
    {"raw", "the data set's numbers, as pixels from 0 to 255; the network normalises them"},
    {"normalized", "inputs normalised as in training"},
    {NULL, NULL}};

#define AT(field) offsetof(settings, field)
static const ls_setting table[] = {
    {"checkpoint", "PATH", LS_TYPE_TEXT, .flags = LS_SETTING_REQUIRED, .offset = AT(checkpoint),
     .help = "checkpoint file, or run folder: its best checkpoint, else its last"},
    {"out", "FILE", LS_TYPE_TEXT, .flags = LS_SETTING_REQUIRED, .offset = AT(out),
     .help = "the file to write: NAME.onnx, NAME.h5 (Keras) or NAME.safetensors (PyTorch)"},
    {"format", "NAME", LS_TYPE_CHOICE, .offset = AT(format), .initial = "auto",
     .choices = format_choices, .help = "format of the file"},
    {"input", "WHAT", LS_TYPE_CHOICE, .offset = AT(input), .initial = "raw",
     .choices = input_choices, .help = "what the exported network takes"},
    {"part", "NAME", LS_TYPE_CHOICE, .offset = AT(part), .initial = "whole",
     .choices = part_choices, .help = "of a variational autoencoder: what is exported"},
    {"logits", NULL, LS_TYPE_FLAG, .offset = AT(logits),
     .help = "leave out the softmax of cross-entropy: the outputs are logits"},
    {"lengths", NULL, LS_TYPE_FLAG, .offset = AT(lengths),
     .help = "of sequences, ONNX: take the steps of each row as a second input, `lengths`"},
    {"raw", NULL, LS_TYPE_FLAG, .offset = AT(raw),
     .help = "take the parameters, not their average, if the checkpoint holds both"},
    {"check", "FILE", LS_TYPE_TEXT, .offset = AT(check),
     .help = "also write a CSV file of 16 random inputs and their outputs, for comparison"},
    {0},
};

/* The parts of the model that are exported. */
static ls_export_source source_of(const ls_model *model, const char *digest)
{
    const ls_model_facts *facts = ls_model_describe(model);
    return (ls_export_source){.network = ls_model_network(model),
                              .params = ls_model_params(model),
                              .element = facts->element,
                              .mean = facts->mean,
                              .std = facts->std,
                              .inputs = facts->inputs,
                              .targets = facts->targets,
                              .run = facts->run,
                              .dataset = facts->dataset,
                              .class_names = facts->class_names,
                              .classes = facts->classes,
                              .tokens = facts->tokens,
                              .digest = digest,
                              .averaged = facts->averaged};
}

/* Prints the input's shape as the format has it. */
static void print_result(const settings *s, const ls_export_options *options, const ls_model *model)
{
    const ls_model_facts *facts = ls_model_describe(model);
    const bool tokens = ls_export_vocabulary(ls_model_network(model)) > 0;
    const ls_shape in = facts->input;
    const bool last = options->format == LS_EXPORT_KERAS && in.height * in.width > 1;
    const ls_words shape = last ? ls_sized(in.height, in.width, in.channels)
                                : ls_sized(in.channels, in.height, in.width);
    ls_print(stderr, "%s: %s of %s, epoch %lld%s; takes %s %s%s%s\n", s->out,
             format_choices[options->format].name, facts->path, (long long)facts->epoch,
             facts->averaged ? ", averaged parameters" : "", shape.text,
             tokens                    ? "tokens, whole numbers"
             : facts->generates        ? "numbers from the standard normal distribution"
             : options->normalized     ? "normalised as in training"
             : facts->element == LS_U8 ? "pixels from 0 to 255"
                                       : "numbers as in the data set",
             options->lengths ? ", and lengths" : "", options->logits ? ", gives logits" : "");
}

/* Prints the code that takes the parameters. */
static ls_status print_code(const settings *s, const ls_export_source *source,
                            const ls_export_options *options)
{
    char *code = NULL;
    const ls_status status = ls_export_torch(source, options, s->out, &code);
    for (const char *line = code, *end; status == LS_OK && *line != '\0';
         line = end + (*end != '\0')) {
        end = strchrnul(line, '\n');
        ls_print(stdout, "%.*s\n", (int)(end - line), line);
    }
    ls_export_free(code);
    return status;
}

/* Writes the files. */
static ls_status write_files(const settings *s, const ls_model *model, const char *digest)
{
    const ls_export_source source = source_of(model, digest);
    ls_export_options options = {.format = (ls_export_format)s->format,
                                 .normalized = s->input == INPUT_NORMALIZED,
                                 .logits = s->logits,
                                 .lengths = s->lengths};
    ls_status status = ls_export_find_format(s->out, &options.format);
    if (status == LS_OK && *s->check != '\0')
        status = ls_export_check(&source, &options, s->check);
    if (status == LS_OK)
        status = ls_export(&source, &options, s->out);
    if (status != LS_OK)
        return status;
    print_result(s, &options, model);
    return options.format == LS_EXPORT_SAFETENSORS ? print_code(s, &source, &options) : LS_OK;
}

static ls_status export_run(ls_comm *comm, const ls_options *options, const void *values)
{
    (void)comm, (void)options;
    const settings *s = values;
    ls_model *model = NULL;
    ls_file_facts file = {.digest = ""};
    ls_export_format format = (ls_export_format)s->format;
    ls_status status = ls_export_find_format(s->out, &format);
    if (status == LS_OK)
        status =
            ls_model_open(&model, NULL, s->checkpoint, s->raw ? LS_MODEL_RAW : LS_MODEL_EVALUATED);
    if (status == LS_OK)
        status = ls_model_take_part(model, (ls_network_part)s->part);
    if (status == LS_OK)
        status = ls_file_identify(ls_model_describe(model)->path, &file);
    if (status == LS_OK)
        status = write_files(s, model, file.digest);
    ls_model_destroy(&model);
    return status;
}

const ls_command ls_command_export = {
    .name = "export",
    .usage = "--checkpoint PATH --out FILE [OPTION ...]",
    .summary = "writes a network as ONNX, for Keras or for PyTorch",
    .examples = "  lockstep export --checkpoint runs/a --out net.onnx\n"
                "  lockstep export --checkpoint runs/a --out net.safetensors > net.py\n",
    .options = {table, false},
    .settings_size = sizeof(settings),
    .run = export_run,
};
