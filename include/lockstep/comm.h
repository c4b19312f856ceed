/* The ranks of a job: communicators, agreement on errors, reduction algorithms, and where the ranks
 * run. Only the parallel layer calls MPI. Errors in MPI calls are fatal (MPI_ERRORS_ARE_FATAL,
 * MPI's default), so only functions with errors of their own return a status. */
#ifndef LOCKSTEP_COMM_H
#define LOCKSTEP_COMM_H

#include <stdbool.h>

#include <lockstep/choice.h>
#include <lockstep/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ls_comm ls_comm;

/* Creates a communicator: a duplicate of MPI_COMM_WORLD, or of the caller's. MPI must be
 * initialised.
 * Collective.
 * handle  the caller's communicator as a Fortran handle, MPI_Comm_c2f(comm): an int, so that this
 *         header does not include mpi.h
 * Errors: LS_ERR_FAILURE if any rank is out of memory (all ranks get it). */
ls_status ls_comm_world(ls_comm **out) LS_MUST_CHECK;
ls_status ls_comm_from_fortran(ls_comm **out, int handle) LS_MUST_CHECK;

/* Frees a communicator and sets *comm to NULL; accepts NULL. Collective. */
void ls_comm_destroy(ls_comm **comm);

/* This rank, from 0, and the number of ranks. Local. */
int ls_comm_rank(const ls_comm *comm);
int ls_comm_size(const ls_comm *comm);

/* Agrees on an error: all ranks return the status and error text of the lowest rank that passed a
 * status other than LS_OK; LS_OK if all ranks passed LS_OK. The text names the failed rank, unless
 * all ranks failed.
 * Collective. */
ls_status ls_agree(ls_comm *comm, ls_status status) LS_MUST_CHECK;

/* As ls_agree(), for an action of some ranks: the status of the others is ignored, and the text
 * names no rank if all that acted failed. ls_agree_root(): of rank 0 alone.
 * Collective.
 * acts  this rank acted; true on one rank or more */
ls_status ls_agree_among(ls_comm *comm, bool acts, ls_status status) LS_MUST_CHECK;
ls_status ls_agree_root(ls_comm *comm, ls_status status) LS_MUST_CHECK;

/* Checks that a text is the same on all ranks.
 * Collective.
 * what  name of the text in the error message; the same on all ranks
 * Errors: LS_ERR_RANKS on all ranks; the message names the lowest rank whose text differs from
 * rank 0's. LS_ERR_FAILURE if any rank is out of memory (all ranks get it). */
ls_status ls_agree_equal(ls_comm *comm, const char *text, const char *what) LS_MUST_CHECK;

/* Sends rank 0's text to all ranks. On the other ranks *text is replaced by an owned copy.
 * Collective.
 * Errors: LS_ERR_FAILURE if any rank is out of memory (all ranks get it); *text is unchanged. */
ls_status ls_broadcast_text(ls_comm *comm, char **text) LS_MUST_CHECK;

/* Returns the name and version of the MPI library, for example "Open MPI v4.1.4". Local. */
const char *ls_comm_version(void);

/* Reduction algorithms.
 * fused         one allreduce after the backward pass
 * overlap       bucketed, overlapped with the backward pass and the updates
 * hierarchical  in shared memory within each node, then between the nodes; the ranks of a node
 *               share one copy of the parameters, divide the updates and, as a group, large matrix
 *               products
 * exact         as fused, with exact sums: their bits depend only on the micro-batches of the
 *               backward passes, not on the number of ranks or the order of addition
 * auto          the trainer measures the algorithms and selects the fastest */
#define LS_REDUCE_LIST(X)                                                                          \
    X(LS_REDUCE_FUSED, "fused", "one allreduce after the backward pass")                           \
    X(LS_REDUCE_OVERLAP, "overlap", "in buckets, during the backward pass and the updates")        \
    X(LS_REDUCE_HIERARCHICAL, "hierarchical", "in each node's shared memory, then between nodes")  \
    X(LS_REDUCE_EXACT, "exact", "exact sums, used by --reproducible")                              \
    X(LS_REDUCE_AUTO, "auto", "measures the algorithms and selects the fastest")

typedef enum ls_reduce { LS_REDUCE_LIST(LS_CHOICE_ENUM) LS_REDUCERS = LS_REDUCE_AUTO } ls_reduce;

/* Returns the algorithm's name: "fused", "overlap", "hierarchical", "exact", "auto". Local. */
const char *ls_reduce_name(ls_reduce kind);

/* Where one rank runs. */
typedef struct ls_placement {
    char host[64];
    int node;       /* from 0, in the order of the nodes' lowest ranks */
    int cores;      /* physical cores that the rank may run on */
    int node_cores; /* physical cores that any rank of the node may run on */
    int numa;       /* NUMA domains of the node */
    bool alone;     /* no other rank of the node may run on this rank's cores */
    bool bound;     /* `cores` is less than the number of physical cores of the node */
    int threads;    /* BLAS threads of the rank */
} ls_placement;

typedef struct ls_topology {
    int ranks;
    int nodes;
    int oversubscribed_node; /* lowest node with more BLAS threads than cores; -1: none */
    ls_placement *placement; /* [ranks] on rank 0; NULL elsewhere */
    ls_placement mine;
} ls_topology;

/* Determines where each rank runs.
 * Collective.
 * threads  BLAS threads per rank, the same on all ranks; 0: one per core if the rank is bound to
 *          cores that no other rank uses, else 1
 * Errors: LS_ERR_FAILURE if any rank is out of memory or hwloc fails there (all ranks get it); *out
 * is unchanged. */
ls_status ls_topology_create(ls_topology **out, ls_comm *comm, int threads) LS_MUST_CHECK;

/* Frees a topology and sets *topology to NULL; accepts NULL. Local. */
void ls_topology_destroy(ls_topology **topology);

#ifdef __cplusplus
}
#endif

#endif
