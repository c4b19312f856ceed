/* Misclassified rows of highest confidence: all ranks together find the same rows as one rank
 * alone. */
#include "small_dataset.h"
#include "parallel/collectives.h"
#include "mpi_test.h"

#include "base/memory.h"

#include "train/evaluate.h"
#include "train/source.h"

#include <math.h>
#include <string.h>

/* Several batches; the last batch is shorter. */
enum { ROWS = 5 * LS_EVALUATION_ROWS + 60, CLASSES = 4, MAX_FOUND = 2000 };
static const small_dataset data = {
    .train = ROWS, .test = 1, .channels = 1, .height = 6, .width = 5, .classes = CLASSES};

typedef struct fixture {
    ls_network *network;
    ls_batch *batch;
    ls_rows *mine, *all; /* this rank's rows; all rows of the split */
    float *params;
} fixture;

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

static void set_up(fixture *w, const char *model, ls_loss loss)
{
    memset(w, 0, sizeof *w);
    write_shared_dataset(&data, "m.h5");
    w->mine = read_rows(world);
    w->all = read_rows(self);
    ls_barrier(world); /* the file is rewritten only after all ranks have read it */
    assert_ok(ls_network_create(&w->network, model, (ls_shape){1, 6, 5}, CLASSES, loss,
                                LS_EVALUATION_ROWS));
    assert_ok(ls_batch_create(&w->batch, LS_EVALUATION_ROWS, 30, 0));
    w->params = ls_alloc(ls_network_size(w->network), sizeof *w->params);
}

static void tear_down(fixture *w)
{
    ls_network_destroy(&w->network);
    ls_batch_destroy(&w->batch);
    ls_rows_destroy(&w->mine);
    ls_rows_destroy(&w->all);
    ls_free(w->params);
}

static ls_evaluation make_evaluation(const fixture *w, ls_comm *comm, ls_rows *rows)
{
    return (ls_evaluation){
        .comm = comm, .network = w->network, .params = w->params, .rows = rows, .batch = w->batch};
}

/* Finds up to `limit` misclassified rows on all ranks and on this rank alone, asserts that both are
 * the same, and returns their number. */
static int64_t find_and_compare(fixture *w, int64_t limit, ls_misclassified *out)
{
    static ls_misclassified alone[MAX_FOUND];
    const ls_evaluation of_all = make_evaluation(w, world, w->mine);
    const ls_evaluation of_self = make_evaluation(w, self, w->all);
    int64_t together_count = -1, alone_count = -1;
    assert_ok(ls_find_misclassified(&of_all, limit, out, &together_count));
    assert_ok(ls_find_misclassified(&of_self, limit, alone, &alone_count));
    assert_int_equal(together_count, alone_count);
    for (int64_t i = 0; i < alone_count; i++) {
        assert_int_equal(out[i].row, alone[i].row);
        assert_int_equal(out[i].label, alone[i].label);
        assert_int_equal(out[i].predicted, alone[i].predicted);
        assert_true(out[i].probability == alone[i].probability);
    }
    return alone_count;
}

static void all_ranks_find_the_rows_that_one_rank_finds(void **state)
{
    (void)state;
    static ls_misclassified all[MAX_FOUND], some[MAX_FOUND];
    fixture w;
    ls_evaluated found = {0};
    set_up(&w, "dense:9 relu dense:4", LS_CROSS_ENTROPY);
    ls_network_initialise(w.network, 3, w.params);
    const ls_evaluation alone = make_evaluation(&w, self, w.all);
    assert_ok(ls_evaluate(&alone, &found));
    const int64_t count = find_and_compare(&w, MAX_FOUND, all);
    assert_true((double)count == (double)found.score.rows - found.score.correct);
    assert_true(count > 100);
    for (int64_t i = 0; i < count; i++) {
        assert_int_equal(all[i].label, small_dataset_label(&data, LS_TRAIN, all[i].row));
        assert_int_not_equal(all[i].predicted, all[i].label);
        assert_true(all[i].probability >= 1.0 / CLASSES && all[i].probability <= 1);
        assert_true(i == 0 || all[i].probability <= all[i - 1].probability);
    }
    const int64_t fewer[] = {0, 1, 7, count - 1, count};
    for (size_t k = 0; k < sizeof fewer / sizeof *fewer; k++) {
        assert_int_equal(find_and_compare(&w, fewer[k], some), fewer[k]);
        for (int64_t i = 0; i < fewer[k]; i++)
            assert_int_equal(some[i].row, all[i].row);
    }
    tear_down(&w);
}

/* Every row is predicted as class 0 with probability 1/4. */
static void rows_of_equal_confidence_are_in_row_order(void **state)
{
    (void)state;
    static ls_misclassified all[MAX_FOUND];
    fixture w;
    set_up(&w, "dense:4", LS_CROSS_ENTROPY); /* parameters are zeros */
    const int64_t count = find_and_compare(&w, MAX_FOUND, all);
    int64_t row = 0;
    for (int64_t i = 0; i < count; i++, row++) {
        while (small_dataset_label(&data, LS_TRAIN, row) == 0)
            row++;
        assert_int_equal(all[i].row, row);
        assert_int_equal(all[i].predicted, 0);
        assert_true(all[i].probability == 0.25);
    }
    tear_down(&w);
}

/* With a softmax that is fused with the loss, and with a softmax layer. */
static void the_probability_is_the_output_of_the_softmax(void **state)
{
    (void)state;
    static ls_misclassified fused[MAX_FOUND], own[MAX_FOUND];
    fixture a, b;
    set_up(&a, "dense:4 softmax", LS_CROSS_ENTROPY);
    set_up(&b, "dense:4 softmax", LS_MSE);
    ls_network_initialise(a.network, 5, a.params);
    ls_network_initialise(b.network, 5, b.params);
    const int64_t count = find_and_compare(&a, MAX_FOUND, fused);
    assert_int_equal(find_and_compare(&b, MAX_FOUND, own), count);
    for (int64_t i = 0; i < count; i++)
        assert_near(own[i].probability, fused[i].probability, 1e-5, 0);
    tear_down(&a);
    tear_down(&b);
}

MPI_TEST_MAIN(cmocka_unit_test(all_ranks_find_the_rows_that_one_rank_finds),
              cmocka_unit_test(rows_of_equal_confidence_are_in_row_order),
              cmocka_unit_test(the_probability_is_the_output_of_the_softmax))
