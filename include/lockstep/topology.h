/* Where the ranks run: nodes, cores, threads. */
#ifndef LOCKSTEP_TOPOLOGY_H
#define LOCKSTEP_TOPOLOGY_H

#include <stdbool.h>

#include <lockstep/comm.h>
#include <lockstep/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One rank's place. */
typedef struct ls_placement {
    char host[64];
    int node;       /* nodes are numbered in the order of their lowest rank, from 0 */
    int cores;      /* physical cores that the rank may run on */
    int node_cores; /* those of all ranks of the node together */
    int numa;       /* NUMA domains of the node */
    bool alone;     /* no other rank of the node may run on any of them */
    bool bound;     /* they are fewer than the node's cores */
    int threads;    /* BLAS threads that it uses */
} ls_placement;

typedef struct ls_topology {
    int ranks;
    int nodes;
    int oversubscribed_node; /* a node that has more threads than cores; -1: none */
    ls_placement *seat;      /* [ranks] on rank 0; NULL elsewhere */
    ls_placement mine;
} ls_topology;

/* Finds out where each rank runs. Collective.
 * threads  BLAS threads asked for, the same on all ranks; 0: as many as the cores that a rank is
 *          bound to alone, else 1
 * Errors: LS_ERR_FAILURE when memory is short on any rank (all ranks get it). */
ls_status ls_topology_create(ls_topology **out, ls_comm *comm, int threads) LS_MUST_CHECK;

/* Frees a topology and sets *topology to NULL; accepts NULL. Local. */
void ls_topology_destroy(ls_topology **topology);

#ifdef __cplusplus
}
#endif

#endif
