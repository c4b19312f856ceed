/* Evaluates the runs of a scaling experiment that jobs/scaling.sh made. */
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/show.h"
#include "cli/command.h"
#include "cli/console.h"
#include "cli/experiment.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct settings {
    const char *folder;
    int64_t warmup;
    double target;
    bool json;
} settings;

#define AT(field) offsetof(settings, field)
static const ls_setting table[] = {
    {"folder", "FOLDER", LS_TYPE_TEXT, .flags = LS_SETTING_REQUIRED | LS_SETTING_ARGUMENT,
     .offset = AT(folder), .help = "folder of the experiment, with its runs in FOLDER/runs"},
    {"warmup", "EPOCHS", LS_TYPE_INT, .offset = AT(warmup), .initial = "1", .max = 1e9,
     .help = "first epochs of each run to exclude; not given: as recorded in the experiment"},
    {"target", "ACCURACY", LS_TYPE_REAL, .offset = AT(target), .initial = "0", .max = 1,
     .help = "validation accuracy to report the time to; 0: none; not given: as recorded"},
    {"json", NULL, LS_TYPE_FLAG, .offset = AT(json), .help = "print JSON"},
    {0},
};

static const char *const phase_names[LS_SCALING_PHASES] = {
#define PHASE_NAME(name) #name,
    LS_SCALING_PHASE_LIST(PHASE_NAME)
#undef PHASE_NAME
};

static json_t *real(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *estimate_json(const ls_estimate *e)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:i}", "median", real(e->median), "low", real(e->low),
                     "high", real(e->high), "coverage", real(e->coverage), "count", e->count);
}

static json_t *row_json(const ls_experiment *e, int at)
{
    const ls_scaling_row *row = &e->row[at];
    json_t *phases = json_object();
    for (int k = 0; k < LS_SCALING_PHASES; k++)
        json_object_set_new(phases, phase_names[k], real(row->share[k]));
    json_t *object = json_pack(
        "{s:i, s:i, s:I, s:b, s:o, s:o, s:o, s:o, s:o, s:o}", "ranks", row->ranks, "runs",
        row->runs, "batch", (json_int_t)ls_experiment_run(e, row->ranks)->batch, "oversubscribed",
        row->oversubscribed, "epoch_seconds", estimate_json(&row->seconds), "samples_per_second",
        estimate_json(&row->rate), "speedup", estimate_json(&row->speedup), "efficiency",
        estimate_json(&row->efficiency), "serial_fraction", real(row->serial_fraction), "phases",
        phases);
    json_object_set_new(object, "reached_target", json_integer(row->reached));
    json_object_set_new(object, "seconds_to_target", estimate_json(&row->to_target));
    json_object_set_new(object, "predicted_epoch_seconds", real(e->predicted[at]));
    json_object_set_new(object, "predicted_speedup", real(ls_experiment_speedup(e, at)));
    json_object_set_new(object, "prediction_error", real(ls_experiment_error(e, at)));
    return object;
}

/* The result as JSON, with the settings of the first run. NULL when memory is short. */
static json_t *result_json(const ls_experiment *e, const settings *s)
{
    const json_t *summary = e->run[0].record.summary;
    json_t *rows = json_array();
    for (int i = 0; i < e->rows; i++)
        json_array_append_new(rows, row_json(e, i));
    json_t *result = json_pack("{s:s, s:i, s:i, s:I, s:f, s:o}", "mode",
                               e->mode == LS_SCALING_STRONG ? "strong" : "weak", "runs", e->runs,
                               "unfinished", e->unfinished, "warmup_epochs", (json_int_t)s->warmup,
                               "target", s->target, "rows", rows);
    json_t *doubts = json_array();
    for (int i = 0; i < e->doubts.count; i++)
        json_array_append_new(doubts, ls_json_text(e->doubts.text[i]));
    json_object_set_new(result, "doubts", doubts);
    static const char *const kept[] = {"model",   "dataset",  "processor", "hosts",
                                       "threads", "versions", "config"};
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        json_object_set(result, kept[i], json_object_get(summary, kept[i]));
    return result;
}

/* Prints the table as CSV; a NaN is an empty field. */
static void print_csv(const ls_experiment *e, const settings *s, FILE *out)
{
    (void)s;
    fprintf(out, "ranks,runs,batch,oversubscribed");
    static const char *const estimates[] = {"seconds", "samples_per_second", "speedup",
                                            "efficiency", "to_target"};
    for (size_t i = 0; i < sizeof estimates / sizeof *estimates; i++)
        fprintf(out, ",%s,%s_low,%s_high", estimates[i], estimates[i], estimates[i]);
    for (int k = 0; k < LS_SCALING_PHASES; k++)
        fprintf(out, ",%s", phase_names[k]);
    fprintf(out, ",serial_fraction,reached,predicted_seconds,predicted_speedup,prediction_error\n");
    for (int i = 0; i < e->rows; i++) {
        const ls_scaling_row *row = &e->row[i];
        const ls_estimate *of[] = {&row->seconds, &row->rate, &row->speedup, &row->efficiency,
                                   &row->to_target};
        double numbers[3 * 5 + LS_SCALING_PHASES + 5];
        int count = 0;
        for (int k = 0; k < 5; k++) {
            numbers[count++] = of[k]->median;
            numbers[count++] = of[k]->low;
            numbers[count++] = of[k]->high;
        }
        for (int k = 0; k < LS_SCALING_PHASES; k++)
            numbers[count++] = row->share[k];
        numbers[count++] = row->serial_fraction;
        numbers[count++] = row->reached;
        numbers[count++] = e->predicted[i];
        numbers[count++] = ls_experiment_speedup(e, i);
        numbers[count++] = ls_experiment_error(e, i);
        fprintf(out, "%d,%d,%lld,%d", row->ranks, row->runs,
                (long long)ls_experiment_run(e, row->ranks)->batch, row->oversubscribed);
        for (int k = 0; k < count; k++)
            if (isfinite(numbers[k]))
                fprintf(out, ",%.9g", numbers[k]);
            else
                fprintf(out, ",");
        fprintf(out, "\n");
    }
}

