#include <lockstep/compute.h>

#include "nn/matrix_kernel.h"
#include "nn/ops/conv_kernel.h"

#include <cblas.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

static int blas_threads = 1;
static ls_products wanted = LS_PRODUCTS_AUTO;

void ls_compute_set_products(int threads, ls_products products)
{
    openblas_set_num_threads(threads);
    blas_threads = threads;
    wanted = products;
}

const char *ls_products_name(ls_products products)
{
    static const char *const names[] = {LS_PRODUCTS_LIST(LS_CHOICE_NAME)};
    return names[products];
}

ls_products ls_compute_products(void)
{
    return wanted != LS_PRODUCTS_AUTO                      ? wanted
           : blas_threads == 1 && ls_matrix_kernel_leads() ? LS_PRODUCTS_LOOPS
                                                           : LS_PRODUCTS_BLAS;
}

void ls_compute_flush_denormals(void)
{
#if defined(__SSE2__)
    _mm_setcsr(_mm_getcsr() | _MM_FLUSH_ZERO_ON | 0x40 /* DAZ: denormal inputs are zeros, too */);
#elif defined(__aarch64__)
    uint64_t control;
    __asm__ volatile("mrs %0, fpcr" : "=r"(control));
    __asm__ volatile("msr fpcr, %0" : : "r"(control | UINT64_C(1) << 24));
#endif
}

double ls_compute_peak(double (*now)(void))
{
    enum { TIMES = 20000, TRIES = 5 };
    double best = 0;
    for (int t = 0; t < TRIES; t++) {
        const double begin = now(), flops = ls_matrix_kernel_choose()->spin(TIMES);
        const double rate = flops / (now() - begin);
        best = rate > best ? rate : best;
    }
    return best;
}

void ls_compute_product(int n, const float *a, const float *b, float *c)
{
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, n, n, 1, a, n, b, n, 0, c, n);
}

const char *ls_compute_better_kernels(void)
{
#if defined(__x86_64__)
    static const char *const of_avx512[] = {"SkylakeX", "Cooperlake", "SapphireRapids"};
    static const char *const of_avx2[] = {"Haswell", "Zen"};
    const char *chosen = openblas_get_corename();
    for (size_t i = 0; i < sizeof of_avx512 / sizeof *of_avx512; i++)
        if (strcasecmp(chosen, of_avx512[i]) == 0)
            return NULL;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512cd") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl"))
        return of_avx512[0];
    for (size_t i = 0; i < sizeof of_avx2 / sizeof *of_avx2; i++)
        if (strcasecmp(chosen, of_avx2[i]) == 0)
            return NULL;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return of_avx2[0];
#endif
    return NULL;
}

const char *ls_compute_slow_setting(const char *set)
{
    const char *better = ls_compute_better_kernels();
    return set == NULL || better == NULL || strcasecmp(set, better) == 0 ? "" : set;
}

const char *ls_compute_other_kernels(void)
{
#if defined(__x86_64__)
    return strcasecmp(openblas_get_corename(), "Haswell") != 0 && __builtin_cpu_supports("avx2")
               ? "Haswell"
               : "Nehalem";
#elif defined(__aarch64__)
    return "ARMV8";
#else
    return "GENERIC";
#endif
}

const char *ls_compute_version(void)
{
    static char text[96];
    char library[64];
    /* The configuration starts with name and version; the rest is build options. */
    snprintf(library, sizeof library, "%s", openblas_get_config());
    char *second = strchr(library, ' ');
    char *third = second != NULL ? strchr(second + 1, ' ') : NULL;
    if (third != NULL)
        *third = '\0';
    snprintf(text, sizeof text, "%s %s%s", library, openblas_get_corename(),
             ls_conv_fuses() ? "" : ", convolutions without FMA");
    return text;
}
