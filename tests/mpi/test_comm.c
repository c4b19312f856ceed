#include "mpi_test.h"

#include "parallel/collectives.h"
#include "parallel/reducer.h"
#include "parallel/watchdog.h"
#include <lockstep/comm.h>

#include "base/memory.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

static void all_ranks_get_the_failure_of_the_lowest_failed_rank(void **state)
{
    (void)state;
    char expected[100];
    assert_ok(ls_agree(world, LS_OK));
    for (int failing = 0; failing < size; failing++) {
        ls_status status = LS_OK;
        if (rank >= failing && failing > 0) /* several ranks fail, each with its own text */
            status = ls_fail(rank == failing ? LS_ERR_DATA : LS_ERR_FAILURE, "text of %d", rank);
        status = ls_agree(world, status);
        assert_int_equal(status, failing > 0 ? LS_ERR_DATA : LS_OK);
        assert_same_failure(status);
        snprintf(expected, sizeof expected, "rank %d: text of %d", failing, failing);
        if (failing > 0)
            assert_string_equal(ls_error_text(), expected);
    }
    assert_fails(ls_agree(world, ls_fail(LS_ERR_USAGE, "all alike")), LS_ERR_USAGE, "all alike");
    assert_string_equal(ls_error_text(), "all alike"); /* names no rank: all ranks failed */
}

/* Rank 0 acts alone; the other ranks' status does not count. */
static void all_ranks_get_the_failure_of_rank_0_without_its_number(void **state)
{
    (void)state;
    assert_ok(ls_agree_root(world, LS_OK));
    assert_ok(ls_agree_root(world, rank == 0 ? LS_OK : ls_fail(LS_ERR_DATA, "not mine")));
    const ls_status mine = rank == 0 ? ls_fail(LS_ERR_USAGE, "the file of rank 0") : LS_OK;
    const ls_status status = ls_agree_root(world, mine);
    assert_int_equal(status, LS_ERR_USAGE);
    assert_string_equal(ls_error_text(), "the file of rank 0");
}

/* Every second rank acts. */
static void a_failure_of_all_that_acted_names_no_rank(void **state)
{
    (void)state;
    const bool acts = rank % 2 == 0;
    const int last = (size - 1) / 2 * 2; /* the last that acts */
    char expected[64] = "one of them";
    assert_fails(ls_agree_among(world, acts, ls_fail(LS_ERR_DATA, "all of them")), LS_ERR_DATA,
                 "all of them");
    assert_string_equal(ls_error_text(), "all of them");
    const ls_status mine = rank == last ? ls_fail(LS_ERR_DATA, "one of them") : LS_OK;
    const ls_status status = ls_agree_among(world, acts, mine);
    if (last > 0)
        snprintf(expected, sizeof expected, "rank %d: one of them", last);
    assert_int_equal(status, LS_ERR_DATA);
    assert_string_equal(ls_error_text(), expected);
    assert_ok(ls_agree_among(world, acts, acts ? LS_OK : ls_fail(LS_ERR_DATA, "others")));
}

static void a_rank_whose_setting_differs_is_named(void **state)
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

static void an_allreduce_gives_every_rank_the_sum_or_the_maximum(void **state)
{
    (void)state;
    double values[2] = {rank + 1, 0.5};
    int64_t integers[2] = {INT64_MAX, rank};
    ls_allreduce_doubles(world, values, 2);
    assert_true(values[0] == size * (size + 1) / 2.0 && values[1] == size / 2.0);
    ls_allreduce_integers(world, integers, 2);
    assert_int_equal(integers[1], size * (size - 1) / 2);
    assert_true((uint64_t)integers[0] == (uint64_t)INT64_MAX * (uint64_t)size);
    values[0] = -rank;
    ls_allreduce_max(world, values, 1);
    assert_true(values[0] == 0);
}

static void a_text_of_rank_0_is_broadcast(void **state)
{
    (void)state;
    char *text = rank == 0 ? "a text of rank 0" : NULL;
    assert_ok(ls_broadcast_text(world, &text));
    assert_string_equal(text, "a text of rank 0");
    if (rank != 0)
        ls_free(text);
}

static void bytes_are_gathered_on_rank_0(void **state)
{
    (void)state;
    int *all = ls_alloc(size, sizeof *all);
    ls_gather_bytes(world, &rank, sizeof rank, all);
    for (int r = 0; rank == 0 && r < size; r++)
        assert_int_equal(all[r], r);
    ls_free(all);
}

static void the_communicator_of_one_rank_has_size_1(void **state)
{
    (void)state;
    assert_int_equal(ls_comm_size(self), 1);
}

static void the_mpi_library_is_named_with_its_version(void **state)
{
    (void)state;
    int major, minor;
    assert_true(sscanf(ls_comm_version(), "Open MPI v%d.%d", &major, &minor) == 2 ||
                sscanf(ls_comm_version(), "MPICH %d.%d", &major, &minor) == 2);
}

static void groups_have_consecutive_ranks(void **state)
{
    (void)state;
    for (int group_size = 1; group_size <= size + 1; group_size++) {
        ls_comm *group;
        assert_ok(ls_comm_groups(&group, world, group_size));
        const int first = rank / group_size * group_size, left = size - first;
        assert_int_equal(ls_comm_size(group), group_size < left ? group_size : left);
        assert_int_equal(ls_comm_rank(group), rank - first);
        int64_t sum = rank;
        ls_allreduce_integers(group, &sum, 1);
        const int members = ls_comm_size(group);
        assert_int_equal(sum, members * first + members * (members - 1) / 2);
        ls_comm_destroy(&group);
    }
}

static void rank_0_knows_the_host_of_every_rank(void **state)
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
}

/* A rank that is not bound to cores has one thread, even if it may run on several cores. */
static void a_rank_without_a_binding_has_one_thread(void **state)
{
    (void)state;
    ls_topology *topology;
    assert_ok(ls_topology_create(&topology, world, 0));
    if (!topology->mine.bound || !topology->mine.alone)
        assert_int_equal(topology->mine.threads, 1);
    ls_topology_destroy(&topology);
}

static void many_ranks_send_beacons_less_often(void **state)
{
    (void)state;
    assert_true(ls_watchdog_period(600, 2) == 1);
    assert_true(ls_watchdog_period(600, 1000) == 1);
    assert_true(ls_watchdog_period(600, 16000) == 16);
    assert_true(ls_watchdog_period(600, 131072) == 30);
    assert_true(ls_watchdog_period(4, 16000) == 0.2);
}

MPI_TEST_MAIN(cmocka_unit_test(all_ranks_get_the_failure_of_the_lowest_failed_rank),
              cmocka_unit_test(all_ranks_get_the_failure_of_rank_0_without_its_number),
              cmocka_unit_test(a_failure_of_all_that_acted_names_no_rank),
              cmocka_unit_test(a_rank_whose_setting_differs_is_named),
              cmocka_unit_test(an_allreduce_gives_every_rank_the_sum_or_the_maximum),
              cmocka_unit_test(a_text_of_rank_0_is_broadcast),
              cmocka_unit_test(bytes_are_gathered_on_rank_0),
              cmocka_unit_test(the_communicator_of_one_rank_has_size_1),
              cmocka_unit_test(the_mpi_library_is_named_with_its_version),
              cmocka_unit_test(groups_have_consecutive_ranks),
              cmocka_unit_test(rank_0_knows_the_host_of_every_rank),
              cmocka_unit_test(many_ranks_send_beacons_less_often),
              cmocka_unit_test(a_rank_without_a_binding_has_one_thread))
