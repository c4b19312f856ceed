/* Examines the nodes of a job and prints remedies. */
#include <lockstep/compute.h>
#include <lockstep/dataset.h>
#include <lockstep/comm.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/show.h"
#include "cli/command.h"
#include "cli/console.h"
#include "cli/data_choice.h"
#include "measure/disturbance.h"
#include "measure/doctor.h"

#include <stdlib.h>
#include <string.h>

typedef struct settings {
    const char *data, *inputs, *targets, *run;
    int64_t threads;
} settings;

#define AT(field) offsetof(settings, field)
static const ls_setting table[] = {
    {"data", .flags = LS_OPTION_AS_TRAIN, .offset = AT(data),
     .help = "data set to check: file locking, memory for its rows"},
    {"inputs", .flags = LS_OPTION_AS_TRAIN, .offset = AT(inputs)},
    {"targets", .flags = LS_OPTION_AS_TRAIN, .offset = AT(targets)},
    {"run", .flags = LS_OPTION_AS_TRAIN, .offset = AT(run),
     .help = "run folder, existing or not, to check for free disk space [this folder]"},
    {"threads", .flags = LS_OPTION_AS_TRAIN, .offset = AT(threads),
     .help = "BLAS threads of a rank, as for train"},
    {0},
};

/* Finds the bytes of the training rows that a rank holds, and the path of the first file; 0 and ""
 * without a data set. Local. */
static ls_status examine_data(const settings *s, int ranks, double *out, char *file, size_t size)
{
    ls_dataset *dataset = NULL;
    ls_dataset_options options = {.layout = LS_LAYOUT_NCHW};
    *out = 0;
    *file = '\0';
    if (*s->data == '\0')
        return LS_OK;
    ls_data_choose(&options, &(ls_data_choice){.inputs = s->inputs, .targets = s->targets});
    const ls_status status = ls_dataset_open(&dataset, s->data, &options);
    if (status != LS_OK)
        return status;
    const ls_dataset_info *info = ls_dataset_describe(dataset);
    *out = (double)info->rows[LS_TRAIN] *
           ((double)info->features * (double)ls_element_bytes(info->element) + 16) / ranks;
    snprintf(file, size, "%s", ls_dataset_file(dataset, 0));
    ls_dataset_close(&dataset);
    return LS_OK;
}

/* Prints a line for each node, from the report of its lowest rank. */
static void print_nodes(const ls_topology *t, const ls_rank_report *p)
{
    ls_print(stdout, "%-20s%6s%7s%9s%6s%9s%12s%10s  %s\n", "node", "ranks", "cores", "threads",
             "NUMA", "MHz", "memory GB", "shm GB", "processor");
    for (int r = 0, node = 0; r < t->ranks; r++) {
        const ls_placement *placement = &t->placement[r];
        const ls_machine *m = &p[r].machine;
        if (placement->node != node)
            continue;
        node++;
        ls_print(stdout, "%-20.19s%6d%7d%9d%6d%9.0f%12.1f%10.2f  %s\n", placement->host,
                 p[r].node.ranks, placement->node_cores, placement->threads, placement->numa,
                 m->mhz, 1e-9 * m->memory_free, 1e-9 * m->shared_free, m->cpu);
    }
}

/* Prints the range of the ranks' sgemm rates, the slowest rank, and the allreduce within nodes. */
static void print_rates(const ls_topology *t, const ls_rank_report *p)
{
    int slow = 0, fast = 0;
    for (int r = 1; r < t->ranks; r++) {
        slow = p[r].sgemm < p[slow].sgemm ? r : slow;
        fast = p[r].sgemm > p[fast].sgemm ? r : fast;
    }
    ls_print(stdout,
             "sgemm       %.0f to %.0f Gflop/s a rank, all at once; the least on rank %d, %s\n",
             1e-9 * p[slow].sgemm, 1e-9 * p[fast].sgemm, slow, t->placement[slow].host);
    double least = 0, most = 0;
    for (int r = 0; r < t->ranks; r++) {
        const double seconds = p[r].node.allreduce;
        if (seconds == 0)
            continue;
        least = least == 0 || seconds < least ? seconds : least;
        most = seconds > most ? seconds : most;
    }
    if (most > 0)
        ls_print(stdout, "allreduce   of 1 MiB within a node: %.2f to %.2f ms\n", 1e3 * least,
                 1e3 * most);
}

/* Prints the load of other programs on the nodes, in busy processors. */
static void print_load(const ls_topology *t, const ls_rank_report *p)
{
    double least = 0, most = 0;
    ls_load *load = ls_alloc(t->ranks, sizeof *load);
    for (int r = 0; load != NULL && r < t->ranks; r++)
        load[r] = p[r].load;
    for (int node = 0; load != NULL && node < t->nodes; node++) {
        const double foreign = ls_foreign_load(t->placement, load, t->ranks, node);
        least = node == 0 || foreign < least ? foreign : least;
        most = foreign > most ? foreign : most;
    }
    ls_print(stdout, "load        other programs keep %.1f to %.1f processors of a node busy\n",
             least, most);
    ls_free(load);
}

