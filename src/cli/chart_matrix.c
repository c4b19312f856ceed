/* The confusion matrix:
 *
 *              predicted class
 *          0 cat   1 dog      names along the top are written upwards
 *     0 cat   97      3
 *     1 dog    4     96
 */
#include "cli/chart.h"

#include "base/show.h"
#include "cli/class_label.h"
#include "cli/page.h"
#include "cli/svg.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

enum { MOST_CELL = 46, LEAST_FONT = 9, MOST_FONT = 13 };

/* Where the matrix lies, and what its classes are called. */
typedef struct matrix {
    int classes;
    const char *const *names; /* or NULL */
    const char *counted;
    double edge;       /* left and above the cells, for labels */
    double cell, side; /* of a cell, of all cells */
} matrix;

static int digits_of(int64_t count)
{
    return snprintf(NULL, 0, "%lld", (long long)count);
}

static matrix place(int classes, const char *const *names, const char *counted)
{
    static const double title = 32, digits = 26, letter = 7.7 /* pixels of a column */;
    matrix m = {.classes = classes, .names = names, .counted = counted};
    m.edge = title + (names != NULL ? 7 + letter * ls_class_columns(names, classes) : digits);
    m.cell = fmin(MOST_CELL, (LS_SVG_WIDTH - m.edge - 2) / classes);
    m.side = m.cell * classes;
    return m;
}

static void put_label(FILE *out, const matrix *m, int64_t k)
{
    ls_page_text(out, ls_class_label(m->names, k).text);
    fputs("</text>\n", out);
}

/* Draws the classes along both axes, as many as have room. */
static void draw_classes(FILE *out, const matrix *m)
{
    const double room = m->names != NULL ? 16 : fmax(16, 8 * digits_of(m->classes - 1) + 4);
    const int64_t step = ls_svg_step(m->classes, (int64_t)fmax(m->side / room, 1));
    const double edge = m->edge - 7;
    for (int64_t k = 0; k < m->classes; k += step) {
        const double at = m->edge + ((double)k + 0.5) * m->cell;
        if (m->names != NULL)
            fprintf(out, "<text transform=\"translate(%.1f %.1f) rotate(-90)\">", at + 4.5, edge);
        else
            fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">", at, edge);
        put_label(out, m, k);
        fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">", edge, at + 4.5);
        put_label(out, m, k);
    }
    const double middle = m->edge + m->side / 2;
    fprintf(out,
            "<text x=\"%.1f\" y=\"18\" text-anchor=\"middle\" fill=\"#222\">predicted "
            "class</text><text transform=\"translate(16 %.1f) rotate(-90)\" "
            "text-anchor=\"middle\" fill=\"#222\">true class</text>\n",
            middle, middle);
}

static void draw_cell(FILE *out, const matrix *m, int row, int column, int64_t count, int64_t sum,
                      double font)
{
    /* Opacity is the root of the cell's share: rare errors stay visible. */
    const double share = sqrt((double)count / (double)sum);
    const double x = m->edge + column * m->cell, y = m->edge + row * m->cell;
    fprintf(
        out,
        "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\" opacity=\"%.2f\">",
        x, y, m->cell, m->cell, row == column ? LS_SVG_BLUE : LS_SVG_ORANGE, fmax(share, 0.06));
    fputs("<title>", out);
    ls_page_text(out, ls_class_label(m->names, row).text);
    fputs(" taken for ", out);
    ls_page_text(out, ls_class_label(m->names, column).text);
    fprintf(out, ": %lld of %lld %s</title></rect>\n", (long long)count, (long long)sum,
            m->counted);
    if (font > 0)
        fprintf(out,
                "<text x=\"%.1f\" y=\"%.1f\" font-size=\"%.1f\" text-anchor=\"middle\" "
                "fill=\"%s\">%lld</text>\n",
                x + m->cell / 2, y + m->cell / 2 + 0.35 * font, font, share > 0.7 ? "#fff" : "#222",
                (long long)count);
}

/* Draws lines between the cells; with more than 20 classes, between groups of ten cells. */
static void draw_grid(FILE *out, const matrix *m)
{
    const int step = m->classes <= 20 ? 1 : 10;
    for (int k = 0; k < m->classes; k += step)
        fprintf(out, "<path d=\"M%.1f %.1fv%.1fM%.1f %.1fh%.1f\" stroke=\"#e3e3e3\"/>\n",
                m->edge + k * m->cell, m->edge, m->side, m->edge, m->edge + k * m->cell, m->side);
    fprintf(out,
            "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"none\" "
            "stroke=\"#999\"/>\n",
            m->edge, m->edge, m->side, m->side);
}

/* Draws the cells of a row that have counts. */
static void draw_row(FILE *out, const matrix *m, const int64_t *counts, int row, double font)
{
    int64_t sum = 0;
    for (int k = 0; k < m->classes; k++)
        sum += counts[k];
    for (int k = 0; k < m->classes; k++)
        if (counts[k] > 0)
            draw_cell(out, m, row, k, counts[k], sum, font);
}

void ls_chart_matrix(FILE *out, const int64_t *counts, int classes, const char *const *names,
                     const char *counted)
{
    assert(classes >= 1 && classes <= LS_CHART_MOST_CLASSES);
    const matrix m = place(classes, names, counted);
    int64_t most = 0;
    for (int i = 0; i < classes * classes; i++)
        most = counts[i] > most ? counts[i] : most;
    const double fits = m.cell * 0.9 / (0.6 * digits_of(most));
    const double font = fits < LEAST_FONT ? 0 : fmin(fits, MOST_FONT);
    ls_svg_begin(out, m.edge + m.side + 2, m.edge + m.side + 2, "confusion matrix");
    draw_classes(out, &m);
    draw_grid(out, &m);
    for (int i = 0; i < classes; i++)
        draw_row(out, &m, counts + (int64_t)i * classes, i, font);
    ls_svg_end(out);
}
