/* Gradient sums over ranks, and the control word that travels with them. */
#ifndef LOCKSTEP_REDUCER_H
#define LOCKSTEP_REDUCER_H

#include <stdint.h>

#include <lockstep/comm.h>
#include <lockstep/status.h>

typedef struct ls_reducer ls_reducer;

/* What each rank says at a step, and, summed, what all of them learn at the same step. */
typedef struct ls_control {
    int64_t rows;   /* rows that went into the gradient */
    double loss;    /* sum of their losses, to float precision */
    int64_t failed; /* 1 if this rank failed: it contributes zeros; on return, how many did */
} ls_control;

/* Most rows that a step may have, so that their number is exact in the control word. */
enum { LS_MAX_GLOBAL_BATCH = 1 << 24 };

/* Makes a reducer for gradients of `count` floats; the same on all ranks. Local.
 * Errors: LS_ERR_FAILURE when memory is short; *out is left alone. */
ls_status ls_reducer_create(ls_reducer **out, ls_comm *comm, int64_t count) LS_MUST_CHECK;

/* Frees a reducer and its arena, sets *reducer to NULL; accepts NULL. Local. */
void ls_reducer_destroy(ls_reducer **reducer);

/* The arena [count] that gradients are to be written to; borrowed. The control word lies behind it,
 * so that one allreduce carries both. Local. */
float *ls_reducer_grads(ls_reducer *reducer);

/* Sums the arena over ranks, in place, on all ranks, in one allreduce. Collective.
 * control  this rank's word; on return the sum of all ranks'. A rank that failed contributes zeros,
 *          whatever its arena holds. */
void ls_reducer_sum(ls_reducer *reducer, ls_control *control);

#endif
