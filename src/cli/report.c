#include "cli/report.h"

#include "cli/launcher.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"

#include <lockstep/version.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct ls_report {
    bool quiet;
    bool terminal; /* someone watches: draw a bar */
    bool drawn;    /* a bar stands on the current line */
    int64_t epochs;
    int64_t rows; /* of an epoch */
    char monitor[32];
    int64_t bar_epoch;
    double epoch_begin, last_drawn;
    int64_t first_rows; /* of the epoch's first step */
    double loss_sum;    /* over the steps of the epoch */
    int64_t steps;
};

/* "1 epoch", "2 epochs". */
static const char *counted(int64_t count, const char *noun, char out[64])
{
    snprintf(out, 64, "%lld %s%s", (long long)count, noun, count == 1 ? "" : "s");
    return out;
}

/* A whole number with commas between its thousands. */
static const char *grouped(int64_t value, char out[32])
{
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%lld", (long long)value), used = 0;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            out[used++] = ',';
        out[used++] = digits[i];
    }
    out[used] = '\0';
    return out;
}

static void print_shape(ls_shape shape)
{
    if (shape.height == 1 && shape.width == 1)
        fprintf(stderr, "%lld", (long long)shape.channels);
    else
        fprintf(stderr, "%lldx%lldx%lld", (long long)shape.channels, (long long)shape.height,
                (long long)shape.width);
}

static void print_data(const ls_run_info *info)
{
    const ls_dataset_info *d = info->dataset;
    char train[32], validation[32];
    fprintf(stderr, "  data      %s%s%s: %s training and %s validation rows, ", d->name,
            *d->name != '\0' ? ", " : "", info->config->data, grouped(d->rows[LS_TRAIN], train),
            grouped(d->rows[LS_VALIDATION], validation));
    print_shape((ls_shape){d->channels, d->height, d->width});
    fprintf(stderr, ", %d classes\n", d->classes);
}

static void print_network(const ls_run_info *info)
{
    char number[32];
    const ls_dataset_info *d = info->dataset;
    ls_shape input = {d->channels, d->height, d->width};
    for (int i = 0; i < ls_network_layers(info->network); i++) {
        ls_layer_info layer = ls_network_layer(info->network, i);
        fprintf(stderr, "  %-10s%-14s", i == 0 ? "network" : "", layer.word);
        print_shape(input);
        fprintf(stderr, " -> ");
        print_shape(layer.output);
        if (layer.parameters > 0)
            fprintf(stderr, ", %s parameters", grouped(layer.parameters, number));
        fprintf(stderr, "\n");
        input = layer.output;
    }
    fprintf(stderr, "  %-10s%s parameters together\n", "",
            grouped(ls_network_size(info->network), number));
}

/* What the learning rate does, where it does anything. */
static void print_schedule(const ls_run_info *info)
{
    const ls_schedule_config *s = &info->config->schedule;
    const bool scaled = s->scaling != LS_LR_AS_GIVEN;
    if (s->kind == LS_SCHEDULE_CONSTANT && s->warmup == 0 && !scaled)
        return;
    fprintf(stderr, "  %-10sschedule %s", "", ls_schedule_name(s->kind));
    if (s->warmup > 0)
        fprintf(stderr, ", warmup of %g epoch%s", s->warmup, s->warmup == 1 ? "" : "s");
    if (scaled)
        fprintf(stderr, ", lr scaled from %g for a batch of %lld", info->config->lr,
                (long long)s->base_batch);
    fprintf(stderr, "\n");
}

static void print_training(const ls_run_info *info)
{
    static const char *const losses[] = {"cross-entropy", "mse"};
    const ls_train_config *c = info->config;
    char epochs[64], steps[64];
    fprintf(stderr, "  training  %s, %s, lr %g, global batch %lld (%s an epoch), %s, seed %llu\n",
            losses[c->loss], ls_optimizer_name(c->optimizer.kind), info->lr, (long long)c->batch,
            counted(info->plan->steps, "step", steps), counted(c->epochs, "epoch", epochs),
            (unsigned long long)c->seed);
    print_schedule(info);
    if (info->augmented)
        fprintf(stderr, "  %-10saugmented by %s\n", "", c->augment);
    if (c->optimizer.clip_norm > 0)
        fprintf(stderr, "  %-10sgradients clipped at norm %g\n", "", c->optimizer.clip_norm);
    if (c->optimizer.ema > 0)
        fprintf(stderr, "  %-10sjudged by a moving average of the parameters, decay %g\n", "",
                c->optimizer.ema);
    fprintf(stderr, "  %-10swatching %s", "", info->monitor);
    if (c->patience > 0)
        fprintf(stderr, ", stopping after %s without improvement",
                counted(c->patience, "epoch", epochs));
    fprintf(stderr, "\n");
}

