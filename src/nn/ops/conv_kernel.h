/* The inner loops of a convolution (convolution.c), compiled for several processors.
 *
 * Images are [height][width][channels]. A row of the kernel covers K * C adjacent floats of an
 * image, here called taps, and moves by stride * C floats from one output pixel to the next. So
 * each row of the kernel is a product of two matrices, and the rows of one of them overlap in
 * memory:
 *
 *     y[p][f] = bias[f] + sum over k, j of x[first(p) + k * row + j] w[k][j][f]
 *
 * where k: row of the kernel, j: tap, f: filter, p: output pixel, and first(p): offset of the first
 * float of pixel p's window in the image. Nothing is copied. */
#ifndef LS_NN_CONV_KERNEL_H
#define LS_NN_CONV_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

typedef struct ls_conv_shape {
    int64_t row;           /* floats in a row of the image, margins included */
    int64_t image;         /* floats in an image, margins included */
    int64_t K;             /* rows of the kernel */
    int64_t taps;          /* J = K * C */
    int64_t filters;       /* F */
    int64_t height, width; /* of the output */
    int64_t down, right;   /* floats of the image from one output pixel to the next below, right */
} ls_conv_shape;

/* Arrays that are written, or read as vectors, have this number of spare floats at their end. */
enum { LS_CONV_SLACK = 32 };

typedef struct ls_conv_kernel {
    int64_t block; /* filters, or taps, that are processed at a time */

    /* Forward pass of one image: x [image] -> y [height * width][F], with a fused relu if `relu`.
     * w     [blocks of filters][K][J][block] weights, zero-padded to whole blocks
     * bias  [blocks * block] */
    void (*forward)(const ls_conv_shape *shape, const float *w, const float *bias, bool relu,
                    const float *x, float *y);

    /* Adds the gradient of the weights, from x [images][image] and dy [images][height * width][F],
     * to dw [K][J][F]. */
    void (*weights)(const ls_conv_shape *shape, int64_t images, const float *x, const float *dy,
                    float *dw);

    /* Adds the gradient of one image, from dy [height * width][F], to dx [image].
     * w  [blocks of taps][K][F][block] weights, zero-padded to whole blocks */
    void (*image)(const ls_conv_shape *shape, const float *w, const float *dy, float *dx);
} ls_conv_kernel;

/* Returns true if the kernels chosen on this processor use fused multiply-add (FMA), which rounds
 * once. All kernels with FMA give the same bits; kernels without FMA give others. Local. */
bool ls_conv_fuses(void);

/* Blocks of ls_conv_any and ls_conv_avx2 are 16 or less, those of ls_conv_avx512 are 32. */
extern const ls_conv_kernel ls_conv_any;
#if defined(__x86_64__)
extern const ls_conv_kernel ls_conv_avx2;
extern const ls_conv_kernel ls_conv_avx512;
#endif

#endif
