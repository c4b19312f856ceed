#include "cli/bar.h"

#include "base/show.h"
#include "cli/metric_text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

bool ls_bar_step(ls_bar *bar, double now, int64_t epoch, int64_t done, double loss)
{
    const bool first = epoch != bar->epoch || done <= bar->done;
    if (first)
        *bar = (ls_bar){.epochs = bar->epochs,
                        .rows = bar->rows,
                        .task = bar->task,
                        .interval = bar->interval,
                        .epoch = epoch,
                        .begin = now,
                        .last = now,
                        .first = done};
    bar->done = done;
    bar->loss += loss;
    bar->steps++;
    if (first || now - bar->last < bar->interval)
        return false;
    bar->last = now;
    return true;
}

/* Seconds as m:ss, h:mm:ss, or days. */
static void write_time(double seconds, char *out, size_t size)
{
    enum { MINUTE = 60, HOUR = 3600, DAY = 86400 };
    const int64_t s = seconds < 1e9 ? (int64_t)seconds : (int64_t)1e9;
    const int hours = (int)(s / HOUR), minutes = (int)(s % HOUR / MINUTE);
    if (s >= 2 * DAY)
        snprintf(out, size, "%d days", (int)(s / DAY));
    else if (hours > 0)
        snprintf(out, size, "%d:%02d:%02d", hours, minutes, (int)(s % MINUTE));
    else
        snprintf(out, size, "%d:%02d", minutes, (int)(s % MINUTE));
}

/* Parts of the line, in their order. */
enum { EPOCH, PERCENT, LOSS, SPEED, LEFT, PARTS };

/* The mean loss of the steps; of a task by step the perplexity, too. */
static void write_loss(const ls_bar *bar, char *out, size_t size)
{
    const double loss = bar->loss / (double)bar->steps;
    const int used =
        snprintf(out, size, "loss %.12s", ls_metric_text(LS_METRIC_LOSS, bar->task, loss).text);
    if (bar->task == LS_TASK_STEPS)
        snprintf(out + used, size - (size_t)used, "  perplexity %.9s",
                 ls_metric_text(LS_METRIC_PERPLEXITY, bar->task, exp(loss)).text);
}

static void write_parts(const ls_bar *bar, double now, char part[PARTS][40])
{
    const double rows = (double)bar->rows, done = (double)bar->done;
    const double seconds = now - bar->begin;
    const double speed = seconds > 0 ? (double)(bar->done - bar->first) / seconds : 0;
    const double rest = rows - done + (double)(bar->epochs - bar->epoch) * rows;
    char left[24];
    write_time(speed > 0 ? rest / speed : 1e9, left, sizeof left);
    snprintf(part[EPOCH], sizeof *part, "epoch %lld/%lld", (long long)bar->epoch,
             (long long)bar->epochs);
    snprintf(part[PERCENT], sizeof *part, "%3.0f %%", floor(100 * done / rows));
    write_loss(bar, part[LOSS], sizeof *part);
    snprintf(part[SPEED], sizeof *part, "%.24s samples/s", ls_grouped((int64_t)speed).text);
    snprintf(part[LEFT], sizeof *part, "%s left", left);
}

/* " [====    ]": the columns of blank and brackets; the columns between the brackets. */
enum { AROUND = 3, BAR_LEAST = 8, BAR_MOST = 24 };

/* Empties a part; returns the columns that this frees. */
static int leave_out(char part[40])
{
    const int columns = 2 + (int)strlen(part);
    *part = '\0';
    return columns;
}

/* Leaves parts out until the line fits; returns the columns of the remaining parts. The speed is
 * also left out to make room for a bar. */
static int choose_parts(char part[PARTS][40], int width, bool drawn)
{
    static const int least_important[] = {LOSS, LEFT, PERCENT};
    int used = -2;
    for (int i = 0; i < PARTS; i++)
        used += 2 + (int)strlen(part[i]);
    if (used + (drawn ? AROUND + BAR_LEAST : 0) > width)
        used -= leave_out(part[SPEED]);
    for (int i = 0; used > width && i < 3; i++)
        used -= leave_out(part[least_important[i]]);
    return used;
}

/* Writes a bar of `columns` columns; "" if these are too few. */
static void write_progress(double part, int columns, char out[LS_BAR_TEXT])
{
    const int room = columns - AROUND, length = room < BAR_MOST ? room : BAR_MOST;
    *out = '\0';
    if (length < BAR_LEAST)
        return;
    const int full = (int)(part * length);
    snprintf(out, LS_BAR_TEXT, " [%.*s%*s]", full, "========================", length - full, "");
}

void ls_bar_text(const ls_bar *bar, double now, int width, bool drawn, char out[LS_BAR_TEXT])
{
    char part[PARTS][40], text[LS_BAR_TEXT];
    const int most = width < LS_BAR_TEXT - 1 ? width : LS_BAR_TEXT - 1;
    write_parts(bar, now, part);
    const int used = choose_parts(part, most, drawn);
    write_progress((double)bar->done / (double)bar->rows, drawn ? most - used : 0, text);
    int length = snprintf(out, LS_BAR_TEXT, "%s%s", part[EPOCH], text);
    for (int i = EPOCH + 1; i < PARTS; i++)
        if (*part[i] != '\0')
            length += snprintf(out + length, LS_BAR_TEXT - (size_t)length, "  %s", part[i]);
    if (length > most)
        out[most > 0 ? most : 0] = '\0';
}
