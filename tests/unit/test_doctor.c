/* Findings about the nodes and processes of a job, one fault at a time. */
#include "test.h"
#include "measure/disturbance.h"
#include "measure/doctor.h"

#include <errno.h>
#include <math.h>
#include <string.h>

enum { RANKS = 4, NODES = 2 };

/* A sound job: two nodes of two cores, a rank of one thread on each core. */
static void make_job(ls_placement placement[RANKS], ls_rank_report patient[RANKS])
{
    for (int r = 0; r < RANKS; r++) {
        placement[r] = (ls_placement){.node = r / NODES,
                                      .cores = 1,
                                      .node_cores = 2,
                                      .numa = 1,
                                      .alone = true,
                                      .bound = true,
                                      .threads = 1};
        snprintf(placement[r].host, sizeof placement[r].host, "node%d", placement[r].node);
        patient[r] =
            (ls_rank_report){.machine = {.cpu = "Processor 1",
                                         .program = "abc",
                                         .memory_free = 8e9,
                                         .shared_free = 4e9},
                             .node = {.ranks = 2, .single_copy = LS_COPY_WORKS, .allreduce = 1e-3},
                             .kernels = "OpenBLAS 0.3.21 Haswell",
                             .sgemm = 1e11,
                             .disk_free = 1e11};
    }
}

static ls_placement placement[RANKS];
static ls_rank_report patient[RANKS];
static ls_finding finding[LS_MOST_FINDINGS];

static int make_sound_job(void **state)
{
    (void)state;
    make_job(placement, patient);
    return 0;
}

/* Asserts that this is the only finding. */
static void assert_found(double needed, const char *what, const char *remedy)
{
    assert_int_equal(ls_diagnose_job(placement, patient, RANKS, needed, finding), 1);
    if (strstr(finding[0].what, what) == NULL || strstr(finding[0].remedy, remedy) == NULL)
        fail_msg("'%s' / '%s' is not '%s' / '%s'", finding[0].what, finding[0].remedy, what,
                 remedy);
}

static void a_sound_job_has_no_finding(void **state)
{
    (void)state;
    assert_int_equal(ls_diagnose_job(placement, patient, RANKS, 3e9, finding), 0);
    assert_int_equal(ls_diagnose_job(placement, patient, 1, 0, finding), 0);
    patient[2].node.allreduce = 1.5e-3; /* noise */
    patient[3].sgemm = 0.8e11;
    assert_int_equal(ls_diagnose_job(placement, patient, RANKS, 0, finding), 0);
}

static void more_threads_than_cores_are_found(void **state)
{
    (void)state;
    placement[2].threads = placement[3].threads = 2;
    assert_found(0, "node1 has 2 ranks of 2 threads on 2 cores", "ppr:1:node");
}

static void shared_cores_are_found(void **state)
{
    (void)state;
    placement[0].alone = placement[1].alone = false;
    assert_found(0, "rank 0 on node0 shares its core", "--bind-to core");
}

static void unbound_ranks_are_found(void **state)
{
    (void)state;
    placement[3].bound = false;
    assert_found(0, "rank 3 on node1 is bound to no core", "slot:PE=1 --bind-to core");
    patient[3].node.ranks = 1; /* the only rank of its node */
    assert_int_equal(ls_diagnose_job(placement, patient, RANKS, 0, finding), 0);
}

static void the_load_of_other_programs_is_found(void **state)
{
    (void)state;
    for (int r = 0; r < RANKS; r++)
        patient[r].load = (ls_load){.all = 0.1, .own = 0.02};
    assert_int_equal(ls_diagnose_job(placement, patient, RANKS, 0, finding), 0);
    patient[3].load.all = 0.9;
    assert_found(0, "on node1 other programs keep 1.0 processors busy", "top");
    /* Ranks without binding see the same processors; their own load is not that of others. */
}

static void the_load_of_other_programs_excludes_that_of_own_ranks(void **state)
{
    (void)state;
    for (int r = 0; r < RANKS; r++)
        patient[r].load = (ls_load){.all = 0.1, .own = 0.02};
    for (int r = 0; r < RANKS; r++)
        placement[r].alone = false, placement[r].bound = false, patient[r].node.ranks = 1;
    patient[2].load = patient[3].load = (ls_load){.all = 2, .own = 0.9};
    assert_int_equal(ls_diagnose_job(placement, patient, RANKS, 0, finding), 0);
    patient[0].load = patient[1].load = (ls_load){.all = 1.5, .own = 0.5};
    assert_found(0, "on node0 other programs keep 0.5 processors busy", "top");
    placement[0].node_cores = placement[1].node_cores = 4; /* enough cores for both */
    assert_int_equal(ls_diagnose_job(placement, patient, RANKS, 0, finding), 0);
}

static void different_binaries_are_found(void **state)
{
    (void)state;
    strcpy(patient[2].machine.program, "abd");
    assert_found(0, "rank 2 on node1 runs another binary", "one build");
}

static void different_processors_are_found(void **state)
{
    (void)state;
    strcpy(patient[3].machine.cpu, "Processor 2");
    assert_found(0, "(Processor 2; Processor 1)", "--constraint");
}

static void different_kernels_are_found(void **state)
{
    (void)state;
    strcpy(patient[1].kernels, "OpenBLAS 0.3.21 Zen");
    assert_found(0, "computes by OpenBLAS 0.3.21 Zen", "OPENBLAS_CORETYPE=Haswell");
}

static void wrong_products_are_found(void **state)
{
    (void)state;
    strcpy(patient[2].other_kernels, "Nehalem");
    assert_found(0, "rank 2 on node1 computes wrong products by OpenBLAS 0.3.21 Haswell",
                 "OPENBLAS_CORETYPE=Nehalem");
}

