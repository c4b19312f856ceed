/* Writes a page about a run in one file, ready to be sent. */
#include "base/file.h"
#include "base/json.h"
#include "cli/command.h"
#include "cli/console.h"
#include "cli/page.h"
#include "cli/run_page.h"

#include <stdlib.h>
#include <unistd.h>

typedef struct settings {
    const char *run, *evaluation, *errors, *scaling, *out;
} settings;

#define AT(field) offsetof(settings, field)
static const ls_setting table[] = {
    {"run", "RUN", LS_TYPE_TEXT, .flags = LS_SETTING_REQUIRED | LS_SETTING_ARGUMENT,
     .offset = AT(run), .help = "run folder of a training, finished or not"},
    {"evaluation", "FILE", LS_TYPE_TEXT, .offset = AT(evaluation),
     .help = "output of eval --json: accuracy, confusion matrix, misclassified rows"},
    {"errors", "FILE", LS_TYPE_TEXT, .offset = AT(errors), .help = "picture of eval --errors"},
    {"scaling", "DIR", LS_TYPE_TEXT, .offset = AT(scaling),
     .help = "folder of a scaling experiment, evaluated by `lockstep scaling`"},
    {"out", "FILE", LS_TYPE_TEXT, .offset = AT(out), .help = "the page to write [RUN/report.html]"},
    {0},
};

static ls_status load_json(const char *path, json_t **out)
{
    json_error_t error;
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return ls_fail(LS_ERR_DATA, "%s: can't open", path);
    *out = json_loadf(file, JSON_DISABLE_EOF_CHECK, &error);
    fclose(file);
    return json_is_object(*out) ? LS_OK
                                : ls_fail(LS_ERR_DATA, "%s: line %d: no JSON object: %s", path,
                                          error.line, error.text);
}

/* Loads the results of the scaling experiment, and its figure if there is one. */
static ls_status load_scaling(const char *folder, char path[LS_PATH_MAX], ls_run_material *m)
{
    ls_status status = ls_path(path, folder, "/scaling.json", NULL);
    if (status == LS_OK)
        status = load_json(path, &m->scaling);
    if (status == LS_OK)
        status = ls_path(path, folder, "/scaling.svg", NULL);
    m->figure = status == LS_OK && access(path, F_OK) == 0 ? path : NULL;
    return status;
}

static ls_status load_material(const settings *s, char figure[LS_PATH_MAX], ls_run_material *m)
{
    m->folder = s->run;
    m->errors = *s->errors != '\0' ? s->errors : NULL;
    ls_status status = ls_run_read(&m->run, s->run);
    if (status == LS_OK && *s->evaluation != '\0')
        status = load_json(s->evaluation, &m->evaluation);
    if (status == LS_OK && *s->scaling != '\0')
        status = load_scaling(s->scaling, figure, m);
    return status;
}

static ls_status report_run(ls_comm *comm, const ls_options *options, const void *values)
{
    (void)comm, (void)options;
    const settings *s = values;
    ls_run_material m = {.folder = NULL};
    char figure[LS_PATH_MAX], path[LS_PATH_MAX], *text = NULL;
    size_t length = 0;
    ls_status status = *s->out != '\0' ? ls_path(path, s->out, NULL, NULL)
                                       : ls_path(path, s->run, "/report.html", NULL);
    if (status == LS_OK)
        status = ls_page_check(path);
    if (status == LS_OK)
        status = load_material(s, figure, &m);
    FILE *memory = status == LS_OK ? open_memstream(&text, &length) : NULL;
    if (status == LS_OK && memory == NULL)
        status = ls_fail(LS_ERR_FAILURE, "out of memory for the page");
    if (memory != NULL) {
        status = ls_run_page_write(memory, &m);
        if (fclose(memory) != 0 && status == LS_OK)
            status = ls_fail(LS_ERR_FAILURE, "out of memory for the page");
    }
    if (status == LS_OK)
        status = ls_write_file(path, text, length);
    if (status == LS_OK)
        ls_print(stderr, "%s: page of %.1f kB about %s\n", path, 1e-3 * (double)length, s->run);
    free(text);
    ls_run_record_clear(&m.run);
    json_decref(m.evaluation);
    json_decref(m.scaling);
    return status;
}

const ls_command ls_command_report = {
    .name = "report",
    .usage = "RUN [OPTION ...]",
    .summary = "a page about a run, in one HTML file",
    .options = {table, false},
    .settings_size = sizeof(settings),
    .run = report_run,
};
