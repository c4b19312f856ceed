/* Misclassified rows of highest confidence: all ranks together find the same as one rank alone. */
#include "small_dataset.h"
#include "parallel/collectives.h"
#include "mpi_test.h"

#include "base/memory.h"

#include "train/evaluate.h"
#include "train/source.h"

#include <math.h>
#include <string.h>

/* Several batches, the last of them short. */
enum { ROWS = 5 * LS_EVALUATION_ROWS + 60, CLASSES = 4, MOST = 2000 };
static const small_dataset data = {
    .train = ROWS, .test = 1, .channels = 1, .height = 6, .width = 5, .classes = CLASSES};

typedef struct work {
    ls_network *network;
    ls_batch *batch;
    ls_rows *mine, *all; /* this rank's rows; all rows of the split */
    float *params;
} work;

static ls_rows *read_rows(ls_comm *comm)
{
    const ls_input_format format = {.shape = {1, 6, 5}, .mean = 0, .std = 1};
    ls_source *source;
    ls_dataset_info info;
    ls_rows *rows;
    assert_ok(ls_source_open(&source, comm, "m.h5", NULL, false, LS_READ_EACH, &info));
    assert_ok(ls_source_rows(source, LS_TRAIN, &format, &rows));
    ls_source_close(&source);
    assert_int_equal(ls_rows_total(rows), ROWS);
    return rows;
}

static void make(work *w, const char *model, ls_loss loss)
{
    memset(w, 0, sizeof *w);
    if (rank == 0)
        small_dataset_write(&data, "m.h5");
    assert_ok(ls_agree(world, LS_OK));
    w->mine = read_rows(world);
    w->all = read_rows(self);
    ls_barrier(world); /* the file is rewritten only after all ranks have read it */
    assert_ok(ls_network_create(&w->network, model, (ls_shape){1, 6, 5}, CLASSES, loss,
                                LS_EVALUATION_ROWS));
    assert_ok(ls_batch_create(&w->batch, LS_EVALUATION_ROWS, 30));
    w->params = ls_alloc(ls_network_size(w->network), sizeof *w->params);
}

static void destroy(work *w)
{
    ls_network_destroy(&w->network);
    ls_batch_destroy(&w->batch);
    ls_rows_destroy(&w->mine);
    ls_rows_destroy(&w->all);
    ls_free(w->params);
}

static ls_evaluation evaluation_of(const work *w, ls_comm *comm, ls_rows *rows)
{
    return (ls_evaluation){
        .comm = comm, .network = w->network, .params = w->params, .rows = rows, .batch = w->batch};
}

/* Finds the first `most` misclassified rows in both ways, compares, returns their number. */
static int64_t find(work *w, int64_t most, ls_misclassified *out)
{
    static ls_misclassified alone[MOST];
    const ls_evaluation of_all = evaluation_of(w, world, w->mine);
    const ls_evaluation of_self = evaluation_of(w, self, w->all);
    int64_t together_count = -1, alone_count = -1;
    assert_ok(ls_find_misclassified(&of_all, most, out, &together_count));
    assert_ok(ls_find_misclassified(&of_self, most, alone, &alone_count));
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
    static ls_misclassified all[MOST], some[MOST];
    work w;
    ls_score score;
    make(&w, "dense:9 relu dense:4", LS_CROSS_ENTROPY);
    ls_network_initialise(w.network, 3, w.params);
    const ls_evaluation alone = evaluation_of(&w, self, w.all);
    assert_ok(ls_evaluate(&alone, &score, NULL));
    const int64_t count = find(&w, MOST, all);
    assert_true((double)count == (double)score.rows - score.correct);
    assert_true(count > 100);
    for (int64_t i = 0; i < count; i++) {
        assert_int_equal(all[i].label, small_dataset_label(&data, LS_TRAIN, all[i].row));
        assert_int_not_equal(all[i].predicted, all[i].label);
        assert_true(all[i].probability >= 1.0 / CLASSES && all[i].probability <= 1);
        assert_true(i == 0 || all[i].probability <= all[i - 1].probability);
    }
    const int64_t fewer[] = {0, 1, 7, count - 1, count};
    for (size_t k = 0; k < sizeof fewer / sizeof *fewer; k++) {
        assert_int_equal(find(&w, fewer[k], some), fewer[k]);
        for (int64_t i = 0; i < fewer[k]; i++)
            assert_int_equal(some[i].row, all[i].row);
    }
    destroy(&w);
}

/* All rows have class 0 with probability 1/4: they come in the order of rows. */
static void equals_go_by_row(void **state)
{
    (void)state;
    static ls_misclassified all[MOST];
    work w;
    make(&w, "dense:4", LS_CROSS_ENTROPY); /* parameters are zeros */
    const int64_t count = find(&w, MOST, all);
    int64_t row = 0;
    for (int64_t i = 0; i < count; i++, row++) {
        while (small_dataset_label(&data, LS_TRAIN, row) == 0)
            row++;
        assert_int_equal(all[i].row, row);
        assert_int_equal(all[i].predicted, 0);
        assert_true(all[i].probability == 0.25);
    }
    destroy(&w);
}

/* The probability is that of the softmax, fused with the loss or in its own layer. */
static void probabilities_are_those_of_the_softmax(void **state)
{
    (void)state;
    static ls_misclassified fused[MOST], own[MOST];
    work a, b;
    make(&a, "dense:4 softmax", LS_CROSS_ENTROPY);
    make(&b, "dense:4 softmax", LS_MSE);
    ls_network_initialise(a.network, 5, a.params);
    ls_network_initialise(b.network, 5, b.params);
    const int64_t count = find(&a, MOST, fused);
    assert_int_equal(find(&b, MOST, own), count);
    for (int64_t i = 0; i < count; i++)
        assert_near(own[i].probability, fused[i].probability, 1e-5, 0);
    destroy(&a);
    destroy(&b);
}

MPI_TEST_MAIN(cmocka_unit_test(the_same_on_any_rank_count), cmocka_unit_test(equals_go_by_row),
              cmocka_unit_test(probabilities_are_those_of_the_softmax))
