#include "measure/bench.h"

#include <lockstep/compute.h>
#include <lockstep/comm.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/show.h"
#include "cli/command.h"
#include "cli/console.h"
#include "cli/data_choice.h"
#include "measure/disturbance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct settings {
    const char *model, *data, *inputs, *targets, *predict;
    int64_t batch, block, steps, threads, ranks_per_node;
    ls_products products;
    int layout, order, reduce;
    bool shard_optimizer, json;
    double latency_us, bandwidth_gbs;
} settings;

#define AT(field) offsetof(settings, field)
static const ls_setting table[] = {
    {"model", .flags = LS_OPTION_AS_TRAIN, .offset = AT(model), .group = "The step to measure",
     .help = "layers, as for train"},
    {"batch", .flags = LS_OPTION_AS_TRAIN, .offset = AT(batch)},
    {"data", .flags = LS_OPTION_AS_TRAIN, .offset = AT(data),
     .help = "data set whose first rows are trained on; not given: synthetic rows of MNIST's size"},
    {"inputs", .flags = LS_OPTION_AS_TRAIN, .offset = AT(inputs)},
    {"targets", .flags = LS_OPTION_AS_TRAIN, .offset = AT(targets)},
    {"layout", .flags = LS_OPTION_AS_TRAIN, .offset = AT(layout)},
    {"order", .flags = LS_OPTION_AS_TRAIN, .offset = AT(order)},
    {"reduce", .flags = LS_OPTION_AS_TRAIN, .offset = AT(reduce),
     .help = "how gradients are summed over ranks; auto: measure all"},
    {"block", .flags = LS_OPTION_AS_TRAIN, .offset = AT(block),
     .help = "exact: rows of a micro-batch, as for train --reproducible"},
    {"shard-optimizer", .flags = LS_OPTION_AS_TRAIN, .offset = AT(shard_optimizer)},
    {"steps", "N", LS_TYPE_INT, .offset = AT(steps), .initial = "200", .min = 5, .max = 1e6,
     .help = "steps to measure"},
    {"threads", .flags = LS_OPTION_AS_TRAIN, .offset = AT(threads)},
    {"products", .flags = LS_OPTION_AS_TRAIN, .offset = AT(products)},

    {"predict", "P,P,...", LS_TYPE_TEXT, .offset = AT(predict), .group = "Prediction",
     .help = "rank counts to predict strong and weak scaling for"},
    {"ranks-per-node", "N", LS_TYPE_INT, .offset = AT(ranks_per_node), .initial = "0",
     .max = 1 << 20, .help = "ranks per node of the cluster to predict for; 0: as here"},
    {"latency-us", "T", LS_TYPE_REAL, .offset = AT(latency_us), .initial = "0", .max = 1e9,
     .help = "latency of a message between its nodes; 0: as measured here"},
    {"bandwidth-gbs", "B", LS_TYPE_REAL, .offset = AT(bandwidth_gbs), .initial = "0", .max = 1e9,
     .help = "bandwidth between its nodes, in GB/s each way; 0: as measured here"},

    {"json", NULL, LS_TYPE_FLAG, .offset = AT(json), .group = "Output", .help = "print JSON"},
    {0},
};

enum { MOST_PREDICTIONS = 64 };

/* A row of the prediction's table: a number of ranks, with the global batch shared between them
 * (strong), and with that batch on each of them (weak). */
typedef struct row {
    ls_prediction strong, weak;
    double strong_efficiency, weak_efficiency;
    double weak_computing; /* weak efficiency of computing alone */
} row;

typedef struct results {
    ls_topology *topology;
    int64_t rows; /* of an epoch */
    ls_bench_task task;
    ls_bench_machine machine;
    int steps;
    ls_bench_step step[LS_REDUCERS];
    ls_bench_compute compute;
    ls_reduce predicted; /* algorithm of the prediction: fused or hierarchical */
    ls_cluster cluster;
    const char *within, *between; /* sources of the links' figures */
    ls_prediction here;           /* for the ranks of this job */
    double measured;              /* seconds of the same step, measured; 0: not measured */
    int64_t predictions, ranks[MOST_PREDICTIONS], best;
    row prediction[MOST_PREDICTIONS];
    ls_doubts doubts; /* disturbances, complete on rank 0; with any, the prediction is not usable */
} results;

