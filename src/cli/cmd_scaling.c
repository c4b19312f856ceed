/* Evaluates the trainings of a scaling experiment, as jobs/scaling.sh makes them. */
#include <lockstep/scaling.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "cli/command.h"
#include "train/run_read.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct settings {
    const char *folder;
    int64_t warmup;
    double target;
    bool json;
} settings;

#define AT(field) offsetof(settings, field)
static const ls_option table[] = {
    {.type = LS_OPT_HEADING, .help = "Options"},
    {"folder", "FOLDER", LS_OPT_TEXT, LS_OPT_REQUIRED | LS_OPT_ARGUMENT, AT(folder),
     .help = "the experiment: its runs lie in FOLDER/runs"},
    {"warmup", "EPOCHS", LS_OPT_INT, 0, AT(warmup), "1", 0, 1e9,
     .help = "first epochs of each run that do not count"},
    {"target", "ACCURACY", LS_OPT_REAL, 0, AT(target), "0", 0, 1,
     .help = "of validation: tell the time until it is reached; 0: don't"},
    {"json", NULL, LS_OPT_FLAG, 0, AT(json), .help = "print JSON"},
    {0},
};

/* A run of the experiment. */
typedef struct member {
    char name[256]; /* of its folder */
    ls_run_record record;
    int ranks;
    int64_t batch, rows;
} member;

typedef struct experiment {
    const char *folder;
    member *run;
    int runs, unfinished;
    ls_scaling_mode mode;
    ls_scaling_row *row;
    int rows;
    double *predicted; /* [rows] seconds of an epoch; NaN: not predicted */
} experiment;

static int64_t number_at(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_string(value) ? strtoll(json_string_value(value), NULL, 10)
                                 : json_integer_value(value);
}

/* Reads one run; one that has not come to its end is counted only. */
static ls_status read_member(experiment *e, const char *name)
{
    char folder[LS_PATH_MAX], path[LS_PATH_MAX];
    ls_status status = ls_path(folder, e->folder, "/runs/", name);
    if (status == LS_OK)
        status = ls_path(path, folder, "/summary.json", NULL);
    if (status != LS_OK)
        return status;
    FILE *summary = fopen(path, "r");
    if (summary == NULL) {
        e->unfinished++;
        return LS_OK;
    }
    fclose(summary);
    member *m = &e->run[e->runs];
    status = ls_run_read(&m->record, folder);
    if (status != LS_OK)
        return status;
    e->runs++;
    snprintf(m->name, sizeof m->name, "%s", name);
    m->ranks = (int)number_at(m->record.summary, "ranks");
    m->batch = number_at(json_object_get(m->record.summary, "config"), "batch");
    m->rows = number_at(json_object_get(m->record.summary, "dataset"), "train_rows");
    if (m->ranks < 1 || m->batch < 1 || m->rows < 1)
        return ls_fail(LS_ERR_DATA, "%s: names no ranks, batch or rows", path);
    return LS_OK;
}

static int compare_members(const void *a, const void *b)
{
    const member *x = a, *y = b;
    return x->ranks != y->ranks ? (x->ranks > y->ranks) - (x->ranks < y->ranks)
                                : strcmp(x->name, y->name);
}

static ls_status read_runs(experiment *e)
{
    enum { MOST_RUNS = 1 << 16 };
    char path[LS_PATH_MAX];
    ls_status status = ls_path(path, e->folder, "/runs", NULL);
    if (status != LS_OK)
        return status;
    struct dirent **entry = NULL;
    const int entries = scandir(path, &entry, NULL, alphasort);
    if (entries < 0)
        return ls_fail(LS_ERR_DATA, "%s: can't be listed: %s; jobs/scaling.sh fills it", path,
                       strerror(errno));
    e->run = ls_alloc(entries, sizeof *e->run);
    if (e->run == NULL || entries > MOST_RUNS)
        status = e->run == NULL ? LS_ERR_FAILURE
                                : ls_fail(LS_ERR_DATA, "%s: more than %d runs", path, MOST_RUNS);
    for (int i = 0; i < entries; i++) {
        if (status == LS_OK && entry[i]->d_name[0] != '.' && entry[i]->d_type != DT_REG)
            status = read_member(e, entry[i]->d_name);
        free(entry[i]);
    }
    free(entry);
    if (status == LS_OK && e->runs == 0)
        status = ls_fail(LS_ERR_DATA, "%s: no run has come to its end there", path);
    if (status == LS_OK)
        qsort(e->run, (size_t)e->runs, sizeof *e->run, compare_members);
    return status;
}