/* A text from the first run's summary; "" if there is none. */
static const char *setting(const ls_experiment *e, const char *part, const char *key)
{
    const json_t *value = json_object_get(e->run[0].record.summary, part);
    if (key != NULL)
        value = json_object_get(value, key);
    return json_is_string(value) ? json_string_value(value) : "";
}

static void print_machine(const ls_experiment *e, FILE *out)
{
    const json_t *summary = ls_experiment_run(e, e->row[e->rows - 1].ranks)->record.summary;
    const json_t *hosts = json_object_get(summary, "hosts");
    const char *processor = setting(e, "processor", NULL);
    const int threads = (int)json_integer_value(json_object_get(summary, "threads"));
    if (json_array_size(hosts) == 1)
        fprintf(out, "%s, ", json_string_value(json_array_get(hosts, 0)));
    else
        fprintf(out, "%d nodes, ", (int)json_array_size(hosts));
    fprintf(out, "%s, %d thread%s a rank; %s; %s\n",
            *processor != '\0' ? processor : "unknown processor", threads, threads > 1 ? "s" : "",
            setting(e, "versions", "blas"), setting(e, "versions", "mpi"));
}

static void print_statistics(const ls_experiment *e, FILE *out)
{
    const ls_scaling_row *base = &e->row[0];
    const char *ranks = base->ranks > 1 ? "s" : "";
    if (base->runs == 1) {
        fprintf(out, "a single run a point; speed-up over the run on %d rank%s\n", base->ranks,
                ranks);
        return;
    }
    fprintf(out,
            "medians of %d runs; bars hold the median with a probability of %.0f %%; speed-up over "
            "the median of the runs on %d rank%s\n",
            base->runs, 100 * base->seconds.coverage, base->ranks, ranks);
}

/* Prints the caption of the figure, a line each: title, workload, machine, statistics, doubts. */
static void print_caption(const ls_experiment *e, const settings *s, FILE *out)
{
    const bool strong = e->mode == LS_SCALING_STRONG;
    char data[128]; /* cleaned: a name may hold a newline */
    const char *name = setting(e, "dataset", "name");
    snprintf(data, sizeof data, "%s", *name != '\0' ? name : setting(e, "dataset", "path"));
    ls_clean(data);
    const int64_t epochs = e->run[0].record.epochs;
    fprintf(out, "%s scaling on %s: %s\n", strong ? "Strong" : "Weak", data,
            setting(e, "config", "model"));
    fprintf(out, "%s batch %lld, %lld epoch%s", strong ? "global" : "each rank's",
            (long long)(e->run[0].batch / (strong ? 1 : e->run[0].ranks)), (long long)epochs,
            epochs > 1 ? "s" : "");
    if (s->warmup > 0)
        fprintf(out, s->warmup > 1 ? ", the first %lld excluded" : ", the first excluded",
                (long long)s->warmup);
    fprintf(out, ", %lld training rows\n", (long long)e->run[0].rows);
    print_machine(e, out);
    print_statistics(e, out);
    for (int i = 0; i < e->doubts.count; i++)
        fprintf(out, "%s%s", i == 0 ? "disturbed? " : "; ", e->doubts.text[i]);
    if (e->doubts.count > 0)
        fputc('\n', out);
}

/* Writes a file with one of the functions above. */
typedef void printer(const ls_experiment *e, const settings *s, FILE *out);

static ls_status write_printed(const ls_experiment *e, const settings *s, const char *name,
                               printer *print)
{
    char path[LS_PATH_MAX], *text = NULL;
    size_t length = 0;
    ls_status status = ls_path(path, e->folder, "/", name);
    FILE *memory = open_memstream(&text, &length);
    if (status == LS_OK && memory == NULL)
        status = ls_fail(LS_ERR_FAILURE, "out of memory for the result");
    if (memory != NULL) {
        print(e, s, memory);
        fclose(memory);
    }
    if (status == LS_OK)
        status = ls_write_file(path, text, length);
    free(text);
    return status;
}

