/* The step's communication: gradients are summed over ranks, a control word travels with them, and
 * every rank ends the step with the same new parameters. A reducer owns the arenas of gradients and
 * parameters, because where they lie is part of how it works.
 *
 *     ls_network_loss(..., team, ...);                team = ls_reducer_team(reducer)
 *     ls_reducer_begin(reducer, &mine);               my control word is known
 *     ls_network_backward(..., team, ..., ls_reducer_ready(reducer));
 *     ls_reducer_finish(reducer, &sum);               all ranks know the sum of the control words
 *     while (ls_reducer_next(reducer, &piece))        update the pieces that are mine
 *         ls_optimizer_update(...);
 *     ls_reducer_publish(reducer);                    all ranks have all parameters
 *
 * Where ls_reducer_defers(), the last two may wait until the next forward pass needs parameters.
 * Where all pieces must be seen before the first is updated, ls_reducer_hold() and
 * ls_reducer_rewind() let them come several times.
 *
 * Functions are Collective unless they say otherwise: all ranks call them in the same order. */
#ifndef LOCKSTEP_REDUCER_H
#define LOCKSTEP_REDUCER_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/choice.h>
#include <lockstep/comm.h>
#include <lockstep/ready.h>
#include <lockstep/status.h>
#include <lockstep/team.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ls_reducer ls_reducer;

/* fused         one allreduce after the backward pass
 * overlap       in buckets, while the backward pass and the updates continue
 * hierarchical  within each node in shared memory, then between the nodes; the ranks of a node share
 *               one copy of the parameters, the work of updating them and, as a team, large products
 * exact         as fused, in sums that are exact: their bits depend only on the blocks that the
 *               backward passes compute; not on the number of ranks, nor on the order of addition
 * auto          the trainer tries them and takes the fastest */
#define LS_REDUCE_LIST(X)                                                                          \
    X(LS_REDUCE_FUSED, "fused", "one allreduce after the backward pass")                           \
    X(LS_REDUCE_OVERLAP, "overlap", "in buckets, during the backward pass and the updates")        \
    X(LS_REDUCE_HIERARCHICAL, "hierarchical", "in each node's shared memory, then between nodes")  \
    X(LS_REDUCE_EXACT, "exact", "exact sums: those of --reproducible")                             \
    X(LS_REDUCE_AUTO, "auto", "measures them and takes the fastest")

typedef enum ls_reduce {
    LS_REDUCE_LIST(LS_CHOICE_ENUM) LS_REDUCERS = LS_REDUCE_AUTO
} ls_reduce;

/* "fused", "overlap", "hierarchical", "exact", "auto". Local. */
const char *ls_reduce_name(ls_reduce kind);

/* Whether a kind can be of use to so many ranks on so many nodes. Local. */
bool ls_reduce_applies(ls_reduce kind, int ranks, int nodes);

/* What each rank says at a step, and, summed, what all of them learn at the same step. */
typedef struct ls_control {
    int64_t rows;    /* rows that went into the gradient */
    int64_t correct; /* of them, that were right */
    double loss;     /* sum of their losses, to float precision */
    int64_t failed;  /* 1 if this rank failed: nothing is updated; on return, how many did */
    int64_t stop;    /* 1 if this rank is asked to end after this step; on return, how many are */
    int64_t save;    /* 1 if this rank finds that a checkpoint is due; on return, how many do */
    int64_t copy;    /* the same of a copy of the state in memory */
} ls_control;

/* Most rows that a step may have, so that their number is exact in the control word. */
enum { LS_MAX_GLOBAL_BATCH = 1 << 24 };

/* Rows of a step, the most that there may be. */
typedef struct ls_step_rows {
    int64_t mine;  /* on this rank */
    int64_t batch; /* on all ranks together; this and the next are the same on all of them */
    int64_t block; /* that a backward pass computes at a time, for LS_REDUCE_EXACT */
} ls_step_rows;

/* A range of parameters that is this rank's to update. */
typedef struct ls_piece {
    int64_t first;      /* its offset in the arena */
    int64_t count;      /* parameters in it */
    const float *grads; /* [count] gradients, summed over all ranks */
    float *params;      /* [count] parameters */
    int64_t fresh;      /* once it is updated, all parameters from here to the end of the arena are
                           new; the arena's length while that is not sure */
} ls_piece;

