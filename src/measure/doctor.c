#include "measure/doctor.h"

#include "parallel/collectives.h"
#include "measure/disturbance.h"

#include <lockstep/compute.h>

#include "base/clock.h"
#include "base/median.h"
#include "base/memory.h"
#include "base/show.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A rank is slow below this fraction of the median; an allreduce is slow above this factor of the
 * median. Noise of a shared machine stays within these bounds. */
static const double SLOW = 0.75, LATE = 2;
/* Least free space for a job: on disk for checkpoints, and in memory that ranks share. */
static const double LEAST_DISK = 1e9, LEAST_SHARED = 64 << 20;

typedef struct list {
    ls_finding *finding;
    int count;
} list;

static void LS_PRINTF(3, 4) add_finding(list *l, const char *remedy, const char *format, ...)
{
    if (l->count == LS_MOST_FINDINGS)
        return;
    ls_finding *f = &l->finding[l->count++];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(f->what, sizeof f->what, format, arguments);
    va_end(arguments);
    snprintf(f->remedy, sizeof f->remedy, "%s", remedy);
}

/* Returns the median over ranks of a double at an offset in the reports; 0 when memory is short. */
static double median_of_reports(const ls_rank_report *p, int ranks, size_t offset)
{
    double *values = ls_alloc(ranks, sizeof *values), median = 0;
    for (int r = 0; values != NULL && r < ranks; r++)
        values[r] = *(const double *)(const void *)((const char *)&p[r] + offset);
    if (values != NULL)
        median = ls_median(values, ranks);
    ls_free(values);
    return median;
}

/* Compares the threads of a node's ranks with its cores, and checks the binding of ranks. */
static void check_placement(const ls_placement *placement, const ls_rank_report *p, int ranks,
                            list *l)
{
    char remedy[128];
    int crowded = -1, shared = -1, loose = -1;
    for (int r = 0; r < ranks; r++) {
        int threads = 0;
        for (int k = 0; k < ranks; k++)
            threads += placement[k].node == placement[r].node ? placement[k].threads : 0;
        if (crowded < 0 && threads > placement[r].node_cores)
            crowded = r;
        if (shared < 0 && placement[r].bound && !placement[r].alone)
            shared = r;
        if (loose < 0 && !placement[r].bound && p[r].node.ranks > 1)
            loose = r;
    }
    if (crowded >= 0) {
        const int of = placement[crowded].threads, fit = placement[crowded].node_cores / of;
        char cores[32] = "";
        if (of > 1)
            snprintf(cores, sizeof cores, ":PE=%d", of);
        snprintf(remedy, sizeof remedy, "mpirun --map-by ppr:%d:node%s --bind-to core ...%s",
                 fit > 0 ? fit : 1, cores, of > 1 ? ", or leave out --threads" : "");
        add_finding(l, remedy, "%s has %s of %s on %s: they wait for each other",
                    placement[crowded].host, ls_counted(p[crowded].node.ranks, "rank").text,
                    ls_counted(of, "thread").text,
                    ls_counted(placement[crowded].node_cores, "core").text);
        return; /* then the binding matters little */
    }
    snprintf(remedy, sizeof remedy, "mpirun --map-by slot:PE=%d --bind-to core ...",
             placement[shared >= 0 ? shared : 0].threads);
    if (shared >= 0)
        add_finding(l, remedy, "rank %d on %s shares its core with another rank", shared,
                    placement[shared].host);
    else if (loose >= 0)
        add_finding(l, remedy, "rank %d on %s is bound to no core: it moves, and its cache is lost",
                    loose, placement[loose].host);
}

/* Checks for load by other programs on nodes whose cores the ranks need. */
static void check_load(const ls_placement *placement, const ls_rank_report *p, int ranks, list *l)
{
    ls_load *load = ls_alloc(ranks, sizeof *load);
    int busy = -1;
    for (int r = 0; load != NULL && r < ranks; r++)
        load[r] = p[r].load;
    for (int r = ranks - 1; load != NULL && r >= 0; r--)
        if (ls_excess_load(placement, load, ranks, placement[r].node) > LS_MOST_EXCESS &&
            ls_foreign_load(placement, load, ranks, placement[r].node) > LS_MOST_EXCESS)
            busy = r;
    if (busy >= 0)
        add_finding(
            l,
            "see what runs there (top) and wait for its end, or leave the node out: mpirun --host "
            "..., sbatch --exclusive",
            "on %s other programs keep %.1f processors busy: ranks wait for them, and measurements "
            "there are not usable",
            placement[busy].host, ls_foreign_load(placement, load, ranks, placement[busy].node));
    ls_free(load);
}

/* Returns the first rank whose text at an offset differs from rank 0's, if both are known; -1 if
 * there is none. */
