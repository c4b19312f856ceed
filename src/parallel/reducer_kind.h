/* The interface that every kind of reducer implements, see lockstep/reducer.h for what the
 * functions do. */
#ifndef LS_PARALLEL_REDUCER_KIND_H
#define LS_PARALLEL_REDUCER_KIND_H

#include <lockstep/reducer.h>

#include "parallel/comm_mpi.h"

/* The control word as floats: exact up to 2^24, and of the gradient's type, so that it can travel
 * behind gradients. */
enum {
    LS_CONTROL_ROWS,
    LS_CONTROL_CORRECT,
    LS_CONTROL_LOSS,
    LS_CONTROL_FAILED,
    LS_CONTROL_STOP,
    LS_CONTROL_SAVE,
    LS_CONTROL_FLOATS
};

/* Most floats in one MPI call, far below the range of its int. */
#define LS_MPI_FLOATS (INT64_C(1) << 28)

typedef struct ls_reducer_kind {
    const char *name;
    size_t size; /* of the struct that begins with an ls_reducer */

    /* Sets grads and params and all else. Collective, agreed. */
    ls_status (*create)(ls_reducer *reducer);
    void (*destroy)(ls_reducer *reducer); /* Collective; of what create() left, too, if it failed */
    void (*set_params)(ls_reducer *reducer, const float *params);
    void (*begin)(ls_reducer *reducer, const float word[LS_CONTROL_FLOATS]);
    void (*ready)(ls_reducer *reducer, int64_t from);
    void (*finish)(ls_reducer *reducer, float word[LS_CONTROL_FLOATS]);
    bool (*next)(ls_reducer *reducer, ls_piece *piece);
    void (*publish)(ls_reducer *reducer);
    void (*complete)(ls_reducer *reducer, float *arena);
} ls_reducer_kind;

struct ls_reducer {
    const ls_reducer_kind *kind;
    ls_comm *comm; /* borrowed */
    bool shard;
    const ls_layout *layout; /* borrowed */
    int64_t count;           /* layout->count */
    int64_t rows;            /* the most of a rank in a step, the same on all ranks */
    float *grads;            /* [count], set by create() */
    float *params;           /* the same */
    const ls_team *team;     /* NULL, or set by create() */
    ls_reducer_times times;

    /* For the times of a step: when its first reduction started (0: not yet) and its latest sum had
     * arrived, and times.exposed at these moments. */
    double begun, arrived;
    double exposed_before, exposed_until;
};

extern const ls_reducer_kind ls_reducer_fused;
extern const ls_reducer_kind ls_reducer_overlap;
extern const ls_reducer_kind ls_reducer_hierarchical;

#endif
