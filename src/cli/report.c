#include "cli/report.h"

#include "cli/bar.h"
#include "cli/console.h"
#include "cli/launcher.h"
#include "cli/metric_text.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/show.h"

#include <lockstep/settings.h>
#include <lockstep/compute.h>
#include <lockstep/version.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Seconds between drawings of the bar; between lines of an epoch without a terminal. */
static const double redraw = 0.1, line_interval = 60;

struct ls_report {
    bool quiet;
    bool terminal; /* draw a bar */
    ls_bar bar;
    char monitor[32];
    unsigned task;
    ls_metric main; /* printed beside the loss */
    bool saves;     /* into a run folder */
    bool resumed;
    int64_t latest_epoch; /* of the latest step; latest: its end */
    double latest;
    int long_steps; /* in a row: a single long step may have another cause */
    bool stop_printed;
};

/* A sequence is steps x features, all else channels x height x width. */
static void print_shape(ls_shape shape, bool sequence)
{
    ls_print(stderr, "%s",
             sequence ? ls_sized_steps(shape.height, shape.channels).text
                      : ls_sized(shape.channels, shape.height, shape.width).text);
}

/* Prints what a row is: the size of its inputs, or its tokens. */
static void print_inputs(const ls_run_info *info)
{
    const ls_dataset_info *d = info->dataset;
    if (d->vocabulary > 0)
        ls_print(stderr, "%s of a vocabulary of %s", ls_counted(d->features, "token").text,
                 ls_grouped(d->vocabulary).text);
    else
        print_shape((ls_shape){d->channels, d->height, d->width}, false);
    if (d->vocabulary == 0 && d->element != LS_U8)
        ls_print(stderr, " of %s%s", ls_element_name(d->element), d->rounded ? " (rounded)" : "");
    if (d->ragged)
        ls_print(stderr, ", with lengths");
}

static void print_data(const ls_run_info *info)
{
    const ls_dataset_info *d = info->dataset;
    ls_print(stderr, "  data      %s%s%s: %s training and %s %s, ", d->name,
             *d->name != '\0' ? ", " : "", info->config->data, ls_grouped(d->rows[LS_TRAIN]).text,
             ls_grouped(d->rows[LS_VALIDATION]).text,
             ls_plural(d->rows[LS_VALIDATION], "validation row").text);
    print_inputs(info);
    ls_print(stderr, ", %s%s\n",
             d->reconstructs  ? "which are the targets, too"
             : d->classes > 0 ? ls_counted(d->classes, "class").text
                              : ls_counted(d->values, "target value").text,
             ls_dataset_by_step(d) ? " in each step" : "");
}

/* Where a layer reads another value than the output of the layer before it. */
static void print_sources(const ls_network *network, int at)
{
    const ls_layer_info layer = ls_network_layer(network, at);
    for (int k = 0; k < layer.inputs; k++)
        if (k > 0 || layer.input[k] != at - 1)
            ls_print(stderr, ", %s %s", k > 0 ? "with" : "from",
                     layer.input[k] < 0 ? "the input"
                                        : ls_network_layer(network, layer.input[k]).name);
}

/* Returns the width of the column of words: that of the longest. */
static int word_columns(const ls_network *network)
{
    int most = 13;
    for (int i = 0; i < ls_network_layers(network); i++) {
        const int columns = (int)strlen(ls_network_layer(network, i).word);
        most = columns > most ? columns : most;
    }
    return most;
}

static void print_network(const ls_run_info *info)
{
    const int columns = word_columns(info->network);
    for (int i = 0; i < ls_network_layers(info->network); i++) {
        const ls_layer_info layer = ls_network_layer(info->network, i);
        ls_print(stderr, "  %-10s%-*s ", i == 0 ? "network" : "", columns, layer.word);
        print_shape(layer.in[0], layer.in_sequence[0]);
        ls_print(stderr, " -> ");
        print_shape(layer.out, layer.out_sequence);
        if (layer.parameters > 0)
            ls_print(stderr, ", %s %s", ls_grouped(layer.parameters).text,
                     ls_plural(layer.parameters, "parameter").text);
        print_sources(info->network, i);
        ls_print(stderr, "\n");
    }
    ls_print(stderr, "  %-10s%s parameters in total\n", "",
             ls_grouped(ls_network_size(info->network)).text);
}

