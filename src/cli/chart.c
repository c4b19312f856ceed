#include "cli/chart.h"

#include "cli/page.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum { WIDTH = 860 };

static void begin_figure(FILE *out, double width, double height, const char *label)
{
    fprintf(out,
            "<figure><svg width=\"%.0f\" viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"%s\" "
            "font-family=\"system-ui,sans-serif\" font-size=\"13\" fill=\"#555\">\n",
            width, width, height, label);
}

static void end_figure(FILE *out)
{
    fputs("</svg></figure>\n", out);
}

/* ---- curves */

enum { HEIGHT = 300, LEFT = 70, RIGHT = 150, TOP = 34, BOTTOM = 40 };

/* The axes of a chart: epochs 1 .. count; values from `low` to `high`, multiples of `step`. */
typedef struct frame {
    int64_t count;
    double low, high, step;
} frame;

static double x_of(const frame *f, int64_t epoch)
{
    const double part = f->count > 1 ? (double)(epoch - 1) / (double)(f->count - 1) : 0.5;
    return LEFT + part * (WIDTH - LEFT - RIGHT);
}

static double y_of(const frame *f, double value)
{
    return TOP + (f->high - value) / (f->high - f->low) * (HEIGHT - TOP - BOTTOM);
}

/* Returns the least of 1, 2 or 5 times a power of ten that is not below `rough`. */
static double rounded_step(double rough)
{
    const double decade = pow(10, floor(log10(rough)));
    return rough <= decade       ? decade
           : rough <= 2 * decade ? 2 * decade
           : rough <= 5 * decade ? 5 * decade
                                 : 10 * decade;
}

/* Returns the smallest frame of whole steps that holds all finite values; low is INFINITY if there
 * are none. */
static frame make_frame(const ls_curve curve[2], int64_t count)
{
    enum { STEPS = 5 };
    frame f = {.count = count, .low = INFINITY, .high = -INFINITY};
    for (int k = 0; k < 2; k++)
        for (int64_t i = 0; i < count; i++)
            if (isfinite(curve[k].value[i])) {
                f.low = fmin(f.low, curve[k].value[i]);
                f.high = fmax(f.high, curve[k].value[i]);
            }
    if (!isfinite(f.low))
        return f;
    /* A minimal height keeps the noise in the last digits of nearly equal values from being drawn
     * over the whole height. */
    const double span = fmax(f.high - f.low, fmax(1e-3, 1e-3 * fabs(f.high)));
    f.step = rounded_step(span / STEPS);
    f.low = floor(f.low / f.step) * f.step;
    f.high = ceil(f.high / f.step) * f.step;
    if (f.high - f.low < f.step)
        f.high = f.low + f.step;
    return f;
}

static void draw_heights(FILE *out, const frame *f)
{
    const int steps = (int)round((f->high - f->low) / f->step);
    for (int i = 0; i <= steps; i++) {
        const double value = (round(f->low / f->step) + i) * f->step, y = y_of(f, value);
        fprintf(out,
                "<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"#e3e3e3\"/>"
                "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.8g</text>\n",
                LEFT, WIDTH - RIGHT, y, y, LEFT - 8, y + 4, value);
    }
}

/* Returns the least step of 1, 2, 5, 10, 20, ... that fits into `count` at most `most` times. */
static int64_t round_step(int64_t count, int64_t most)
{
    static const int64_t ones[] = {1, 2, 5};
    int64_t tens = 1;
    for (int k = 0;; k = (k + 1) % 3, tens *= k == 0 ? 10 : 1)
        if (count / (ones[k] * tens) <= most)
            return ones[k] * tens;
}

static void draw_epochs(FILE *out, const frame *f)
{
    const int64_t step = round_step(f->count, 12);
    for (int64_t epoch = step; epoch <= f->count; epoch += step)
        fprintf(out, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%lld</text>\n",
                x_of(f, epoch), HEIGHT - BOTTOM + 18, (long long)epoch);
    fprintf(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">epoch</text>\n",
            LEFT + (WIDTH - LEFT - RIGHT) / 2, HEIGHT - 4);
}

static bool is_finite_at(const ls_curve *curve, int64_t count, int64_t at)
{
    return at >= 0 && at < count && isfinite(curve->value[at]);
}

static void draw_dot(FILE *out, const frame *f, const ls_curve *curve, int64_t at, double radius,
                     const char *colour)
{
    fprintf(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%g\" fill=\"%s\"/>\n", x_of(f, at + 1),
            y_of(f, curve->value[at]), radius, colour);
}

/* Draws a line, and a dot for each value without finite neighbours. */
static void draw_curve(FILE *out, const frame *f, const ls_curve *curve, const char *colour)
{
    fputs("<path d=\"", out);
    for (int64_t i = 0; i < f->count; i++)
        if (is_finite_at(curve, f->count, i))
            fprintf(out, "%c%.1f %.1f", is_finite_at(curve, f->count, i - 1) ? 'L' : 'M',
                    x_of(f, i + 1), y_of(f, curve->value[i]));
    fprintf(out, "\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\"%s/>\n", colour,
            curve->dashed ? " stroke-dasharray=\"7 4\"" : "");
    for (int64_t i = 0; i < f->count; i++)
        if (is_finite_at(curve, f->count, i) && !is_finite_at(curve, f->count, i - 1) &&
            !is_finite_at(curve, f->count, i + 1))
            draw_dot(out, f, curve, i, 3, colour);
}

