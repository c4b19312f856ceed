/* The scaling model against figures computed by hand. */
#include "test.h"

#include "measure/bench.h"

#include <math.h>

static const ls_bench_compute compute = {
    .groups = 1,
    .group =
        {{.ranks = 1, .sizes = 4, .rows = {1, 2, 4, 8}, .seconds = {2, 3, 5, 9}, .optimizer = 0.5}},
    .bytes = 1000};
static const ls_cluster cluster = {.ranks_per_node = 2,
                                   .within = {.latency = 0.01, .bandwidth = 4000},
                                   .between = {.latency = 0.1, .bandwidth = 1000}};

static void a_step_is_the_sum_of_its_parts(void **state)
{
    (void)state;
    ls_prediction p = ls_predict(&compute, &cluster, 8, 1);
    assert_near(p.step, 9 + 0.5, 1e-12, 0);
    /* 2 ranks of a node: 2 x 1 latency, 2 x 1/2 x 1000 / 4000. */
    p = ls_predict(&compute, &cluster, 8, 2);
    assert_near(p.compute, 5, 1e-12, 0);
    assert_near(p.latency, 0.02, 1e-12, 0);
    assert_near(p.transfer, 0.25, 1e-12, 0);
    assert_near(p.step, 5 + 0.5 + 0.02 + 0.25, 1e-12, 0);
    assert_string_equal(ls_prediction_limit(&p), "computing");
    /* 6 ranks on 3 nodes: ceil(8 / 6) rows; between the nodes 2 x 2 latencies, 2 x 2/3 x 1. */
    p = ls_predict(&compute, &cluster, 8, 6);
    assert_near(p.compute, 3, 1e-12, 0);
    assert_near(p.latency, 0.02 + 0.4, 1e-12, 0);
    assert_near(p.transfer, 0.25 + 4.0 / 3, 1e-12, 0);
}

static void compute_times_are_interpolated_and_extrapolated(void **state)
{
    (void)state;
    assert_near(ls_predict(&compute, &cluster, 3, 1).compute, 4, 1e-12, 0);
    assert_near(ls_predict(&compute, &cluster, 16, 1).compute, 17, 1e-12, 0);
}

static void the_best_number_of_ranks_has_the_shortest_step(void **state)
{
    (void)state;
    /* By hand: 9.5, 5.77, 3 + 0.5 + ... */
    double least = 1e9;
    int64_t best = 0;
    for (int64_t ranks = 1; ranks <= 64; ranks++) {
        double step = ls_predict(&compute, &cluster, 8, ranks).step;
        if (step < least) {
            least = step;
            best = ranks;
        }
    }
    assert_int_equal(ls_predict_best_ranks(&compute, &cluster, 8, 64), best);
    assert_true(best == 4 || best == 8);
    /* A link without cost: more ranks never hurt, up to one rank per row. */
}

static void the_best_number_of_ranks_follows_from_the_cost_of_the_link(void **state)
{
    (void)state;
    const ls_cluster ideal = {.ranks_per_node = 1, .between = {.latency = 0, .bandwidth = 1e30}};
    assert_int_equal(ls_predict_best_ranks(&compute, &ideal, 8, 64), 8);
    /* A link that costs more than the computation: one rank. */
    const ls_cluster slow = {.ranks_per_node = 1, .between = {.latency = 100, .bandwidth = 1}};
    assert_int_equal(ls_predict_best_ranks(&compute, &slow, 8, 64), 1);
    ls_prediction p = ls_predict(&compute, &slow, 8, 4);
    assert_string_equal(ls_prediction_limit(&p), "bandwidth");
}

/* Two ranks of a tensor-parallel group need no link; two such groups, in a node or not, do. */
static void a_tensor_parallel_group_computes_as_one_rank(void **state)
{
    (void)state;
    ls_bench_compute pairs = compute;
    pairs.groups = 2;
    pairs.group[1] = (ls_bench_group){
        .ranks = 2, .sizes = 3, .rows = {1, 8, 16}, .seconds = {1.5, 5, 9}, .optimizer = 0.3};
    assert_near(ls_predict(&pairs, &cluster, 8, 1).step, 9 + 0.5, 1e-12, 0);
    assert_near(ls_predict(&pairs, &cluster, 8, 2).step, 5 + 0.3, 1e-12, 0);
    /* 4 ranks on 2 nodes: 8 of 16 rows each; between them 2 x 1 latency, 2 x 1/2 x 1. */
    assert_near(ls_predict(&pairs, &cluster, 16, 4).step, 5 + 0.3 + 0.2 + 1, 1e-12, 0);
    /* 4 ranks on one node: two groups, which sum within the node. Of 3 ranks a group of 2 has two
     * thirds of the rows. */
    ls_cluster large = cluster;
    large.ranks_per_node = 4;
    assert_near(ls_predict(&pairs, &large, 16, 4).step, 5 + 0.3 + 0.02 + 0.25, 1e-12, 0);
    assert_near(ls_predict(&pairs, &large, 16, 3).step, 6.5 + 0.3 + 0.02 + 0.25, 1e-12, 0);
    /* 3 ranks of a node: interpolated in 1/ranks, two thirds of the way from 2 to 4. */
    pairs.groups = 3;
    pairs.group[2] = (ls_bench_group){
        .ranks = 4, .sizes = 2, .rows = {8, 16}, .seconds = {2.6, 5}, .optimizer = 0.18};
    assert_near(ls_predict(&pairs, &large, 16, 3).compute, (9 + 2 * 5) / 3.0, 1e-12, 0);
    assert_near(ls_predict(&pairs, &large, 16, 3).optimizer, (0.3 + 2 * 0.18) / 3, 1e-12, 0);
}

/* With ideal speed-up and links without cost. */
static void no_speedup_exceeds_the_number_of_ranks(void **state)
{
    (void)state;
    ls_bench_compute ideal = {.groups = 4, .bytes = 1000};
    for (int i = 0; i < 4; i++)
        ideal.group[i] = (ls_bench_group){.ranks = 1 << i,
                                          .sizes = 2,
                                          .rows = {1, 960},
                                          .seconds = {1.0 / (1 << i), 960.0 / (1 << i)}};
    for (int of = 1; of <= 12; of++) {
        const ls_cluster free_links = {
            .ranks_per_node = of, .within = {0, 1e30}, .between = {0, 1e30}};
        for (int64_t ranks = 1; ranks <= 64; ranks++) {
            const double step = ls_predict(&ideal, &free_links, 960, ranks).step;
            assert_true(step >= 960.0 / (double)ranks - 1e-9);
            assert_true(step <= 960.0 / (double)ranks + 1 + 1e-9); /* a row more in a group */
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_is_the_sum_of_its_parts),
        cmocka_unit_test(compute_times_are_interpolated_and_extrapolated),
        cmocka_unit_test(a_tensor_parallel_group_computes_as_one_rank),
        cmocka_unit_test(no_speedup_exceeds_the_number_of_ranks),
        cmocka_unit_test(the_best_number_of_ranks_has_the_shortest_step),
        cmocka_unit_test(the_best_number_of_ranks_follows_from_the_cost_of_the_link),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