/* Prints the learning-rate schedule, unless it is constant. */
static void print_schedule(const ls_run_info *info)
{
    const ls_schedule_config *s = &info->config->schedule;
    const bool scaled = s->scaling != LS_LR_AS_GIVEN;
    if (s->kind == LS_SCHEDULE_CONSTANT && s->warmup == 0 && !scaled)
        return;
    ls_print(stderr, "  %-10sschedule %s", "", ls_schedule_name(s->kind));
    if (s->warmup > 0)
        ls_print(stderr, ", warmup of %g %s", s->warmup,
                 ls_plural(s->warmup == 1 ? 1 : 2, "epoch").text);
    if (scaled)
        ls_print(stderr, ", lr scaled from %g for a batch of %lld", info->config->lr,
                 (long long)s->base_batch);
    ls_print(stderr, "\n");
}

/* Prints where the rows' weights come from, if they have any. */
static void print_weights(const ls_train_config *c)
{
    if (*c->weights != '\0')
        ls_print(stderr, "  %-10srows weighted by %s\n", "", c->weights);
    if (strcmp(c->class_weights, "none") != 0)
        ls_print(stderr, "  %-10sclass weights %s\n", "", c->class_weights);
}

static void print_training(const ls_run_info *info)
{
    const ls_train_config *c = info->config;
    char loss[64];
    ls_setting_format(ls_setting_find("loss", 4), c, loss, sizeof loss);
    ls_print(stderr, "  training  %s, %s, lr %g, global batch %lld (%s an epoch), %s, seed %llu\n",
             loss, ls_optimizer_name(c->optimizer.kind), info->lr, (long long)c->batch,
             ls_counted(info->steps_per_epoch, "step").text, ls_counted(c->epochs, "epoch").text,
             (unsigned long long)c->seed);
    print_schedule(info);
    print_weights(c);
    if (info->augmented)
        ls_print(stderr, "  %-10saugmented by %s\n", "", c->augment);
    if (c->optimizer.clip_norm > 0)
        ls_print(stderr, "  %-10sgradients clipped at norm %g\n", "", c->optimizer.clip_norm);
    if (c->optimizer.ema > 0)
        ls_print(stderr, "  %-10sevaluated with a moving average of the parameters, decay %g\n", "",
                 c->optimizer.ema);
    ls_print(stderr, "  %-10swatching %s", "", info->monitor);
    if (c->patience > 0)
        ls_print(stderr, ", stopping after %s without improvement",
                 ls_counted(c->patience, "epoch").text);
    ls_print(stderr, "\n");
}

/* Prints a hint if an epoch is a single, smaller step. */
static void print_batch(const ls_run_info *info)
{
    const int64_t batch = info->config->batch, rows = info->dataset->rows[LS_TRAIN];
    if (batch > rows)
        ls_print(stderr,
                 "  hint      --batch %lld is above the %s training rows: an epoch is one step\n",
                 (long long)batch, ls_grouped(rows).text);
}

static const char *host_of(const ls_topology *t, int node)
{
    int r = 0;
    while (t->placement[r].node != node)
        r++;
    return t->placement[r].host;
}

/* Prints the ranks of a node, its cores and threads. */
static void print_node(const ls_topology *t, int node)
{
    int ranks = 0, first = -1, last = -1;
    for (int r = 0; r < t->ranks; r++)
        if (t->placement[r].node == node) {
            first = first < 0 ? r : first;
            last = r;
            ranks++;
        }
    const ls_placement *placement = &t->placement[first];
    ls_print(stderr, "  %-10s%s: %s", node == 0 ? "ranks" : "", placement->host,
             ls_counted(ranks, "rank").text);
    if (ranks > 1)
        ls_print(stderr, " (%d..%d)", first, last);
    ls_print(stderr, ", %son %s%s with %s\n", ranks > 1 ? "each " : "",
             ls_counted(placement->cores, "core").text,
             placement->alone ? (placement->bound ? " of its own" : "") : " that ranks share",
             ls_counted(placement->threads, "thread").text);
}

