/* Passes of a tensor-parallel group, whose ranks are threads, against one rank with all rows; also
 * with input columns of zeros, with ranks that have few rows or none, and with a forward pass of
 * another network, on other rows, between a forward pass and its backward pass. */
#include "test.h"

#include <lockstep/compute.h>
#include <lockstep/network.h>

#include "base/memory.h"
#include "nn/pass.h"
#include "nn/nonzero.h"

#include <math.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

enum { D = 60, CLASSES = 4, ROWS = 3, MOST = 5 };
static const ls_shape input = {1, 6, 10};
/* Groups of 2 to MOST ranks split all matrices but the last. */
static const char chain[] = "dense:40 relu dense:30 tanh dense:4";
/* Two matrices multiply the data, which have no gradient. */
static const char graph[] = ":in dense:40 tanh :a @in dense:40 tanh +a dense:4";

typedef struct member {
    ls_group group;
    ls_network *network, *other;
    ls_batch *batch;
    const float *params;
    float *grads;
    ls_score score;
} member;

static pthread_barrier_t barrier;

/* Rank that continues late after each barrier, when others may have left the product that it still
 * has to compute; -1: none. */
static int late_rank = -1;

static void wait_at_barrier(void *user)
{
    const member *m = user;
    pthread_barrier_wait(&barrier);
    if (m->group.rank == late_rank)
        usleep(2000);
}

static void *member_run(void *user)
{
    member *m = user;
    float zeros[ROWS * D] = {0};
    ls_batch rows = *m->batch;
    rows.x = zeros;
    const ls_pass pass = {.group = &m->group}, of_other = {.group = &m->group, .slot = 1};
    m->score = ls_network_loss(m->network, m->params, m->batch, &pass);
    ls_network_loss(m->other, m->params, &rows, &of_other);
    ls_network_backward(m->network, m->params, m->batch, &pass, m->grads);
    return NULL;
}

static void make_member(member *m, const char *model, int64_t rows)
{
    assert_ok(ls_network_create(&m->network, model, input, CLASSES, LS_CROSS_ENTROPY, rows));
    assert_ok(ls_network_create(&m->other, model, input, CLASSES, LS_CROSS_ENTROPY, rows));
    assert_ok(ls_batch_create(&m->batch, rows, D, 0));
    m->grads = ls_alloc(ls_network_size(m->network), sizeof *m->grads);
}

static void free_member(member *m)
{
    ls_network_destroy(&m->network);
    ls_network_destroy(&m->other);
    ls_batch_destroy(&m->batch);
    ls_free(m->grads);
}

/* Returns input j of row i; of each `zeros` columns all but the first are zero in all rows. */
static float pixel(int i, int j, int zeros)
{
    return zeros > 0 && j % zeros == 0 ? (float)((i * 31 + j * 17) % 50 - 20) * 0.02f : 0;
}

/* Returns true if gradient i belongs to a split matrix; *mine: to this rank's rows of it. */
static bool is_split(const ls_layout *layout, int size, int rank, int64_t i, bool *mine)
{
    for (int m = 0; m < layout->matrices; m++) {
        const ls_matrix *W = &layout->matrix[m];
        const int64_t row = (i - W->offset) / W->columns;
        if (i < W->offset || row >= W->rows || !ls_group_splits(size, ROWS, W))
            continue;
        const ls_range rows = ls_shard(W->rows, size, rank);
        *mine = row >= rows.first && row < rows.first + rows.count;
        return true;
    }
    return false;
}

static void compare_with_one_rank(const char *model, int size, int zeros, const int *rows_of)
{
    member alone = {0}, group[MOST];
    pthread_t thread[MOST];
    make_member(&alone, model, MOST * ROWS);
    const ls_layout *layout = ls_network_layout(alone.network);
    float *params = ls_alloc(layout->count, sizeof *params);
    const ls_group of_all = {.size = size, .rows = ROWS, .passes = 2};
    float *shared = ls_alloc(ls_group_floats(&of_all, layout), sizeof *shared);
    ls_network_initialise(alone.network, 5, params);
    pthread_barrier_init(&barrier, NULL, (unsigned)size);
    for (int r = 0; r < size; r++) {
        memset(&group[r], 0, sizeof group[r]);
        make_member(&group[r], model, ROWS);
        group[r].params = params;
        group[r].group = (ls_group){.size = size,
                                    .rank = r,
                                    .rows = ROWS,
                                    .passes = 2,
                                    .shared = shared,
                                    .barrier = wait_at_barrier,
                                    .user = &group[r]};
        for (int i = 0; i < rows_of[r]; i++) {
            const int64_t row = alone.batch->rows++;
            for (int j = 0; j < D; j++)
                group[r].batch->x[i * D + j] = alone.batch->x[row * D + j] =
                    pixel((int)row, j, zeros);
            group[r].batch->labels[i] = alone.batch->labels[row] = (int32_t)(row % CLASSES);
            group[r].batch->rows++;
        }
    }
    for (int round = 0; round < 2; round++) { /* buffers are used the second time */
        alone.score = ls_network_gradient(alone.network, params, alone.batch, alone.grads, NULL);
        for (int r = 0; r < size; r++)
            assert_int_equal(pthread_create(&thread[r], NULL, member_run, &group[r]), 0);
        double loss = 0;
        for (int r = 0; r < size; r++) {
            pthread_join(thread[r], NULL);
            loss += group[r].score.loss;
        }
        assert_near(loss, alone.score.loss, 1e-5, 1e-6);
        for (int64_t i = 0; i < layout->count; i++) {
            double sum = 0;
            for (int r = 0; r < size; r++) {
                bool mine = true;
                if (!is_split(layout, size, r, i, &mine) || mine)
                    sum += (double)group[r].grads[i];
            }
            assert_near(sum, (double)alone.grads[i], 1e-4, 1e-6);
        }
    }
    pthread_barrier_destroy(&barrier);
    for (int r = 0; r < size; r++)
        free_member(&group[r]);
    free_member(&alone);
    ls_free(params);
    ls_free(shared);
}

