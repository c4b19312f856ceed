#include "cli/report.h"

#include "cli/bar.h"
#include "cli/console.h"
#include "cli/launcher.h"
#include "cli/metric_text.h"
#include "cli/samples.h"
#include "cli/start_table.h"

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
    ls_metric main;  /* printed beside the loss */
    const char *run; /* the run folder, borrowed; "": none */
    bool saves;      /* into a run folder */
    bool resumed;
    int64_t latest_epoch; /* of the latest step; latest: its end */
    double latest;
    int long_steps; /* in a row: a single long step may have another cause */
    bool stop_printed;
};

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
    report->run = info->config->run;
    report->saves = *report->run != '\0';
    report->resumed = *info->resumed != '\0';
    if (info->config->lr == 0)
        report_note(user, "--lr 0: nothing is learned");
    if (info->config->time_limit > 0 && !report->saves)
        report_note(user, "a time limit without --run: nothing is saved when the time is over");
    if (report->quiet)
        return;
    ls_start_table_print(info);
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

static bool watches_epoch(const ls_report *report)
{
    return strcmp(report->monitor, ls_monitor_name(LS_MONITOR_EPOCH)) == 0;
}

/* Returns the watched column, -1 if it is one of the columns that are always printed. */
static int watched_column(const ls_report *report, const ls_metrics *m)
{
    const int column = ls_metrics_find(report->monitor, strlen(report->monitor));
    if (watches_epoch(report))
        return -1;
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

static ls_status report_samples(void *user, const ls_generated *rows)
{
    const ls_report *report = user;
    return report->saves ? ls_samples_save(report->run, rows) : LS_OK;
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
                              .samples = report_samples,
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
    ls_print(stderr, "  best      epoch %lld", (long long)result->best_epoch);
    if (watches_epoch(report))
        ls_print(stderr, ", the latest\n");
    else
        ls_print(stderr, ", %s %s\n", report->monitor,
                 ls_column_text(ls_metrics_find(report->monitor, strlen(report->monitor)),
                                report->task, result->best)
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
