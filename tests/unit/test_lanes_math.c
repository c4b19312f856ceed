/* exp, sigmoid, tanh and the normal distribution of vectors over the whole range of floats, for
 * every kind of kernel that this processor can run, against the functions of the C library in
 * double precision. */
#include "lanes_functions.h"

#include "test.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { CHUNK = 1 << 12, KINDS = 3 };

static const struct {
    const char *name;
    lanes_functions *call;
} kinds[KINDS] = {
    {"any", lanes_functions_any},
#if defined(__x86_64__)
    {"avx2", lanes_functions_avx2},
    {"avx512", lanes_functions_avx512},
#endif
};

/* Returns true if this processor runs a kind. */
static bool runs(int kind)
{
#if defined(__x86_64__)
    if (kind == 1)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (kind == 2)
        return __builtin_cpu_supports("avx512f");
#endif
    return kinds[kind].call != NULL;
}

/* Largest errors of a kind. */
typedef struct errors {
    double exp, sigmoid, tanh; /* relative, absolute, relative */
    double normal, tail;       /* absolute; relative, from -12 to 0 */
} errors;

static void larger(double *most, double error)
{
    if (!(error <= *most))
        *most = error;
}

/* Adds the errors at one number that is not NaN. */
static void compare(float at, float of_exp, float of_sigmoid, float of_tanh, float of_normal,
                    errors *most)
{
    const double x = (double)at, end = x > 87 ? 87 : x < -87 ? -87 : x;
    const double power = exp(end), logistic = 1 / (1 + exp(-x)), tangent = tanh(x);
    const double below = 0.5 * erfc(-x * 0.70710678118654752440);
    assert_true(of_normal >= 0 && of_normal <= 1);
    larger(&most->normal, fabs((double)of_normal - below));
    if (x >= -12 && x <= 0)
        larger(&most->tail, fabs((double)of_normal - below) / below);
    assert_true(of_sigmoid >= 0 && of_sigmoid <= 1);
    assert_true(of_tanh >= -1 && of_tanh <= 1);
    assert_true(signbit(of_tanh) == signbit(at));
    larger(&most->exp, fabs((double)of_exp - power) / power);
    larger(&most->sigmoid, fabs((double)of_sigmoid - logistic));
    if (tangent == 0)
        assert_true(of_tanh == 0);
    else
        larger(&most->tanh, fabs(((double)of_tanh - tangent) / tangent));
}

/* Adds the errors at every stride-th float of bits first .. last, for all kinds. */
static void compare_range(uint32_t first, uint32_t last, uint32_t stride, errors most[KINDS])
{
    static float x[CHUNK], e[CHUNK], s[CHUNK], t[CHUNK], n[CHUNK];
    for (uint64_t bits = first; bits <= last;) {
        int count = 0;
        for (; count < CHUNK; count++, bits += stride) {
            const uint32_t pattern = (uint32_t)(bits <= last ? bits : first);
            memcpy(&x[count], &pattern, sizeof *x);
        }
        for (int kind = 0; kind < KINDS; kind++) {
            if (!runs(kind))
                continue;
            kinds[kind].call(CHUNK, x, e, s, t, n);
            for (int i = 0; i < CHUNK; i++)
                compare(x[i], e[i], s[i], t[i], n[i], &most[kind]);
        }
    }
}

static void report(const errors most[KINDS])
{
    for (int kind = 0; kind < KINDS; kind++)
        if (runs(kind))
            printf("%-6s  exp %.3g  sigmoid %.3g  tanh %.3g  normal %.3g, tail %.3g\n",
                   kinds[kind].name, most[kind].exp, most[kind].sigmoid, most[kind].tanh,
                   most[kind].normal, most[kind].tail);
}

/* The errors stated in lanes_math.h. Every 499th of all floats up to infinity, of both signs; every
 * 61st where the functions are not yet constant. */
static void errors_are_below_those_stated_for_every_kind(void **state)
{
    (void)state;
    const uint32_t infinity = 0x7f800000, negative = 0x80000000;
    const uint32_t small = 0x38800000, large = 0x42f00000; /* 2^-14, 120 */
    const uint32_t stride = (uint32_t)test_stride();
    errors most[KINDS] = {{0}};
    for (uint32_t sign = 0; sign < 2; sign++) {
        compare_range(sign * negative, sign * negative + infinity, 499 * stride, most);
        compare_range(sign * negative + small, sign * negative + large, 61 * stride, most);
        compare_range(sign * negative + infinity, sign * negative + infinity, 1, most);
    }
    report(most);
    for (int kind = 0; kind < KINDS; kind++) {
        assert_true(most[kind].exp < 1e-7);
        assert_true(most[kind].sigmoid < 9e-8);
        assert_true(most[kind].tanh < 1.5e-7);
        assert_true(most[kind].normal < 1e-7);
        assert_true(most[kind].tail < 5e-6);
    }
}

static void special_numbers_have_their_values(void **state)
{
    (void)state;
    const float x[16] = {0,    -0.0f, INFINITY, -INFINITY, NAN,    1e-45f, -1e-45f, 100,
                         -100, 10000, -10000,   3e38f,     -3e38f, 1e-38f, 88,      -88};
    float e[16], s[16], t[16], n[16];
    for (int kind = 0; kind < KINDS; kind++) {
        if (!runs(kind))
            continue;
        kinds[kind].call(16, x, e, s, t, n);
        assert_true(n[0] == 0.5f && n[2] == 1 && n[3] == 0 && isnan(n[4]));
        assert_true(e[0] == 1 && s[0] == 0.5f && t[0] == 0 && !signbit(t[0]));
        assert_true(e[1] == 1 && s[1] == 0.5f && t[1] == 0 && signbit(t[1]));
        assert_true(isnan(e[4]) && isnan(s[4]) && isnan(t[4]));
        assert_true(t[5] == 1e-45f && t[6] == -1e-45f && t[13] == 1e-38f);
        for (int i = 0; i < 16; i++) {
            if (i == 4 || (fabsf(x[i]) < 1 && i > 1))
                continue;
            assert_true(isfinite(e[i]));
            assert_true(i < 2 || t[i] == copysignf(1, x[i]));
            assert_true(i < 2 || (x[i] > 0 ? s[i] == 1 : s[i] < 2e-38f && s[i] >= 0));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_are_below_those_stated_for_every_kind),
        cmocka_unit_test(special_numbers_have_their_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
