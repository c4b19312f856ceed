#include "cli/chart.h"

#include "cli/svg.h"

#include <math.h>
#include <string.h>

enum { WIDTH = LS_SVG_WIDTH, HEIGHT = 300, LEFT = 70, RIGHT = 150, TOP = 34, BOTTOM = 40 };

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
    f.step = ls_svg_rounded(span / STEPS);
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

static void draw_epochs(FILE *out, const frame *f)
{
    const int64_t step = ls_svg_step(f->count, 12);
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
    static const char *const colour[] = {LS_SVG_BLUE, LS_SVG_ORANGE};
    const frame f = make_frame(curve, count);
    int lines = 0;
    if (!isfinite(f.low)) {
        fprintf(out, "<p class=\"note\">No epoch has a %s.</p>\n", title);
        return;
    }
    ls_svg_begin(out, WIDTH, HEIGHT, title);
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
    ls_svg_end(out);
}