/* The runs must differ in nothing but ranks, seed, and, in weak scaling, batch. */
static ls_status compare_settings(const experiment *e, const member *m)
{
    static const char *const may_differ[] = {"batch", "seed", "run", "resume"};
    const json_t *first = json_object_get(e->run[0].record.summary, "config");
    const json_t *other = json_object_get(m->record.summary, "config");
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)first, key, value)
    {
        bool may = false;
        for (size_t i = 0; i < sizeof may_differ / sizeof *may_differ; i++)
            may = may || strcmp(key, may_differ[i]) == 0;
        if (!may && !json_equal(value, json_object_get(other, key)))
            return ls_fail(LS_ERR_DATA,
                           "%s/runs: %s and %s differ in %s: an experiment compares runs that "
                           "are alike",
                           e->folder, e->run[0].name, m->name, key);
    }
    return LS_OK;
}

/* Strong scaling keeps the global batch, weak scaling that of a rank. */
static ls_status find_mode(experiment *e)
{
    bool strong = true, weak = true;
    const member *first = &e->run[0];
    for (int i = 0; i < e->runs; i++) {
        const member *m = &e->run[i];
        strong = strong && m->batch == first->batch;
        weak = weak && m->batch * first->ranks == first->batch * m->ranks;
        ls_status status = compare_settings(e, m);
        if (status != LS_OK)
            return status;
    }
    e->mode = strong ? LS_SCALING_STRONG : LS_SCALING_WEAK;
    return strong || weak ? LS_OK
                          : ls_fail(LS_ERR_DATA,
                                    "%s/runs: neither strong nor weak scaling: the batch must be "
                                    "the same in all runs, or the same for each rank",
                                    e->folder);
}

static ls_status evaluate(experiment *e, const settings *s)
{
    ls_scaling_run *runs = ls_alloc(e->runs, sizeof *runs);
    e->row = ls_alloc(e->runs, sizeof *e->row);
    e->predicted = ls_alloc(e->runs, sizeof *e->predicted);
    ls_status status =
        runs != NULL && e->row != NULL && e->predicted != NULL ? LS_OK : LS_ERR_FAILURE;
    for (int i = 0; status == LS_OK && i < e->runs; i++) {
        const ls_run_record *r = &e->run[i].record;
        runs[i] = (ls_scaling_run){.ranks = e->run[i].ranks,
                                   .oversubscribed =
                                       json_is_true(json_object_get(r->summary, "oversubscribed")),
                                   .history = r->history,
                                   .epochs = r->epochs};
    }
    if (status == LS_OK)
        status =
            ls_scaling_evaluate(runs, e->runs, e->mode, s->warmup, s->target, e->row, &e->rows);
    ls_free(runs);
    return status;
}

static const member *member_with(const experiment *e, int ranks)
{
    int at = 0;
    while (e->run[at].ranks != ranks)
        at++;
    return &e->run[at];
}

/* What `bench --predict --json` wrote into FOLDER/prediction.json, if it is there. */
static ls_status read_prediction(experiment *e)
{
    char path[LS_PATH_MAX];
    for (int i = 0; i < e->rows; i++)
        e->predicted[i] = NAN;
    ls_status status = ls_path(path, e->folder, "/prediction.json", NULL);
    if (status != LS_OK)
        return status;
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return LS_OK;
    json_error_t error;
    json_t *bench = json_loadf(file, 0, &error);
    fclose(file);
    if (bench == NULL)
        return ls_fail(LS_ERR_DATA, "%s: line %d: %s", path, error.line, error.text);
    const json_t *steps = json_object_get(json_object_get(bench, "prediction"),
                                          e->mode == LS_SCALING_STRONG ? "strong" : "weak");
    size_t at;
    json_t *step;
    json_array_foreach(steps, at, step) for (int i = 0; i < e->rows; i++)
    {
        const member *m = member_with(e, e->row[i].ranks);
        if (json_integer_value(json_object_get(step, "ranks")) == m->ranks)
            e->predicted[i] = json_number_value(json_object_get(step, "step")) *
                              (double)((m->rows + m->batch - 1) / m->batch);
    }
    json_decref(bench);
    return LS_OK;
}