/* Reads "1,2,4". Local. Errors: LS_ERR_USAGE. */
static ls_status parse_ranks(const char *text, results *r)
{
    for (const char *at = text; *at != '\0';) {
        char *end;
        long long value = strtoll(at, &end, 10);
        if (end == at || value < 1 || value > 1 << 24 || (*end != ',' && *end != '\0'))
            return ls_fail(LS_ERR_USAGE, "--predict: '%s' is not a list of rank counts as 1,2,4",
                           text);
        if (r->predictions == MOST_PREDICTIONS)
            return ls_fail(LS_ERR_USAGE, "--predict: more than %d rank counts", MOST_PREDICTIONS);
        r->ranks[r->predictions++] = value;
        at = *end == ',' ? end + 1 : end;
    }
    return LS_OK;
}

/* Fills in the step to measure: network, data, batch. Collective. */
static ls_status describe_task(ls_comm *comm, const settings *s, results *r)
{
    r->task = (ls_bench_task){.model = s->model,
                              .input = {1, 28, 28},
                              .classes = 10,
                              .data = *s->data != '\0' ? s->data : NULL,
                              .batch = s->batch,
                              .block = s->block,
                              .shard = s->shard_optimizer,
                              .steps = (int)s->steps};
    r->rows = 60000;
    if (*s->data == '\0')
        return LS_OK;
    ls_dataset_info d;
    ls_data_choose(&r->task.options, &(ls_data_choice){.inputs = s->inputs,
                                                       .targets = s->targets,
                                                       .layout = s->layout,
                                                       .order = s->order});
    const ls_status status = ls_bench_data(comm, s->data, &r->task.options, &d);
    if (status != LS_OK)
        return status;
    r->task.input = (ls_shape){d.channels, d.height, d.width};
    r->task.classes = d.classes;
    r->task.values = d.values;
    r->task.vocabulary = d.vocabulary;
    r->task.reconstructs = d.reconstructs;
    r->rows = d.rows[LS_TRAIN];
    return LS_OK;
}

/* Returns true if a reduction algorithm is to be measured here. */
static bool is_wanted(const settings *s, const ls_topology *t, int kind)
{
    if (s->reduce != LS_REDUCE_AUTO)
        return s->reduce == kind;
    return ls_reduce_applies((ls_reduce)kind, t->ranks, t->nodes);
}

/* Describes the cluster to predict for: the options, else what was measured here. Local. */
static ls_status describe_cluster(const settings *s, results *r)
{
    const ls_topology *t = r->topology;
    const int here = (t->ranks + t->nodes - 1) / t->nodes;
    const bool measured = r->machine.sizes > 0;
    const ls_link given = {1e-6 * s->latency_us, 1e9 * s->bandwidth_gbs};
    r->cluster.ranks_per_node = s->ranks_per_node > 0 ? (int)s->ranks_per_node : here;
    r->cluster.within = r->cluster.between = r->machine.link;
    r->within = r->between = t->nodes > 1 ? "as measured between these nodes" : "as measured here";
    if (given.bandwidth > 0) {
        r->cluster.between = given;
        r->between = "as given";
        if (s->latency_us == 0 && measured)
            r->cluster.between.latency = r->machine.link.latency;
    } else if (s->latency_us > 0) {
        r->cluster.between.latency = given.latency;
        r->between = "latency as given";
    }
    if (!measured) {
        r->cluster.within = r->cluster.between;
        r->within = r->between;
    }
    if (r->cluster.between.bandwidth <= 0)
        return ls_fail(LS_ERR_USAGE, "--predict on a rank alone has no link to measure: give "
                                     "--bandwidth-gbs and --latency-us, or start more ranks");
    return LS_OK;
}

/* Returns the measured median of a step, in seconds; 0: not measured. */
static double measured_step(const results *r, ls_reduce kind)
{
    for (int i = 0; i < r->steps; i++)
        if (r->step[i].reduce == kind && !r->task.shard)
            return r->step[i].median;
    return 0;
}

