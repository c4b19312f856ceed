/* What the modules of the parallel layer share: the communicator inside an ls_comm. */
#ifndef LS_PARALLEL_COMM_MPI_H
#define LS_PARALLEL_COMM_MPI_H

#include <mpi.h>

#include <lockstep/comm.h>

struct ls_comm {
    MPI_Comm mpi; /* owned */
    int rank;
    int size;
};

#endif
