/* A letter is a list of strokes: straight lines, and arcs of ellipses, which become short lines.
 * Units: a digit is 20 high and 12 wide, a small letter 14 high, the baseline is 0. The shade of a
 * pixel is the pen's coverage of it, computed from its distance to the nearest line. */
#include "cli/letters.h"

#include <math.h>
#include <stddef.h>

enum { STROKES = 5, HEIGHT = 20, GAP = 6, BLANK = 9, ARC_LINES = 16 };
static const double PEN = 2.3; /* the pen's width */

/* A line from (a, b) to (c, d); or an arc around (a, b) with radii c and d, between two angles in
 * units of 15 degrees, counter-clockwise from the right. */
typedef struct stroke {
    enum { NONE, A_LINE, AN_ARC } kind;
    double a, b, c, d, from, to;
} stroke;

#define LINE(x0, y0, x1, y1)                                                                       \
    {                                                                                              \
        A_LINE, x0, y0, x1, y1, 0, 0                                                               \
    }
#define ARC(x, y, rx, ry, from, to)                                                                \
    {                                                                                              \
        AN_ARC, x, y, rx, ry, from, to                                                             \
    }
#define RING(x, y, rx, ry) ARC(x, y, rx, ry, 0, 24)
#define DOT(x, y)          LINE(x, y, x, (y) + 0.4)
#define BOWL               RING(6, 7, 6, 7)

static const struct letter {
    char name;
    double width;
    stroke stroke[STROKES];
} letters[] = {
    {'0', 12, {RING(6, 10, 6, 10)}},
    {'1', 12, {LINE(2, 16, 7, 20), LINE(7, 20, 7, 0)}},
    {'2', 12, {ARC(6, 14, 5.6, 6, 11, -2), LINE(10.85, 11, 0.4, 0), LINE(0.4, 0, 11.8, 0)}},
    {'3', 12, {ARC(5.6, 15.2, 4.9, 4.8, 10, -6), ARC(5.6, 5.2, 5.9, 5.2, 6, -10)}},
    {'4', 12, {LINE(9, 0, 9, 20), LINE(9, 20, 0, 6), LINE(0, 6, 12, 6)}},
    {'5', 12, {LINE(11, 20, 2, 20), LINE(2, 20, 1.1, 10.9), ARC(5.5, 6.4, 6.2, 6.4, 9, -10)}},
    {'6', 12, {RING(6, 6.5, 6, 6.5), ARC(12, 6.5, 12, 13.5, 7, 12)}},
    {'7', 12, {LINE(0, 20, 12, 20), LINE(12, 20, 4, 0)}},
    {'8', 12, {RING(6, 15.2, 5, 4.8), RING(6, 5.2, 6, 5.2)}},
    {'9', 12, {RING(6, 13.5, 6, 6.5), ARC(0, 13.5, 12, 13.5, 0, -5)}},
    {'a', 12, {BOWL, LINE(12, 14, 12, 0)}},
    {'b', 12, {BOWL, LINE(0, 20, 0, 0)}},
    {'c', 11, {ARC(6, 7, 6, 7, 3, 21)}},
    {'d', 12, {BOWL, LINE(12, 20, 12, 0)}},
    {'e', 12, {ARC(6, 7, 6, 7, 0, 21), LINE(0, 7, 12, 7)}},
    {'f', 8, {ARC(7, 16, 4, 4, 5, 12), LINE(3, 16, 3, 0), LINE(0, 13, 8, 13)}},
    {'g', 12, {BOWL, LINE(12, 14, 12, -1), ARC(6, -1, 6, 5, 0, -10)}},
    {'h', 11, {LINE(0, 20, 0, 0), ARC(5.5, 8.5, 5.5, 5.5, 0, 12), LINE(11, 8.5, 11, 0)}},
    {'i', 0, {LINE(0, 14, 0, 0), DOT(0, 19.4)}},
    {'j', 4, {LINE(4, 14, 4, -2), ARC(0, -2, 4, 4, 0, -6), DOT(4, 19.4)}},
    {'k', 10, {LINE(0, 20, 0, 0), LINE(9, 14, 0, 5), LINE(3.6, 8.6, 10, 0)}},
    {'l', 0, {LINE(0, 20, 0, 0)}},
    {'m',
     16,
     {LINE(0, 14, 0, 0), ARC(4, 9.5, 4, 4.5, 0, 12), LINE(8, 9.5, 8, 0),
      ARC(12, 9.5, 4, 4.5, 0, 12), LINE(16, 9.5, 16, 0)}},
    {'n', 11, {LINE(0, 14, 0, 0), ARC(5.5, 8.5, 5.5, 5.5, 0, 12), LINE(11, 8.5, 11, 0)}},
    {'o', 12, {BOWL}},
    {'p', 12, {BOWL, LINE(0, 14, 0, -6)}},
    {'q', 12, {BOWL, LINE(12, 14, 12, -6)}},
    {'r', 7, {LINE(0, 14, 0, 0), ARC(6, 8, 6, 6, 5, 12)}},
    {'s', 10, {ARC(5, 10.5, 4.6, 3.5, 2, 18), ARC(5, 3.5, 4.8, 3.5, 6, -10)}},
    {'t', 8, {LINE(3, 19, 3, 4), ARC(7, 4, 4, 4, 12, 19), LINE(0, 14, 8, 14)}},
    {'u', 11, {LINE(0, 14, 0, 5.5), ARC(5.5, 5.5, 5.5, 5.5, 12, 24), LINE(11, 14, 11, 0)}},
    {'v', 11, {LINE(0, 14, 5.5, 0), LINE(5.5, 0, 11, 14)}},
    {'w', 16, {LINE(0, 14, 4, 0), LINE(4, 0, 8, 14), LINE(8, 14, 12, 0), LINE(12, 0, 16, 14)}},
    {'x', 11, {LINE(0, 14, 11, 0), LINE(11, 14, 0, 0)}},
    {'y', 12, {LINE(0, 14, 6, 0), LINE(12, 14, 3.5, -6)}},
    {'z', 10, {LINE(0, 14, 10, 14), LINE(10, 14, 0, 0), LINE(0, 0, 10, 0)}},
    {'.', 0, {DOT(0, 0)}},
    {':', 0, {DOT(0, 0), DOT(0, 12)}},
    {'-', 7, {LINE(0, 8, 7, 8)}},
    {'%', 18, {RING(3.5, 16, 3.5, 4), RING(14.5, 4, 3.5, 4), LINE(15, 20, 3, 0)}},
    {'>', 15, {LINE(0, 9, 15, 9), LINE(15, 9, 10, 14), LINE(15, 9, 10, 4)}},
};