/* Prints Open MPI's settings; those of other libraries are not known and not printed. */
static void print_transport(const ls_topology *t, const ls_rank_report *p)
{
    char pml[64], btl[256], copy[64];
    ls_probe_setting("pml", pml, sizeof pml);
    ls_probe_setting("btl", btl, sizeof btl);
    ls_probe_setting("btl_vader_single_copy_mechanism", copy, sizeof copy);
    const ls_single_copy single = p[0].node.single_copy;
    ls_print(stdout, "MPI         %s", ls_comm_version());
    if (*pml != '\0' || *btl != '\0')
        ls_print(stdout, "; pml '%s', btl '%s'", *pml != '\0' ? pml : "any",
                 *btl != '\0' ? btl : "any");
    ls_print(stdout, "\ntransport   ");
    if (single != LS_COPY_UNTRIED)
        ls_print(stdout, "within a node shared memory, %s%s%s; ",
                 single == LS_COPY_WORKS ? "messages copied once" : "messages copied twice",
                 *copy != '\0' ? " by " : "", copy);
    ls_print(stdout, "%s\n", t->nodes > 1 ? "between nodes as MPI chooses" : "one node only");
}

static void print_job(const settings *s, const ls_topology *t, const ls_rank_report *p)
{
    const char *locking = getenv("HDF5_USE_FILE_LOCKING");
    ls_print(stdout, "%s on %s\n\n", ls_counted(t->ranks, "rank").text,
             ls_counted(t->nodes, "node").text);
    print_nodes(t, p);
    ls_print(stdout, "\nBLAS        %s\n", p[0].kernels);
    print_transport(t, p);
    print_rates(t, p);
    print_load(t, p);
    ls_print(stdout, "HDF5        %s, locking %s\n", ls_dataset_library_version(),
             locking != NULL       ? locking
             : *s->data == '\0'    ? "as the library does"
             : p[0].lock_error > 0 ? strerror(p[0].lock_error)
                                   : "works on this file");
    if (p[0].disk_free >= 0)
        ls_print(stdout, "disk        %.1f GB free for %s\n", 1e-9 * p[0].disk_free,
                 *s->run != '\0' ? s->run : "this folder");
}

/* Prints the findings and their remedies; on rank 0. Local. Errors: LS_ERR_FAILURE if there are
 * any. */
static ls_status print_findings(const settings *s, const ls_topology *t,
                                const ls_rank_report *patients, double needed)
{
    ls_finding finding[LS_MOST_FINDINGS];
    const int count = ls_diagnose_job(t->placement, patients, t->ranks, needed, finding);
    print_job(s, t, patients);
    for (int i = 0; i < count; i++) {
        ls_print(stdout, "\n%d. %s\n", i + 1, finding[i].what);
        ls_print(stdout, "   %s\n", finding[i].remedy);
    }
    if (count == 0)
        ls_print(stdout, "\nnothing to change\n");
    return count == 0 ? LS_OK
                      : ls_fail(LS_ERR_FAILURE, "%s to change, see above",
                                ls_counted(count, "thing").text);
}

static ls_status doctor_run(ls_comm *comm, const ls_options *options, const void *values)
{
    (void)options;
    const settings *s = values;
    const bool first = ls_comm_rank(comm) == 0;
    const int ranks = ls_comm_size(comm);
    ls_topology *topology = NULL;
    ls_rank_report *all = NULL; /* [ranks] on rank 0 */
    double needed;
    char file[LS_PATH_MAX];
    ls_status status = ls_agree(comm, examine_data(s, ranks, &needed, file, sizeof file));
    if (status == LS_OK)
        status = ls_topology_create(&topology, comm, (int)s->threads);
    if (status == LS_OK) {
        ls_compute_set_products(topology->mine.threads, LS_PRODUCTS_AUTO);
        all = ls_alloc(first ? ranks : 0, sizeof *all);
        status = ls_agree(comm, all == NULL ? LS_ERR_FAILURE : LS_OK);
    }
    if (status == LS_OK)
        status = ls_collect_reports(comm, file, s->run, all);
    if (status == LS_OK)
        status = ls_agree_root(comm, first ? print_findings(s, topology, all, needed) : LS_OK);
    ls_free(all);
    ls_topology_destroy(&topology);
    return status;
}

const ls_command ls_command_doctor = {
    .name = "doctor",
    .usage = "[OPTION ...]",
    .summary = "checks the nodes of a job, and prints what to change",
    .options = {table, false},
    .settings_size = sizeof(settings),
    .parallel = true,
    .diagnoses = true,
    .run = doctor_run,
};