static int first_different(const ls_rank_report *p, int ranks, size_t offset)
{
    const char *first = (const char *)&p[0] + offset;
    for (int r = 1; r < ranks; r++) {
        const char *other = (const char *)&p[r] + offset;
        if (*first != '\0' && *other != '\0' && strcmp(first, other) != 0)
            return r;
    }
    return -1;
}

static void check_differences(const ls_placement *placement, const ls_rank_report *p, int ranks,
                              list *l)
{
    int r = first_different(p, ranks, offsetof(ls_rank_report, machine.program));
    if (r >= 0)
        add_finding(l, "install one build where all nodes see it, and start it by its full path",
                    "rank %d on %s runs another binary than rank 0", r, placement[r].host);
    r = first_different(p, ranks, offsetof(ls_rank_report, machine.cpu));
    if (r >= 0)
        add_finding(
            l, "sbatch --constraint=..., so that all nodes are of one type",
            "rank %d on %s has another processor than rank 0 (%s; %s): the slower one sets the "
            "pace",
            r, placement[r].host, p[r].machine.cpu, p[0].machine.cpu);
    r = first_different(p, ranks, offsetof(ls_rank_report, kernels));
    if (r >= 0)
        add_finding(l, "mpirun -x OPENBLAS_CORETYPE=Haswell ...",
                    "rank %d on %s computes by %s, rank 0 by %s: --reproducible is refused", r,
                    placement[r].host, p[r].kernels, p[0].kernels);
}

static void check_products(const ls_placement *placement, const ls_rank_report *p, int ranks,
                           list *l)
{
    char remedy[96];
    int r = 0;
    while (r < ranks && p[r].other_kernels[0] == '\0')
        r++;
    if (r == ranks)
        return;
    snprintf(remedy, sizeof remedy,
             "mpirun -x OPENBLAS_CORETYPE=%s ..., or another version of the library",
             p[r].other_kernels);
    add_finding(l, remedy, "rank %d on %s computes wrong products by %s", r, placement[r].host,
                p[r].kernels);
}

static void check_speed(const ls_placement *placement, const ls_rank_report *p, int ranks, list *l)
{
    const double sgemm = median_of_reports(p, ranks, offsetof(ls_rank_report, sgemm));
    const double allreduce = median_of_reports(p, ranks, offsetof(ls_rank_report, node.allreduce));
    int slow = -1, late = -1;
    for (int r = 0; r < ranks; r++) {
        if (p[r].sgemm < SLOW * sgemm && (slow < 0 || p[r].sgemm < p[slow].sgemm))
            slow = r;
        if (p[r].node.allreduce > LATE * allreduce &&
            (late < 0 || p[r].node.allreduce > p[late].node.allreduce))
            late = r;
    }
    if (slow >= 0)
        add_finding(
            l,
            "leave the node out: mpirun --host ..., sbatch --exclude=...; or see what else runs "
            "there",
            "rank %d on %s multiplies at %.0f Gflop/s, the median is %.0f: all wait for it", slow,
            placement[slow].host, 1e-9 * p[slow].sgemm, 1e-9 * sgemm);
    if (late >= 0)
        add_finding(
            l,
            "leave the node out: mpirun --host ..., sbatch --exclude=...; or see what else runs "
            "there",
            "an allreduce within %s takes %.2f ms, the median of nodes is %.2f",
            placement[late].host, 1e3 * p[late].node.allreduce, 1e3 * allreduce);
    for (int r = 0; r < ranks; r++)
        if (p[r].better_kernels[0] != '\0') {
            char remedy[96];
            if (p[r].slow_setting[0] != '\0')
                snprintf(remedy, sizeof remedy, "OPENBLAS_CORETYPE=%s is set: unset it",
                         p[r].slow_setting);
            else
                snprintf(remedy, sizeof remedy, "mpirun -x OPENBLAS_CORETYPE=%s ...",
                         p[r].better_kernels);
            add_finding(l, remedy, "rank %d on %s computes by %s, which is slow on its processor",
                        r, placement[r].host, p[r].kernels);
            break;
        }
}

/* Ranks of a node that can't read each other's memory copy each message twice. */
static void check_transport(const ls_placement *placement, const ls_rank_report *p, int ranks,
                            list *l)
{
    for (int r = 0; r < ranks; r++)
        if (p[r].node.single_copy == LS_COPY_DENIED) {
            add_finding(
                l,
                "sysctl kernel.yama.ptrace_scope=0; in a container --cap-add=SYS_PTRACE; the job "
                "also works without",
                "ranks on %s may not read each other's memory: messages are copied twice",
                placement[r].host);
            return;
        }
}

