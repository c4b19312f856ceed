/* The step's communication: gradients are summed over ranks, a control word travels with them, and
 * every rank ends the step with the same new parameters. A reducer owns the arenas of gradients and
 * parameters, because where they lie is part of how it works.
 *
 *     ls_network_loss(..., group, ...);                group = ls_reducer_group(reducer)
 *     ls_reducer_begin(reducer, &mine);               my control word is known
 *     ls_network_backward(..., group, ..., ls_reducer_grad_hook(reducer));
 *     ls_reducer_finish(reducer, &sum);               all ranks know the sum of the control words
 *     while (ls_reducer_next(reducer, &piece))        update the pieces that are mine
 *         ls_optimizer_update(...);
 *     ls_reducer_allgather_params(reducer);                    all ranks have all parameters
 *
 * Where ls_reducer_updates_lazily(), the last two may wait until the next forward pass needs parameters.
 * Where all pieces must be seen before the first is updated, ls_reducer_keep_pieces() and
 * ls_reducer_rewind() let them come several times.
 *
 * Functions are Collective unless they say otherwise: all ranks call them in the same order. */
#ifndef LOCKSTEP_REDUCER_H
#define LOCKSTEP_REDUCER_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/choice.h>
#include <lockstep/comm.h>
#include <lockstep/hooks.h>
#include <lockstep/score.h>
#include <lockstep/status.h>
#include <lockstep/group.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ls_reducer ls_reducer;

/* fused         one allreduce after the backward pass
 * overlap       in buckets, while the backward pass and the updates continue
 * hierarchical  within each node in shared memory, then between the nodes; the ranks of a node share
 *               one copy of the parameters, the work of updating them and, as a group, large products
 * exact         as fused, in sums that are exact: their bits depend only on the blocks that the
 *               backward passes compute; not on the number of ranks, nor on the order of addition
 * auto          the trainer tries them and takes the fastest */
#define LS_REDUCE_LIST(X)                                                                          \
    X(LS_REDUCE_FUSED, "fused", "one allreduce after the backward pass")                           \
    X(LS_REDUCE_OVERLAP, "overlap", "in buckets, during the backward pass and the updates")        \
    X(LS_REDUCE_HIERARCHICAL, "hierarchical", "in each node's shared memory, then between nodes")  \
    X(LS_REDUCE_EXACT, "exact", "exact sums: those of --reproducible")                             \
    X(LS_REDUCE_AUTO, "auto", "measures them and takes the fastest")

typedef enum ls_reduce { LS_REDUCE_LIST(LS_CHOICE_ENUM) LS_REDUCERS = LS_REDUCE_AUTO } ls_reduce;

/* "fused", "overlap", "hierarchical", "exact", "auto". Local. */
const char *ls_reduce_name(ls_reduce kind);

/* Returns true if a kind can be of use to `ranks` ranks on `nodes` nodes. Local. */
bool ls_reduce_applies(ls_reduce kind, int ranks, int nodes);

/* Returns true if LS_REDUCE_AUTO may choose this kind, where it applies. Local. */
bool ls_reduce_is_candidate(ls_reduce kind);

/* Returns true if a kind sums the gradients of blocks: passes must go by ls_step_rows.block. Local. */
bool ls_reduce_by_blocks(ls_reduce kind);

