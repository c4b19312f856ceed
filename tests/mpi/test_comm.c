#include "mpi_test.h"

#include "parallel/collectives.h"
#include "parallel/reducer.h"
#include <lockstep/comm.h>

#include "base/memory.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

static void agrees_on_the_lowest_failure(void **state)
{
    (void)state;
    char expected[100];
    assert_ok(ls_agree(world, LS_OK));
    for (int guilty = 0; guilty < size; guilty++) {
        ls_status status = LS_OK;
        if (rank >= guilty && guilty > 0) /* several ranks fail, each with its own text */
            status = ls_fail(rank == guilty ? LS_ERR_DATA : LS_ERR_FAILURE, "text of %d", rank);
        status = ls_agree(world, status);
        assert_int_equal(status, guilty > 0 ? LS_ERR_DATA : LS_OK);
        assert_same_failure(status);
        snprintf(expected, sizeof expected, "rank %d: text of %d", guilty, guilty);
        if (guilty > 0)
            assert_string_equal(ls_error_text(), expected);
    }
    assert_fails(ls_agree(world, ls_fail(LS_ERR_USAGE, "all alike")), LS_ERR_USAGE, "all alike");
    assert_string_equal(ls_error_text(), "all alike"); /* names no rank: all ranks failed */
}

static void finds_ranks_that_differ(void **state)
{
    (void)state;
    assert_ok(ls_agree_equal(world, "same", "the setting"));
    if (size == 1)
        return;
    char text[32] = "same";
    if (rank == size - 1)
        snprintf(text, sizeof text, "a longer, other one");
    char expected[64];
    ls_status status = ls_agree_equal(world, text, "the setting");
    snprintf(expected, sizeof expected, "rank %d: the setting differs from rank 0's", size - 1);
    assert_int_equal(status, LS_ERR_RANKS);
    assert_string_equal(ls_error_text(), expected);
}

static void collects_and_spreads(void **state)
{
    (void)state;
    double values[2] = {rank + 1, 0.5};
    int64_t integers[2] = {INT64_MAX, rank};
    char *text = rank == 0 ? "a text of rank 0" : NULL;
    int *all = ls_alloc(size, sizeof *all);
    ls_allreduce_doubles(world, values, 2);
    assert_true(values[0] == size * (size + 1) / 2.0 && values[1] == size / 2.0);
    ls_allreduce_integers(world, integers, 2);
    assert_int_equal(integers[1], size * (size - 1) / 2);
    assert_true((uint64_t)integers[0] == (uint64_t)INT64_MAX * (uint64_t)size);
    values[0] = -rank;
    ls_allreduce_max(world, values, 1);
    assert_true(values[0] == 0);
    assert_ok(ls_broadcast_text(world, &text));
    assert_string_equal(text, "a text of rank 0");
    if (rank != 0)
        ls_free(text);
    ls_gather_bytes(world, &rank, sizeof rank, all);
    for (int r = 0; rank == 0 && r < size; r++)
        assert_int_equal(all[r], r);
    ls_free(all);
    assert_int_equal(ls_comm_size(self), 1);
    int major, minor;
    assert_true(sscanf(ls_comm_version(), "Open MPI v%d.%d", &major, &minor) == 2 ||
                sscanf(ls_comm_version(), "MPICH %d.%d", &major, &minor) == 2);
}

static void makes_groups(void **state)
{
    (void)state;
    for (int of = 1; of <= size + 1; of++) {
        ls_comm *group;
        assert_ok(ls_comm_groups(&group, world, of));
        const int first = rank / of * of, left = size - first;
        assert_int_equal(ls_comm_size(group), of < left ? of : left);
        assert_int_equal(ls_comm_rank(group), rank - first);
        int64_t sum = rank;
        ls_allreduce_integers(group, &sum, 1);
        const int members = ls_comm_size(group);
        assert_int_equal(sum, members * first + members * (members - 1) / 2);
        ls_comm_destroy(&group);
    }
}

static void knows_where_ranks_run(void **state)
{
    (void)state;
    ls_topology *topology;
    assert_ok(ls_topology_create(&topology, world, 3));
    assert_int_equal(topology->ranks, size);
    assert_int_equal(topology->nodes, 1);
    assert_int_equal(topology->mine.threads, 3);
    assert_true(topology->mine.cores >= 1);
    if (rank == 0) {
        char host[64] = "";
        gethostname(host, sizeof host - 1);
        for (int r = 0; r < size; r++) {
            assert_string_equal(topology->placement[r].host, host);
            assert_int_equal(topology->placement[r].node, 0);
        }
    } else {
        assert_null(topology->placement);
    }
    ls_topology_destroy(&topology);
    /* Without a binding a rank has one thread, however many cores it may run on. */
    assert_ok(ls_topology_create(&topology, world, 0));
    if (!topology->mine.bound || !topology->mine.alone)
        assert_int_equal(topology->mine.threads, 1);
    ls_topology_destroy(&topology);
}

MPI_TEST_MAIN(cmocka_unit_test(agrees_on_the_lowest_failure),
              cmocka_unit_test(finds_ranks_that_differ), cmocka_unit_test(collects_and_spreads),
              cmocka_unit_test(makes_groups), cmocka_unit_test(knows_where_ranks_run))