/* Chooses the algorithm to predict: --reduce, or with auto the faster one here. Overlapped and
 * exact sums have no model of their own: fused is predicted for these. */
static ls_reduce choose_predicted(const settings *s, const results *r)
{
    const double fused = measured_step(r, LS_REDUCE_FUSED);
    const double together = measured_step(r, LS_REDUCE_HIERARCHICAL);
    const bool faster = s->reduce == LS_REDUCE_AUTO && together > 0 && together < fused;
    return s->reduce == LS_REDUCE_HIERARCHICAL || faster ? LS_REDUCE_HIERARCHICAL : LS_REDUCE_FUSED;
}

/* Fills in the predictions. Local. */
static void fill_predictions(results *r)
{
    enum { MOST_RANKS = 1 << 16 };
    const int64_t batch = r->task.batch;
    const ls_prediction alone = ls_predict(&r->compute, &r->cluster, batch, 1);
    for (int64_t i = 0; i < r->predictions; i++) {
        const int64_t ranks = r->ranks[i];
        row *p = &r->prediction[i];
        p->strong = ls_predict(&r->compute, &r->cluster, batch, ranks);
        p->weak = ls_predict(&r->compute, &r->cluster, batch * ranks, ranks);
        p->strong_efficiency = alone.step / ((double)ranks * p->strong.step);
        p->weak_efficiency = alone.step / p->weak.step;
        p->weak_computing = alone.compute / p->weak.compute;
    }
    r->best = ls_predict_best_ranks(&r->compute, &r->cluster, batch, MOST_RANKS);
    /* Between the ranks of this job the links are the measured ones. */
    ls_cluster here = r->cluster;
    here.ranks_per_node = (r->topology->ranks + r->topology->nodes - 1) / r->topology->nodes;
    if (r->machine.sizes > 0)
        here.within = here.between = r->machine.link;
    r->here = ls_predict(&r->compute, &here, batch, r->topology->ranks);
    r->measured = measured_step(r, r->predicted);
}

/* Looks for disturbances in the measured steps and in the predictions from them. Local. */
static void find_doubts(results *r)
{
    char whose[64];
    bool odd = false;
    for (int i = 0; i < r->steps; i++) {
        snprintf(whose, sizeof whose, "step, %s", ls_reduce_name(r->step[i].reduce));
        ls_doubt_spread(&r->doubts, whose, r->step[i].spread);
    }
    for (int64_t i = 0; !odd && i < r->predictions; i++) { /* one is enough */
        const row *p = &r->prediction[i];
        snprintf(whose, sizeof whose, "%lld ranks, as predicted", (long long)p->strong.ranks);
        odd = ls_doubt_efficiency(&r->doubts, whose, fmax(p->strong_efficiency, p->weak_computing));
    }
    if (r->predictions > 0 && r->measured > 0)
        ls_doubt_error(&r->doubts, "step here", r->here.step / r->measured - 1);
}

/* Measures the machine and the steps, and predicts. Collective. */
static ls_status bench_measure(ls_comm *comm, const settings *s, results *r)
{
    const ls_busy begin = ls_busy_now();
    ls_status status = describe_task(comm, s, r);
    if (status == LS_OK)
        status = parse_ranks(s->predict, r);
    if (status == LS_OK)
        status = ls_topology_create(&r->topology, comm, (int)s->threads);
    if (status != LS_OK)
        return status;
    ls_compute_set_products(r->topology->mine.threads, s->products);
    status = ls_agree(comm, ls_compute_check());
    if (status == LS_OK)
        status = ls_bench_machine_measure(comm, &r->machine);
    if (status == LS_OK && r->predictions > 0)
        status = describe_cluster(s, r);
    ls_reduce kinds[LS_REDUCERS];
    for (int kind = 0; kind < LS_REDUCERS; kind++)
        if (is_wanted(s, r->topology, kind))
            kinds[r->steps++] = (ls_reduce)kind;
    if (status == LS_OK)
        status = ls_bench_steps_measure(comm, &r->task, kinds, &r->steps, r->step);
    r->predicted = choose_predicted(s, r);
    if (status == LS_OK)
        status = ls_bench_compute_measure(comm, &r->task, r->predicted == LS_REDUCE_HIERARCHICAL,
                                          r->predictions > 0 ? s->batch : 1, &r->compute);
    if (status == LS_OK && r->predictions > 0)
        fill_predictions(r);
    if (status == LS_OK)
        status = ls_doubt_loads(&r->doubts, comm, r->topology, &begin);
    if (status == LS_OK)
        find_doubts(r);
    return status;
}

