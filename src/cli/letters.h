/* Letters of any size for pictures, drawn with a pen of even width and smooth edges: digits, small
 * letters, '.', ':', '-', '%', and '>', which is an arrow. All digits are of one width. */
#ifndef LS_CLI_LETTERS_H
#define LS_CLI_LETTERS_H

#include <stdint.h>

/* A picture that is drawn into. */
typedef struct ls_canvas {
    int64_t width, height;
    int channels;
    uint8_t *pixels; /* [height][width][channels], borrowed */
} ls_canvas;

/* Pixels that a text of digits so high takes, without a gap after it. Local. */
double ls_letters_width(const char *text, double height);

/* Draws a text in a shade of grey, from x on, the feet of its digits at y, both in pixels. What
 * lies outside of the canvas is cut off; letters that there are none of are blanks. Local. */
void ls_letters_draw(const ls_canvas *canvas, double x, double y, double height, uint8_t shade,
                     const char *text);

#endif
