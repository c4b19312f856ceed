/* Products of images, pixels and weights, which convolutions (conv.c) and their transposes
 * (deconv.c) are made of. F filters move over an image of C channels and give pixels of F channels:
 *
 *     y[h][v][f] = b[f] + sum over i, j, c of x[h STRIDE + i][v STRIDE + j][c] w[i][j][c][f]
 *
 * where x is the image with zeros around it, the margins. The same sum, with one of the factors in
 * place of y, gives the gradients of a convolution; of its transpose, the image is the output.
 * Images are not unfolded into a matrix: the kernels of conv_kernel.h read images in place.
 *
 * J = window * C: taps of a row of the kernel; w [rows of the kernel][J][F]. Arrays have
 * LS_CONV_SLACK spare floats at their end. All functions are Local. */
#ifndef LS_NN_CONVOLUTION_H
#define LS_NN_CONVOLUTION_H

#include <lockstep/network.h>

#include "nn/ops/conv_kernel.h"

/* Images, the kernel on them, and its pixels; lines and pixels of zeros around an image. */
typedef struct ls_frame {
    ls_shape image, pixels; /* of one row, without margins; as [H][W][C] */
    int64_t lines, window;  /* height and width of the kernel */
    int64_t stride;
    int64_t top, bottom, left, right;
} ls_frame;

/* Sizes, kernels and scratch arrays of a call. */
typedef struct ls_convolution {
    ls_conv_shape shape;
    int64_t C;
    int64_t top, left;                /* lines above an image, floats before each line: zeros */
    int64_t line;                     /* floats in a line without margins */
    int64_t image, pixels;            /* floats in an image without margins, in its pixels */
    bool copies;                      /* images are copied into `margin` */
    const int32_t *lengths;           /* steps of each row of sequences; NULL: all */
    int64_t piece;                    /* images at a time */
    int64_t filters, taps;            /* rounded up to whole blocks of these kernels: */
    const ls_conv_kernel *of_filters; /* in blocks of filters */
    const ls_conv_kernel *of_taps;    /* in blocks of taps */
    float *by_filter;                 /* weights in the layout of `of_filters` */
    float *bias;                      /* zero-padded to whole blocks */
    float *by_tap;                    /* weights in the layout of `of_taps` */
    float *margin;                    /* [piece][image] images with margins, if `copies` */
} ls_convolution;

/* Returns a plan without its arrays.
 * lengths  [rows] steps of each row, if images of height 1 are sequences: those beyond count as
 *          zeros; NULL: all steps */
ls_convolution ls_convolution_make(const ls_frame *frame, const int32_t *lengths);

/* Returns the floats of scratch memory; with `lengths` those of a plan with lengths, too. */
int64_t ls_convolution_scratch(const ls_convolution *plan, bool lengths);

/* Gives a plan its arrays. */
void ls_convolution_place(ls_convolution *plan, float *scratch);

/* Computes the pixels, then a relu if `relu`.
 * bias  [F]; NULL: zeros
 * x     [images][image]
 * y     [images][pixels] */
void ls_convolution_pixels(const ls_convolution *plan, int64_t images, const float *w,
                           const float *bias, bool relu, const float *x, float *y);

/* Computes the images x, as sums over the pixels y: the gradient of images if y is that of the
 * pixels. Steps beyond the lengths are 0. */
void ls_convolution_images(const ls_convolution *plan, int64_t images, const float *w,
                           const float *y, float *x);

/* Computes the sums of products of images and pixels: the gradient of the weights if one of them is
 * a gradient.
 * dw  [rows of the kernel][J][F] */
void ls_convolution_weights(const ls_convolution *plan, int64_t images, const float *x,
                            const float *y, float *dw);

#endif