/* Returns the fraction of a speed that a step of `seconds` reaches.
 * speed  flop/s of a rank */
static double fraction_of(const results *r, double speed, double seconds)
{
    return r->compute.flops * (double)r->task.batch / (speed * r->topology->ranks) / seconds;
}

/* Returns flop/s of a rank's cores in registers. */
static double peak_of_rank(const results *r)
{
    return r->machine.peak.mean * r->topology->mine.threads;
}

static void print_spread(const char *name, const ls_spread *s, double unit, const char *text)
{
    ls_print(stdout, "  %-12s%8.1f %8.1f %8.1f  %s\n", name, s->least / unit, s->mean / unit,
             s->most / unit, text);
}

static void print_machine(const results *r)
{
    const ls_topology *t = r->topology;
    const ls_bench_machine *m = &r->machine;
    ls_print(stdout, "%s on %s, %s each, products by %s, %s, %s\n",
             ls_counted(t->ranks, "rank").text, ls_counted(t->nodes, "node").text,
             ls_counted(t->mine.threads, "thread").text, ls_products_name(ls_compute_products()),
             ls_compute_version(), ls_comm_version());
    ls_print(stdout, "\nmachine            min     mean      max  of all ranks, working at once\n");
    print_spread("FMA peak", &m->peak, 1e9, "Gflop/s a core, in registers");
    print_spread("sgemm", &m->sgemm, 1e9, "Gflop/s a rank");
    print_spread("memory", &m->memory, 1e9, "GB/s a rank");
    if (m->sizes == 0)
        return;
    ls_print(stdout, "\nallreduce    bytes           us\n");
    for (int i = 0; i < m->sizes; i++)
        ls_print(stdout, "  %16lld %12.2f\n", (long long)m->bytes[i], 1e6 * m->seconds[i]);
    ls_print(stdout, "  fitted: latency %.2f us, bandwidth %.2f GB/s\n", 1e6 * m->link.latency,
             1e-9 * m->link.bandwidth);
}

/* Returns seconds as milliseconds in at most 8 characters, up to a day. */
static ls_words milliseconds(double seconds)
{
    ls_words words;
    const double ms = 1e3 * seconds;
    snprintf(words.text, sizeof words.text, "%.*f",
             ms < 999.99995   ? 4
             : ms < 999999.95 ? 1
                              : 0,
             ms);
    return words;
}

static void print_steps(const results *r)
{
    ls_print(stdout, "\nstep of %s, global batch %lld; ms\n", r->task.model,
             (long long)r->task.batch);
    ls_print(stdout, "%-22s", "");
    for (int k = 0; k < LS_BENCH_PHASES; k++)
        ls_print(stdout, "%10s", ls_bench_phase_name(k));
    ls_print(stdout, "\n");
    for (int i = 0; i < r->steps; i++) {
        const ls_bench_step *s = &r->step[i];
        static const char *const of[] = {"min", "mean", "max"};
        for (int k = 0; k < 3; k++) {
            ls_print(stdout, "  %-14s%-6s", k == 0 ? ls_reduce_name(s->reduce) : "", of[k]);
            for (int p = 0; p < LS_BENCH_PHASES; p++) {
                const double values[] = {s->phase[p].least, s->phase[p].mean, s->phase[p].most};
                ls_print(stdout, "%10s", milliseconds(values[k]).text);
            }
            ls_print(stdout, "\n");
        }
        ls_print(stdout,
                 "  %-14smedian %.4f ms, an epoch of %s %.3f s, %.1f %% of the sgemm limit, "
                 "%.1f %% of the FMA peak; rank %d computes the longest\n",
                 "", 1e3 * s->median, ls_counted(r->rows, "row").text,
                 s->median * (double)r->rows / (double)r->task.batch,
                 100 * fraction_of(r, r->machine.sgemm.mean, s->median),
                 100 * fraction_of(r, peak_of_rank(r), s->median), s->slowest);
    }
}