static void a_group_computes_the_gradients_of_one_rank(void **state)
{
    (void)state;
    static const int rows[][MOST] = {{3, 3, 3, 3, 3}, {3, 2, 3, 1, 2}, {0, 1, 0, 3, 0}};
    ls_matrix first = {.rows = D, .columns = 40};
    for (int size = 2; size <= MOST; size++) {
        assert_true(ls_group_splits(size, ROWS, &first));
        for (int zeros = 0; zeros <= 4; zeros++) /* 0: all zero; 1: none */
            for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
                compare_with_one_rank(chain, size, zeros, rows[i]);
    }
}

/* Buffers are shared by all matrices: a rank must not write into one that another still reads. */
static void a_late_rank_changes_no_gradient(void **state)
{
    (void)state;
    static const int rows[MOST] = {3, 2, 3, 3, 3};
    for (int size = 2; size <= 3; size++)
        for (late_rank = 0; late_rank < size; late_rank++) {
            compare_with_one_rank(chain, size, 1, rows);
            compare_with_one_rank(graph, size, 1, rows);
        }
    late_rank = -1;
}

/* A layer that reads the data skips columns of zeros, one that reads a relu's outputs doesn't. */
static void skipping_columns_of_zeros_changes_no_gradient(void **state)
{
    (void)state;
    ls_network *packs, *does_not;
    ls_batch *batch;
    enum { B = 40 };
    assert_ok(
        ls_network_create(&packs, "dense:100 relu dense:4", input, CLASSES, LS_CROSS_ENTROPY, B));
    assert_ok(ls_network_create(&does_not, "relu dense:100 relu dense:4", input, CLASSES,
                                LS_CROSS_ENTROPY, B));
    assert_ok(ls_batch_create(&batch, B, D, 0));
    const int64_t size = ls_network_size(packs);
    float *params = ls_alloc(3 * size, sizeof *params), *one = params + size, *other = one + size;
    ls_network_initialise(packs, 5, params);
    batch->rows = B;
    for (int zeros = 0; zeros <= 7; zeros++) {
        for (int i = 0; i < B; i++) {
            batch->labels[i] = i % CLASSES;
            for (int j = 0; j < D; j++)
                batch->x[i * D + j] = fabsf(pixel(i, j, zeros));
        }
        memset(one, 1, 2 * (size_t)size * sizeof *one);
        ls_score a = ls_network_gradient(packs, params, batch, one, NULL);
        ls_score b = ls_network_gradient(does_not, params, batch, other, NULL);
        assert_near(a.loss, b.loss, 1e-6, 0);
        for (int64_t i = 0; i < size; i++)
            assert_near((double)one[i], (double)other[i], 1e-4, 1e-6);
    }
    ls_free(params);
    ls_batch_destroy(&batch);
    ls_network_destroy(&packs);
    ls_network_destroy(&does_not);
}

static void columns_of_zeros_are_packed_where_this_saves_time(void **state)
{
    (void)state;
    enum { B = 100, U = 50 };
    static float x[B * D], W[D * U], dW[D * U];
    ls_nonzero *n;
    assert_ok(ls_nonzero_create(&n, B, D, D, U));
    for (int i = 0; i < B; i++)
        for (int j = 0; j < D; j++)
            x[i * D + j] = pixel(i, j, 3);
    for (int j = 0; j < D * U; j++)
        W[j] = (float)j;
    ls_nonzero_pack(n, B, (ls_range){6, 48}, D, U, false, x);
    assert_true(n->packed);
    assert_int_equal(n->count, 16);
    for (int64_t c = 0; c < n->count; c++) {
        assert_int_equal(n->column[c], 6 + 3 * c);
        for (int i = 0; i < B; i++)
            assert_true(n->x[i * n->count + c] == x[i * D + n->column[c]]);
    }
    const ls_range which = ls_nonzero_within(n, (ls_range){10, 5}); /* 12 */
    assert_int_equal(which.first, 2);
    assert_int_equal(which.count, 1);
    ls_nonzero_gather(n, which, U, W);
    assert_memory_equal(n->w, W + 12 * U, U * sizeof *W);
    for (int j = 0; j < D * U; j++)
        dW[j] = -1;
    ls_nonzero_scatter(n, which, (ls_range){10, 5}, U, dW);
    for (int j = 0; j < D; j++)
        for (int u = 0; u < U; u++) {
            const float expected = j == 12 ? W[j * U + u] : j >= 10 && j < 15 ? 0 : -1;
            assert_true(dW[j * U + u] == expected);
        }
    ls_nonzero_pack(n, B, (ls_range){0, D}, D, 1, false, x); /* too few units: no time saved */
    assert_false(n->packed);
    x[7] = 1;
    for (int j = 0; j < D; j++)
        x[(B - 1) * D + j] = 1; /* no column is zero */
    ls_nonzero_pack(n, B, (ls_range){0, D}, D, U, false, x);
    assert_false(n->packed);
    ls_nonzero_destroy(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_group_computes_the_gradients_of_one_rank),
        cmocka_unit_test(a_late_rank_changes_no_gradient),
        cmocka_unit_test(skipping_columns_of_zeros_changes_no_gradient),
        cmocka_unit_test(columns_of_zeros_are_packed_where_this_saves_time),
    };
    ls_compute_set_products(1, LS_PRODUCTS_BLAS);
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    ls_compute_set_products(1, LS_PRODUCTS_LOOPS);
    return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
