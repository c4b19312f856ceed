#include <lockstep/compute.h>
#include <lockstep/model.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/show.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/console.h"
#include "cli/png.h"
#include "cli/samples.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

typedef struct settings {
    const char *checkpoint, *out, *score, *data;
    int64_t rows, class, interpolate, columns, seed, score_rows;
    int split;
    bool raw, force, json;
} settings;

#define AT(field) offsetof(settings, field)
#define BIG       9007199254740992.0 /* 2^53 */
static const ls_choice split_choices[] = {LS_SPLIT_LIST(LS_CHOICE_ROW){NULL, NULL}};
static const ls_setting table[] = {
    {"checkpoint", "PATH", LS_TYPE_TEXT, .flags = LS_SETTING_REQUIRED, .offset = AT(checkpoint),
     .help = "checkpoint file of a GAN or a variational autoencoder, or run folder: its best "
             "checkpoint, else its last"},
    {"rows", "N", LS_TYPE_INT, .offset = AT(rows), .initial = "64", .min = 1, .max = 1 << 24,
     .help = "rows to make"},
    {"out", "FILE", LS_TYPE_TEXT, .offset = AT(out), .initial = "samples.png",
     .help = "a sheet of pictures (NAME.png) or a data set (NAME.h5); none: only scores"},
    {"seed", "N", LS_TYPE_INT, .offset = AT(seed), .initial = "0", .max = BIG,
     .help = "of the noise: row i depends on it and on i only"},
    {"class", "K", LS_TYPE_INT, .offset = AT(class), .initial = "-1", .min = -1, .max = 1 << 24,
     .help = "of all rows, if the GAN is conditional; -1: the classes in turn"},
    {"interpolate", "STEPS", LS_TYPE_INT, .offset = AT(interpolate), .initial = "1", .min = 1,
     .max = 1 << 20, .help = "rows go in as many steps from one noise to another, line by line"},
    {"columns", "N", LS_TYPE_INT, .offset = AT(columns), .initial = "0", .max = 1 << 20,
     .help = "of the sheet; 0: a square, a class each, or a way of --interpolate in a line"},
    {"score", "RUN", LS_TYPE_TEXT, .offset = AT(score),
     .help = "also score rows by a classifier of the same rows", .group = "Scores"},
    {"score-rows", "N", LS_TYPE_INT, .offset = AT(score_rows), .initial = "10000", .min = 1,
     .max = 1 << 24, .help = "rows that are scored"},
    {"data", "FILE", LS_TYPE_TEXT, .offset = AT(data),
     .help = "data set whose rows are scored, too, and from which the distance is measured"},
    {"split", "NAME", LS_TYPE_CHOICE, .offset = AT(split), .initial = "test",
     .choices = split_choices, .help = "its rows"},
    {"raw", NULL, LS_TYPE_FLAG, .offset = AT(raw), .group = "Options",
     .help = "take the parameters, not their average, if the checkpoint holds both"},
    {"force", NULL, LS_TYPE_FLAG, .offset = AT(force), .help = "replace a data set of other rows"},
    {"json", NULL, LS_TYPE_FLAG, .offset = AT(json), .help = "print the scores as JSON"},
    {0},
};

static bool ends_with(const char *text, const char *end)
{
    const size_t length = strlen(text), tail = strlen(end);
    return length > tail && strcmp(text + length - tail, end) == 0;
}

static bool is_none(const char *out)
{
    return strcmp(out, "none") == 0;
}

/* Checks the settings before any work is done. Local. */
static ls_status check_settings(const ls_options *options, const settings *s)
{
    if (!is_none(s->out) && !ends_with(s->out, ".png") && !ends_with(s->out, ".h5"))
        return ls_fail(LS_ERR_USAGE, "--out %s: give NAME.png, NAME.h5, or none", s->out);
    if (is_none(s->out) && *s->score == '\0')
        return ls_fail(LS_ERR_USAGE, "--out none: nothing is left to do: give --score");
    static const char *const scoring[] = {"data", "split", "score-rows", "json"};
    for (size_t k = 0; *s->score == '\0' && k < sizeof scoring / sizeof *scoring; k++)
        if (ls_options_given(options, scoring[k]))
            return ls_fail(LS_ERR_USAGE, "--%s is for --score: give that, or leave it out",
                           scoring[k]);
    return ends_with(s->out, ".png") ? ls_png_check(s->out) : LS_OK;
}

/* Writes the rows as a sheet of pictures. Local. */
static ls_status write_sheet(const ls_model *model, const ls_making *wanted, const settings *s)
{
    const ls_model_facts *f = ls_model_describe(model);
    ls_generated rows = {.rows = wanted->count,
                         .classes = wanted->condition >= 0 ? 0 : f->conditions,
                         .shape = f->picture,
                         .element = f->picture_element};
    if (f->generates && !ls_samples_are_pictures(f->picture))
        return ls_fail(LS_ERR_USAGE,
                       "%s: makes rows of %s, which are no pictures: give --out NAME.h5", f->path,
                       ls_sized(f->picture.channels, f->picture.height, f->picture.width).text);
    float *x = ls_alloc(wanted->count * ls_shape_size(f->picture), sizeof *x);
    ls_status status = x != NULL ? ls_model_make_rows(model, wanted, x) : LS_ERR_FAILURE;
    rows.x = x;
    const int64_t columns = s->columns > 0 ? s->columns : wanted->steps > 1 ? wanted->steps : 0;
    if (status == LS_OK)
        status = ls_samples_write(s->out, &rows, columns);
    ls_free(x);
    return status;
}

