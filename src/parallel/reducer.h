/* Reducers: the communication of a training step. A reducer sums gradients and a control word over
 * the ranks; every rank ends the step with the same new parameters. It owns the arenas of gradients
 * and parameters, because it chooses where they are allocated.
 *
 *     ls_network_loss(..., group, ...);             group = ls_reducer_group(reducer)
 *     ls_reducer_begin(reducer, &mine);             this rank's control word
 *     ls_network_backward(..., group, ..., ls_reducer_grad_hook(reducer));
 *     ls_reducer_finish(reducer, &sum);             sum of the control words, on all ranks
 *     while (ls_reducer_next(reducer, &piece))      update this rank's pieces
 *         ls_optimizer_update(...);
 *     ls_reducer_allgather_params(reducer);         all ranks have all parameters
 *
 * A *piece* is a range of parameters that this rank updates. If ls_reducer_updates_lazily(), the
 * loop over pieces and the allgather may be deferred until the next forward pass needs the
 * parameters. To read all pieces before the first update, iterate over them several times with
 * ls_reducer_keep_pieces() and ls_reducer_rewind().
 *
 * Functions are Collective unless stated otherwise: all ranks call them in the same order. */
#ifndef LS_PARALLEL_REDUCER_H
#define LS_PARALLEL_REDUCER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hooks.h"
#include "base/group.h"

#include <lockstep/choice.h>
#include <lockstep/comm.h>
#include <lockstep/metrics.h>
#include <lockstep/status.h>

typedef struct ls_reducer ls_reducer;

/* Returns true if an algorithm can be useful with `ranks` ranks on `nodes` nodes. Local. */
bool ls_reduce_applies(ls_reduce kind, int ranks, int nodes);

/* Returns true if LS_REDUCE_AUTO may select this algorithm where it applies. Local. */
bool ls_reduce_is_candidate(ls_reduce kind);

/* Returns true if an algorithm sums the gradients of micro-batches: backward passes must then
 * compute ls_step_rows.block rows at a time. Local. */
bool ls_reduce_by_blocks(ls_reduce kind);

/* The control word: each rank's report of a step; all ranks receive the sum over ranks. */
typedef struct ls_control {
    ls_score score; /* of the rows that contributed to the gradient; sums in float precision */
    ls_score rest;  /* what quanta leave of the score's sums, of a reducer by blocks; on return 0 */
    int64_t
        failed;   /* 1 if this rank failed: no rank updates; on return the number of failed ranks */
    int64_t stop; /* 1 if this rank is to stop after this step; on return the number of them */
    int64_t save; /* 1 if a checkpoint is due; set on rank 0 only */
    int64_t copy; /* 1 if an in-memory copy of the state is due; set on rank 0 only */
} ls_control;

/* Maximum number of rows in a step, so that the number is exact in the control word. */
enum { LS_MAX_GLOBAL_BATCH = 1 << 24 };

/* Which sums of a score the control word has; the others are 0 on return. MPI libraries split a
 * message according to its length, which decides the order of addition of some gradients on three
 * or more ranks: a longer control word changes last bits. */
typedef enum ls_control_sums {
    LS_CONTROL_OF_CLASSES, /* those of a classification without weights, whose sum of weights is the
                              number of rows */
    LS_CONTROL_OF_ROWS,    /* those of rows */
    LS_CONTROL_OF_STEPS,   /* those of rows and steps */
    LS_CONTROL_OF_LATENT   /* also those of latent variables */
} ls_control_sums;

/* Maximum numbers of rows in a step, and what is known of their scores. */
typedef struct ls_step_rows {
    int64_t mine;  /* on this rank */
    int64_t batch; /* global batch, over all ranks; the same on all ranks */
    int64_t block; /* micro-batch of a backward pass, for LS_REDUCE_EXACT; the same on all ranks */
    double weight; /* bound of the mean weight of a block's rows, a power of two, for
                      LS_REDUCE_EXACT; 0: 1; the same on all ranks */
    ls_control_sums sums; /* of a score in the control word; the same on all ranks */
    int passes; /* forward passes before the first backward pass, 1 or more, see ls_group; the same
                   on all ranks */
} ls_step_rows;

/* A piece: a range of parameters that this rank updates. */
typedef struct ls_owned_range {
    int64_t first;      /* offset in the arena */
    int64_t count;      /* number of parameters */
    const float *grads; /* [count] gradients, summed over all ranks */
    float *params;      /* [count] parameters */
    int64_t
        current_from; /* after this piece's update, parameters from this offset to the end of the
                           arena are current; the arena's length if none are known to be */
} ls_owned_range;

/* Creates a reducer and tests it with a known sum, because some MPI libraries have shipped with
 * wrong collectives.
 * Collective.
 * kind    not LS_REDUCE_AUTO
 * shard   true: the update is divided among all ranks: each updates its part, then the parameters
 *         are allgathered; ignored by LS_REDUCE_EXACT
 * layout  layout of the arenas; borrowed until the reducer is destroyed
 * rows    maximum numbers of rows in a step
 * Errors (all ranks get them): LS_ERR_FAILURE if memory or shared memory is short, or if the test's
 * sum is wrong; *out is unchanged. */