/* Prints a hint if most cores of the machine are idle. */
static void print_idle(const ls_topology *t)
{
    const ls_placement *placement = &t->placement[0];
    if (t->ranks == 1 && ls_launcher_size() == 0 && 2 * placement->threads <= placement->cores)
        ls_print(stderr,
                 "  hint      %d of %d cores used: `mpirun -n %d lockstep train ...` uses all\n",
                 placement->threads, placement->cores, placement->cores);
}

/* Prints a hint if the user's environment asks for slow kernels. */
static void print_kernels(void)
{
    const char *set = ls_compute_slow_setting(getenv("OPENBLAS_CORETYPE"));
    if (*set != '\0')
        ls_print(stderr, "  hint      OPENBLAS_CORETYPE=%s is set: unset it, %s is faster here\n",
                 set, ls_compute_better_kernels());
}

static void print_ranks(const ls_run_info *info)
{
    const ls_topology *t = info->topology;
    for (int n = 0; n < t->nodes; n++)
        print_node(t, n);
    print_idle(t);
    print_kernels();
    if (t->oversubscribed_node >= 0)
        ls_print(stderr, "  warning   more threads than cores on %s: slow, for tests only\n",
                 host_of(t, t->oversubscribed_node));
}

static void report_note(void *user, const char *text)
{
    (void)user;
    ls_print(stderr, "note: %s\n", text);
}

static void report_start(void *user, const ls_run_info *info)
{
    ls_report *report = user;
    report->bar = (ls_bar){.epochs = info->config->epochs,
                           .rows = info->dataset->rows[LS_TRAIN],
                           .task = info->task.kind,
                           .interval = report->terminal ? redraw : line_interval};
    snprintf(report->monitor, sizeof report->monitor, "%s", info->monitor);
    report->task = info->task.kind;
    report->main = report->task == LS_TASK_REGRESSION ? LS_METRIC_RMSE : LS_METRIC_ACCURACY;
    report->saves = *info->config->run != '\0';
    report->resumed = *info->resumed != '\0';
    if (info->config->lr == 0)
        report_note(user, "--lr 0: nothing is learned");
    if (info->config->time_limit > 0 && !report->saves)
        report_note(user, "a time limit without --run: nothing is saved when the time is over");
    if (report->quiet)
        return;
    ls_print(stderr, "lockstep %s\n", LS_VERSION);
    print_data(info);
    print_network(info);
    print_training(info);
    print_batch(info);
    print_ranks(info);
    if (*info->config->run != '\0')
        ls_print(stderr, "  run       %s\n", info->config->run);
    else
        ls_print(stderr, "  run       no --run folder: nothing is saved\n");
    if (*info->resumed != '\0') {
        ls_print(stderr, "  resumed   %s, %s", info->resumed,
                 ls_counted(info->epochs_done, "epoch").text);
        if (info->steps_done > 0)
            ls_print(stderr, " and %s of %lld", ls_counted(info->steps_done, "step").text,
                     (long long)info->steps_per_epoch);
        ls_print(stderr, " done\n");
    }
    ls_print(stderr, "  ready     after %.2f s\n", info->setup_seconds);
}

/* Prints how to stop the job if steps are longer than the time between Ctrl-C and mpirun's SIGKILL;
 * known after some steps of an epoch. */
static void print_how_to_stop(ls_report *report, int64_t epoch, double now)
{
    const double seconds = now - report->latest;
    if (epoch == report->latest_epoch)
        report->long_steps = seconds > 0.5 ? report->long_steps + 1 : 0;
    report->latest_epoch = epoch;
    report->latest = now;
    if (report->long_steps < 3 || report->stop_printed || !report->saves || report->quiet)
        return;
    report->stop_printed = true;
    const long mpirun = ls_launcher_mpirun();
    if (mpirun != 0)
        ls_print(stderr,
                 "  to stop   kill -USR1 %ld: a step takes %.1f s, and after Ctrl-C mpirun gives "
                 "the ranks one second\n",
                 mpirun, seconds);
}

static void report_step(void *user, int64_t epoch, int64_t rows, double loss)
{
    ls_report *report = user;
    ls_bar *bar = &report->bar;
    char text[LS_BAR_TEXT];
    const double now = ls_now();
    print_how_to_stop(report, epoch, now);
    const bool due = ls_bar_step(bar, now, epoch, rows, loss);
    const bool whole =
        report->terminal && rows == bar->rows; /* keeps the full bar during validation */
    if (report->quiet || !(due || whole))
        return;
    if (report->terminal) {
        ls_bar_text(bar, now, ls_console_width(stderr) - 1, true, text);
        ls_console_draw(text);
    } else {
        ls_bar_text(bar, now, LS_BAR_TEXT, false, text);
        fprintf(stderr, "%s\n", text);
    }
}

