/* What is found wrong with where a job runs, one thing at a time. */
#include "test.h"
#include "measure/disturbance.h"
#include "measure/doctor.h"

#include <errno.h>
#include <math.h>
#include <string.h>

enum { RANKS = 4, NODES = 2 };

/* Two nodes of two cores, a rank of one thread on each core: nothing is wrong. */
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

static int setup(void **state)
{
    (void)state;
    make_job(placement, patient);
    return 0;
}

/* There is exactly this finding. */
static void assert_found(double needed, const char *what, const char *remedy)
{
    assert_int_equal(ls_diagnose_job(placement, patient, RANKS, needed, finding), 1);
    if (strstr(finding[0].what, what) == NULL || strstr(finding[0].remedy, remedy) == NULL)
        fail_msg("'%s' / '%s' is not '%s' / '%s'", finding[0].what, finding[0].remedy, what,
                 remedy);
}

static void a_sound_job_has_none(void **state)
{
    (void)state;
    assert_int_equal(ls_diagnose_job(placement, patient, RANKS, 3e9, finding), 0);
    assert_int_equal(ls_diagnose_job(placement, patient, 1, 0, finding), 0);
    patient[2].node.allreduce = 1.5e-3; /* noise */
    patient[3].sgemm = 0.8e11;
    assert_int_equal(ls_diagnose_job(placement, patient, RANKS, 0, finding), 0);
}

static void finds_crowded_nodes(void **state)
{
    (void)state;
    placement[2].threads = placement[3].threads = 2;
    assert_found(0, "node1 has 2 ranks of 2 threads on 2 cores", "ppr:1:node");
}

static void finds_shared_cores(void **state)
{
    (void)state;
    placement[0].alone = placement[1].alone = false;
    assert_found(0, "rank 0 on node0 shares its core", "--bind-to core");
}

static void finds_loose_ranks(void **state)
{
    (void)state;
    placement[3].bound = false;
    assert_found(0, "rank 3 on node1 is bound to no core", "slot:PE=1 --bind-to core");
    patient[3].node.ranks = 1; /* alone it has the node */
    assert_int_equal(ls_diagnose_job(placement, patient, RANKS, 0, finding), 0);
}

static void finds_what_else_runs(void **state)
{
    (void)state;
    for (int r = 0; r < RANKS; r++)
        patient[r].load = (ls_load){.all = 0.1, .own = 0.02};
    assert_int_equal(ls_diagnose_job(placement, patient, RANKS, 0, finding), 0);
    patient[3].load.all = 0.9;
    assert_found(0, "on node1 other programs keep 1.0 processors busy", "top");
    /* Loose ranks see the same processors; what they do themselves is none of others'. */
    for (int r = 0; r < RANKS; r++)
        placement[r].alone = false, placement[r].bound = false, patient[r].node.ranks = 1;
    patient[2].load = patient[3].load = (ls_load){.all = 2, .own = 0.9};
    assert_int_equal(ls_diagnose_job(placement, patient, RANKS, 0, finding), 0);
    patient[0].load = patient[1].load = (ls_load){.all = 1.5, .own = 0.5};
    assert_found(0, "on node0 other programs keep 0.5 processors busy", "top");
    placement[0].node_cores = placement[1].node_cores = 4; /* there is room for both */
    assert_int_equal(ls_diagnose_job(placement, patient, RANKS, 0, finding), 0);
}

static void finds_other_programs_and_processors(void **state)
{
    (void)state;
    strcpy(patient[2].machine.program, "abd");
    assert_found(0, "rank 2 on node1 runs another binary", "one build");
    strcpy(patient[2].machine.program, "");
    strcpy(patient[3].machine.cpu, "Processor 2");
    assert_found(0, "(Processor 2; Processor 1)", "--constraint");
    strcpy(patient[3].machine.cpu, "Processor 1");
    strcpy(patient[1].kernels, "OpenBLAS 0.3.21 Zen");
    assert_found(0, "computes by OpenBLAS 0.3.21 Zen", "OPENBLAS_CORETYPE=Haswell");
}

static void finds_wrong_products(void **state)
{
    (void)state;
    strcpy(patient[2].other_kernels, "Nehalem");
    assert_found(0, "rank 2 on node1 computes wrong products by OpenBLAS 0.3.21 Haswell",
                 "OPENBLAS_CORETYPE=Nehalem");
}

static void finds_slow_nodes(void **state)
{
    (void)state;
    patient[1].sgemm = 0.7e11;
    patient[2].sgemm = 0.6e11;
    patient[3].sgemm = 1.1e11;
    assert_found(0, "rank 2 on node1 multiplies at 60 Gflop/s, the median is 85", "--exclude");
    make_job(placement, patient);
    patient[2].node.allreduce = patient[3].node.allreduce = 5e-3;
    patient[1].node.allreduce = patient[0].node.allreduce = 0.5e-3;
    patient[1].node.ranks = patient[0].node.ranks = 2;
    assert_int_equal(ls_diagnose_job(placement, patient, RANKS, 0, finding), 0); /* which is odd? */
    patient[2].node.allreduce = 0.5e-3;
    assert_found(0, "an allreduce within node1 takes 5.00 ms", "--exclude");
    make_job(placement, patient);
    strcpy(patient[3].better_kernels, "SkylakeX");
    assert_found(0, "slow on its processor", "OPENBLAS_CORETYPE=SkylakeX");
}

static void finds_what_is_missing(void **state)
{
    (void)state;
    patient[2].node.single_copy = LS_COPY_DENIED;
    assert_found(0, "ranks on node1 may not read", "ptrace_scope");
    make_job(placement, patient);
    assert_found(5e9, "node0 has 8.0 GB of memory left, its ranks' data need 10.0", "more nodes");
    patient[3].machine.shared_free = 1e6;
    assert_found(0, "/dev/shm on node1 has 1 MB left", "shm");
    make_job(placement, patient);
    patient[0].disk_free = 1e8;
    assert_found(0, "0.10 GB are free", "--run");
    patient[0].disk_free = -1;
    patient[1].lock_error = ENOLCK;
    assert_found(0, "rank 1 on node0 can't lock the data set", "HDF5_USE_FILE_LOCKING=FALSE");
}

/* Each of the bounds, from both sides. */
static void doubts_what_is_odd(void **state)
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
        cmocka_unit_test_setup(a_sound_job_has_none, setup),
        cmocka_unit_test_setup(finds_crowded_nodes, setup),
        cmocka_unit_test_setup(finds_shared_cores, setup),
        cmocka_unit_test_setup(finds_loose_ranks, setup),
        cmocka_unit_test_setup(finds_what_else_runs, setup),
        cmocka_unit_test_setup(finds_other_programs_and_processors, setup),
        cmocka_unit_test_setup(finds_wrong_products, setup),
        cmocka_unit_test_setup(doubts_what_is_odd, setup),
        cmocka_unit_test_setup(finds_slow_nodes, setup),
        cmocka_unit_test_setup(finds_what_is_missing, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
