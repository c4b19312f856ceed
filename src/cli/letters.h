/* Letters of any size for pictures, drawn with a pen of even width and smooth edges: digits, small
 * letters, '.', ':', '-', '%', and '>', drawn as an arrow. All digits have the same width. */
#ifndef LS_CLI_LETTERS_H
#define LS_CLI_LETTERS_H

#include <stdint.h>

/* A picture to draw into. */
typedef struct ls_canvas {
    int64_t width, height;
    int channels;
    uint8_t *pixels; /* [height][width][channels], borrowed */
} ls_canvas;

/* The width of a text in pixels, without a gap after it. Local.
 * height  of its digits, in pixels */
double ls_letters_width(const char *text, double height);

/* Draws a text in a shade of grey, from x on, with the baseline at y, both in pixels. Pixels
 * outside of the canvas are cut off; characters without a letter are blanks. Local. */
void ls_letters_draw(const ls_canvas *canvas, double x, double y, double height, uint8_t shade,
                     const char *text);

#endif