static void print_predictions(const results *r)
{
    const ls_cluster *c = &r->cluster;
    ls_print(stdout, "\nprediction for %s a node, %s, without overlap\n",
             ls_counted(c->ranks_per_node, "rank").text, ls_reduce_name(r->predicted));
    ls_print(stdout, "  within nodes   latency %.2f us, bandwidth %.2f GB/s, %s\n",
             1e6 * c->within.latency, 1e-9 * c->within.bandwidth, r->within);
    ls_print(stdout, "  between nodes  latency %.2f us, bandwidth %.2f GB/s, %s\n",
             1e6 * c->between.latency, 1e-9 * c->between.bandwidth, r->between);
    ls_print(stdout,
             "  step = computing (measured by rows of %s) + updating + 2 ceil(log2 P) latency + "
             "2 (P-1)/P bytes / bandwidth\n\n",
             r->predicted == LS_REDUCE_HIERARCHICAL ? "the ranks of a node together" : "a rank");
    ls_print(stdout, "            strong: %s together               weak: %s a rank\n",
             ls_counted(r->task.batch, "row").text, ls_counted(r->task.batch, "row").text);
    ls_print(
        stdout,
        "     ranks    step ms  efficiency  limited by        step ms  efficiency  limited by\n");
    for (int64_t i = 0; i < r->predictions; i++) {
        const row *p = &r->prediction[i];
        ls_print(stdout, "  %8lld %10s %9.1f %%  %-12s %12s %9.1f %%  %s\n",
                 (long long)p->strong.ranks, milliseconds(p->strong.step).text,
                 100 * p->strong_efficiency, ls_prediction_limit(&p->strong),
                 milliseconds(p->weak.step).text, 100 * p->weak_efficiency,
                 ls_prediction_limit(&p->weak));
    }
    ls_prediction best = ls_predict(&r->compute, c, r->task.batch, r->best);
    ls_print(stdout, "\n  strong scaling ends at %s, %.4f ms a step: there %s limits it\n",
             ls_counted(r->best, "rank").text, 1e3 * best.step, ls_prediction_limit(&best));
    if (r->measured > 0)
        ls_print(stdout, "  the %s here: predicted %.4f ms, measured %.4f ms, error %+.1f %%\n",
                 ls_counted(r->topology->ranks, "rank").text, 1e3 * r->here.step, 1e3 * r->measured,
                 100 * (r->here.step / r->measured - 1));
}

static void print_doubts(const results *r)
{
    if (r->doubts.count == 0)
        return;
    ls_print(stdout, "\ndisturbed: no figure here counts%s\n",
             r->predictions > 0 ? ", and the prediction is not usable" : "");
    for (int i = 0; i < r->doubts.count; i++)
        ls_print(stdout, "  %s\n", r->doubts.text[i]);
}

static json_t *spread_json(const ls_spread *s)
{
    return json_pack("{s:f, s:f, s:f, s:i}", "min", s->least, "mean", s->mean, "max", s->most,
                     "max_rank", s->most_rank);
}

static json_t *prediction_json(const ls_prediction *p, double efficiency)
{
    return json_pack("{s:I, s:f, s:f, s:f, s:f, s:f, s:f, s:s}", "ranks", (json_int_t)p->ranks,
                     "step", p->step, "compute", p->compute, "optimizer", p->optimizer, "latency",
                     p->latency, "transfer", p->transfer, "efficiency", efficiency, "limit",
                     ls_prediction_limit(p));
}