/* Makes a reducer and makes sure, with a sum that is known, that it works here: MPI libraries have
 * had collectives that do not.
 * kind    not LS_REDUCE_AUTO
 * shard   whether ranks share the work of updating with all others: each updates its part, then all
 *         gather the parameters; LS_REDUCE_EXACT does not
 * layout  of the arenas; borrowed until the reducer is destroyed
 * Errors, on all ranks alike: LS_ERR_FAILURE when memory (shared memory, too) is short, or the sum
 * is wrong; *out is left alone. */
ls_status ls_reducer_create(ls_reducer **out, ls_comm *comm, ls_reduce kind, bool shard,
                            const ls_layout *layout, ls_step_rows rows) LS_MUST_CHECK;

/* Frees a reducer and its arenas, sets *reducer to NULL; accepts NULL on all ranks alike. */
void ls_reducer_destroy(ls_reducer **reducer);

/* The kind that it was made as. Local. */
ls_reduce ls_reducer_which(const ls_reducer *reducer);

/* The team that this rank is in, for the passes of a step; NULL: none. Of matrices that it splits,
 * gradients are expected as those passes leave them. Local. */
const ls_team *ls_reducer_team(const ls_reducer *reducer);

/* Whether pieces are to stay valid until the step is published, so that ls_reducer_rewind() can be
 * called; the same on all ranks, from a step's beginning to its end. False when it is made. Local.
 */
void ls_reducer_hold(ls_reducer *reducer, bool hold);

/* Whether pieces come from the arena's end down, each new everywhere when it is updated: then those
 * that are left may wait for the next forward pass. Not where they are held. Local. */
bool ls_reducer_defers(const ls_reducer *reducer);

/* Whether a reducer of this kind knows of each rank's gradients that they are finite before it
 * yields the first piece. Overlap does not, unless it is sharded: its control word leaves with the
 * first gradients of a pass. Local. */
bool ls_reduce_foresees(ls_reduce kind, bool shard);

/* The arena [count] that gradients are to be written to, between publish and finish; and that of
 * the parameters, which change between finish and publish. Borrowed. Local. */
float *ls_reducer_grads(ls_reducer *reducer);
const float *ls_reducer_params(const ls_reducer *reducer);

/* Copies these parameters [count], the same on all ranks, into the arena. */
void ls_reducer_set_params(ls_reducer *reducer, const float *params);

/* Begins a step's sum, before the backward pass of this rank. A rank whose word says
 * that it failed goes through the backward pass with the others, of no rows. */
void ls_reducer_begin(ls_reducer *reducer, const ls_control *mine);

/* What to hand to the backward pass. Local; the calls that it leads to come in the same order, with
 * the same offsets, on all ranks, up to calls that are left out. */
ls_ready ls_reducer_ready(ls_reducer *reducer);

/* Waits for the sum of the control words. If any rank failed the step ends here.
 * Returns the offset of a gradient that this rank's passes have made and that is no finite number,
 * or, with LS_REDUCE_EXACT, is too large for its sums; -1 if all are well. By that a rank has
 * failed, unless its control word was under way already, see ls_reduce_foresees(). */
int64_t ls_reducer_finish(ls_reducer *reducer, ls_control *sum);

/* The next piece that is this rank's to update, when its sum has arrived; false after the last. The
 * piece before it has been updated by then. */
bool ls_reducer_next(ls_reducer *reducer, ls_piece *piece);

/* After the last piece: lets them come once more, from the first on. Only where pieces are held,
 * and none has been updated. Local. */
void ls_reducer_rewind(ls_reducer *reducer);

/* Adds up numbers [count] that each rank has computed from its pieces, in place: for all parameters
 * together, each counted once, and with the same bits on all ranks. */
void ls_reducer_add_up(ls_reducer *reducer, double *values, int count);

/* Whether pieces are divided among ranks: else all have all. The same on all ranks. Local. */
bool ls_reducer_divides(const ls_reducer *reducer);

/* Ends the step: all parameters are everywhere. */
void ls_reducer_publish(ls_reducer *reducer);

/* Completes an arena [count] of the parameters' layout of which each rank has what belongs to its
 * pieces, as the optimizer's slots are: afterwards all ranks have all of it. */
void ls_reducer_complete(ls_reducer *reducer, float *arena);

/* Seconds since the reducer was made, summed over steps. Local. */
typedef struct ls_reducer_times {
    double exposed; /* in the reducer's functions: communication, waiting, adding up */
    double hidden;  /* in which a reduction was under way behind other work */
} ls_reducer_times;
ls_reducer_times ls_reducer_clock(const ls_reducer *reducer);

#ifdef __cplusplus
}
#endif

#endif
