/* What the modules of the parallel layer share: the communicator inside an ls_comm. */
#ifndef LS_PARALLEL_COMM_MPI_H
#define LS_PARALLEL_COMM_MPI_H

#include <mpi.h>
#include <stdatomic.h>

#include <lockstep/comm.h>

struct ls_comm {
    MPI_Comm mpi; /* owned */
    int rank;
    int size;
    atomic_int waiting; /* above 0 while this rank waits for others: the watchdog reads it */
};

/* To be called before and after what other ranks can keep this one waiting in. Local. */
static inline void ls_wait_begin(ls_comm *comm)
{
    atomic_fetch_add_explicit(&comm->waiting, 1, memory_order_relaxed);
}
static inline void ls_wait_end(ls_comm *comm)
{
    atomic_fetch_sub_explicit(&comm->waiting, 1, memory_order_relaxed);
}

#endif
