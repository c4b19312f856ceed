/* Where the ranks run: nodes, cores, threads. */
#ifndef LOCKSTEP_TOPOLOGY_H
#define LOCKSTEP_TOPOLOGY_H

#include <stdbool.h>

#include <lockstep/comm.h>
#include <lockstep/status.h>

#ifdef __cplusplus
extern "C" {
#endif

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
    ls_placement *seat;      /* [ranks] on rank 0; NULL elsewhere */
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