static const char *host_of(const ls_topology *t, int node)
{
    int r = 0;
    while (t->seat[r].node != node)
        r++;
    return t->seat[r].host;
}

/* A line per node: its ranks, cores and threads. */
static void print_ranks(const ls_run_info *info)
{
    const ls_topology *t = info->topology;
    for (int n = 0; n < t->nodes; n++) {
        int ranks = 0, first = -1, last = -1;
        for (int r = 0; r < t->ranks; r++)
            if (t->seat[r].node == n) {
                first = first < 0 ? r : first;
                last = r;
                ranks++;
            }
        const ls_seat *seat = &t->seat[first];
        fprintf(stderr, "  %-10s%s: %d rank%s", n == 0 ? "ranks" : "", seat->host, ranks,
                ranks > 1 ? "s" : "");
        if (ranks > 1)
            fprintf(stderr, " (%d..%d)", first, last);
        fprintf(stderr, ", %son %d core%s%s with %d thread%s\n", ranks > 1 ? "each " : "",
                seat->cores, seat->cores > 1 ? "s" : "",
                seat->alone ? (seat->bound ? " of its own" : "") : " that ranks share",
                seat->threads, seat->threads > 1 ? "s" : "");
    }
    if (t->oversubscribed_node >= 0)
        fprintf(stderr,
                "  warning   more threads than cores on %s: this is for tests, not for speed\n",
                host_of(t, t->oversubscribed_node));
}

static void start(void *user, const ls_run_info *info)
{
    ls_report *report = user;
    char epochs[64];
    report->epochs = info->config->epochs;
    report->rows = info->plan->rows;
    snprintf(report->monitor, sizeof report->monitor, "%s", info->monitor);
    if (report->quiet)
        return;
    fprintf(stderr, "lockstep %s\n", LS_VERSION);
    print_data(info);
    print_network(info);
    print_training(info);
    print_ranks(info);
    if (*info->config->run != '\0')
        fprintf(stderr, "  run       %s\n", info->config->run);
    else
        fprintf(stderr, "  run       no --run folder: nothing is saved\n");
    if (*info->resumed != '\0') {
        fprintf(stderr, "  resumed   %s, %s", info->resumed,
                counted(info->epochs_done, "epoch", epochs));
        if (info->steps_done > 0)
            fprintf(stderr, " and %s of %lld", counted(info->steps_done, "step", epochs),
                    (long long)info->plan->steps);
        fprintf(stderr, " done\n");
    }
    fprintf(stderr, "  ready     after %.2f s\n", info->setup_seconds);
}

/* Removes the bar, so that a line can be printed. */
static void wipe(ls_report *report)
{
    if (report->drawn)
        fputs("\r\033[K", stderr);
    report->drawn = false;
}

static void step(void *user, int64_t epoch, int64_t rows, double loss)
{
    enum { WIDTH = 24 };
    ls_report *report = user;
    if (!report->terminal || report->quiet)
        return;
    const double now = ls_now();
    const bool first = epoch != report->bar_epoch;
    report->bar_epoch = epoch;
    report->loss_sum = loss + (first ? 0 : report->loss_sum);
    report->steps = 1 + (first ? 0 : report->steps);
    if (first) {
        report->epoch_begin = now; /* the rows of its first step are not counted */
        report->first_rows = rows;
        report->last_drawn = 0;
        return;
    }
    if (now - report->last_drawn < 0.1 && rows < report->rows)
        return;
    report->last_drawn = now;
    double part = (double)rows / (double)report->rows;
    double speed = (double)(rows - report->first_rows) / (now - report->epoch_begin);
    double left =
        ((double)(report->rows - rows) + (double)(report->epochs - epoch) * (double)report->rows) /
        speed;
    char bar[WIDTH + 1], number[32];
    for (int i = 0; i < WIDTH; i++)
        bar[i] = i < (int)(part * WIDTH) ? '=' : ' ';
    bar[WIDTH] = '\0';
    fprintf(stderr, "\r\033[Kepoch %lld/%lld [%s] %3.0f %%  loss %.4f  %s samples/s  %d:%02d left",
            (long long)epoch, (long long)report->epochs, bar, 100 * part,
            ls_plain_number(report->loss_sum / (double)report->steps),
            grouped((int64_t)speed, number), (int)(left / 60), (int)fmod(left, 60));
    report->drawn = true;
}

