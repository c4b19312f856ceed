/* The interface that every kind of reducer implements. reducer.h documents the functions;
 * comments here add only the differences. */
#ifndef LS_PARALLEL_REDUCER_KIND_H
#define LS_PARALLEL_REDUCER_KIND_H

#include "base/range.h"
#include "parallel/reducer.h"

#include "parallel/comm_mpi.h"

/* The number of a score's sums in the control word, the first ones, see ls_control_sums. */
enum {
    LS_CONTROL_CLASS_SUMS = LS_SUM_AT_weight,
    LS_CONTROL_ROW_SUMS = LS_SUM_AT_steps,
    LS_CONTROL_STEP_SUMS = LS_SUM_AT_reconstruction,
    LS_CONTROL_LATENT_SUMS = LS_SUM_AT_generator_loss
};
_Static_assert((int)LS_CONTROL_CLASS_SUMS == 3 && (int)LS_CONTROL_ROW_SUMS == 6, "a fixed length");

/* Values of the control word, stored behind the gradients; as floats, integers are exact up to
 * 2^24. */
enum {
    LS_CONTROL_ROWS,
    LS_CONTROL_FAILED,
    LS_CONTROL_STOP,
    LS_CONTROL_DUE,  /* save + 2 * copy, from rank 0; 0 from the other ranks */
    LS_CONTROL_SUMS, /* sums of the score; of a kind by blocks followed by those of its rest */
    LS_CONTROL_MOST = LS_CONTROL_SUMS + 2 * LS_SUMS /* at most; see ls_reducer.control_values */
};

/* Returns the number of different values, 0, 1, ..., in the gradients of the self-test of
 * ls_reducer_create(): the most, up to a prime number that shows exchanged parts, whose sums are
 * exact in float. Pure.
 * weights  sum over the ranks of their factors of the values; at most 2^24 */
int ls_self_test_values(int64_t weights);

/* Most floats or doubles in one MPI call, far below the range of its int. */
#define LS_MPI_VALUES (INT64_C(1) << 28)

/* How pieces are divided among ranks. */
typedef enum ls_share {
    LS_SHARE_ALL,   /* every rank has all pieces */
    LS_SHARE_OWN,   /* this rank's pieces count in sums over ranks */
    LS_SHARE_OTHERS /* this rank's pieces, if any, count on another rank */
} ls_share;

/* A kind: traits and functions. A function that may be NULL is a no-op if it is. */
typedef struct ls_reducer_kind {
    size_t size;     /* bytes of the kind's struct, whose first member is an ls_reducer */
    bool overlaps;   /* still reduces while pieces are updated, see ls_reducer_updates_lazily() */
    bool by_blocks;  /* sums the gradients of micro-batches, see ls_step_rows */
    bool on_request; /* not a candidate of LS_REDUCE_AUTO */
    bool (*applies)(int ranks, int nodes); /* false: no gain there; NULL: always true. Pure. */

    /* Sets grads, params and the kind's own members. Collective; the status is agreed. */
    ls_status (*create)(ls_reducer *reducer);
    /* Also called after create() failed, on a partly created reducer. Collective. */
    void (*destroy)(ls_reducer *reducer);
    void (*set_params)(ls_reducer *reducer, const float *params);
    /* For kinds that send the control word before all gradients are known. May be NULL. */
    void (*begin)(ls_reducer *reducer, const double word[LS_CONTROL_MOST]);
    /* Gradients of this range are final; a pass reports ranges from the arena's end down. May be
     * NULL. */
    void (*grads_ready)(ls_reducer *reducer, ls_range final);
    /* word  this rank's control word; on return the sum over ranks */
    void (*finish)(ls_reducer *reducer, double word[LS_CONTROL_MOST]);
    bool (*next)(ls_reducer *reducer, ls_owned_range *piece);
    void (*rewind)(ls_reducer *reducer);
    /* LS_SHARE_ALL on all ranks or on none. If NULL, LS_SHARE_ALL, and the next two are NULL. */
    ls_share (*share)(const ls_reducer *reducer);
    void (*allgather_params)(ls_reducer *reducer);
    void (*allgather_state)(ls_reducer *reducer, float *arena);
} ls_reducer_kind;

struct ls_reducer {
    const ls_reducer_kind *kind;
    ls_comm *comm; /* borrowed */
    bool shard;
    const ls_layout *layout; /* borrowed */
    int64_t count;           /* layout->count */
    ls_step_rows rows;       /* rows.mine: maximum over ranks */
    int control_values;      /* of the control word in messages */
    float *grads;            /* [count], set by create() */
    float *params;           /* [count], set by create() */
    float limit;             /* largest magnitude of a gradient: FLT_MAX, or set by create() */
    const ls_group *group;   /* NULL, or set by create() */
    bool keeps_pieces;       /* pieces stay valid until allgather_params() */
    bool rewound;            /* second or later iteration over this step's pieces */
    ls_reducer_times times;

    ls_control control; /* this rank's control word, from the begin of the step */
    int64_t final_from; /* gradients from this offset on are final in the current pass */
    int64_t bad;        /* offset of this step's first gradient over the limit; -1: none */

    /* Times of a step: start of its first reduction (0: not started), arrival of its latest sum,
     * and times.exposed at these two moments. */
    double begun, arrived;
    double exposed_before, exposed_until;
};

extern const ls_reducer_kind ls_reducer_fused;
extern const ls_reducer_kind ls_reducer_overlap;
extern const ls_reducer_kind ls_reducer_hierarchical;
extern const ls_reducer_kind ls_reducer_exact;

/* Convert between the control word and its floats behind the gradients. Local. */
static inline void ls_control_put(const ls_reducer *r, const double word[LS_CONTROL_MOST],
                                  float *floats)
{
    for (int i = 0; i < r->control_values; i++)
        floats[i] = (float)word[i];
}
static inline void ls_control_take(const ls_reducer *r, const float *floats,
                                   double word[LS_CONTROL_MOST])
{
    for (int i = 0; i < r->control_values; i++)
        word[i] = (double)floats[i];
}

#endif
