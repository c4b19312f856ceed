#include <lockstep/comm.h>

#include "base/memory.h"
#include "parallel/collectives.h"
#include "parallel/comm_mpi.h"

#include <hwloc.h>
#include <string.h>
#include <unistd.h>

/* Returns the number of physical cores with a logical processor in `set`; hardware threads of one
 * core count once. */
static int count_cores(hwloc_topology_t machine, hwloc_const_bitmap_t set)
{
    int cores = 0;
    for (hwloc_obj_t core = NULL;
         (core = hwloc_get_next_obj_by_type(machine, HWLOC_OBJ_CORE, core)) != NULL;)
        cores += hwloc_bitmap_intersects(core->cpuset, set);
    return cores > 0 ? cores : hwloc_bitmap_weight(set);
}

/* Fills in the cores of a placement from the CPU sets of all ranks of the node. Local.
 * masks  [size][words], CPU sets by rank of the node */
static ls_status compare_cpusets(hwloc_topology_t machine, const unsigned long *masks,
                                 unsigned words, int size, int rank, ls_placement *placement)
{
    hwloc_bitmap_t mine = hwloc_bitmap_alloc(), other = hwloc_bitmap_alloc();
    hwloc_bitmap_t node_set = hwloc_bitmap_alloc();
    bool ok = mine != NULL && other != NULL && node_set != NULL &&
              hwloc_bitmap_from_ulongs(mine, words, masks + (size_t)rank * words) == 0;
    placement->alone = true;
    for (int r = 0; ok && r < size; r++) {
        ok = hwloc_bitmap_from_ulongs(other, words, masks + (size_t)r * words) == 0 &&
             hwloc_bitmap_or(node_set, node_set, other) == 0;
        placement->alone = placement->alone && (r == rank || !hwloc_bitmap_intersects(mine, other));
    }
    if (ok) {
        placement->cores = count_cores(machine, mine);
        placement->node_cores = count_cores(machine, node_set);
        placement->numa = hwloc_get_nbobjs_by_type(machine, HWLOC_OBJ_NUMANODE);
        placement->bound =
            placement->cores < count_cores(machine, hwloc_topology_get_complete_cpuset(machine));
    }
    hwloc_bitmap_free(mine);
    hwloc_bitmap_free(other);
    hwloc_bitmap_free(node_set);
    return ok ? LS_OK : ls_fail(LS_ERR_FAILURE, "out of memory for CPU sets");
}

/* Detects the machine's topology and the CPU set that this process is bound to. Local. */
static ls_status detect_machine(hwloc_topology_t *machine, hwloc_bitmap_t mine)
{
    if (hwloc_topology_init(machine) != 0)
        return ls_fail(LS_ERR_FAILURE, "hwloc: initialisation failed");
    hwloc_topology_set_flags(*machine, HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED);
    if (hwloc_topology_load(*machine) != 0)
        return ls_fail(LS_ERR_FAILURE, "hwloc: the topology of this machine can't be read");
    if (hwloc_get_cpubind(*machine, mine, HWLOC_CPUBIND_PROCESS) != 0)
        hwloc_bitmap_copy(mine, hwloc_topology_get_complete_cpuset(*machine));
    return LS_OK;
}

/* Fills in this rank's placement, except for host and threads.
 * Collective.
 * node_leader  on return the lowest rank of this rank's node */
static ls_status detect_placement(ls_comm *comm, ls_placement *placement, int *node_leader)
{
    MPI_Comm node;
    int size, rank;
    unsigned long *masks = NULL;
    hwloc_topology_t machine = NULL;
    hwloc_bitmap_t mine = hwloc_bitmap_alloc();
    MPI_Comm_split_type(comm->mpi, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node);
    MPI_Comm_size(node, &size);
    MPI_Comm_rank(node, &rank);
    ls_status status = mine != NULL ? detect_machine(&machine, mine)
                                    : ls_fail(LS_ERR_FAILURE, "out of memory for a CPU set");
    int words = status == LS_OK ? hwloc_bitmap_nr_ulongs(mine) : 1;
    words = words > 0 ? words : 1;
    MPI_Allreduce(MPI_IN_PLACE, &words, 1, MPI_INT, MPI_MAX, node);
    if (status == LS_OK) {
        masks = ls_alloc((int64_t)size * words, sizeof *masks);
        status = masks == NULL ? LS_ERR_FAILURE : LS_OK;
    }
    status = ls_agree(comm, status);
    if (status == LS_OK) {
        hwloc_bitmap_to_ulongs(mine, (unsigned)words, masks + (size_t)rank * (size_t)words);
        MPI_Allgather(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, masks, words, MPI_UNSIGNED_LONG, node);
        *node_leader = comm->rank;
        MPI_Bcast(node_leader, 1, MPI_INT, 0, node);
        status =
            ls_agree(comm, compare_cpusets(machine, masks, (unsigned)words, size, rank, placement));
    }
    ls_free(masks);
    hwloc_bitmap_free(mine);
    if (machine != NULL)
        hwloc_topology_destroy(machine);
    MPI_Comm_free(&node);
    return status;
}

/* Numbers the nodes and finds the lowest oversubscribed node. Local, on rank 0.
 * leaders  [ranks] lowest rank of each rank's node */
static ls_status count_nodes(ls_topology *t, const int *leaders)
{
    int *threads = ls_alloc(t->ranks, sizeof *threads);
    if (threads == NULL)
        return LS_ERR_FAILURE;
    t->oversubscribed_node = -1;
    for (int r = 0; r < t->ranks; r++) {
        ls_placement *placement = &t->placement[r];
        placement->node = leaders[r] == r ? t->nodes++ : t->placement[leaders[r]].node;
        threads[placement->node] += placement->threads;
        if (threads[placement->node] > placement->node_cores &&
            (t->oversubscribed_node < 0 || placement->node < t->oversubscribed_node))
            t->oversubscribed_node = placement->node;
    }
    ls_free(threads);
    return LS_OK;
}

ls_status ls_topology_create(ls_topology **out, ls_comm *comm, int threads)
{
    int leader = 0;
    ls_topology *t = ls_alloc(1, sizeof *t);
    int *leaders = ls_alloc(comm->size, sizeof *leaders);
    ls_placement *placements = ls_alloc(comm->rank == 0 ? comm->size : 0, sizeof *placements);
    ls_status status =
        ls_agree(comm, t == NULL || leaders == NULL || placements == NULL ? LS_ERR_FAILURE : LS_OK);
    if (status != LS_OK)
        goto out;
    t->ranks = comm->size;
    gethostname(t->mine.host, sizeof t->mine.host - 1);
    status = detect_placement(comm, &t->mine, &leader);
    if (status != LS_OK)
        goto out;
    t->mine.threads = threads > 0 ? threads : t->mine.bound && t->mine.alone ? t->mine.cores : 1;
    ls_gather_bytes(comm, &t->mine, (int)sizeof t->mine, placements);
    ls_gather_bytes(comm, &leader, (int)sizeof leader, leaders);
    if (comm->rank == 0) {
        t->placement = placements;
        placements = NULL;
        status = count_nodes(t, leaders);
    }
    status = ls_agree(comm, status);
    if (status == LS_OK) {
        ls_broadcast(comm, &t->nodes, sizeof t->nodes);
        ls_broadcast(comm, &t->oversubscribed_node, sizeof t->oversubscribed_node);
    }
out:
    ls_free(leaders);
    ls_free(placements);
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
    ls_free((*topology)->placement);
    ls_free(*topology);
    *topology = NULL;
}
