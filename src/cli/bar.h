/* How far an epoch is, as one line of text. Pure: knows no clock and no terminal. */
#ifndef LS_CLI_BAR_H
#define LS_CLI_BAR_H

#include <stdbool.h>
#include <stdint.h>

enum { LS_BAR_TEXT = 160 };

typedef struct ls_bar {
    int64_t epochs;  /* of the run */
    int64_t rows;    /* of an epoch */
    double interval; /* seconds from one line to the next, at least */
    int64_t epoch, done;
    double begin, last;
    int64_t first; /* rows of the first step that was seen: they took an unknown time */
    double loss;   /* summed over the steps since then */
    int64_t steps;
} ls_bar;

/* Takes note of a step that ended at `now` seconds, with which `done` rows of the epoch are trained
 * on. Returns whether it is time for a line. Local. */
bool ls_bar_step(ls_bar *bar, double now, int64_t epoch, int64_t done, double loss);

/* The line: "epoch 3/60 [=====     ]  45 %  loss 0.1234  12,345 samples/s  0:12 left". It has at
 * most `width` columns: parts are left out as needed, first the speed, then the loss, then the time
 * that is left. The bar between brackets gets the room that is left.
 * Local.
 * drawn  with the bar */
void ls_bar_text(const ls_bar *bar, double now, int width, bool drawn, char out[LS_BAR_TEXT]);

#endif
