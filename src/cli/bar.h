/* The progress of an epoch as one line of text. Pure: uses no clock and no terminal. */
#ifndef LS_CLI_BAR_H
#define LS_CLI_BAR_H

#include <stdbool.h>
#include <stdint.h>

enum { LS_BAR_TEXT = 160 };

typedef struct ls_bar {
    int64_t epochs;  /* of the run */
    int64_t rows;    /* of an epoch */
    unsigned task;   /* LS_TASK_..., for the loss */
    double interval; /* least seconds from one line to the next */
    int64_t epoch, done;
    double begin, last;
    int64_t first; /* rows of the first step reported: their time is unknown */
    double loss;   /* summed over the steps since then */
    int64_t steps;
} ls_bar;

/* Records a step that ended at `now` seconds, after `done` rows of the epoch. Returns true if a
 * line is due. Local. */
bool ls_bar_step(ls_bar *bar, double now, int64_t epoch, int64_t done, double loss);

/* Writes the line: "epoch 3/60 [=====     ]  45 %  loss 0.1234  12,345 samples/s  0:12 left". It
 * has at most `width` columns: parts are left out as needed, first the speed, then the loss, then
 * the time left. The bar between brackets fills the remaining columns. Local.
 * drawn  with the bar */
void ls_bar_text(const ls_bar *bar, double now, int width, bool drawn, char out[LS_BAR_TEXT]);

#endif
