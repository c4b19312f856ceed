/* The check of the BLAS library: a correct library passes; each of many wrong ones is detected.
 * This program's cblas_sgemm() wraps the library's and makes its errors. */
#include "test.h"

#include <lockstep/compute.h>

#include "base/fault.h"

#include <cblas.h>
#include <dlfcn.h>
#include <stdbool.h>
#include <string.h>

/* The arguments of a product. */
typedef struct product {
    int of_a, of_b; /* CBLAS_TRANSPOSE */
    int m, n, k, lda, ldb, ldc;
    float beta;
} product;

static int calls;
static float *(*wrong_element)(const product *p, float *c); /* element to add 1 to; NULL: none */
static product (*wrong_product)(product p);                 /* product computed instead of p */

void cblas_sgemm(CBLAS_ORDER order, CBLAS_TRANSPOSE of_a, CBLAS_TRANSPOSE of_b, blasint m,
                 blasint n, blasint k, float alpha, const float *a, blasint lda, const float *b,
                 blasint ldb, float beta, float *c, blasint ldc)
{
    __typeof__(&cblas_sgemm) real;
    void *found = dlsym(RTLD_NEXT, "cblas_sgemm");
    assert_non_null(found);
    memcpy(&real, &found, sizeof real); /* ISO C has no cast from dlsym()'s result */
    product p = {(int)of_a, (int)of_b, m, n, k, lda, ldb, ldc, beta};
    calls++;
    if (wrong_product != NULL)
        p = wrong_product(p);
    real(order, (CBLAS_TRANSPOSE)p.of_a, (CBLAS_TRANSPOSE)p.of_b, p.m, p.n, p.k, alpha, a, p.lda, b,
         p.ldb, p.beta, c, p.ldc);
    float *element = wrong_element != NULL ? wrong_element(&p, c) : NULL;
    if (element != NULL)
        *element += 1;
}

static float *last_element_if(const product *p, float *c, bool where)
{
    return where && p->m > 0 && p->n > 0 ? &c[(p->m - 1) * p->ldc + p->n - 1] : NULL;
}

static float *element_of_transposed_a(const product *p, float *c)
{
    return last_element_if(p, c, p->of_a == CblasTrans && p->m > 100);
}

static float *element_of_transposed_b(const product *p, float *c)
{
    return last_element_if(p, c, p->of_b == CblasTrans && p->n == 257);
}

static float *element_of_long_sums(const product *p, float *c)
{
    return last_element_if(p, c, p->k > 600);
}

static float *element_of_single_rows(const product *p, float *c)
{
    return last_element_if(p, c, p->m == 1);
}

static float *element_of_single_columns(const product *p, float *c)
{
    return last_element_if(p, c, p->n == 1 && p->k > 64);
}

static float *element_of_large_products(const product *p, float *c)
{
    return last_element_if(p, c, (double)p->m * p->n * p->k > 1e6);
}

static float *element_of_whole_tiles(const product *p, float *c)
{
    return last_element_if(p, c, p->m % 16 == 0 && p->n % 16 == 0 && p->beta == 1);
}

static float *element_of_odd_sums(const product *p, float *c)
{
    return last_element_if(p, c, p->k % 2 == 1 && p->beta == 1);
}

static float *element_in_the_middle(const product *p, float *c)
{
    return p->m > 32 && p->n > 16 ? &c[17 * p->ldc + 5] : NULL;
}

static float *element_behind_a_row(const product *p, float *c)
{
    return p->ldc > p->n ? &c[p->n] : NULL;
}

static product ignore_padding(product p)
{
    if (p.of_a == CblasNoTrans && p.lda > p.k && p.k > 0)
        p.lda = p.k;
    return p;
}

static product overwrite_c(product p)
{
    p.beta = 0;
    return p;
}

static product add_to_c(product p)
{
    p.beta = 1;
    return p;
}

static product truncate_sums(product p)
{
    p.k = p.k > 512 ? 512 : p.k;
    return p;
}

static product omit_last_rows(product p)
{
    p.m = p.m > 4 ? p.m / 4 * 4 : p.m;
    return p;
}

static product omit_empty_sums(product p)
{
    p.m = p.k == 0 && p.beta == 0 ? 0 : p.m;
    return p;
}

static void assert_error_is_detected(void)
{
    assert_fails(ls_compute_check(), LS_ERR_FAILURE,
                 "computes wrong products on this processor (A");
    assert_non_null(strstr(ls_error_text(), ls_compute_version()));
    assert_non_null(strstr(ls_error_text(), "OPENBLAS_CORETYPE="));
    wrong_element = NULL;
    wrong_product = NULL;
}

static void a_correct_library_passes(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 2; threads++) {
        ls_compute_set_products(threads, LS_PRODUCTS_AUTO);
        assert_ok(ls_compute_check());
    }
    assert_true(calls > 0); /* this program's function is used */
}

static void a_wrong_element_is_detected(void **state)
{
    (void)state;
    float *(*const elements[])(const product *, float *) = {
        element_of_transposed_a, element_of_transposed_b,   element_of_long_sums,
        element_of_single_rows,  element_of_single_columns, element_of_large_products,
        element_of_whole_tiles,  element_of_odd_sums,       element_in_the_middle,
        element_behind_a_row,
    };
    for (size_t i = 0; i < sizeof elements / sizeof *elements; i++) {
        wrong_element = elements[i];
        assert_error_is_detected();
    }
}

static void a_wrong_product_is_detected(void **state)
{
    (void)state;
    product (*const products[])(product) = {
        ignore_padding, overwrite_c, add_to_c, truncate_sums, omit_last_rows, omit_empty_sums,
    };
    for (size_t i = 0; i < sizeof products / sizeof *products; i++) {
        wrong_product = products[i];
        assert_error_is_detected();
    }
}

/* With an error in each of the compared products in turn. */
static void an_error_in_each_compared_product_is_detected(void **state)
{
    (void)state;
    calls = 0;
    assert_ok(ls_compute_check());
    const int products = calls;
    for (int i = 1; i <= products; i++) {
        char fault[32];
        snprintf(fault, sizeof fault, "product:0:%d", i);
        assert_ok(ls_fault_arm(fault, 0));
        assert_error_is_detected();
    }
    assert_ok(ls_compute_check());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_correct_library_passes),
        cmocka_unit_test(a_wrong_element_is_detected),
        cmocka_unit_test(a_wrong_product_is_detected),
        cmocka_unit_test(an_error_in_each_compared_product_is_detected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
