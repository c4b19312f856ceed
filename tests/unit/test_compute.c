/* The check of the BLAS library: a library that is right passes, and each of many that are wrong
 * somewhere does not. This program's own cblas_sgemm() stands before the library's. */
#include "test.h"

#include <lockstep/compute.h>

#include "base/fault.h"

#include <cblas.h>
#include <dlfcn.h>
#include <stdbool.h>
#include <string.h>

/* A product as it was asked for. */
typedef struct product {
    int of_a, of_b; /* CBLAS_TRANSPOSE */
    int m, n, k, lda, ldb, ldc;
    float beta;
} product;

static int calls;
static float *(*spoiled)(const product *p, float *c); /* what is to be off by one; NULL: nothing */
static product (*mistaken)(product p);                /* what is computed instead of p */

void cblas_sgemm(CBLAS_ORDER order, CBLAS_TRANSPOSE of_a, CBLAS_TRANSPOSE of_b, blasint m,
                 blasint n, blasint k, float alpha, const float *a, blasint lda, const float *b,
                 blasint ldb, float beta, float *c, blasint ldc)
{
    __typeof__(&cblas_sgemm) real;
    void *found = dlsym(RTLD_NEXT, "cblas_sgemm");
    assert_non_null(found);
    memcpy(&real, &found, sizeof real); /* ISO C has no cast from what dlsym() returns */
    product p = {(int)of_a, (int)of_b, m, n, k, lda, ldb, ldc, beta};
    calls++;
    if (mistaken != NULL)
        p = mistaken(p);
    real(order, (CBLAS_TRANSPOSE)p.of_a, (CBLAS_TRANSPOSE)p.of_b, p.m, p.n, p.k, alpha, a, p.lda, b,
         p.ldb, p.beta, c, p.ldc);
    float *element = spoiled != NULL ? spoiled(&p, c) : NULL;
    if (element != NULL)
        *element += 1;
}

static float *last_of(const product *p, float *c, bool where)
{
    return where && p->m > 0 && p->n > 0 ? &c[(p->m - 1) * p->ldc + p->n - 1] : NULL;
}

static float *of_transposed_a(const product *p, float *c)
{
    return last_of(p, c, p->of_a == CblasTrans && p->m > 100);
}

static float *of_transposed_b(const product *p, float *c)
{
    return last_of(p, c, p->of_b == CblasTrans && p->n == 257);
}

static float *of_long_sums(const product *p, float *c)
{
    return last_of(p, c, p->k > 600);
}

static float *of_single_rows(const product *p, float *c)
{
    return last_of(p, c, p->m == 1);
}

static float *of_single_columns(const product *p, float *c)
{
    return last_of(p, c, p->n == 1 && p->k > 64);
}

static float *of_large_products(const product *p, float *c)
{
    return last_of(p, c, (double)p->m * p->n * p->k > 1e6);
}

static float *of_whole_tiles(const product *p, float *c)
{
    return last_of(p, c, p->m % 16 == 0 && p->n % 16 == 0 && p->beta == 1);
}

static float *of_odd_sums(const product *p, float *c)
{
    return last_of(p, c, p->k % 2 == 1 && p->beta == 1);
}

static float *in_the_middle(const product *p, float *c)
{
    return p->m > 32 && p->n > 16 ? &c[17 * p->ldc + 5] : NULL;
}

static float *behind_rows(const product *p, float *c)
{
    return p->ldc > p->n ? &c[p->n] : NULL;
}

static product without_padding(product p)
{
    if (p.of_a == CblasNoTrans && p.lda > p.k && p.k > 0)
        p.lda = p.k;
    return p;
}

static product that_overwrites(product p)
{
    p.beta = 0;
    return p;
}

static product that_adds(product p)
{
    p.beta = 1;
    return p;
}

static product that_stops_early(product p)
{
    p.k = p.k > 512 ? 512 : p.k;
    return p;
}

static product that_leaves_rows_out(product p)
{
    p.m = p.m > 4 ? p.m / 4 * 4 : p.m;
    return p;
}

static product that_leaves_sums_of_nothing(product p)
{
    p.m = p.k == 0 && p.beta == 0 ? 0 : p.m;
    return p;
}

static void assert_found(void)
{
    assert_fails(ls_compute_check(), LS_ERR_FAILURE,
                 "computes wrong products on this processor (A");
    assert_non_null(strstr(ls_error_text(), ls_compute_version()));
    assert_non_null(strstr(ls_error_text(), "OPENBLAS_CORETYPE="));
    spoiled = NULL;
    mistaken = NULL;
}

static void right_products_pass(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 2; threads++) {
        ls_compute_set_threads(threads);
        assert_ok(ls_compute_check());
    }
    assert_true(calls > 0); /* of this program's */
}

static void wrong_elements_are_found(void **state)
{
    (void)state;
    float *(*const elements[])(const product *, float *) = {
        of_transposed_a,   of_transposed_b, of_long_sums, of_single_rows, of_single_columns,
        of_large_products, of_whole_tiles,  of_odd_sums,  in_the_middle,  behind_rows,
    };
    for (size_t i = 0; i < sizeof elements / sizeof *elements; i++) {
        spoiled = elements[i];
        assert_found();
    }
}

static void wrong_products_are_found(void **state)
{
    (void)state;
    product (*const products[])(product) = {
        without_padding,  that_overwrites,      that_adds,
        that_stops_early, that_leaves_rows_out, that_leaves_sums_of_nothing,
    };
    for (size_t i = 0; i < sizeof products / sizeof *products; i++) {
        mistaken = products[i];
        assert_found();
    }
}

/* Each product that is compared can be the one that is wrong. */
static void each_product_counts(void **state)
{
    (void)state;
    calls = 0;
    assert_ok(ls_compute_check());
    const int products = calls;
    for (int i = 1; i <= products; i++) {
        char fault[32];
        snprintf(fault, sizeof fault, "product:0:%d", i);
        assert_ok(ls_fault_arm(fault, 0));
        assert_found();
    }
    assert_ok(ls_compute_check());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(right_products_pass),
        cmocka_unit_test(wrong_elements_are_found),
        cmocka_unit_test(wrong_products_are_found),
        cmocka_unit_test(each_product_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