static void check_space(const ls_placement *placement, const ls_rank_report *p, int ranks,
                        double needed, list *l)
{
    int memory = -1, shared = -1, disk = -1, lock = -1;
    for (int r = ranks - 1; r >= 0; r--) {
        if (p[r].machine.memory_free > 0 && needed * p[r].node.ranks > p[r].machine.memory_free)
            memory = r;
        if (p[r].node.ranks > 1 && p[r].machine.shared_free < LEAST_SHARED)
            shared = r;
        if (p[r].disk_free >= 0 && p[r].disk_free < LEAST_DISK)
            disk = r;
        if (p[r].lock_error != 0)
            lock = r;
    }
    if (memory >= 0)
        add_finding(l, "use more nodes, or fewer ranks on each",
                    "%s has %.1f GB of memory left, its ranks' data need %.1f",
                    placement[memory].host, 1e-9 * p[memory].machine.memory_free,
                    1e-9 * needed * p[memory].node.ranks);
    if (shared >= 0)
        add_finding(
            l, "mount -o remount,size=1G /dev/shm; in a container --shm-size=1g",
            "/dev/shm on %s has %.0f MB left: MPI and --reduce hierarchical share memory there",
            placement[shared].host, 1e-6 * p[shared].machine.shared_free);
    if (disk == 0)
        add_finding(l, "free some space, or choose another folder with --run",
                    "only %.2f GB are free for the run folder", 1e-9 * p[disk].disk_free);
    if (lock >= 0)
        add_finding(l, "mpirun -x HDF5_USE_FILE_LOCKING=FALSE ...",
                    "rank %d on %s can't lock the data set (%s), as HDF5 does when it reads", lock,
                    placement[lock].host, strerror(p[lock].lock_error));
}

/* Measures the best rate of several products, in about a tenth of a second. Collective. */
static ls_status measure_sgemm(ls_comm *comm, double *out)
{
    enum { N = 512, TRIES = 20 };
    float *a = ls_alloc(3 * N * N, sizeof *a);
    ls_status status = ls_agree(comm, a == NULL ? LS_ERR_FAILURE : LS_OK);
    *out = 0;
    ls_barrier(comm);
    for (int i = 0; status == LS_OK && i < TRIES; i++) {
        const double begin = ls_now();
        ls_compute_product(N, a, a + N * N, a + 2 * N * N);
        const double rate = 2.0 * N * N * N / (ls_now() - begin);
        *out = rate > *out ? rate : *out;
    }
    ls_free(a);
    return status;
}

/* Measures the load of other programs while all ranks are idle. Collective. */
static ls_load measure_foreign_load(ls_comm *comm)
{
    const struct timespec moment = {.tv_nsec = 300 * 1000 * 1000};
    ls_barrier(comm);
    const ls_busy before = ls_busy_now();
    nanosleep(&moment, NULL);
    return ls_busy_since(&before);
}

/* Makes the report of this rank. Collective. */
static ls_status report(ls_comm *comm, const char *data, const char *run, ls_rank_report *out)
{
    *out = (ls_rank_report){.load = measure_foreign_load(comm),
                            .disk_free = ls_machine_disk_free(run),
                            .lock_error = *data != '\0' ? ls_machine_lock_error(data) : 0};
    const char *better = ls_compute_better_kernels();
    ls_machine_look(&out->machine);
    snprintf(out->kernels, sizeof out->kernels, "%s", ls_compute_version());
    snprintf(out->better_kernels, sizeof out->better_kernels, "%s", better != NULL ? better : "");
    snprintf(out->slow_setting, sizeof out->slow_setting, "%s",
             ls_compute_slow_setting(getenv("OPENBLAS_CORETYPE")));
    if (ls_compute_check() != LS_OK)
        snprintf(out->other_kernels, sizeof out->other_kernels, "%s", ls_compute_other_kernels());
    ls_status status = ls_probe_node(comm, &out->node);
    return status == LS_OK ? measure_sgemm(comm, &out->sgemm) : status;
}

ls_status ls_collect_reports(ls_comm *comm, const char *data, const char *run, ls_rank_report *out)
{
    ls_rank_report mine;
    const ls_status status = report(comm, data, run, &mine);
    if (status == LS_OK)
        ls_gather_bytes(comm, &mine, (int)sizeof mine, out);
    return status;
}

int ls_diagnose_job(const ls_placement *placement, const ls_rank_report *report, int ranks,
                    double needed, ls_finding findings[LS_MOST_FINDINGS])
{
    list l = {.finding = findings};
    check_products(placement, report, ranks, &l);
    check_placement(placement, report, ranks, &l);
    check_load(placement, report, ranks, &l);
    check_differences(placement, report, ranks, &l);
    check_speed(placement, report, ranks, &l);
    check_transport(placement, report, ranks, &l);
    check_space(placement, report, ranks, needed, &l);
    return l.count;
}