static const char *const phase_names[LS_SCALING_PHASES] = {
#define PHASE_NAME(name) #name,
    LS_SCALING_PHASE_LIST(PHASE_NAME)
#undef PHASE_NAME
};

static double error_of(const experiment *e, int at)
{
    return e->predicted[at] / e->row[at].seconds.median - 1;
}

/* The speed-up that the prediction makes, over the run that the measured ones are compared with. */
static double predicted_speedup(const experiment *e, int at)
{
    const ls_scaling_row *row = &e->row[at];
    const double best_seconds_product = row->speedup.median * row->seconds.median;
    return best_seconds_product / e->predicted[at];
}

static json_t *real(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *estimate_json(const ls_estimate *e)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:i}", "median", real(e->median), "low", real(e->low),
                     "high", real(e->high), "coverage", real(e->coverage), "count", e->count);
}

static json_t *row_json(const experiment *e, int at)
{
    const ls_scaling_row *row = &e->row[at];
    json_t *phases = json_object();
    for (int k = 0; k < LS_SCALING_PHASES; k++)
        json_object_set_new(phases, phase_names[k], real(row->share[k]));
    json_t *object = json_pack(
        "{s:i, s:i, s:I, s:b, s:o, s:o, s:o, s:o, s:o, s:o}", "ranks", row->ranks, "runs",
        row->runs, "batch", (json_int_t)member_with(e, row->ranks)->batch, "oversubscribed",
        row->oversubscribed, "epoch_seconds", estimate_json(&row->seconds), "samples_per_second",
        estimate_json(&row->rate), "speedup", estimate_json(&row->speedup), "efficiency",
        estimate_json(&row->efficiency), "serial_fraction", real(row->serial_fraction), "phases",
        phases);
    json_object_set_new(object, "reached_target", json_integer(row->reached));
    json_object_set_new(object, "seconds_to_target", estimate_json(&row->to_target));
    json_object_set_new(object, "predicted_epoch_seconds", real(e->predicted[at]));
    json_object_set_new(object, "predicted_speedup", real(predicted_speedup(e, at)));
    json_object_set_new(object, "prediction_error", real(error_of(e, at)));
    return object;
}

/* The whole result; the settings are those of the first run. NULL: no memory. */
static json_t *result_json(const experiment *e, const settings *s)
{
    const json_t *summary = e->run[0].record.summary;
    json_t *rows = json_array();
    for (int i = 0; i < e->rows; i++)
        json_array_append_new(rows, row_json(e, i));
    json_t *result = json_pack("{s:s, s:i, s:i, s:I, s:f, s:o}", "mode",
                               e->mode == LS_SCALING_STRONG ? "strong" : "weak", "runs", e->runs,
                               "unfinished", e->unfinished, "warmup_epochs", (json_int_t)s->warmup,
                               "target", s->target, "rows", rows);
    static const char *const kept[] = {"model", "dataset", "threads", "versions", "config"};
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        json_object_set(result, kept[i], json_object_get(summary, kept[i]));
    return result;
}

/* Numbers of the table, in the order of its columns; NaN is an empty field. */
static void print_csv(const experiment *e, FILE *out)
{
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
        numbers[count++] = predicted_speedup(e, i);
        numbers[count++] = error_of(e, i);
        fprintf(out, "%d,%d,%lld,%d", row->ranks, row->runs,
                (long long)member_with(e, row->ranks)->batch, row->oversubscribed);
        for (int k = 0; k < count; k++)
            if (isfinite(numbers[k]))
                fprintf(out, ",%.9g", numbers[k]);
            else
                fprintf(out, ",");
        fprintf(out, "\n");
    }
}