static json_t *steps_json(const results *r)
{
    json_t *steps = json_array();
    for (int i = 0; i < r->steps; i++) {
        const ls_bench_step *s = &r->step[i];
        json_t *phases = json_object();
        for (int k = 0; k < LS_BENCH_PHASES; k++)
            json_object_set_new(phases, ls_bench_phase_name(k), spread_json(&s->phase[k]));
        json_array_append_new(
            steps, json_pack("{s:s, s:f, s:f, s:f, s:f, s:i, s:o}", "reduce",
                             ls_reduce_name(s->reduce), "median", s->median, "epoch",
                             s->median * (double)r->rows / (double)r->task.batch,
                             "fraction_of_limit", fraction_of(r, r->machine.sgemm.mean, s->median),
                             "fraction_of_peak", fraction_of(r, peak_of_rank(r), s->median),
                             "slowest_rank", s->slowest, "phases", phases));
    }
    return steps;
}

static json_t *predictions_json(const results *r)
{
    json_t *strong = json_array(), *weak = json_array();
    for (int64_t i = 0; i < r->predictions; i++) {
        const row *p = &r->prediction[i];
        json_array_append_new(strong, prediction_json(&p->strong, p->strong_efficiency));
        json_array_append_new(weak, prediction_json(&p->weak, p->weak_efficiency));
    }
    return json_pack("{s:b, s:s, s:o, s:o, s:I, s:f, s:f}", "usable", r->doubts.count == 0,
                     "reduce", ls_reduce_name(r->predicted), "strong", strong, "weak", weak,
                     "best_ranks", (json_int_t)r->best, "predicted_here", r->here.step,
                     "measured_here", r->measured);
}

static ls_status print_json(const results *r)
{
    const ls_bench_machine *m = &r->machine;
    json_t *allreduce = json_array();
    for (int i = 0; i < m->sizes; i++)
        json_array_append_new(allreduce, json_pack("{s:I, s:f}", "bytes", (json_int_t)m->bytes[i],
                                                   "seconds", m->seconds[i]));
    json_t *doubts = json_array();
    for (int i = 0; i < r->doubts.count; i++)
        json_array_append_new(doubts, ls_json_text(r->doubts.text[i]));
    json_t *result =
        json_pack("{s:i, s:i, s:i, s:s, s:o, s:o, s:o, s:o, s:f, s:f, s:o, s:I, s:o, s:o}", "ranks",
                  r->topology->ranks, "nodes", r->topology->nodes, "threads",
                  r->topology->mine.threads, "products", ls_products_name(ls_compute_products()),
                  "peak", spread_json(&m->peak), "sgemm", spread_json(&m->sgemm), "memory",
                  spread_json(&m->memory), "allreduce", allreduce, "latency", m->link.latency,
                  "bandwidth", m->link.bandwidth, "model", ls_json_text(r->task.model), "batch",
                  (json_int_t)r->task.batch, "steps", steps_json(r), "doubts", doubts);
    if (result != NULL && r->predictions > 0)
        json_object_set_new(result, "prediction", predictions_json(r));
    if (result == NULL)
        return ls_fail(LS_ERR_FAILURE, "out of memory for the result");
    ls_print_json(stdout, result);
    json_decref(result);
    return LS_OK;
}

static ls_status print_result(const settings *s, const results *r)
{
    if (s->json)
        return print_json(r);
    print_machine(r);
    print_steps(r);
    if (r->predictions > 0)
        print_predictions(r);
    print_doubts(r);
    return LS_OK;
}

static ls_status bench_run(ls_comm *comm, const ls_options *options, const void *values)
{
    results r = {0};
    (void)options;
    ls_status status = bench_measure(comm, values, &r);
    if (status == LS_OK)
        status = ls_agree_root(comm, ls_comm_rank(comm) == 0 ? print_result(values, &r) : LS_OK);
    ls_topology_destroy(&r.topology);
    return status;
}

const ls_command ls_command_bench = {
    .name = "bench",
    .usage = "[OPTION ...]",
    .summary = "measures what bounds training here, and predicts how it scales",
    .options = {table, false},
    .settings_size = sizeof(settings),
    .parallel = true,
    .run = bench_run,
};