static void a_slow_rank_is_found(void **state)
{
    (void)state;
    patient[1].sgemm = 0.7e11;
    patient[2].sgemm = 0.6e11;
    patient[3].sgemm = 1.1e11;
    assert_found(0, "rank 2 on node1 multiplies at 60 Gflop/s, the median is 85", "--exclude");
}

static void a_slow_node_is_found(void **state)
{
    (void)state;
    patient[2].node.allreduce = patient[3].node.allreduce = 5e-3;
    patient[1].node.allreduce = patient[0].node.allreduce = 0.5e-3;
    patient[1].node.ranks = patient[0].node.ranks = 2;
    assert_int_equal(ls_diagnose_job(placement, patient, RANKS, 0, finding), 0); /* no majority */
    patient[2].node.allreduce = 0.5e-3;
    assert_found(0, "an allreduce within node1 takes 5.00 ms", "--exclude");
}

static void slow_kernels_are_found(void **state)
{
    (void)state;
    strcpy(patient[3].better_kernels, "SkylakeX");
    assert_found(0, "slow on its processor", "OPENBLAS_CORETYPE=SkylakeX");
    strcpy(patient[3].slow_setting, "Haswell");
    assert_found(0, "slow on its processor", "OPENBLAS_CORETYPE=Haswell is set: unset it");
}

static void denied_reads_between_ranks_are_found(void **state)
{
    (void)state;
    patient[2].node.single_copy = LS_COPY_DENIED;
    assert_found(0, "ranks on node1 may not read", "ptrace_scope");
}

static void missing_memory_is_found(void **state)
{
    (void)state;
    assert_found(5e9, "node0 has 8.0 GB of memory left, its ranks' data need 10.0", "more nodes");
    patient[3].machine.shared_free = 1e6;
    assert_found(0, "/dev/shm on node1 has 1 MB left", "shm");
}

static void missing_disk_space_is_found(void **state)
{
    (void)state;
    patient[0].disk_free = 1e8;
    assert_found(0, "0.10 GB are free", "--run");
}

static void missing_file_locks_are_found(void **state)
{
    (void)state;
    patient[1].lock_error = ENOLCK;
    assert_found(0, "rank 1 on node0 can't lock the data set", "HDF5_USE_FILE_LOCKING=FALSE");
}

/* Values on both sides of each bound. */
static void implausible_measurements_are_doubted(void **state)
{
    (void)state;
    ls_doubts d = {0};
    assert_false(ls_doubt_efficiency(&d, "2 ranks", 1.05));
    assert_false(ls_doubt_error(&d, "2 ranks", -0.30));
    assert_false(ls_doubt_spread(&d, "2 ranks", 0.30));
    assert_false(ls_doubt_excess(&d, "node1", 0.25, 1));
    assert_false(ls_doubt_efficiency(&d, "2 ranks", NAN));
    assert_int_equal(d.count, 0);
    assert_true(ls_doubt_efficiency(&d, "2 ranks", 1.26));
    assert_true(ls_doubt_error(&d, "2 ranks", -0.31));
    assert_true(ls_doubt_spread(&d, "2 ranks", 0.31));
    assert_true(ls_doubt_excess(&d, "node1", 0.5, 1.5));
    assert_true(ls_doubt_excess(&d, "node1", 1, 0));
    assert_int_equal(d.count, 5);
    assert_string_equal(d.text[0], "2 ranks: efficiency 126 %, more than its ranks can reach");
    assert_string_equal(d.text[1], "2 ranks: the prediction is -31 % off");
    assert_string_equal(d.text[2], "2 ranks: times differ by 31 % of their median");
    assert_non_null(strstr(d.text[3], "other programs keep 1.5 processors busy"));
    assert_string_equal(d.text[4], "node1: more threads than cores");
    for (int i = 0; i < LS_MOST_DOUBTS; i++)
        ls_doubt(&d, "one more");
    assert_int_equal(d.count, LS_MOST_DOUBTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_sound_job_has_no_finding, make_sound_job),
        cmocka_unit_test_setup(more_threads_than_cores_are_found, make_sound_job),
        cmocka_unit_test_setup(shared_cores_are_found, make_sound_job),
        cmocka_unit_test_setup(unbound_ranks_are_found, make_sound_job),
        cmocka_unit_test_setup(the_load_of_other_programs_is_found, make_sound_job),
        cmocka_unit_test_setup(the_load_of_other_programs_excludes_that_of_own_ranks,
                               make_sound_job),
        cmocka_unit_test_setup(different_binaries_are_found, make_sound_job),
        cmocka_unit_test_setup(different_processors_are_found, make_sound_job),
        cmocka_unit_test_setup(different_kernels_are_found, make_sound_job),
        cmocka_unit_test_setup(wrong_products_are_found, make_sound_job),
        cmocka_unit_test_setup(implausible_measurements_are_doubted, make_sound_job),
        cmocka_unit_test_setup(a_slow_rank_is_found, make_sound_job),
        cmocka_unit_test_setup(a_slow_node_is_found, make_sound_job),
        cmocka_unit_test_setup(slow_kernels_are_found, make_sound_job),
        cmocka_unit_test_setup(denied_reads_between_ranks_are_found, make_sound_job),
        cmocka_unit_test_setup(missing_memory_is_found, make_sound_job),
        cmocka_unit_test_setup(missing_disk_space_is_found, make_sound_job),
        cmocka_unit_test_setup(missing_file_locks_are_found, make_sound_job),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
