#include <lockstep/reducer.h>

#include "base/integer.h"
#include "base/memory.h"
#include "parallel/comm_mpi.h"

#include <string.h>

/* The control word as floats: exact up to 2^24, and of the gradient's type. */
enum { ROWS, LOSS, FAILED, CONTROL_FLOATS };

struct ls_reducer {
    ls_comm *comm; /* borrowed */
    int64_t count;
    float *arena; /* [count + CONTROL_FLOATS] */
};

ls_status ls_reducer_create(ls_reducer **out, ls_comm *comm, int64_t count)
{
    ls_reducer *reducer = ls_alloc(1, sizeof *reducer);
    if (reducer == NULL)
        return LS_ERR_FAILURE;
    reducer->comm = comm;
    reducer->count = count;
    reducer->arena = ls_alloc(count + CONTROL_FLOATS, sizeof *reducer->arena);
    if (reducer->arena == NULL) {
        ls_reducer_destroy(&reducer);
        return LS_ERR_FAILURE;
    }
    *out = reducer;
    return LS_OK;
}

void ls_reducer_destroy(ls_reducer **reducer)
{
    if (reducer == NULL || *reducer == NULL)
        return;
    ls_free((*reducer)->arena);
    ls_free(*reducer);
    *reducer = NULL;
}

float *ls_reducer_grads(ls_reducer *reducer)
{
    return reducer->arena;
}

void ls_reducer_sum(ls_reducer *reducer, ls_control *control)
{
    const int64_t most = INT64_C(1) << 28; /* floats in one call, far below the range of its int */
    const int64_t total = reducer->count + CONTROL_FLOATS;
    float *word = reducer->arena + reducer->count;
    if (control->failed != 0)
        memset(reducer->arena, 0, (size_t)reducer->count * sizeof *reducer->arena);
    word[ROWS] = control->failed != 0 ? 0 : (float)control->rows;
    word[LOSS] = control->failed != 0 ? 0 : (float)control->loss;
    word[FAILED] = control->failed != 0 ? 1 : 0;
    for (int64_t done = 0; done < total; done += most) {
        int64_t some = total - done < most ? total - done : most;
        MPI_Allreduce(MPI_IN_PLACE, reducer->arena + done, ls_int(some), MPI_FLOAT, MPI_SUM,
                      reducer->comm->mpi);
    }
    control->rows = (int64_t)word[ROWS];
    control->loss = (double)word[LOSS];
    control->failed = (int64_t)word[FAILED];
}
