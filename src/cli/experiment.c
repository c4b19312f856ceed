#include "cli/experiment.h"

#include "base/file.h"
#include "base/memory.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int64_t number_at(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_string(value) ? strtoll(json_string_value(value), NULL, 10)
                                 : json_integer_value(value);
}

/* Reads one run; an unfinished run is only counted. */
static ls_status read_member(ls_experiment *e, const char *name)
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
    ls_member *m = &e->run[e->runs];
    status = ls_run_read(&m->record, folder);
    if (status != LS_OK)
        return status;
    e->runs++;
    snprintf(m->name, sizeof m->name, "%s", name);
    m->ranks = (int)number_at(m->record.summary, "ranks");
    m->batch = number_at(json_object_get(m->record.summary, "config"), "batch");
    m->rows = number_at(json_object_get(m->record.summary, "dataset"), "train_rows");
    if (m->ranks < 1 || m->batch < 1 || m->rows < 1)
        return ls_fail(LS_ERR_DATA, "%s: lacks ranks, batch or rows", path);
    return LS_OK;
}

static int compare_members(const void *a, const void *b)
{
    const ls_member *x = a, *y = b;
    return x->ranks != y->ranks ? (x->ranks > y->ranks) - (x->ranks < y->ranks)
                                : strcmp(x->name, y->name);
}

static ls_status read_runs(ls_experiment *e)
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
        status = ls_fail(LS_ERR_DATA, "%s: no run is finished", path);
    if (status == LS_OK)
        qsort(e->run, (size_t)e->runs, sizeof *e->run, compare_members);
    return status;
}

/* The fingerprint of the run's training rows, which does not depend on the file's name. */
static const json_t *fingerprint_of(const ls_member *m)
{
    return json_object_get(json_object_get(m->record.summary, "dataset"), "fingerprint");
}

/* Makes sure that two runs differ only in ranks, seed, and, in weak scaling, batch. */
static ls_status compare_settings(const ls_experiment *e, const ls_member *m)
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
    if (!json_equal(fingerprint_of(&e->run[0]), fingerprint_of(m)))
        return ls_fail(LS_ERR_DATA,
                       "%s/runs: %s and %s were trained on other data: an experiment compares "
                       "runs that are alike",
                       e->folder, e->run[0].name, m->name);
    return LS_OK;
}

/* Strong scaling keeps the global batch, weak scaling the rows of a rank. */
static ls_status find_mode(ls_experiment *e)
{
    bool strong = true, weak = true;
    const ls_member *first = &e->run[0];
    for (int i = 0; i < e->runs; i++) {
        const ls_member *m = &e->run[i];
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

static ls_status evaluate_runs(ls_experiment *e, int64_t warmup, double target)
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
        status = ls_scaling_evaluate(runs, e->runs, e->mode, warmup, target, e->row, &e->rows);
    ls_free(runs);
    return status;
}

const ls_member *ls_experiment_run(const ls_experiment *e, int ranks)
{
    int at = 0;
    while (e->run[at].ranks != ranks)
        at++;
    return &e->run[at];
}

/* The steps per epoch of a run. */
static int64_t steps_of(const ls_member *m)
{
    return (m->rows + m->batch - 1) / m->batch;
}

/* Computes the predicted seconds of an epoch from the output of `bench --predict --json`. */
static void use_prediction(ls_experiment *e, const json_t *prediction)
{
    size_t at;
    json_t *step;
    const json_t *steps =
        json_object_get(prediction, e->mode == LS_SCALING_STRONG ? "strong" : "weak");
    json_array_foreach(steps, at, step) for (int i = 0; i < e->rows; i++)
    {
        const ls_member *m = ls_experiment_run(e, e->row[i].ranks);
        if (json_integer_value(json_object_get(step, "ranks")) == m->ranks)
            e->predicted[i] =
                json_number_value(json_object_get(step, "step")) * (double)steps_of(m);
    }
}

/* Adds the first doubt of the measured step; the prediction's file has all of them. */
static void take_over_doubt(ls_experiment *e, const json_t *doubt)
{
    const char *text = json_is_string(doubt) ? json_string_value(doubt) : "disturbed";
    ls_doubt(&e->doubts, "the prediction is not usable: %s", text);
}

/* Reads FOLDER/prediction.json, the output of `bench --predict --json`, if it exists. */
static ls_status read_prediction(ls_experiment *e)
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
    const json_t *doubts = json_object_get(bench, "doubts");
    if (json_array_size(doubts) == 0)
        use_prediction(e, json_object_get(bench, "prediction"));
    else
        take_over_doubt(e, json_array_get(doubts, 0));
    json_decref(bench);
    return LS_OK;
}

double ls_experiment_error(const ls_experiment *experiment, int at)
{
    return experiment->predicted[at] / experiment->row[at].seconds.median - 1;
}

double ls_experiment_speedup(const ls_experiment *experiment, int at)
{
    const ls_member *base = ls_experiment_run(experiment, experiment->row[0].ranks);
    const double rate = (double)base->rows / experiment->predicted[at];
    return rate / experiment->row[0].rate.median * experiment->row[0].ranks;
}

/* Adds doubts where runs differ in machine or build. */
static void compare_machines(ls_experiment *e)
{
    static const char *const same[] = {"processor", "versions", "threads"};
    for (size_t k = 0; k < sizeof same / sizeof *same; k++)
        for (int i = 1; i < e->runs; i++) {
            const json_t *first = json_object_get(e->run[0].record.summary, same[k]);
            if (json_equal(first, json_object_get(e->run[i].record.summary, same[k])))
                continue;
            ls_doubt(&e->doubts, "%s and %s differ in %s", e->run[0].name, e->run[i].name, same[k]);
            break;
        }
}

/* Looks for disturbances in the rows; drops a prediction with a large error where each rank has
 * cores of its own. */
static void find_doubts(ls_experiment *e)
{
    char whose[32];
    bool far_off = false;
    compare_machines(e);
    for (int i = 0; i < e->rows; i++) {
        const ls_scaling_row *row = &e->row[i];
        snprintf(whose, sizeof whose, "%d rank%s", row->ranks, row->ranks > 1 ? "s" : "");
        if (row->runs > 1)
            ls_doubt_spread(&e->doubts, whose,
                            (row->seconds.high - row->seconds.low) / row->seconds.median);
        ls_doubt_efficiency(&e->doubts, whose, row->efficiency.median);
        if (!row->oversubscribed && ls_doubt_error(&e->doubts, whose, ls_experiment_error(e, i)))
            far_off = true;
    }
    for (int i = 0; far_off && i < e->rows; i++)
        e->predicted[i] = NAN;
}

ls_status ls_experiment_read(ls_experiment *out, const char *folder, int64_t warmup, double target)
{
    *out = (ls_experiment){.folder = folder};
    ls_status status = read_runs(out);
    if (status == LS_OK)
        status = find_mode(out);
    if (status == LS_OK)
        status = evaluate_runs(out, warmup, target);
    if (status == LS_OK)
        status = read_prediction(out);
    if (status == LS_OK)
        find_doubts(out);
    return status;
}

void ls_experiment_clear(ls_experiment *e)
{
    for (int i = 0; i < e->runs; i++)
        ls_run_record_clear(&e->run[i].record);
    ls_free(e->run);
    ls_free(e->row);
    ls_free(e->predicted);
    *e = (ls_experiment){0};
}
