/* Products and rows of scores, of every kind of kernel that this processor runs. */
#include "nn/matrix_kernel.h"

#include "test.h"

#include "base/memory.h"
#include "base/rng.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { MOST = 80 * 420, KINDS = 3 };

/* The kernels of this processor; NULL: it does not run the kind. */
static const ls_matrix_kernel *kernel_of(int kind)
{
#if defined(__x86_64__)
    if (kind == 1 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return &ls_matrix_avx2;
    if (kind == 2 && __builtin_cpu_supports("avx512f"))
        return &ls_matrix_avx512;
#endif
    return kind == 0 ? &ls_matrix_any : NULL;
}

static float *make_numbers(uint64_t key, int64_t count)
{
    float *numbers = ls_alloc(count, sizeof *numbers);
    for (int64_t i = 0; i < count; i++)
        numbers[i] = (float)(2 * ls_rng_uniform(key, (uint64_t)i) - 1);
    return numbers;
}

static double element(const ls_operand *m, int64_t i, int64_t j)
{
    return (double)m->at[i * m->row + j * m->column];
}

/* Compares a product with its definition; y has a margin of `gap` columns, which stays. */
static void check_product(const ls_matrix_kernel *kernel, int64_t rows, int64_t K, int64_t columns,
                          ls_operand x, ls_operand M, bool add, float *y)
{
    enum { GAP = 3 };
    const int64_t y_row = columns + GAP;
    float *before = make_numbers(3, rows * y_row);
    memcpy(y, before, (size_t)(rows * y_row) * sizeof *y);
    kernel->product(rows, K, columns, x, M, add, y, y_row);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < y_row; j++) {
            double sum = add || j >= columns ? (double)before[i * y_row + j] : 0;
            for (int64_t k = 0; j < columns && k < K; k++)
                sum += element(&x, i, k) * element(&M, k, j);
            assert_near(y[i * y_row + j], sum, 1e-5, 2e-5);
        }
    ls_free(before);
}

/* Of all sizes around those of tiles, panels and vectors, in place and transposed; and the same
 * bits with AVX2 and AVX-512. */
static void products_equal_their_definition_with_any_kernel(void **state)
{
    (void)state;
    static const int64_t sizes[][3] = {{1, 1, 1},    {5, 7, 3},      {6, 16, 16},   {13, 9, 17},
                                       {24, 40, 32}, {25, 33, 65},   {97, 12, 64},  {200, 5, 8},
                                       {3, 257, 70}, {70, 300, 15},  {7, 600, 129}, {2, 0, 5},
                                       {20, 70, 51}, {100, 90, 150}, {70, 650, 200}};
    float *a = make_numbers(1, MOST * 4), *b = make_numbers(2, MOST * 4);
    float *y[KINDS];
    for (int kind = 0; kind < KINDS; kind++)
        y[kind] = ls_alloc(MOST * 4, sizeof *y[kind]);
    for (size_t at = 0; at < 8 * sizeof sizes / sizeof *sizes; at++) {
        const int64_t rows = sizes[at / 8][0], K = sizes[at / 8][1], columns = sizes[at / 8][2];
        const ls_operand x = at & 1 ? (ls_operand){a, 1, rows + 2} : (ls_operand){a, K + 2, 1};
        const ls_operand M = at & 2 ? (ls_operand){b, 1, K + 1} : (ls_operand){b, columns + 1, 1};
        for (int kind = 0; kind < KINDS; kind++)
            if (kernel_of(kind) != NULL)
                check_product(kernel_of(kind), rows, K, columns, x, M, at & 4, y[kind]);
        if (kernel_of(1) != NULL && kernel_of(2) != NULL)
            assert_memory_equal(y[1], y[2], (size_t)(rows * (columns + 3)) * sizeof(float));
    }
    for (int kind = 0; kind < KINDS; kind++)
        ls_free(y[kind]);
    ls_free(a);
    ls_free(b);
}

/* The product of selected columns or rows has the bits of that of all, where the other columns are
 * zeros; rows of y that are not selected stay. */