static ls_status write_files(const experiment *e, const json_t *result)
{
    char path[LS_PATH_MAX], *text = NULL;
    size_t length = 0;
    ls_status status = ls_path(path, e->folder, "/scaling.csv", NULL);
    FILE *memory = open_memstream(&text, &length);
    if (status == LS_OK && memory == NULL)
        status = ls_fail(LS_ERR_FAILURE, "out of memory for the result");
    if (memory != NULL) {
        print_csv(e, memory);
        fclose(memory);
    }
    if (status == LS_OK)
        status = ls_write_file(path, text, length);
    free(text);
    if (status == LS_OK)
        status = ls_path(path, e->folder, "/scaling.json", NULL);
    text = json_dumps(result, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    if (status == LS_OK && text == NULL)
        status = ls_fail(LS_ERR_FAILURE, "out of memory for the result");
    if (status == LS_OK)
        status = ls_write_file(path, text, strlen(text));
    free(text);
    return status;
}

static void print_for_people(const experiment *e, const settings *s)
{
    const bool target = s->target > 0;
    bool crowded = false;
    printf("%s scaling, %d runs%s; medians, and intervals as coverage says\n",
           e->mode == LS_SCALING_STRONG ? "strong" : "weak", e->runs,
           e->unfinished > 0 ? ", others have not come to their end" : "");
    printf("%7s %5s %12s %21s %12s %9s %11s %9s %9s%s\n", "ranks", "runs", "epoch s", "interval",
           "samples/s", "speed-up", "efficiency", "serial", "predicted",
           target ? "  s to target" : "");
    for (int i = 0; i < e->rows; i++) {
        const ls_scaling_row *row = &e->row[i];
        printf("%6d%c %5d %12.4f %10.4f %10.4f %12.0f %9.3f %9.1f %% ", row->ranks,
               row->oversubscribed ? '*' : ' ', row->runs, row->seconds.median, row->seconds.low,
               row->seconds.high, row->rate.median, row->speedup.median,
               100 * row->efficiency.median);
        if (isfinite(row->serial_fraction))
            printf("%9.4f ", row->serial_fraction);
        else
            printf("%9s ", "");
        if (isfinite(e->predicted[i]))
            printf("%+7.1f %%", 100 * error_of(e, i));
        else
            printf("%9s", "");
        if (target && row->reached > 0)
            printf("  %11.2f", row->to_target.median);
        printf("\n");
        crowded = crowded || row->oversubscribed;
    }
    if (e->row[0].runs > 1)
        printf("an interval of %d values holds the true median with a probability of %.0f %%\n",
               e->row[0].runs, 100 * e->row[0].seconds.coverage);
    else
        printf("a single run has no interval\n");
    if (crowded)
        printf("* more threads than cores: it shows that this many ranks work, not how fast\n");
    printf("results in %s: scaling.csv, scaling.json\n", e->folder);
}

static ls_status run(ls_comm *comm, const ls_options *options, const void *values)
{
    (void)comm, (void)options;
    const settings *s = values;
    experiment e = {.folder = s->folder};
    json_t *result = NULL;
    ls_status status = read_runs(&e);
    if (status == LS_OK)
        status = find_mode(&e);
    if (status == LS_OK)
        status = evaluate(&e, s);
    if (status == LS_OK)
        status = read_prediction(&e);
    if (status == LS_OK && (result = result_json(&e, s)) == NULL)
        status = ls_fail(LS_ERR_FAILURE, "out of memory for the result");
    if (status == LS_OK)
        status = write_files(&e, result);
    if (status == LS_OK && s->json)
        json_dumpf(result, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9));
    else if (status == LS_OK)
        print_for_people(&e, s);
    json_decref(result);
    for (int i = 0; i < e.runs; i++)
        ls_run_record_clear(&e.run[i].record);
    ls_free(e.run);
    ls_free(e.row);
    ls_free(e.predicted);
    return status;
}

const ls_command ls_command_scaling = {
    .name = "scaling",
    .usage = "FOLDER",
    .summary = "evaluates the runs of a scaling experiment",
    .options = table,
    .settings_size = sizeof(settings),
    .run = run,
};
