#include "cli/chart_plots.h"

#include "cli/svg.h"

#include <math.h>

enum { SIDE = 260, LEFT = 76, TOP = 34, RIGHT = 30, BOTTOM = 42, STEPS = 5 };

/* The axes of a figure: whole steps on both. */
typedef struct axes {
    double low[2], high[2], step[2]; /* of x and of y */
    double width;                    /* of the inner part, in pixels */
} axes;

static double x_of(const axes *a, double value)
{
    return LEFT + (value - a->low[0]) / (a->high[0] - a->low[0]) * a->width;
}

static double y_of(const axes *a, double value)
{
    return TOP + (a->high[1] - value) / (a->high[1] - a->low[1]) * SIDE;
}

/* Sets an axis to whole steps that hold low .. high. */
static void set_axis(axes *a, int axis, double low, double high)
{
    const double least = fmax(1e-6 * fmax(fabs(low), fabs(high)), 1e-30);
    const double step = ls_svg_rounded(fmax(high - low, least) / STEPS);
    a->step[axis] = step;
    a->low[axis] = floor(low / step) * step;
    a->high[axis] = ceil(high / step) * step;
    if (!(a->high[axis] > a->low[axis]))
        a->high[axis] = a->low[axis] + step;
}

/* Returns mark number i of an axis; 0 is not written as a tiny number. */
static double mark_of(const axes *a, int axis, int i)
{
    return (round(a->low[axis] / a->step[axis]) + i) * a->step[axis];
}

static int marks_of(const axes *a, int axis)
{
    return (int)round((a->high[axis] - a->low[axis]) / a->step[axis]);
}

static void draw_axes(FILE *out, const axes *a, const char *name_x, const char *name_y)
{
    const int every = marks_of(a, 0) > STEPS ? 2 : 1; /* wide numbers do not touch */
    for (int i = 0; i <= marks_of(a, 1); i++) {
        const double y = y_of(a, mark_of(a, 1, i));
        fprintf(out,
                "<path d=\"M%d %.1fh%.1f\" stroke=\"#e3e3e3\"/>"
                "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.6g</text>\n",
                LEFT, y, a->width, LEFT - 8, y + 4, mark_of(a, 1, i));
    }
    for (int i = 0; i <= marks_of(a, 0); i++) {
        const double x = x_of(a, mark_of(a, 0, i));
        fprintf(out, "<path d=\"M%.1f %dv%d\" stroke=\"#e3e3e3\"/>", x, TOP, SIDE);
        if (i % every == 0)
            fprintf(out, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%.6g</text>", x,
                    TOP + SIDE + 18, mark_of(a, 0, i));
        fputs("\n", out);
    }
    fprintf(out, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>\n",
            LEFT + a->width / 2, TOP + SIDE + 36, name_x);
    fprintf(out,
            "<text transform=\"translate(13 %d) rotate(-90)\" text-anchor=\"middle\">%s</text>\n",
            TOP + SIDE / 2, name_y);
}

static void begin(FILE *out, const axes *a, const char *title)
{
    ls_svg_begin(out, LEFT + a->width + RIGHT, TOP + SIDE + BOTTOM, title);
    fprintf(out, "<text x=\"%d\" y=\"18\" font-size=\"15\" fill=\"#222\">%s</text>\n", LEFT, title);
}

static void draw_diagonal(FILE *out, const axes *a)
{
    fprintf(out, "<path d=\"M%.1f %.1fL%.1f %.1f\" stroke=\"#999\" stroke-dasharray=\"5 4\"/>\n",
            x_of(a, a->low[0]), y_of(a, a->low[0]), x_of(a, a->high[0]), y_of(a, a->high[0]));
}

void ls_chart_points(FILE *out, const char *title, const ls_point *points, int64_t count)
{
    double low = INFINITY, high = -INFINITY;
    axes a = {.width = SIDE};
    for (int64_t i = 0; i < count; i++)
        if (isfinite(points[i].x) && isfinite(points[i].y)) {
            low = fmin(low, fmin(points[i].x, points[i].y));
            high = fmax(high, fmax(points[i].x, points[i].y));
        }
    if (!isfinite(low))
        return;
    set_axis(&a, 0, low, high);
    set_axis(&a, 1, low, high);
    begin(out, &a, title);
    draw_axes(out, &a, "true value", "predicted value");
    draw_diagonal(out, &a);
    for (int64_t i = 0; i < count; i++)
        if (isfinite(points[i].x) && isfinite(points[i].y))
            fprintf(out,
                    "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"2.2\" fill=\"%s\" opacity=\"0.45\"/>\n",
                    x_of(&a, points[i].x), y_of(&a, points[i].y), LS_SVG_BLUE);
    ls_svg_end(out);
}

void ls_chart_bars(FILE *out, const char *title, double from, double step, const int64_t *counts,
                   int bars)
{
    axes a = {.width = 1.3 * SIDE};
    int64_t most = 1;
    for (int i = 0; i < bars; i++)
        most = counts[i] > most ? counts[i] : most;
    set_axis(&a, 0, from, from + bars * step);
    set_axis(&a, 1, 0, (double)most);
    begin(out, &a, title);
    draw_axes(out, &a, "predicted minus true value", "rows");
    for (int i = 0; i < bars; i++) {
        const double x = x_of(&a, from + i * step), end = x_of(&a, from + (i + 1) * step);
        const double y = y_of(&a, (double)counts[i]);
        if (counts[i] > 0)
            fprintf(out,
                    "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"/>\n", x,
                    y, fmax(end - x - 1, 0.5), TOP + SIDE - y, LS_SVG_BLUE);
    }
    ls_svg_end(out);
}

void ls_chart_roc(FILE *out, const char *title, const ls_point *points, int64_t count)
{
    axes a = {.width = SIDE};
    set_axis(&a, 0, 0, 1);
    set_axis(&a, 1, 0, 1);
    begin(out, &a, title);
    draw_axes(out, &a, "false positive rate", "true positive rate");
    draw_diagonal(out, &a);
    fputs("<path d=\"", out);
    for (int64_t i = 0; i < count; i++)
        fprintf(out, "%c%.1f %.1f", i == 0 ? 'M' : 'L', x_of(&a, fmin(fmax(points[i].x, 0), 1)),
                y_of(&a, fmin(fmax(points[i].y, 0), 1)));
    fprintf(out, "\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\"/>\n", LS_SVG_BLUE);
    ls_svg_end(out);
}
