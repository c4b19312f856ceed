/* The kernels' plan and the three products: see convolution.h. Only images with margins, and
 * sequences that end early, are copied, a few at a time, into scratch memory. */
#include "nn/ops/convolution.h"

#include <string.h>

typedef ls_convolution plan;

/* The gradient of the weights is computed from chunks of images. A chunk has at most this number of
 * floats in the image, and in the pixels, so that the chunk stays in the cache while each block of
 * weights reads it. */
enum { PIECE = 1 << 16 };

/* The kernel for this processor and blocks of `width` floats: a wide kernel pays only if its
 * vectors are full. */
static const ls_conv_kernel *choose_kernel(int64_t width)
{
#if defined(__x86_64__)
    enum { NARROW = 8 };
    if (width > NARROW && __builtin_cpu_supports("avx512f"))
        return &ls_conv_avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return &ls_conv_avx2;
#endif
    (void)width;
    return &ls_conv_any;
}

bool ls_conv_fuses(void)
{
#if defined(__x86_64__)
    return choose_kernel(1) != &ls_conv_any;
#else
    return true;
#endif
}

/* `count`, rounded up to whole blocks. */
static int64_t round_to_blocks(int64_t count, const ls_conv_kernel *kernel)
{
    return (count + kernel->block - 1) / kernel->block * kernel->block;
}

plan ls_convolution_make(const ls_frame *f, const int32_t *lengths)
{
    const int64_t C = f->image.channels, J = f->window * C;
    const int64_t row = (f->left + f->image.width + f->right) * C;
    plan p = {.shape = {.row = row,
                        .image = (f->top + f->image.height + f->bottom) * row,
                        .K = f->lines,
                        .taps = J,
                        .filters = f->pixels.channels,
                        .height = f->pixels.height,
                        .width = f->pixels.width,
                        .down = f->stride * row,
                        .right = f->stride * C},
              .C = C,
              .top = f->top,
              .left = f->left * C,
              .line = f->image.width * C,
              .image = ls_shape_size(f->image),
              .pixels = ls_shape_size(f->pixels),
              .lengths = lengths,
              .of_filters = choose_kernel(f->pixels.channels),
              .of_taps = choose_kernel(J)};
    p.copies = p.shape.image > p.image || p.lengths != NULL;
    const int64_t larger = p.shape.image > p.pixels ? p.shape.image : p.pixels;
    p.piece = larger < PIECE ? PIECE / larger : 1;
    p.filters = round_to_blocks(f->pixels.channels, p.of_filters);
    p.taps = round_to_blocks(J, p.of_taps);
    return p;
}

int64_t ls_convolution_scratch(const plan *p, bool lengths)
{
    return p->filters * p->shape.K * p->shape.taps + p->filters +
           p->taps * p->shape.K * p->shape.filters +
           (p->copies || lengths ? p->piece * p->shape.image + LS_CONV_SLACK : 0);
}

void ls_convolution_place(plan *p, float *scratch)
{
    p->by_filter = scratch;
    p->bias = p->by_filter + p->filters * p->shape.K * p->shape.taps;
    p->by_tap = p->bias + p->filters;
    p->margin = p->by_tap + p->taps * p->shape.K * p->shape.filters;
}

/* Copies weights [K][J][F] and bias into the layout of `of_filters`. */
static void block_filters(const plan *p, const float *w, const float *bias)
{
    const int64_t F = p->shape.filters, rows = p->shape.K * p->shape.taps;
    const int64_t block = p->of_filters->block;
    float *to = p->by_filter;
    for (int64_t f = 0; f < F; f += block) {
        const int64_t count = F - f < block ? F - f : block;
        for (int64_t r = 0; r < rows; r++, to += block) {
            memcpy(to, w + r * F + f, (size_t)count * sizeof *to);
            memset(to + count, 0, (size_t)(block - count) * sizeof *to);
        }
    }
    memset(p->bias, 0, (size_t)p->filters * sizeof *bias);
    if (bias != NULL)
        memcpy(p->bias, bias, (size_t)F * sizeof *bias);
}

/* Copies weights [K][J][F] into the layout of `of_taps`. */
static void block_taps(const plan *p, const float *w)
{
    const int64_t F = p->shape.filters, J = p->shape.taps, block = p->of_taps->block;
    float *to = p->by_tap;
    for (int64_t j = 0; j < J; j += block)
        for (int64_t k = 0; k < p->shape.K; k++)
            for (int64_t f = 0; f < F; f++, to += block)
                for (int64_t i = 0; i < block; i++)
                    to[i] = j + i < J ? w[(k * J + j + i) * F + f] : 0;
}

/* Floats of a line that are in use: those of a row's steps. */
static int64_t line_of(const plan *p, int64_t row)
{
    const int64_t used = p->lengths != NULL ? p->lengths[row] * p->C : p->line;
    return used < p->line ? used : p->line;
}

/* Copies images without margins, of rows from `row` on, to images with zero margins. */
static void add_margins(const plan *p, int64_t row, int64_t images, const float *x)
{
    float *to = p->margin + p->top * p->shape.row + p->left;
    memset(p->margin, 0, (size_t)(images * p->shape.image) * sizeof *to);
    for (int64_t i = 0; i < images; i++, to += p->shape.image)
        for (int64_t at = 0; at < p->image; at += p->line)
            memcpy(to + at / p->line * p->shape.row, x + (row + i) * p->image + at,
                   (size_t)line_of(p, row + i) * sizeof *to);
}

/* Copies the gradient of a row's image with margins to one without; floats not in use get 0. */
static void remove_margins(const plan *p, int64_t row, float *dx)
{
    const float *from = p->margin + p->top * p->shape.row + p->left;
    const int64_t used = line_of(p, row);
    for (int64_t at = 0; at < p->image; at += p->line, from += p->shape.row) {
        memcpy(dx + at, from, (size_t)used * sizeof *dx);
        memset(dx + at + used, 0, (size_t)(p->line - used) * sizeof *dx);
    }
}

/* Images of rows from `row` on as the kernel reads them: with margins. */
static const float *with_margins(const plan *p, int64_t row, int64_t images, const float *x)
{
    if (!p->copies)
        return x + row * p->image;
    add_margins(p, row, images, x);
    return p->margin;
}

void ls_convolution_pixels(const plan *p, int64_t images, const float *w, const float *bias,
                           bool relu, const float *x, float *y)
{
    block_filters(p, w, bias);
    for (int64_t r = 0; r < images; r++)
        p->of_filters->forward(&p->shape, p->by_filter, p->bias, relu, with_margins(p, r, 1, x),
                               y + r * p->pixels);
}

void ls_convolution_images(const plan *p, int64_t images, const float *w, const float *y, float *x)
{
    block_taps(p, w);
    for (int64_t r = 0; r < images; r++, y += p->pixels, x += p->image) {
        float *to = p->copies ? p->margin : x;
        memset(to, 0, (size_t)p->shape.image * sizeof *to);
        p->of_taps->image(&p->shape, p->by_tap, y, to);
        if (p->copies)
            remove_margins(p, r, x);
    }
}

void ls_convolution_weights(const plan *p, int64_t images, const float *x, const float *y,
                            float *dw)
{
    memset(dw, 0, (size_t)(p->shape.K * p->shape.taps * p->shape.filters) * sizeof *dw);
    for (int64_t r = 0; r < images; r += p->piece) {
        const int64_t left = images - r, some = left < p->piece ? left : p->piece;
        p->of_filters->weights(&p->shape, some, with_margins(p, r, some, x), y + r * p->pixels, dw);
    }
}
