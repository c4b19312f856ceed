/* The definition of ls_comm, for the modules of the parallel layer. */
#ifndef LS_PARALLEL_COMM_MPI_H
#define LS_PARALLEL_COMM_MPI_H

#include <mpi.h>
#include <stdatomic.h>

#include <lockstep/comm.h>

struct ls_comm {
    MPI_Comm mpi; /* owned */
    int rank;
    int size;
    atomic_int
        waiting; /* above 0 while this rank may wait for other ranks; the watchdog reads it */
};

/* Called before and after every call in which this rank may wait for other ranks. Local. */
static inline void ls_wait_begin(ls_comm *comm)
{
    atomic_fetch_add_explicit(&comm->waiting, 1, memory_order_relaxed);
}
static inline void ls_wait_end(ls_comm *comm)
{
    atomic_fetch_sub_explicit(&comm->waiting, 1, memory_order_relaxed);
}

#endif