/* Returns true if the perplexity is printed, too: of a task by step, once an epoch. */
static bool has_perplexity(const ls_report *report, const ls_metrics *m, bool validation)
{
    return report->task == LS_TASK_STEPS && validation != isnan(m->val_loss);
}

/* Returns the watched column, -1 if it is one of the columns that are always printed. */
static int watched_column(const ls_report *report, const ls_metrics *m)
{
    const int column = ls_metrics_find(report->monitor, strlen(report->monitor));
    for (int validation = 0; validation < 2; validation++)
        if (column == ls_metrics_column(LS_METRIC_LOSS, validation) ||
            column == ls_metrics_column(report->main, validation) ||
            (has_perplexity(report, m, validation) &&
             column == ls_metrics_column(LS_METRIC_PERPLEXITY, validation)))
            return -1;
    return column;
}

/* Writes the name and value of a column: "val_loss 0.1234". Returns its length. */
static int write_column(const ls_report *report, const ls_metrics *m, int column, char *out,
                        size_t size)
{
    return snprintf(out, size, "%s %s", ls_metrics_name(column),
                    ls_column_text(column, report->task, ls_metrics_value(m, column)).text);
}

/* Writes the loss and the main metric of the training or the validation rows. */
static void write_columns(const ls_report *report, const ls_metrics *m, bool validation,
                          const char *between, char *out, size_t size)
{
    const int columns[] = {ls_metrics_column(LS_METRIC_LOSS, validation),
                           ls_metrics_column(report->main, validation)};
    int used = write_column(report, m, columns[0], out, size);
    used += snprintf(out + used, size - (size_t)used, "%s", between);
    used += write_column(report, m, columns[1], out + used, size - (size_t)used);
    if (!has_perplexity(report, m, validation))
        return;
    used += snprintf(out + used, size - (size_t)used, "%s", between);
    write_column(report, m, ls_metrics_column(LS_METRIC_PERPLEXITY, validation), out + used,
                 size - (size_t)used);
}

/* Prints the watched column, unless it is one of the columns that are always printed. */
static void print_watched(const ls_report *report, const ls_metrics *m, const char *before)
{
    char text[64];
    const int column = watched_column(report, m);
    if (column < 0)
        return;
    write_column(report, m, column, text, sizeof text);
    ls_print(stderr, "%s%s", before, text);
}

/* Parts of an epoch's line, in their order. */
enum { OF_EPOCH, OF_TRAINING, OF_VALIDATION, OF_MONITOR, OF_TIME, OF_SPEED, OF_BEST, LINE_PARTS };
enum { LINE_PART = 112 };

static void write_epoch(const ls_report *report, const ls_metrics *m, bool best,
                        char part[LINE_PARTS][LINE_PART])
{
    const int column = watched_column(report, m);
    snprintf(part[OF_EPOCH], sizeof *part, "epoch %.0f/%lld", m->epoch,
             (long long)report->bar.epochs);
    write_columns(report, m, false, "  ", part[OF_TRAINING], sizeof *part);
    if (!isnan(m->val_loss))
        write_columns(report, m, true, "  ", part[OF_VALIDATION], sizeof *part);
    if (column >= 0)
        write_column(report, m, column, part[OF_MONITOR], sizeof *part);
    snprintf(part[OF_TIME], sizeof *part, "%.3f s", m->seconds);
    snprintf(part[OF_SPEED], sizeof *part, "%s samples/s",
             ls_grouped((int64_t)m->samples_per_second).text);
    snprintf(part[OF_BEST], sizeof *part, "%s", best ? "best" : "");
}

/* Leaves out the speed where the line is too long, and the time where the rest then fits. */
static void shorten_epoch(char part[LINE_PARTS][LINE_PART], int width)
{
    int used = -2;
    for (int i = 0; i < LINE_PARTS; i++)
        used += *part[i] != '\0' ? (int)strlen(part[i]) + 2 : 0;
    if (used <= width)
        return;
    used -= (int)strlen(part[OF_SPEED]) + 2;
    *part[OF_SPEED] = '\0';
    if (used > width && used - (int)strlen(part[OF_TIME]) - 2 <= width)
        *part[OF_TIME] = '\0';
}