static void products_of_a_selection_have_the_same_bits(void **state)
{
    (void)state;
    enum { ROWS = 50, K = 700, COLUMNS = 70, UNTOUCHED = 7 };
    static float some[ROWS * COLUMNS], all[ROWS * COLUMNS];
    int32_t k_of[K], row_of[ROWS];
    int ks = 0, rows = 0;
    float *a = make_numbers(1, ROWS * K), *b = make_numbers(2, K * COLUMNS);
    for (int k = 0; k < K; k++) {
        const bool selected = k % 5 > 1 || k > 600;
        if (selected)
            k_of[ks++] = k;
        for (int r = 0; !selected && r < ROWS; r++)
            a[r * K + k] = 0;
    }
    for (int r = 0; r < ROWS; r++)
        if (r % 7 != 3)
            row_of[rows++] = r;
    const ls_operand x = {a, K, 1}, M = {b, COLUMNS, 1};
    for (int kind = 0; kind < KINDS; kind++) {
        const ls_matrix_kernel *kernel = kernel_of(kind);
        if (kernel == NULL)
            continue;
        kernel->product(ROWS, K, COLUMNS, x, M, false, all, COLUMNS);
        kernel->product_of((ls_selection){k_of, NULL}, ROWS, ks, COLUMNS, x, M, false, some,
                           COLUMNS);
        assert_memory_equal(some, all, sizeof all);
        for (int i = 0; i < ROWS * COLUMNS; i++)
            some[i] = UNTOUCHED;
        kernel->product_of((ls_selection){NULL, row_of}, rows, K, COLUMNS, x, M, false, some,
                           COLUMNS);
        for (int i = 0; i < ROWS * COLUMNS; i++)
            assert_true(some[i] == (i / COLUMNS % 7 != 3 ? all[i] : UNTOUCHED));
    }
    ls_free(a);
    ls_free(b);
}

/* An element does not depend on the number of rows. */
static void a_row_of_a_product_is_the_same_beside_others(void **state)
{
    (void)state;
    enum { ROWS = 61, K = 700, COLUMNS = 70 };
    float *a = make_numbers(1, ROWS * K), *b = make_numbers(2, K * COLUMNS);
    static float all[ROWS * COLUMNS], one[COLUMNS];
    for (int at = 0; at < 2 * KINDS; at++) {
        const ls_operand M = at % 2 == 0 ? (ls_operand){b, COLUMNS, 1} : (ls_operand){b, 1, K};
        const ls_matrix_kernel *kernel = kernel_of(at / 2);
        if (kernel == NULL)
            continue;
        kernel->product(ROWS, K, COLUMNS, (ls_operand){a, K, 1}, M, false, all, COLUMNS);
        for (int64_t r = 0; r < ROWS; r++) {
            kernel->product(1, K, COLUMNS, (ls_operand){a + r * K, K, 1}, M, false, one, COLUMNS);
            assert_memory_equal(all + r * COLUMNS, one, sizeof one);
        }
    }
    ls_free(a);
    ls_free(b);
}

/* Softmax of each number of keys, its logarithm, and its gradient; what is beyond the keys is not
 * used, and becomes 0. */
static void scores_equal_their_definition_with_any_kernel(void **state)
{
    (void)state;
    enum { KEYS = 70, ROOM = 80, E = 21 };
    float *s = make_numbers(1, ROOM), *ds = make_numbers(2, ROOM), *o = make_numbers(3, 2 * E);
    const float scale = 3;
    for (int kind = 0; kind < KINDS; kind++)
        for (int64_t keys = 1; keys <= KEYS && kernel_of(kind) != NULL; keys++) {
            float p[ROOM], again[ROOM], d[ROOM];
            const int64_t end = (keys + LS_SCORES - 1) / LS_SCORES * LS_SCORES;
            double sum = 0, D = 0;
            for (int64_t j = 0; j < ROOM; j++) {
                again[j] = p[j] = j < keys ? s[j] : 1e30f;
                d[j] = j < keys ? ds[j] : NAN;
                sum += j < keys ? exp(3 * (double)s[j]) : 0;
            }
            for (int e = 0; e < E; e++)
                D += (double)o[e] * (double)o[E + e];
            const float log_of_sum = kernel_of(kind)->softmax(keys, scale, p);
            assert_near(log_of_sum, log(sum), 1e-6, 1e-6);
            kernel_of(kind)->softmax_again(keys, scale, log_of_sum, again);
            kernel_of(kind)->softmax_gradient(keys, scale, p, E, o, o + E, d);
            for (int64_t j = 0; j < end; j++) {
                const double share = j < keys ? exp(3 * (double)s[j]) / sum : 0;
                assert_near(p[j], share, 1e-6, 0);
                assert_near(again[j], share, 2e-6, 0);
                assert_near(d[j], j < keys ? share * ((double)ds[j] - D) * 3 : 0, 1e-5, 1e-6);
            }
        }
    ls_free(s);
    ls_free(ds);
    ls_free(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_equal_their_definition_with_any_kernel),
        cmocka_unit_test(products_of_a_selection_have_the_same_bits),
        cmocka_unit_test(a_row_of_a_product_is_the_same_beside_others),
        cmocka_unit_test(scores_equal_their_definition_with_any_kernel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