/* Returns NULL if there is no such letter. */
static const struct letter *find_letter(char name)
{
    for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
        if (letters[i].name == name)
            return &letters[i];
    return NULL;
}

static double advance_of(char name)
{
    const struct letter *letter = find_letter(name);
    return letter != NULL ? letter->width + GAP : BLANK;
}

double ls_letters_width(const char *text, double height)
{
    double units = -GAP + PEN;
    for (; *text != '\0'; text++)
        units += advance_of(*text);
    return units > 0 ? units * height / HEIGHT : 0;
}

/* The pen, in pixels. */
typedef struct ls_pen {
    const ls_canvas *canvas;
    double x, y, scale, radius; /* origin of the letter; pixels per unit; pen's radius */
    uint8_t shade;
} ls_pen;

/* Returns the distance of (x, y) from the line between p and q. */
static double distance(double x, double y, const double p[2], const double q[2])
{
    const double dx = q[0] - p[0], dy = q[1] - p[1], square = dx * dx + dy * dy;
    const double along = square > 0 ? ((x - p[0]) * dx + (y - p[1]) * dy) / square : 0;
    const double t = fmin(fmax(along, 0), 1);
    return hypot(x - p[0] - t * dx, y - p[1] - t * dy);
}

/* Darkens a pixel to the shade of a coverage `part`; never lightens it. */
static void darken(const ls_pen *pen, int64_t x, int64_t y, double part)
{
    uint8_t *pixel = pen->canvas->pixels + (y * pen->canvas->width + x) * pen->canvas->channels;
    const double shade = 255 - part * (255 - pen->shade);
    for (int c = 0; c < pen->canvas->channels; c++)
        if (shade < pixel[c])
            pixel[c] = (uint8_t)(shade + 0.5);
}

/* Draws a line between two points of the letter. */
static void draw_line(const ls_pen *pen, double x0, double y0, double x1, double y1)
{
    const double p[] = {pen->x + x0 * pen->scale, pen->y - y0 * pen->scale};
    const double q[] = {pen->x + x1 * pen->scale, pen->y - y1 * pen->scale};
    const double reach = pen->radius + 0.5;
    const double left = fmax(floor(fmin(p[0], q[0]) - reach), 0);
    const double right = fmin(ceil(fmax(p[0], q[0]) + reach), (double)pen->canvas->width);
    const double top = fmax(floor(fmin(p[1], q[1]) - reach), 0);
    const double bottom = fmin(ceil(fmax(p[1], q[1]) + reach), (double)pen->canvas->height);
    for (int64_t y = (int64_t)top; y < (int64_t)bottom; y++)
        for (int64_t x = (int64_t)left; x < (int64_t)right; x++) {
            const double away = distance((double)x + 0.5, (double)y + 0.5, p, q);
            darken(pen, x, y, fmin(fmax(reach - away, 0), 1));
        }
}

static void draw_arc(const ls_pen *pen, const stroke *s)
{
    const double unit = acos(-1) / 12;
    double x = s->a + s->c * cos(s->from * unit), y = s->b + s->d * sin(s->from * unit);
    for (int i = 1; i <= ARC_LINES; i++) {
        const double angle = (s->from + (s->to - s->from) * i / ARC_LINES) * unit;
        const double next_x = s->a + s->c * cos(angle), next_y = s->b + s->d * sin(angle);
        draw_line(pen, x, y, next_x, next_y);
        x = next_x;
        y = next_y;
    }
}

void ls_letters_draw(const ls_canvas *canvas, double x, double y, double height, uint8_t shade,
                     const char *text)
{
    const double scale = height / HEIGHT, radius = PEN / 2 * scale;
    ls_pen pen = {canvas, x + radius, y, scale, radius, shade};
    for (; *text != '\0'; pen.x += advance_of(*text) * scale, text++) {
        const struct letter *letter = find_letter(*text);
        for (int i = 0; letter != NULL && i < STROKES; i++) {
            const stroke *s = &letter->stroke[i];
            if (s->kind == A_LINE)
                draw_line(&pen, s->a, s->b, s->c, s->d);
            else if (s->kind == AN_ARC)
                draw_arc(&pen, s);
        }
    }
}
