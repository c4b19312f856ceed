/* A cell, all sizes in pixels:
 *
 *     caption      note
 *     +---------------+
 *     |     image     |
 *     +---------------+
 */
#include "cli/sheet.h"

#include "base/memory.h"
#include "cli/png.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum {
    LEAST = 100, /* of an image's larger side, where enlarging can do it */
    GAP = 12,    /* between cells and around them */
    APART = 16,  /* more of it */
    LINE = 4,    /* between caption and image */
    FRAME = 1,
    GLYPH_WIDTH = 5,
    GLYPH_HEIGHT = 7,
    ADVANCE = GLYPH_WIDTH + 1,
    CAPTION_SIZE = 2, /* pixels of a dot of its letters */
    NOTE_SIZE = 1,
    PAPER = 255,
    INK = 20,
    GREY = 110,
    FRAME_GREY = 190
};

struct ls_sheet {
    ls_sheet_layout layout;
    int64_t zoom;
    int64_t cell_width, cell_height; /* with the gap after it */
    int64_t width, height;
    uint8_t *pixels; /* [height][width][channels] */
};

/* Letters of 5x7 dots: columns from left to right, the lowest bit on top. */
static const struct {
    char letter;
    uint8_t column[GLYPH_WIDTH];
} glyphs[] = {
    {'0', {0x3e, 0x51, 0x49, 0x45, 0x3e}}, {'1', {0x00, 0x42, 0x7f, 0x40, 0x00}},
    {'2', {0x42, 0x61, 0x51, 0x49, 0x46}}, {'3', {0x21, 0x41, 0x45, 0x4b, 0x31}},
    {'4', {0x18, 0x14, 0x12, 0x7f, 0x10}}, {'5', {0x27, 0x45, 0x45, 0x45, 0x39}},
    {'6', {0x3c, 0x4a, 0x49, 0x49, 0x30}}, {'7', {0x01, 0x71, 0x09, 0x05, 0x03}},
    {'8', {0x36, 0x49, 0x49, 0x49, 0x36}}, {'9', {0x06, 0x49, 0x49, 0x29, 0x1e}},
    {'a', {0x20, 0x54, 0x54, 0x54, 0x78}}, {'b', {0x7f, 0x48, 0x44, 0x44, 0x38}},
    {'c', {0x38, 0x44, 0x44, 0x44, 0x20}}, {'d', {0x38, 0x44, 0x44, 0x48, 0x7f}},
    {'e', {0x38, 0x54, 0x54, 0x54, 0x18}}, {'f', {0x08, 0x7e, 0x09, 0x01, 0x02}},
    {'g', {0x0c, 0x52, 0x52, 0x52, 0x3e}}, {'h', {0x7f, 0x08, 0x04, 0x04, 0x78}},
    {'i', {0x00, 0x44, 0x7d, 0x40, 0x00}}, {'j', {0x20, 0x40, 0x44, 0x3d, 0x00}},
    {'k', {0x7f, 0x10, 0x28, 0x44, 0x00}}, {'l', {0x00, 0x41, 0x7f, 0x40, 0x00}},
    {'m', {0x7c, 0x04, 0x18, 0x04, 0x78}}, {'n', {0x7c, 0x08, 0x04, 0x04, 0x78}},
    {'o', {0x38, 0x44, 0x44, 0x44, 0x38}}, {'p', {0x7c, 0x14, 0x14, 0x14, 0x08}},
    {'q', {0x08, 0x14, 0x14, 0x18, 0x7c}}, {'r', {0x7c, 0x08, 0x04, 0x04, 0x08}},
    {'s', {0x48, 0x54, 0x54, 0x54, 0x20}}, {'t', {0x04, 0x3f, 0x44, 0x40, 0x20}},
    {'u', {0x3c, 0x40, 0x40, 0x20, 0x7c}}, {'v', {0x1c, 0x20, 0x40, 0x20, 0x1c}},
    {'w', {0x3c, 0x40, 0x30, 0x40, 0x3c}}, {'x', {0x44, 0x28, 0x10, 0x28, 0x44}},
    {'y', {0x0c, 0x50, 0x50, 0x50, 0x3c}}, {'z', {0x44, 0x64, 0x54, 0x4c, 0x44}},
    {'.', {0x00, 0x60, 0x60, 0x00, 0x00}}, {':', {0x00, 0x36, 0x36, 0x00, 0x00}},
    {'-', {0x08, 0x08, 0x08, 0x08, 0x08}}, {'%', {0x23, 0x13, 0x08, 0x64, 0x62}},
    {'>', {0x08, 0x08, 0x2a, 0x1c, 0x08}},
};
enum { GLYPHS = sizeof glyphs / sizeof *glyphs };

/* Pixels that so many letters take. */
static int64_t text_width(int64_t letters, int size)
{
    return letters > 0 ? (letters * ADVANCE - 1) * size : 0;
}

static void fill(ls_sheet *s, int64_t x, int64_t y, int64_t width, int64_t height, uint8_t shade)
{
    const int64_t C = s->layout.shape.channels;
    for (int64_t row = y; row < y + height; row++)
        memset(s->pixels + (row * s->width + x) * C, shade, (size_t)(width * C));
}

