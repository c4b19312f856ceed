/* The interface that every kind of reducer implements, see lockstep/reducer.h for what the
 * functions do. */
#ifndef LS_PARALLEL_REDUCER_KIND_H
#define LS_PARALLEL_REDUCER_KIND_H

#include <lockstep/range.h>
#include <lockstep/reducer.h>

#include "parallel/comm_mpi.h"

/* Room for the sums of a score. An MPI library divides a message by its length, and so decides in
 * which order some gradients of three ranks or more are added: a longer word changes last bits. */
enum { LS_CONTROL_SUMS_ROOM = 3 };

/* The control word as numbers behind the gradients: as floats they are exact up to 2^24. */
enum {
    LS_CONTROL_ROWS,
    LS_CONTROL_FAILED,
    LS_CONTROL_STOP,
    LS_CONTROL_DUE,  /* of rank 0: save + 2 copy */
    LS_CONTROL_SUMS, /* of the score; what they leave of their room is 0 */
    LS_CONTROL_VALUES = LS_CONTROL_SUMS + LS_CONTROL_SUMS_ROOM
};
_Static_assert((int)LS_SUMS <= (int)LS_CONTROL_SUMS_ROOM,
               "the control word has no room for the sums");

/* Most floats or doubles in one MPI call, far below the range of its int. */
#define LS_MPI_VALUES (INT64_C(1) << 28)

/* Whose a rank's pieces are. */
typedef enum ls_share {
    LS_SHARE_ALL,   /* every rank has all of them */
    LS_SHARE_OWN,   /* its own */
    LS_SHARE_OTHERS /* those of another rank, which has LS_SHARE_OWN */
} ls_share;

/* A kind: its traits and its functions. A function that may be NULL has nothing to do then. */
typedef struct ls_reducer_kind {
    size_t size;     /* of the struct that begins with an ls_reducer */
    bool overlaps;   /* still reduces while pieces are updated, see ls_reducer_updates_lazily() */
    bool by_blocks;  /* sums the gradients of blocks, see ls_step_rows */
    bool on_request; /* no candidate of LS_REDUCE_AUTO */
    bool (*applies)(int ranks, int nodes); /* false: no gain on these; NULL: always true. Pure. */

    /* Sets grads and params and all else. Collective, agreed. */
    ls_status (*create)(ls_reducer *reducer);
    void (*destroy)(ls_reducer *reducer); /* Collective; of what create() left, too, if it failed */
    void (*set_params)(ls_reducer *reducer, const float *params);
    /* Only for a kind whose control word leaves before all gradients are known. May be NULL. */
    void (*begin)(ls_reducer *reducer, const double word[LS_CONTROL_VALUES]);
    /* These gradients are final; a pass tells of ranges from the arena's end down. May be NULL. */
    void (*ready)(ls_reducer *reducer, ls_range final);
    /* word  this rank's; on return the sum */
    void (*finish)(ls_reducer *reducer, double word[LS_CONTROL_VALUES]);
    bool (*next)(ls_reducer *reducer, ls_owned_range *piece);
    void (*rewind)(ls_reducer *reducer);
    /* LS_SHARE_ALL on all ranks or on none. NULL: LS_SHARE_ALL, and then so are the next two. */
    ls_share (*share)(const ls_reducer *reducer);
    void (*publish)(ls_reducer *reducer);
    void (*complete)(ls_reducer *reducer, float *arena);
} ls_reducer_kind;

struct ls_reducer {
    const ls_reducer_kind *kind;
    ls_comm *comm; /* borrowed */
    bool shard;
    const ls_layout *layout; /* borrowed */
    int64_t count;           /* layout->count */
    ls_step_rows rows;       /* rows.mine: the most of any rank */
    float *grads;            /* [count], set by create() */
    float *params;           /* the same */
    float limit;             /* that gradients must not exceed: FLT_MAX, or set by create() */
    const ls_group *group;   /* NULL, or set by create() */
    bool holds;              /* pieces stay valid until publish() */
    bool again;              /* they come once more: what is to be done once is done */
    ls_reducer_times times;

    ls_control mine; /* what this rank said when the step began */
    int64_t final;   /* gradients from here on are final in the pass that is going on */
    int64_t bad;     /* offset of the first one of this step that exceeds the limit; -1: none */

    /* For the times of a step: when its first reduction started (0: not yet) and its latest sum had
     * arrived, and times.exposed at these moments. */
    double begun, arrived;
    double exposed_before, exposed_until;
};

extern const ls_reducer_kind ls_reducer_fused;
extern const ls_reducer_kind ls_reducer_overlap;
extern const ls_reducer_kind ls_reducer_hierarchical;
extern const ls_reducer_kind ls_reducer_exact;

/* Conversions between the control word and its floats behind the gradients. Local. */
static inline void ls_control_put(const double word[LS_CONTROL_VALUES], float *floats)
{
    for (int i = 0; i < LS_CONTROL_VALUES; i++)
        floats[i] = (float)word[i];
}
static inline void ls_control_take(const float *floats, double word[LS_CONTROL_VALUES])
{
    for (int i = 0; i < LS_CONTROL_VALUES; i++)
        word[i] = (double)floats[i];
}

#endif