static ls_status write_files(const ls_experiment *e, const settings *s, const json_t *result)
{
    char path[LS_PATH_MAX];
    ls_status status = write_printed(e, s, "scaling.csv", print_csv);
    if (status == LS_OK)
        status = write_printed(e, s, "caption.txt", print_caption);
    if (status == LS_OK)
        status = ls_path(path, e->folder, "/scaling.json", NULL);
    char *text = json_dumps(result, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    if (status == LS_OK && text == NULL)
        status = ls_fail(LS_ERR_FAILURE, "out of memory for the result");
    if (status == LS_OK)
        status = ls_write_file(path, text, strlen(text));
    free(text);
    return status;
}

static void print_for_people(const ls_experiment *e, const settings *s)
{
    const bool target = s->target > 0;
    bool crowded = false;
    ls_print(stdout,
             "%s scaling, %s%s; medians, and intervals as coverage says; speed-up over the median "
             "on %s\n",
             e->mode == LS_SCALING_STRONG ? "strong" : "weak", ls_counted(e->runs, "run").text,
             e->unfinished > 0 ? ", others are unfinished" : "",
             ls_counted(e->row[0].ranks, "rank").text);
    ls_print(stdout, "%7s %5s %12s %21s %12s %9s %11s %9s %9s%s\n", "ranks", "runs", "epoch s",
             "interval", "samples/s", "speed-up", "efficiency", "serial", "predicted",
             target ? "  s to target" : "");
    for (int i = 0; i < e->rows; i++) {
        const ls_scaling_row *row = &e->row[i];
        ls_print(stdout, "%6d%c %5d %12.4f %10.4f %10.4f %12.0f %9.3f %9.1f %% ", row->ranks,
                 row->oversubscribed ? '*' : ' ', row->runs, row->seconds.median, row->seconds.low,
                 row->seconds.high, row->rate.median, row->speedup.median,
                 100 * row->efficiency.median);
        if (isfinite(row->serial_fraction) && row->serial_fraction <= 1)
            ls_print(stdout, "%9.4f ", row->serial_fraction);
        else
            ls_print(stdout, "%9s ", "");
        if (isfinite(e->predicted[i]))
            ls_print(stdout, "%+7.1f %%", 100 * ls_experiment_error(e, i));
        else
            ls_print(stdout, "%9s", "");
        if (target && row->reached > 0)
            ls_print(stdout, "  %11.2f", row->to_target.median);
        ls_print(stdout, "\n");
        crowded = crowded || row->oversubscribed;
    }
    if (e->row[0].runs > 1)
        ls_print(stdout,
                 "an interval of %d values holds the true median with a probability of %.0f %%\n",
                 e->row[0].runs, 100 * e->row[0].seconds.coverage);
    else
        ls_print(stdout, "a single run has no interval\n");
    for (int i = 0; i < e->doubts.count; i++)
        ls_print(stdout, "disturbed? %s\n", e->doubts.text[i]);
    if (crowded)
        ls_print(stdout, "* more threads than cores: shows that the ranks work, not how fast\n");
    ls_print(stdout, "results in %s: scaling.csv, scaling.json\n", e->folder);
}

/* Takes --warmup and --target from the experiment's record where the command line gives none. */
static ls_status apply_recorded(const ls_options *options, settings *s)
{
    char path[LS_PATH_MAX], *text = NULL;
    size_t length;
    settings kept = {0};
    ls_options *from_file = NULL;
    ls_status status = ls_path(path, s->folder, "/evaluation.conf", NULL);
    if (status != LS_OK || access(path, F_OK) != 0)
        return status;
    status = ls_read_file(path, 1 << 16, LS_ERR_DATA, &text, &length);
    if (status == LS_OK)
        status = ls_options_create(&from_file, ls_command_scaling.options, &kept);
    if (status == LS_OK)
        status = ls_options_parse_file(from_file, path, text);
    if (status == LS_OK && !ls_options_given(options, "warmup"))
        s->warmup = kept.warmup;
    if (status == LS_OK && !ls_options_given(options, "target"))
        s->target = kept.target;
    ls_options_destroy(&from_file);
    ls_free(text);
    return status;
}

static ls_status scaling_run(ls_comm *comm, const ls_options *options, const void *values)
{
    (void)comm;
    settings s = *(const settings *)values;
    ls_experiment e = {0};
    json_t *result = NULL;
    ls_status status = apply_recorded(options, &s);
    if (status == LS_OK)
        status = ls_experiment_read(&e, s.folder, s.warmup, s.target);
    if (status == LS_OK && (result = result_json(&e, &s)) == NULL)
        status = ls_fail(LS_ERR_FAILURE, "out of memory for the result");
    if (status == LS_OK)
        status = write_files(&e, &s, result);
    if (status == LS_OK && s.json)
        ls_print_json(stdout, result);
    else if (status == LS_OK)
        print_for_people(&e, &s);
    json_decref(result);
    ls_experiment_clear(&e);
    return status;
}

const ls_command ls_command_scaling = {
    .name = "scaling",
    .usage = "FOLDER",
    .summary = "evaluates the runs of a scaling experiment",
    .options = {table, false},
    .settings_size = sizeof(settings),
    .run = scaling_run,
};