static void draw_text(ls_sheet *s, int64_t x, int64_t y, int size, uint8_t shade, const char *text)
{
    for (; *text != '\0'; text++, x += ADVANCE * size)
        for (int g = 0; g < GLYPHS; g++)
            for (int dot = 0; glyphs[g].letter == *text && dot < GLYPH_WIDTH * GLYPH_HEIGHT; dot++)
                if ((glyphs[g].column[dot / GLYPH_HEIGHT] >> dot % GLYPH_HEIGHT & 1) != 0)
                    fill(s, x + dot / GLYPH_HEIGHT * size, y + dot % GLYPH_HEIGHT * size, size,
                         size, shade);
}

static void draw_image(ls_sheet *s, int64_t x, int64_t y, const uint8_t *pixels)
{
    const ls_shape *shape = &s->layout.shape;
    const int64_t C = shape->channels, plane = shape->height * shape->width, zoom = s->zoom;
    for (int64_t row = 0; row < shape->height * zoom; row++)
        for (int64_t column = 0; column < shape->width * zoom; column++)
            for (int64_t c = 0; c < C; c++)
                s->pixels[((y + row) * s->width + x + column) * C + c] =
                    pixels[c * plane + row / zoom * shape->width + column / zoom];
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

ls_status ls_sheet_create(ls_sheet **out, const ls_sheet_layout *layout)
{
    const double most_pixels = 1 << 28, most_side = 1 << 20;
    const ls_shape *shape = &layout->shape;
    if (shape->channels != 1 && shape->channels != 3)
        return ls_fail(LS_ERR_USAGE,
                       "images of %lld channels can't be shown: they must have 1, or 3 for red, "
                       "green and blue",
                       (long long)shape->channels);
    const int64_t side = larger(shape->height, shape->width);
    const int64_t zoom = (LEAST + side - 1) / side;
    const int64_t letters = text_width(layout->caption, CAPTION_SIZE) +
                            (layout->caption > 0 && layout->note > 0 ? 2 * ADVANCE : 0) +
                            text_width(layout->note, NOTE_SIZE);
    const int64_t cell_width = larger(shape->width * zoom + 2 * FRAME, letters) + GAP;
    const int64_t cell_height =
        GLYPH_HEIGHT * CAPTION_SIZE + LINE + shape->height * zoom + 2 * FRAME + GAP;
    const double width = GAP + (double)layout->columns * (double)cell_width + APART;
    const double height = GAP + (double)layout->rows * (double)cell_height;
    if (width > most_side || height > most_side || width * height > most_pixels)
        return ls_fail(LS_ERR_USAGE,
                       "a sheet of %lld x %lld images would have %.0f x %.0f pixels: ask for fewer",
                       (long long)layout->columns, (long long)layout->rows, width, height);
    ls_sheet *s = ls_alloc(1, sizeof *s);
    if (s == NULL)
        return LS_ERR_FAILURE;
    *s = (ls_sheet){.layout = *layout,
                    .zoom = zoom,
                    .cell_width = cell_width,
                    .cell_height = cell_height,
                    .width = GAP + layout->columns * cell_width + (layout->apart ? APART : 0),
                    .height = GAP + layout->rows * cell_height};
    s->pixels = ls_alloc(s->width * s->height, (size_t)shape->channels);
    if (s->pixels == NULL) {
        ls_sheet_destroy(&s);
        return LS_ERR_FAILURE;
    }
    fill(s, 0, 0, s->width, s->height, PAPER);
    *out = s;
    return LS_OK;
}

void ls_sheet_put(ls_sheet *s, int64_t at, const uint8_t *pixels, const char *caption,
                  const char *note)
{
    const ls_sheet_layout *l = &s->layout;
    const int64_t column = at % l->columns, row = at / l->columns;
    const int64_t x = GAP + column * s->cell_width + (l->apart && column > 0 ? APART : 0);
    const int64_t y = GAP + row * s->cell_height;
    const int64_t caption_height = GLYPH_HEIGHT * CAPTION_SIZE;
    const int64_t end = x + l->shape.width * s->zoom + 2 * FRAME;
    const int64_t note_width = text_width((int64_t)strlen(note), NOTE_SIZE);
    const int64_t after_caption = x + text_width((int64_t)strlen(caption), CAPTION_SIZE) +
                                  (*caption != '\0' ? 2 * ADVANCE : 0);
    assert(row < l->rows && (int64_t)strlen(caption) <= l->caption &&
           (int64_t)strlen(note) <= l->note);
    draw_text(s, x, y, CAPTION_SIZE, INK, caption);
    draw_text(s, larger(after_caption, end - note_width), y + caption_height - GLYPH_HEIGHT,
              NOTE_SIZE, GREY, note);
    const int64_t top = y + caption_height + LINE;
    fill(s, x, top, l->shape.width * s->zoom + 2 * FRAME, l->shape.height * s->zoom + 2 * FRAME,
         FRAME_GREY);
    draw_image(s, x + FRAME, top + FRAME, pixels);
}

ls_status ls_sheet_write(const ls_sheet *s, const char *path)
{
    return ls_png_write(path, s->width, s->height, (int)s->layout.shape.channels, s->pixels);
}

int64_t ls_sheet_columns(int64_t images)
{
    return larger(1, (int64_t)ceil(sqrt((double)images)));
}

void ls_sheet_destroy(ls_sheet **sheet)
{
    if (sheet == NULL || *sheet == NULL)
        return;
    ls_free((*sheet)->pixels);
    ls_free(*sheet);
    *sheet = NULL;
}