ls_status ls_reducer_create(ls_reducer **out, ls_comm *comm, ls_reduce kind, bool shard,
                            const ls_layout *layout, ls_step_rows rows) LS_MUST_CHECK;

/* Frees a reducer and its arenas and sets *reducer to NULL; accepts NULL, on all ranks or on none.
 * Collective. */
void ls_reducer_destroy(ls_reducer **reducer);

/* Returns the algorithm that the reducer was created with. Local. */
ls_reduce ls_reducer_which(const ls_reducer *reducer);

/* Returns this rank's tensor-parallel group, for the passes of a step; NULL: none. Gradients of
 * matrices that the group splits are expected as these passes leave them. Local. */
const ls_group *ls_reducer_group(const ls_reducer *reducer);

/* Keeps pieces valid until ls_reducer_allgather_params(), as ls_reducer_rewind() needs.
 * Local, but `keep` must be the same on all ranks, and constant during a step.
 * keep  false for a new reducer */
void ls_reducer_keep_pieces(ls_reducer *reducer, bool keep);

/* Returns true if pieces come from the arena's end down and every rank updates all of them: pending
 * updates may then be deferred to the next forward pass. False while pieces are kept. Local. */
bool ls_reducer_updates_lazily(const ls_reducer *reducer);

/* Returns true if NaN or Inf in any rank's gradients is known on all ranks before the first update.
 * False for LS_REDUCE_OVERLAP unless it is sharded: its control word is sent with the first
 * gradients of a backward pass. Local. */
bool ls_reduce_checks_before_update(ls_reduce kind, bool shard);

/* Return the gradient arena [count], which the caller writes between allgather_params and finish,
 * and the parameter arena [count], which changes between finish and allgather_params. Borrowed.
 * Local. */
float *ls_reducer_grads(ls_reducer *reducer);
const float *ls_reducer_params(const ls_reducer *reducer);

/* Copies parameters into the parameter arena.
 * Collective.
 * params  [count], the same on all ranks */
void ls_reducer_set_params(ls_reducer *reducer, const float *params);

/* Begins the reduction of a step, before this rank's backward pass.
 * Collective.
 * mine  this rank's control word; a rank that sets `failed` runs the backward pass with 0 rows */
void ls_reducer_begin(ls_reducer *reducer, const ls_control *mine);

/* Returns the gradient hook for the backward pass. Local; but calls of the hook are Collective:
 * they come in the same order with the same offsets on all ranks, except that a rank may omit
 * calls. */
ls_grad_hook ls_reducer_grad_hook(ls_reducer *reducer);

/* Waits for the sum of the control words. If any rank failed, the step ends here.
 * Collective.
 * sum  on return the sum of the control words
 * Returns the offset of a gradient of this rank's passes that is NaN or Inf or, with
 * LS_REDUCE_EXACT, too large for the exact sums; -1 if there is none. Such a gradient marks this
 * rank as failed, unless its control word has already been sent, see
 * ls_reduce_checks_before_update(). */
int64_t ls_reducer_finish(ls_reducer *reducer, ls_control *sum);

/* Waits for the sum of the next piece that this rank updates; returns false after the last piece.
 * The caller has updated the previous piece, unless pieces are kept.
 * Collective. */
bool ls_reducer_next(ls_reducer *reducer, ls_owned_range *piece);

/* Restarts the iteration over pieces, after the last piece. Pieces must be kept, and none of them
 * updated. Local. */
void ls_reducer_rewind(ls_reducer *reducer);

/* Sums values that each rank has computed from its pieces, in place. Each parameter is counted
 * once, and the sums have the same bits on all ranks.
 * Collective.
 * values  [count] this rank's values; on return the sums over all parameters */
void ls_reducer_allreduce(ls_reducer *reducer, double *values, int count);

/* Returns true if pieces are divided among ranks, false if every rank has all of them; the same on
 * all ranks. Local. */
bool ls_reducer_is_sharded(const ls_reducer *reducer);

/* Ends the step: on return every rank has all updated parameters. Collective. */
void ls_reducer_allgather_params(ls_reducer *reducer);

/* Completes an arena of which each rank has only its pieces, such as an optimizer's slot.
 * Collective.
 * arena  [count] in the layout of the parameters; on return complete on all ranks */
void ls_reducer_allgather_state(ls_reducer *reducer, float *arena);

/* Seconds since the reducer was created, summed over steps. */
typedef struct ls_reducer_times {
    double exposed; /* inside the reducer's functions: communication, waiting, adding */
    double hidden;  /* reductions in progress during other work */
} ls_reducer_times;

/* Returns the reducer's accumulated times. Local. */
ls_reducer_times ls_reducer_clock(const ls_reducer *reducer);

#endif