/* The control word: what each rank reports at a step, and, summed, what all ranks know after it. */
typedef struct ls_control {
    ls_score score; /* of the rows that went into the gradient; sums to float precision */
    int64_t failed; /* 1 if this rank failed: nothing is updated; on return, how many did */
    int64_t stop;   /* 1 if this rank is asked to end after this step; on return, how many are */
    int64_t save;   /* 1 if a checkpoint is due; only rank 0 may set this, and the next */
    int64_t copy;   /* 1 if a copy of the state in memory is due */
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
typedef struct ls_owned_range {
    int64_t first;      /* its offset in the arena */
    int64_t count;      /* parameters in it */
    const float *grads; /* [count] gradients, summed over all ranks */
    float *params;      /* [count] parameters */
    int64_t fresh;      /* once it is updated, all parameters from here to the end of the arena are
                           new; the arena's length while that is not sure */
} ls_owned_range;

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

/* The group that this rank is in, for the passes of a step; NULL: none. Of matrices that it splits,
 * gradients are expected as those passes leave them. Local. */
const ls_group *ls_reducer_group(const ls_reducer *reducer);

/* Whether pieces are to stay valid until the step is published, so that ls_reducer_rewind() can be
 * called; the same on all ranks, from a step's beginning to its end. False when it is made.
 * Local. */
void ls_reducer_keep_pieces(ls_reducer *reducer, bool hold);

/* Whether pieces come from the arena's end down, each new everywhere when it is updated: then those
 * that are left may wait for the next forward pass. Not where they are held. Local. */
bool ls_reducer_updates_lazily(const ls_reducer *reducer);

/* Whether a reducer of this kind knows of each rank's gradients that they are finite before it
 * yields the first piece. Overlap does not, unless it is sharded: its control word leaves with the
 * first gradients of a pass. Local. */
bool ls_reduce_checks_before_update(ls_reduce kind, bool shard);

/* The arena [count] that gradients are to be written to, between publish and finish; and that of
 * the parameters, which change between finish and publish. Borrowed. Local. */
float *ls_reducer_grads(ls_reducer *reducer);
const float *ls_reducer_params(const ls_reducer *reducer);

/* Copies parameters into the arena.
 * Collective.
 * params  [count], the same on all ranks */
void ls_reducer_set_params(ls_reducer *reducer, const float *params);

/* Begins a step's sum, before the backward pass of this rank. A rank whose control word says that it
 * failed takes part in the backward pass with no rows. */
void ls_reducer_begin(ls_reducer *reducer, const ls_control *mine);

/* What to hand to the backward pass. Local; the calls that it leads to come in the same order, with
 * the same offsets, on all ranks, up to calls that are left out. */
ls_grad_hook ls_reducer_grad_hook(ls_reducer *reducer);

/* Waits for the sum of the control words. If any rank failed the step ends here.
 * Returns the offset of a gradient that this rank's passes have made and that is no finite number,
 * or, with LS_REDUCE_EXACT, is too large for its sums; -1 if all are well. By that a rank has
 * failed, unless its control word was under way already, see ls_reduce_checks_before_update(). */
int64_t ls_reducer_finish(ls_reducer *reducer, ls_control *sum);

/* The next piece that is this rank's to update, when its sum has arrived; false after the last. The
 * piece before it has been updated by then. */
bool ls_reducer_next(ls_reducer *reducer, ls_owned_range *piece);

/* After the last piece: lets them come once more, from the first on. Only where pieces are held,
 * and none has been updated. Local. */
void ls_reducer_rewind(ls_reducer *reducer);

/* Adds up numbers [count] that each rank has computed from its pieces, in place: for all parameters
 * together, each counted once, and with the same bits on all ranks. */
void ls_reducer_allreduce(ls_reducer *reducer, double *values, int count);

/* Whether pieces are divided among ranks: else all have all. The same on all ranks. Local. */
bool ls_reducer_is_sharded(const ls_reducer *reducer);

/* Ends the step: afterwards every rank has all new parameters. Collective. */
void ls_reducer_allgather_params(ls_reducer *reducer);

/* Completes an arena [count] of the parameters' layout of which each rank has what belongs to its
 * pieces, as the optimizer's slots are: afterwards all ranks have all of it. */
void ls_reducer_allgather_state(ls_reducer *reducer, float *arena);

/* Seconds since the reducer was made, summed over steps. Local. */
typedef struct ls_reducer_times {
    double exposed; /* in the reducer's functions: communication, waiting, adding up */
    double hidden;  /* in which a reduction was under way behind other work */
} ls_reducer_times;

/* The reducer's times so far. Local. */
ls_reducer_times ls_reducer_clock(const ls_reducer *reducer);

#ifdef __cplusplus
}
#endif

#endif