static void report_epoch(void *user, const ls_metrics *m, bool best)
{
    char part[LINE_PARTS][LINE_PART] = {{0}};
    const ls_report *report = user;
    const int width = ls_console_width(stderr);
    if (report->quiet)
        return;
    write_epoch(report, m, best, part);
    if (width > 0)
        shorten_epoch(part, width);
    for (int i = 0; i < LINE_PARTS; i++)
        if (*part[i] != '\0')
            ls_print(stderr, "%s%s", i > 0 ? "  " : "", part[i]);
    ls_print(stderr, "\n");
}

/* Called by another thread: touches no shared state. */
static void report_urgent(void *user, const char *text)
{
    const ls_report *report = user;
    fprintf(stderr, "%snote: %s\n", report->terminal ? "\n" : "", text);
}

/* The job hangs: prints the reason and ends this rank; mpirun or Slurm then ends the others. */
static void report_stuck(void *user, const char *text, bool end)
{
    (void)user; /* belongs to the main thread, which hangs */
    ls_print(stderr, "lockstep: %s%s\n", end ? "stuck: " : "", text);
    if (end) {
        ls_launcher_must_end();
        _exit(LS_ERR_RANKS);
    }
}

ls_status ls_report_create(ls_report **out, bool quiet, ls_observer *observer)
{
    ls_report *report = ls_alloc(1, sizeof *report);
    if (report == NULL)
        return LS_ERR_FAILURE;
    report->quiet = quiet;
    report->terminal = ls_console_width(stderr) > 0;
    *observer = (ls_observer){.user = report,
                              .start = report_start,
                              .step = report_step,
                              .epoch = report_epoch,
                              .note = report_note,
                              .urgent = report_urgent,
                              .stuck = report_stuck};
    *out = report;
    return LS_OK;
}

/* Returns true if `checkpoints/best` exists: some file systems have no symbolic links. */
static bool has_best_link(const char *run)
{
    char path[4096];
    return snprintf(path, sizeof path, "%s/checkpoints/best", run) < (int)sizeof path &&
           access(path, F_OK) == 0;
}

void ls_report_finish(ls_report *report, const ls_train_config *config,
                      const ls_train_result *result)
{
    if (result->nothing_to_do && result->epochs > 0)
        ls_print(stderr, "nothing to do: the run that was resumed has finished\n");
    if (result->stopped_early)
        ls_print(stderr, "early stopping: %s has not improved for %s, it was best in epoch %lld\n",
                 report->monitor, ls_counted(result->waited, "epoch").text,
                 (long long)result->best_epoch);
    if (result->epochs == 0)
        return;
    if (!result->nothing_to_do)
        ls_print(stderr,
                 report->resumed ? "done: %s, %.2f s since the resume\n" : "done: %s in %.2f s\n",
                 ls_counted(result->epochs, "epoch").text, result->seconds);
    ls_print(stderr, "  best      epoch %lld, %s %s\n", (long long)result->best_epoch,
             report->monitor,
             ls_column_text(ls_metrics_find(report->monitor, strlen(report->monitor)), report->task,
                            result->best)
                 .text);
    char text[LINE_PART];
    write_columns(report, &result->final, false, ", ", text, sizeof text);
    ls_print(stderr, "  %-10sepoch %.0f%s, %s", "final", result->final.epoch,
             result->restored ? " (the best, restored)" : "", text);
    if (!isnan(result->final.val_loss)) {
        write_columns(report, &result->final, true, ", ", text, sizeof text);
        ls_print(stderr, ", %s", text);
    }
    print_watched(report, &result->final, ", ");
    ls_print(stderr, "\n");
    if (*config->run != '\0')
        ls_print(stderr, "  results   %s: metrics.csv, summary.json, checkpoints%s\n", config->run,
                 has_best_link(config->run) ? "/best" : "");
}

void ls_report_destroy(ls_report **report)
{
    if (report == NULL || *report == NULL)
        return;
    ls_console_draw(""); /* erase a bar that a failure has left */
    ls_free(*report);
    *report = NULL;
}