static void draw_key(FILE *out, const ls_curve *curve, int line, const char *colour)
{
    const int x = WIDTH - RIGHT + 14, y = TOP + 12 + 22 * line;
    fprintf(out,
            "<line x1=\"%d\" x2=\"%d\" y1=\"%d\" y2=\"%d\" stroke=\"%s\" stroke-width=\"2\"%s/>"
            "<text x=\"%d\" y=\"%d\">%s</text>\n",
            x, x + 30, y, y, colour, curve->dashed ? " stroke-dasharray=\"7 4\"" : "", x + 38,
            y + 4, curve->name);
}

void ls_chart_curves(FILE *out, const char *title, const ls_curve curve[2], int64_t count,
                     int64_t marked)
{
    /* From Okabe and Ito's palette, distinguishable by colour-blind readers. */
    static const char *const colour[] = {"#0072B2", "#D55E00"};
    const frame f = make_frame(curve, count);
    int lines = 0;
    if (!isfinite(f.low)) {
        fprintf(out, "<p class=\"note\">No epoch has a %s.</p>\n", title);
        return;
    }
    begin_figure(out, WIDTH, HEIGHT, title);
    fprintf(out, "<text x=\"%d\" y=\"18\" font-size=\"15\" fill=\"#222\">%s</text>\n", LEFT, title);
    draw_heights(out, &f);
    draw_epochs(out, &f);
    for (int k = 0; k < 2; k++) {
        bool any = false;
        for (int64_t i = 0; i < count; i++)
            any = any || is_finite_at(&curve[k], count, i);
        if (!any)
            continue;
        draw_curve(out, &f, &curve[k], colour[k]);
        draw_key(out, &curve[k], lines++, colour[k]);
        if (!curve[k].dashed && is_finite_at(&curve[k], count, marked - 1))
            draw_dot(out, &f, &curve[k], marked - 1, 4.5, colour[k]);
    }
    end_figure(out);
}

/* ---- matrices */

enum { EDGE = 58, MOST_CELL = 46, LEAST_FONT = 9, MOST_FONT = 13 };

static int digits_of(int64_t count)
{
    return snprintf(NULL, 0, "%lld", (long long)count);
}

/* Draws the class numbers along both axes, as many as have room. */
static void draw_classes(FILE *out, int classes, double cell)
{
    const double side = cell * classes, room = fmax(16, 8 * digits_of(classes - 1) + 4);
    const int64_t step = round_step(classes, (int64_t)fmax(side / room, 1));
    for (int64_t k = 0; k < classes; k += step) {
        const double at = EDGE + ((double)k + 0.5) * cell;
        fprintf(out,
                "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%lld</text>"
                "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%lld</text>\n",
                at, EDGE - 7, (long long)k, EDGE - 7, at + 4.5, (long long)k);
    }
    fprintf(out,
            "<text x=\"%.1f\" y=\"18\" text-anchor=\"middle\" fill=\"#222\">predicted "
            "class</text><text transform=\"translate(16 %.1f) rotate(-90)\" "
            "text-anchor=\"middle\" fill=\"#222\">true class</text>\n",
            EDGE + side / 2, EDGE + side / 2);
}

static void draw_cell(FILE *out, int row, int column, int64_t count, int64_t sum, double cell,
                      double font)
{
    /* Opacity is the root of the cell's share: rare errors stay visible. */
    const double share = sqrt((double)count / (double)sum);
    const double x = EDGE + column * cell, y = EDGE + row * cell;
    fprintf(
        out,
        "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\" opacity=\"%.2f\">",
        x, y, cell, cell, row == column ? "#0072B2" : "#D55E00", fmax(share, 0.06));
    fprintf(out, "<title>%d taken for %d: %lld of %lld rows</title></rect>\n", row, column,
            (long long)count, (long long)sum);
    if (font > 0)
        fprintf(out,
                "<text x=\"%.1f\" y=\"%.1f\" font-size=\"%.1f\" text-anchor=\"middle\" "
                "fill=\"%s\">%lld</text>\n",
                x + cell / 2, y + cell / 2 + 0.35 * font, font, share > 0.7 ? "#fff" : "#222",
                (long long)count);
}

/* Draws lines between the cells; with more than 20 classes, between groups of ten cells. */
static void draw_grid(FILE *out, int classes, double cell)
{
    const double side = cell * classes;
    const int step = classes <= 20 ? 1 : 10;
    for (int k = 0; k < classes; k += step)
        fprintf(out, "<path d=\"M%.1f %dv%.1fM%d %.1fh%.1f\" stroke=\"#e3e3e3\"/>\n",
                EDGE + k * cell, EDGE, side, EDGE, EDGE + k * cell, side);
    fprintf(out,
            "<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%.1f\" fill=\"none\" "
            "stroke=\"#999\"/>\n",
            EDGE, EDGE, side, side);
}

void ls_chart_matrix(FILE *out, const int64_t *counts, int classes)
{
    assert(classes >= 1 && classes <= LS_CHART_MOST_CLASSES);
    const double cell = fmin(MOST_CELL, (double)(WIDTH - EDGE - 2) / classes);
    int64_t most = 0;
    for (int i = 0; i < classes * classes; i++)
        most = counts[i] > most ? counts[i] : most;
    const double fits = cell * 0.9 / (0.6 * digits_of(most));
    const double font = fits < LEAST_FONT ? 0 : fmin(fits, MOST_FONT);
    begin_figure(out, EDGE + cell * classes + 2, EDGE + cell * classes + 2, "confusion matrix");
    draw_classes(out, classes, cell);
    draw_grid(out, classes, cell);
    for (int i = 0; i < classes; i++) {
        int64_t sum = 0;
        for (int k = 0; k < classes; k++)
            sum += counts[i * classes + k];
        for (int k = 0; k < classes; k++)
            if (counts[i * classes + k] > 0)
                draw_cell(out, i, k, counts[i * classes + k], sum, cell, font);
    }
    end_figure(out);
}
