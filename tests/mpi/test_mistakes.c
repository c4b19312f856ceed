/* The most confidently wrong rows: found by all ranks together as by one that looks at all rows. */
#include "fixture.h"
#include "mpi_test.h"

#include "base/memory.h"
#include "data/samples.h"

#include <lockstep/evaluate.h>
#include <lockstep/mistakes.h>

#include <math.h>
#include <string.h>

/* Some blocks, the last of them short. */
enum { ROWS = 5 * LS_EVALUATION_ROWS + 60, CLASSES = 4, MOST = 2000 };
static const fixture data = {
    .train = ROWS, .test = 1, .channels = 1, .height = 6, .width = 5, .classes = CLASSES};

typedef struct work {
    ls_network *network;
    ls_batch *batch;
    ls_samples *mine, *all;
    float *params;
} work;

static void make(work *w, const char *model, ls_loss loss)
{
    ls_dataset *dataset;
    const ls_range rows = ls_evaluation_shard(ROWS, size, rank);
    memset(w, 0, sizeof *w);
    if (rank == 0)
        fixture_write(&data, "m.h5");
    assert_ok(ls_agree(world, LS_OK));
    assert_ok(ls_dataset_open(&dataset, "m.h5", NULL));
    assert_ok(ls_dataset_read(dataset, LS_TRAIN, rows.first, rows.count, rows.count, &w->mine));
    assert_ok(ls_dataset_read(dataset, LS_TRAIN, 0, ROWS, ROWS, &w->all));
    ls_dataset_close(&dataset);
    ls_barrier(world); /* the file is written again only when all have read it */
    assert_ok(ls_network_create(&w->network, model, (ls_shape){1, 6, 5}, CLASSES, loss,
                                LS_EVALUATION_ROWS));
    assert_ok(ls_batch_create(&w->batch, LS_EVALUATION_ROWS, 30));
    w->params = ls_alloc(ls_network_size(w->network), sizeof *w->params);
}

static void destroy(work *w)
{
    ls_network_destroy(&w->network);
    ls_batch_destroy(&w->batch);
    ls_samples_destroy(&w->mine);
    ls_samples_destroy(&w->all);
    ls_free(w->params);
}

/* The first `most` of the mistakes, found in both ways. Returns how many there are. */
static int64_t find(work *w, ls_loss loss, int64_t most, ls_mistake *out)
{
    static ls_mistake alone[MOST];
    int64_t together_count = -1, alone_count = -1;
    assert_ok(ls_find_mistakes(world, w->network, loss, w->params, w->mine, 0, 1, w->batch, CLASSES,
                               most, out, &together_count));
    assert_ok(ls_find_mistakes(self, w->network, loss, w->params, w->all, 0, 1, w->batch, CLASSES,
                               most, alone, &alone_count));
    assert_int_equal(together_count, alone_count);
    for (int64_t i = 0; i < alone_count; i++) {
        assert_int_equal(out[i].row, alone[i].row);
        assert_int_equal(out[i].label, alone[i].label);
        assert_int_equal(out[i].predicted, alone[i].predicted);
        assert_true(out[i].probability == alone[i].probability);
    }
    return alone_count;
}

static void the_same_on_any_rank_count(void **state)
{
    (void)state;
    static ls_mistake all[MOST], some[MOST];
    work w;
    ls_score score;
    make(&w, "dense:9 relu dense:4", LS_CROSS_ENTROPY);
    ls_network_initialise(w.network, 3, w.params);
    assert_ok(ls_evaluate(self, w.network, w.params, w.all, 0, 1, w.batch, CLASSES, &score, NULL));
    const int64_t count = find(&w, LS_CROSS_ENTROPY, MOST, all);
    assert_true((double)count == (double)score.rows - score.correct);
    assert_true(count > 100);
    for (int64_t i = 0; i < count; i++) {
        assert_int_equal(all[i].label, fixture_label(&data, LS_TRAIN, all[i].row));
        assert_int_not_equal(all[i].predicted, all[i].label);
        assert_true(all[i].probability >= 1.0 / CLASSES && all[i].probability <= 1);
        assert_true(i == 0 || all[i].probability <= all[i - 1].probability);
    }
    const int64_t fewer[] = {0, 1, 7, count - 1, count};
    for (size_t k = 0; k < sizeof fewer / sizeof *fewer; k++) {
        assert_int_equal(find(&w, LS_CROSS_ENTROPY, fewer[k], some), fewer[k]);
        for (int64_t i = 0; i < fewer[k]; i++)
            assert_int_equal(some[i].row, all[i].row);
    }
    destroy(&w);
}

/* All are alike: class 0 at 1/4, and the rows in their order. */
static void equals_go_by_row(void **state)
{
    (void)state;
    static ls_mistake all[MOST];
    work w;
    make(&w, "dense:4", LS_CROSS_ENTROPY); /* parameters are zeros */
    const int64_t count = find(&w, LS_CROSS_ENTROPY, MOST, all);
    int64_t row = 0;
    for (int64_t i = 0; i < count; i++, row++) {
        while (fixture_label(&data, LS_TRAIN, row) == 0)
            row++;
        assert_int_equal(all[i].row, row);
        assert_int_equal(all[i].predicted, 0);
        assert_true(all[i].probability == 0.25);
    }
    destroy(&w);
}

/* The probability is the softmax's, whether it is fused with the loss or a layer of its own. */
static void probabilities_are_those_of_the_softmax(void **state)
{
    (void)state;
    static ls_mistake fused[MOST], own[MOST];
    work a, b;
    make(&a, "dense:4 softmax", LS_CROSS_ENTROPY);
    make(&b, "dense:4 softmax", LS_MSE);
    ls_network_initialise(a.network, 5, a.params);
    ls_network_initialise(b.network, 5, b.params);
    const int64_t count = find(&a, LS_CROSS_ENTROPY, MOST, fused);
    assert_int_equal(find(&b, LS_MSE, MOST, own), count);
    for (int64_t i = 0; i < count; i++)
        assert_near(own[i].probability, fused[i].probability, 1e-5, 0);
    destroy(&a);
    destroy(&b);
}

MPI_TEST_MAIN(cmocka_unit_test(the_same_on_any_rank_count), cmocka_unit_test(equals_go_by_row),
              cmocka_unit_test(probabilities_are_those_of_the_softmax))
