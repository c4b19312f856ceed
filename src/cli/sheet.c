/* A cell, whose margins and letters grow with the image:
 *
 *     caption      note
 *     +---------------+
 *     |     image     |
 *     +---------------+
 */
#include "cli/sheet.h"

#include "base/integer.h"
#include "base/memory.h"
#include "cli/letters.h"
#include "cli/png.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* Pixels of an image's larger side, if enlarging is needed; of a bare sheet. */
enum { LEAST = 128, LEAST_BARE = 56 };
enum { FRAME = 1 };
enum { PAPER = 255, INK = 20, GREY = 90, FRAME_GREY = 190 };

/* All sizes in pixels. */
struct ls_sheet {
    ls_sheet_layout layout;
    int64_t zoom;
    int64_t caption, note;          /* heights of their digits */
    int64_t line;                   /* from the top of the caption to the image */
    int64_t gap;                    /* between cells and around them */
    int64_t lead_width, cell_width; /* of a cell in the first column, in the others; with gap */
    int64_t cell_height;
    ls_canvas canvas; /* owns its pixels */
};

static void fill(const ls_canvas *canvas, int64_t x, int64_t y, int64_t width, int64_t height,
                 uint8_t shade)
{
    const int64_t C = canvas->channels;
    for (int64_t row = y; row < y + height; row++)
        memset(canvas->pixels + (row * canvas->width + x) * C, shade, (size_t)(width * C));
}

static void draw_image(ls_sheet *s, int64_t x, int64_t y, const uint8_t *pixels)
{
    const ls_shape *shape = &s->layout.shape;
    const int64_t C = shape->channels, plane = shape->height * shape->width, zoom = s->zoom;
    for (int64_t row = 0; row < shape->height * zoom; row++)
        for (int64_t column = 0; column < shape->width * zoom; column++)
            for (int64_t c = 0; c < C; c++)
                s->canvas.pixels[((y + row) * s->canvas.width + x + column) * C + c] =
                    pixels[c * plane + row / zoom * shape->width + column / zoom];
}

/* Returns the width of a line: its caption, and its note to the right. */
static int64_t line_width(const ls_sheet *s, const ls_sheet_line *line)
{
    const double between = *line->caption != '\0' && *line->note != '\0' ? (double)s->caption : 0;
    return (int64_t)ceil(ls_letters_width(line->caption, (double)s->caption) + between +
                         ls_letters_width(line->note, (double)s->note));
}

/* Computes all sizes of the sheet's parts. */
static void compute_sizes(ls_sheet *s)
{
    const ls_shape *shape = &s->layout.shape;
    const int64_t side = ls_max(shape->height, shape->width);
    const int64_t least = s->layout.bare ? LEAST_BARE : LEAST;
    s->zoom = (least + side - 1) / side;
    s->caption = ls_max(side * s->zoom / 9, 12);
    s->note = s->caption * 4 / 5;
    s->line = s->caption + ls_max(s->caption / 2, 6);
    s->gap = ls_max(side * s->zoom / 10, 12);
    const int64_t framed = shape->width * s->zoom + 2 * FRAME;
    s->cell_width = ls_max(framed, line_width(s, &s->layout.line)) + s->gap;
    s->lead_width = s->layout.apart ? ls_max(framed, line_width(s, &s->layout.lead)) + 2 * s->gap
                                    : s->cell_width;
    if (s->layout.bare) {
        s->line = 0;
        s->gap = 2;
        s->cell_width = s->lead_width = framed + s->gap;
    }
    s->cell_height = s->line + shape->height * s->zoom + 2 * FRAME + s->gap;
}

/* Computes the canvas's size and allocates its pixels. */
static ls_status allocate_canvas(ls_sheet *s)
{
    const double most_pixels = 1 << 28, most_side = 1 << 20;
    const ls_sheet_layout *l = &s->layout;
    const double width =
        (double)s->gap + (double)s->lead_width + (double)(l->columns - 1) * (double)s->cell_width;
    const double height = (double)s->gap + (double)l->rows * (double)s->cell_height;
    if (width > most_side || height > most_side || width * height > most_pixels)
        return ls_fail(LS_ERR_USAGE,
                       "a sheet of %lld x %lld images would have %.0f x %.0f pixels: ask for fewer",
                       (long long)l->columns, (long long)l->rows, width, height);
    s->canvas = (ls_canvas){(int64_t)width, (int64_t)height, (int)l->shape.channels, NULL};
    s->canvas.pixels = ls_alloc(s->canvas.width * s->canvas.height, (size_t)s->canvas.channels);
    if (s->canvas.pixels == NULL)
        return LS_ERR_FAILURE;
    fill(&s->canvas, 0, 0, s->canvas.width, s->canvas.height, PAPER);
    return LS_OK;
}

ls_status ls_sheet_create(ls_sheet **out, const ls_sheet_layout *layout)
{
    if (layout->shape.channels != 1 && layout->shape.channels != 3)
        return ls_fail(LS_ERR_USAGE,
                       "images of %lld channels can't be shown: they must have 1, or 3 for red, "
                       "green and blue",
                       (long long)layout->shape.channels);
    ls_sheet *s = ls_alloc(1, sizeof *s);
    if (s == NULL)
        return LS_ERR_FAILURE;
    *s = (ls_sheet){.layout = *layout};
    compute_sizes(s);
    s->layout.line = s->layout.lead = (ls_sheet_line){NULL, NULL}; /* they belong to the caller */
    ls_status status = allocate_canvas(s);
    if (status == LS_OK)
        *out = s;
    else
        ls_sheet_destroy(&s);
    return status;
}

void ls_sheet_put(ls_sheet *s, int64_t at, const uint8_t *pixels, const char *caption,
                  const char *note)
{
    const ls_sheet_layout *l = &s->layout;
    const int64_t column = at % l->columns, row = at / l->columns;
    const int64_t x = s->gap + (column > 0 ? s->lead_width + (column - 1) * s->cell_width : 0);
    const int64_t y = s->gap + row * s->cell_height;
    const int64_t width = l->shape.width * s->zoom + 2 * FRAME;
    const int64_t height = l->shape.height * s->zoom + 2 * FRAME;
    const ls_sheet_line line = {caption, note};
    const int64_t end = x + ls_max(width, line_width(s, &line));
    assert(row < l->rows);
    ls_letters_draw(&s->canvas, (double)x, (double)(y + s->caption), (double)s->caption, INK,
                    caption);
    ls_letters_draw(&s->canvas, (double)end - ls_letters_width(note, (double)s->note),
                    (double)(y + s->caption), (double)s->note, GREY, note);
    fill(&s->canvas, x, y + s->line, width, height, FRAME_GREY);
    draw_image(s, x + FRAME, y + s->line + FRAME, pixels);
}

ls_status ls_sheet_write(const ls_sheet *s, const char *path)
{
    return ls_png_write(path, s->canvas.width, s->canvas.height, s->canvas.channels,
                        s->canvas.pixels);
}

int64_t ls_sheet_columns(int64_t images)
{
    return ls_max(1, (int64_t)ceil(sqrt((double)images)));
}

void ls_sheet_destroy(ls_sheet **sheet)
{
    if (sheet == NULL || *sheet == NULL)
        return;
    ls_free((*sheet)->canvas.pixels);
    ls_free(*sheet);
    *sheet = NULL;
}
