/* The inner loops of a convolution, compiled for several processors; see conv.c for what they are
 * part of.
 *
 * Images are [height][width][channels]. A row of the kernel meets K * C floats of an image that lie
 * side by side, here called taps, and moves on by stride * C floats from one output pixel to the
 * next, so that each row of the kernel is a product of matrices, one of which overlaps itself:
 *
 *     y[p][f] = bias[f] + sum over k, j of x[first(p) + k * row + j] w[k][j][f]
 *
 * where k: row of the kernel, j: tap, f: filter, p: output pixel, and first(p) the float of the
 * image that pixel p's window begins at. Nothing is copied for it. */
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
    int64_t down, right;   /* floats of the image from one output pixel to the one below, beside */
} ls_conv_shape;

/* Arrays that are written to, or read as vectors, have so many floats of slack at their end. */
enum { LS_CONV_SLACK = 32 };

typedef struct ls_conv_kernel {
    int64_t block; /* filters, or taps, that are worked on at a time */

    /* Of one image: x [image] -> y [height * width][F], negative values cut to 0 if `rectify`.
     * w     [blocks of filters][K][J][block] weights, zeros where F is no multiple of the block
     * bias  [blocks * block] */
    void (*forward)(const ls_conv_shape *shape, const float *w, const float *bias, bool rectify,
                    const float *x, float *y);

    /* Of some images: adds what x [images][image] and dy [images][height * width][F] make of the
     * weights' gradient to dw [K][J][F]. */
    void (*weights)(const ls_conv_shape *shape, int64_t images, const float *x, const float *dy,
                    float *dw);

    /* Of one image: adds what dy [height * width][F] makes of the image's gradient to dx [image].
     * w  [blocks of taps][K][F][block] weights, zeros where J is no multiple of the block */
    void (*image)(const ls_conv_shape *shape, const float *w, const float *dy, float *dx);
} ls_conv_kernel;

/* Whether the kernels that are chosen on this processor round a multiplication and an addition
 * once: all that do make the same bits, which the others don't. Local. */
bool ls_conv_fuses(void);

/* The narrow ones have blocks of 16 or less, the wide one of 32. */
extern const ls_conv_kernel ls_conv_any;
#if defined(__x86_64__)
extern const ls_conv_kernel ls_conv_avx2;
extern const ls_conv_kernel ls_conv_avx512;
#endif

#endif
