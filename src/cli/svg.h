/* What all figures of a page share: their frame, and the distances of labels. All functions are
 * Local. */
#ifndef LS_CLI_SVG_H
#define LS_CLI_SVG_H

#include <stdint.h>
#include <stdio.h>

/* The largest width of a figure, which fits a sheet of A4. */
enum { LS_SVG_WIDTH = 860 };

/* Colours of Okabe and Ito's palette, distinguishable by colour-blind readers. */
#define LS_SVG_BLUE   "#0072B2"
#define LS_SVG_ORANGE "#D55E00"

/* Begin and end a figure.
 * label  what it shows, for people who don't see it; without characters of markup */
void ls_svg_begin(FILE *out, double width, double height, const char *label);
void ls_svg_end(FILE *out);

/* Returns the least step of 1, 2, 5, 10, 20, ... that fits into `count` at most `most` times. */
int64_t ls_svg_step(int64_t count, int64_t most);

/* Returns the least of 1, 2 or 5 times a power of ten that is not below `rough`, above 0. */
double ls_svg_rounded(double rough);

#endif