static void epoch(void *user, const ls_metrics *m, bool best)
{
    ls_report *report = user;
    char number[32];
    wipe(report);
    if (report->quiet)
        return;
    fprintf(stderr, "epoch %.0f/%lld  loss %.4f  accuracy %.4f", m->epoch,
            (long long)report->epochs, ls_plain_number(m->loss), ls_plain_number(m->accuracy));
    if (!isnan(m->val_loss))
        fprintf(stderr, "  val_loss %.4f  val_accuracy %.4f", m->val_loss, m->val_accuracy);
    fprintf(stderr, "  %.3f s  %s samples/s%s\n", m->seconds,
            grouped((int64_t)m->samples_per_second, number), best ? "  best" : "");
}

static void note(void *user, const char *text)
{
    wipe(user);
    fprintf(stderr, "note: %s\n", text);
}

/* The job hangs: what this says is all that can still be done for it. mpirun, or Slurm, ends the
 * other ranks when this one is gone. */
static void stuck(void *user, const char *text, bool end)
{
    (void)user; /* the main thread's, which hangs */
    fprintf(stderr, "lockstep: %s%s\n", end ? "stuck: " : "", text);
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
    report->terminal = ls_launcher_on_terminal();
    *observer = (ls_observer){
        .user = report, .start = start, .step = step, .epoch = epoch, .note = note, .stuck = stuck};
    *out = report;
    return LS_OK;
}

/* File systems without symbolic links have none. */
static bool has_best_link(const char *run)
{
    char path[4096];
    return snprintf(path, sizeof path, "%s/checkpoints/best", run) < (int)sizeof path &&
           access(path, F_OK) == 0;
}

void ls_report_finish(ls_report *report, const ls_train_config *config,
                      const ls_train_result *result)
{
    wipe(report);
    char epochs[64];
    const ls_early_stop *stop = &result->early_stop;
    if (result->nothing_to_do && result->epochs > 0)
        fprintf(stderr, "nothing to do: the run that was resumed has finished\n");
    if (result->stopped_early)
        fprintf(stderr, "early stopping: %s has not improved for %s, it was best in epoch %lld\n",
                report->monitor, counted(stop->waited, "epoch", epochs),
                (long long)stop->best_epoch);
    if (result->epochs == 0)
        return;
    if (!result->nothing_to_do)
        fprintf(stderr, "done: %s in %.2f s\n", counted(result->epochs, "epoch", epochs),
                result->seconds);
    fprintf(stderr, "  best      epoch %lld, %s %.4f\n", (long long)stop->best_epoch,
            report->monitor, stop->best);
    fprintf(stderr, "  %-10sepoch %.0f%s, loss %.4f, accuracy %.4f", "final", result->final.epoch,
            result->restored ? " (the best, restored)" : "", ls_plain_number(result->final.loss),
            ls_plain_number(result->final.accuracy));
    if (!isnan(result->final.val_loss))
        fprintf(stderr, ", val_loss %.4f, val_accuracy %.4f", result->final.val_loss,
                result->final.val_accuracy);
    fprintf(stderr, "\n");
    if (*config->run != '\0')
        fprintf(stderr, "  results   %s: metrics.csv, summary.json, checkpoints%s\n", config->run,
                has_best_link(config->run) ? "/best" : "");
}

void ls_report_destroy(ls_report **report)
{
    if (report == NULL || *report == NULL)
        return;
    wipe(*report); /* a failure may have left a bar, and its line comes next */
    ls_free(*report);
    *report = NULL;
}
