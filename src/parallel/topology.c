#include <lockstep/topology.h>

#include "base/memory.h"
#include "parallel/comm_mpi.h"

#include <sched.h>
#include <string.h>
#include <unistd.h>

/* Compares this rank's cores with those of the node's other ranks. Collective. */
static ls_status look_around(ls_comm *comm, ls_seat *seat, int *node_leader)
{
    MPI_Comm node;
    int size, rank;
    cpu_set_t mine;
    CPU_ZERO(&mine);
    if (sched_getaffinity(0, sizeof mine, &mine) != 0 || CPU_COUNT(&mine) == 0)
        CPU_SET(0, &mine);
    MPI_Comm_split_type(comm->mpi, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node);
    MPI_Comm_size(node, &size);
    MPI_Comm_rank(node, &rank);
    cpu_set_t *all = ls_alloc(size, sizeof *all);
    ls_status status = ls_agree(comm, all == NULL ? LS_ERR_FAILURE : LS_OK);
    if (status == LS_OK) {
        MPI_Allgather(&mine, (int)sizeof mine, MPI_BYTE, all, (int)sizeof mine, MPI_BYTE, node);
        seat->alone = true;
        for (int r = 0; r < size; r++) {
            cpu_set_t both;
            CPU_AND(&both, &mine, &all[r]);
            seat->alone = seat->alone && (r == rank || CPU_COUNT(&both) == 0);
        }
        seat->cores = CPU_COUNT(&mine);
        while (!CPU_ISSET((size_t)seat->first, &mine))
            seat->first++;
        seat->bound = seat->cores < sysconf(_SC_NPROCESSORS_ONLN);
        *node_leader = comm->rank;
        MPI_Bcast(node_leader, 1, MPI_INT, 0, node);
    }
    ls_free(all);
    MPI_Comm_free(&node);
    return status;
}

/* Numbers the nodes and counts each one's threads against its cores; on rank 0. */
static ls_status count_nodes(ls_topology *t, const int *leaders)
{
    int *threads = ls_alloc(t->ranks, sizeof *threads), *cores = ls_alloc(t->ranks, sizeof *cores);
    ls_status status = threads == NULL || cores == NULL ? LS_ERR_FAILURE : LS_OK;
    for (int r = 0; status == LS_OK && r < t->ranks; r++) {
        ls_seat *seat = &t->seat[r];
        seat->node = leaders[r] == r ? t->nodes++ : t->seat[leaders[r]].node;
        threads[seat->node] += seat->threads;
        /* Ranks that share cores have the same ones, as all common bindings do. */
        if (seat->alone)
            cores[seat->node] += seat->cores;
        else if (seat->cores > cores[seat->node])
            cores[seat->node] = seat->cores;
    }
    t->oversubscribed_node = -1;
    for (int n = t->nodes - 1; status == LS_OK && n >= 0; n--)
        if (threads[n] > cores[n])
            t->oversubscribed_node = n;
    ls_free(threads);
    ls_free(cores);
    return status;
}

ls_status ls_topology_create(ls_topology **out, ls_comm *comm, int threads)
{
    int leader = 0;
    ls_topology *t = ls_alloc(1, sizeof *t);
    int *leaders = ls_alloc(comm->size, sizeof *leaders);
    ls_seat *seats = ls_alloc(comm->rank == 0 ? comm->size : 0, sizeof *seats);
    ls_status status =
        ls_agree(comm, t == NULL || leaders == NULL || seats == NULL ? LS_ERR_FAILURE : LS_OK);
    if (status != LS_OK)
        goto out;
    t->ranks = comm->size;
    gethostname(t->mine.host, sizeof t->mine.host - 1);
    status = look_around(comm, &t->mine, &leader);
    if (status != LS_OK)
        goto out;
    t->mine.threads = threads > 0 ? threads : t->mine.bound && t->mine.alone ? t->mine.cores : 1;
    ls_gather_bytes(comm, &t->mine, (int)sizeof t->mine, seats);
    ls_gather_bytes(comm, &leader, (int)sizeof leader, leaders);
    if (comm->rank == 0) {
        t->seat = seats;
        seats = NULL;
        status = count_nodes(t, leaders);
    }
    status = ls_agree(comm, status);
    if (status == LS_OK) {
        ls_broadcast(comm, &t->nodes, sizeof t->nodes);
        ls_broadcast(comm, &t->oversubscribed_node, sizeof t->oversubscribed_node);
    }
out:
    ls_free(leaders);
    ls_free(seats);
    if (status != LS_OK) {
        ls_topology_destroy(&t);
        return status;
    }
    *out = t;
    return LS_OK;
}

void ls_topology_destroy(ls_topology **topology)
{
    if (topology == NULL || *topology == NULL)
        return;
    ls_free((*topology)->seat);
    ls_free(*topology);
    *topology = NULL;
}