/* Writes the rows on rank 0. Collective. */
static ls_status write_rows(ls_comm *comm, const ls_model *model, const ls_making *wanted,
                            const settings *s)
{
    ls_status status = LS_OK;
    if (is_none(s->out))
        return LS_OK;
    if (ls_comm_rank(comm) == 0)
        status = ends_with(s->out, ".png") ? write_sheet(model, wanted, s)
                                           : ls_model_write_rows(model, wanted, s->out, s->force);
    status = ls_agree_root(comm, status);
    if (status == LS_OK && ls_comm_rank(comm) == 0)
        ls_print(stderr, "%s: %s\n", s->out, ls_counted(wanted->count, "row").text);
    return status;
}

/* Scores of generated and of real rows. */
typedef struct result {
    ls_row_scores made, real; /* the second of 0 rows without --data */
    int64_t *histogram;       /* [classes] of the generated rows */
} result;

static void print_json(const result *r, const settings *s)
{
    json_t *classes = json_array();
    for (int k = 0; k < r->made.classes; k++)
        json_array_append_new(classes, json_integer(r->made.histogram[k]));
    json_t *all = json_pack("{s:o, s:I, s:f, s:f, s:o}", "classifier", ls_json_text(s->score),
                            "rows", (json_int_t)r->made.rows, "score", r->made.score, "least_class",
                            r->made.least_class, "classes", classes);
    if (r->real.rows > 0) {
        json_object_set_new(all, "frechet", json_real(r->made.frechet));
        json_object_set_new(all, "real",
                            json_pack("{s:o, s:I, s:f}", "data", ls_json_text(s->data), "rows",
                                      (json_int_t)r->real.rows, "score", r->real.score));
    }
    ls_print_json(stdout, all);
    json_decref(all);
}

static void print_text(const result *r, const settings *s)
{
    ls_print(stdout, "score      %.3f of %s, by %s\n", r->made.score,
             ls_counted(r->made.rows, "generated row").text, s->score);
    if (r->real.rows > 0) {
        ls_print(stdout, "           %.3f of %s of %s\n", r->real.score,
                 ls_counted(r->real.rows, "row").text, s->data);
        ls_print(stdout, "frechet    %.3f from those rows\n", r->made.frechet);
    }
    ls_print(stdout, "classes    ");
    for (int k = 0; k < r->made.classes; k++)
        ls_print(stdout, "%s%d: %.1f %%", k > 0 ? ", " : "", k,
                 100 * (double)r->made.histogram[k] / (double)r->made.rows);
    ls_print(stdout, "\n");
}

/* Scores the rows of --data. Collective. */
static ls_status score_real(ls_scoring *scoring, const settings *s, ls_row_scores *out)
{
    const ls_model *classifier = ls_scoring_classifier(scoring);
    const ls_model_data data = {.path = s->data,
                                .options = ls_model_describe(classifier)->reading,
                                .split = (ls_split)s->split};
    ls_rows *rows = NULL;
    ls_status status = ls_model_read(&rows, classifier, &data);
    if (status == LS_OK)
        status = ls_scoring_real(scoring, rows, out);
    ls_rows_destroy(&rows);
    return status;
}

/* Scores rows, and prints the scores on rank 0. Collective. */
static ls_status score(ls_comm *comm, const ls_model *model, ls_making wanted, const settings *s)
{
    ls_scoring *scoring = NULL;
    result r = {0};
    if (*s->score == '\0')
        return LS_OK;
    wanted.count = s->score_rows;
    ls_status status = ls_scoring_open(&scoring, comm, s->score, ls_model_describe(model)->picture);
    if (status == LS_OK && *s->data != '\0')
        status = score_real(scoring, s, &r.real);
    if (status == LS_OK)
        status = ls_scoring_generated(scoring, model, &wanted, &r.made);
    if (status == LS_OK && ls_comm_rank(comm) == 0)
        (s->json ? print_json : print_text)(&r, s);
    ls_scoring_close(&scoring);
    return status;
}

static ls_status generate_run(ls_comm *comm, const ls_options *options, const void *values)
{
    const settings *s = values;
    const ls_making wanted = {.seed = (uint64_t)s->seed,
                              .count = s->rows,
                              .condition = (int32_t)s->class,
                              .steps = s->interpolate};
    ls_model *model = NULL;
    (void)options;
    ls_compute_set_products(1, LS_PRODUCTS_AUTO);
    ls_status status =
        ls_agree_root(comm, ls_comm_rank(comm) == 0 ? check_settings(options, s) : LS_OK);
    if (status == LS_OK)
        status =
            ls_model_open(&model, comm, s->checkpoint, s->raw ? LS_MODEL_RAW : LS_MODEL_EVALUATED);
    if (status == LS_OK && ls_model_describe(model)->task.variational)
        status = ls_agree(comm, ls_model_take_part(model, LS_PART_DECODER));
    if (status == LS_OK)
        status = write_rows(comm, model, &wanted, s);
    if (status == LS_OK)
        status = score(comm, model, wanted, s);
    ls_model_destroy(&model);
    return status;
}

const ls_command ls_command_generate = {
    .name = "generate",
    .usage = "--checkpoint PATH [OPTION ...]",
    .summary = "makes rows by a trained GAN or variational autoencoder",
    .options = {table},
    .settings_size = sizeof(settings),
    .examples =
        "  lockstep generate --checkpoint runs/gan --rows 100 --out sheet.png\n"
        "  lockstep generate --checkpoint runs/gan --rows 70 --interpolate 10 --out ways.png\n"
        "  mpirun -n 2 lockstep generate --checkpoint runs/gan --out none --score runs/cnn "
        "--data mnist.h5\n",
    .parallel = true,
    .run = generate_run,
};
