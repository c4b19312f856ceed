/* The Frechet distance against cases with a solution in closed form, and NumPy. */
#include "test.h"

#include "nn/frechet.h"

#include <math.h>
#include <string.h>

enum { FEATURES = 3 };

static ls_moments make_moments(const double *mean, const double *covariance)
{
    ls_moments m;
    assert_ok(ls_moments_create(&m, FEATURES));
    memcpy(m.mean, mean, FEATURES * sizeof *mean);
    memcpy(m.covariance, covariance, FEATURES * FEATURES * sizeof *covariance);
    return m;
}

static double distance(const double *m, const double *c, const double *n, const double *d)
{
    double out = -1;
    ls_moments a = make_moments(m, c), b = make_moments(n, d);
    assert_ok(ls_frechet_distance(&a, &b, &out));
    ls_moments_destroy(&a);
    ls_moments_destroy(&b);
    return out;
}

static const double zero[FEATURES] = {0}, mean[FEATURES] = {1, -2, 0.5};
static const double covariance[FEATURES * FEATURES] = {2, 0.3, 0.1, 0.3, 1, -0.2, 0.1, -0.2, 0.5};

static void equal_distributions_have_no_distance(void **state)
{
    (void)state;
    assert_near(distance(mean, covariance, mean, covariance), 0, 0, 1e-12);
}

static void means_count_by_the_square_of_their_distance(void **state)
{
    (void)state;
    assert_near(distance(mean, covariance, zero, covariance), 1 + 4 + 0.25, 1e-12, 0);
}

static void independent_features_have_a_closed_form(void **state)
{
    (void)state;
    const double a[FEATURES * FEATURES] = {4, 0, 0, 0, 9, 0, 0, 0, 0};
    const double b[FEATURES * FEATURES] = {1, 0, 0, 0, 16, 0, 0, 0, 2.25};
    /* sum of (sqrt a - sqrt b)^2 */
    assert_near(distance(zero, a, zero, b), 1 + 1 + 2.25, 1e-10, 0);
}

/* numpy: C = covariance; D = [[1, .5, 0], [.5, 2, .4], [0, .4, 1.5]];
 * trace(C + D) - 2 sum(sqrt(eigvals(C @ D))) + 1 + 4 + 0.25 */
static void correlated_features_agree_with_numpy(void **state)
{
    (void)state;
    const double other[FEATURES * FEATURES] = {1, 0.5, 0, 0.5, 2, 0.4, 0, 0.4, 1.5};
    assert_near(distance(mean, covariance, zero, other), 6.039327695343, 1e-9, 0);
    assert_near(distance(zero, other, mean, covariance), 6.039327695343, 1e-9, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_distributions_have_no_distance),
        cmocka_unit_test(means_count_by_the_square_of_their_distance),
        cmocka_unit_test(independent_features_have_a_closed_form),
        cmocka_unit_test(correlated_features_agree_with_numpy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
