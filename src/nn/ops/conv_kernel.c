/* Compiled once for each kind of processor: defines ls_conv_KIND with vectors of LS_LANES floats.
 * Each block keeps TILE x 2 vectors of sums in registers. A step loads two vectors of one factor
 * and TILE floats of the other for 2 TILE vector multiplications. The order of summation does not
 * depend on the processor. */
#include "nn/ops/conv_kernel.h"

#include "nn/ops/lanes.h"

enum { TILE = 6, BLOCK = 2 * LANES };

/* Computes TILE output pixels, whose windows begin at `at`, for a block of filters or half a block.
 * out  [TILE][halves * LANES] */
INLINE void sum_windows(const ls_conv_shape *s, int halves, const float *const at[TILE],
                        const float *w, const float *bias, bool relu, float *out)
{
    const int64_t rows = s->K, taps = s->taps;
    vector sum[TILE][2];
    for (int i = 0; i < TILE; i++)
        for (int v = 0; v < halves; v++)
            sum[i][v] = load(bias + v * LANES);
    for (int64_t k = 0; k < rows; k++) {
        const float *x[TILE];
        for (int i = 0; i < TILE; i++)
            x[i] = at[i] + k * s->row;
        for (int64_t j = 0; j < taps; j++, w += BLOCK) {
            vector factor[2];
            for (int v = 0; v < halves; v++)
                factor[v] = load(w + v * LANES);
            for (int i = 0; i < TILE; i++)
                for (int v = 0; v < halves; v++)
                    sum[i][v] += x[i][j] * factor[v];
        }
    }
    for (int i = 0; i < TILE; i++)
        for (int v = 0; v < halves; v++)
            store(out + (i * halves + v) * LANES, relu ? clamp_negative(sum[i][v]) : sum[i][v]);
}

/* Not inlined, like sum_whole(), so that the compiler has all registers for the loop. */
NOINLINE void sum_half(const ls_conv_shape *s, const float *const at[TILE], const float *w,
                       const float *bias, bool relu, float *out)
{
    sum_windows(s, 1, at, w, bias, relu, out);
}

NOINLINE void sum_whole(const ls_conv_shape *s, const float *const at[TILE], const float *w,
                        const float *bias, bool relu, float *out)
{
    sum_windows(s, 2, at, w, bias, relu, out);
}

/* All pixels of an image, for one block of filters. With a single block, a partly filled block is
 * stored as a whole: its excess lies in the next pixel, which is written later. */
INLINE void forward_block(const ls_conv_shape *s, int halves, const float *w, const float *bias,
                          bool relu, const float *x, int64_t filters, float *y)
{
    const int64_t pixels = s->height * s->width;
    const bool whole = s->filters <= halves * LANES || filters == halves * LANES;
    int64_t row = 0, column = 0;
    for (int64_t p = 0; p < pixels; p += TILE) {
        const float *at[TILE];
        float sum[TILE * BLOCK];
        for (int i = 0; i < TILE; i++) {
            at[i] = x + row * s->down + column * s->right;
            if (p + i + 1 < pixels && ++column == s->width) {
                column = 0;
                row++;
            }
        }
        (halves == 1 ? sum_half : sum_whole)(s, at, w, bias, relu, sum);
        for (int i = 0; i < TILE && p + i < pixels; i++) {
            float *to = y + (p + i) * s->filters;
            const float *from = sum + i * halves * LANES;
            if (whole)
                for (int v = 0; v < halves; v++)
                    store(to + v * LANES, load(from + v * LANES));
            else
                for (int64_t f = 0; f < filters; f++)
                    to[f] = from[f];
        }
    }
}

static void conv_kernel_forward(const ls_conv_shape *s, const float *w, const float *bias,
                                bool relu, const float *x, float *y)
{
    for (int64_t f = 0; f < s->filters; f += BLOCK) {
        const int64_t filters = smaller(BLOCK, s->filters - f);
        if (filters <= LANES)
            forward_block(s, 1, w, bias + f, relu, x, filters, y + f);
        else
            forward_block(s, 2, w, bias + f, relu, x, filters, y + f);
        w += s->K * s->taps * BLOCK;
    }
}

/* Adds to `taps` rows of the gradient of the weights, for a block of filters. */
INLINE void weights_block(const ls_conv_shape *s, int taps, int halves, int64_t images,
                          const float *x, const float *dy, int64_t filters, float *dw)
{
    vector sum[TILE][2];
    for (int i = 0; i < taps; i++)
        for (int v = 0; v < halves; v++)
            sum[i][v] = (vector){0};
    for (int64_t image = 0; image < images; image++, x += s->image)
        for (int64_t row = 0; row < s->height; row++) {
            const float *window = x + row * s->down;
            for (int64_t column = 0; column < s->width; column++) {
                vector factor[2];
                for (int v = 0; v < halves; v++)
                    factor[v] = load(dy + v * LANES);
                for (int i = 0; i < taps; i++)
                    for (int v = 0; v < halves; v++)
                        sum[i][v] += window[i] * factor[v];
                window += s->right;
                dy += s->filters;
            }
        }
    for (int i = 0; i < taps; i++) {
        float kept[BLOCK];
        for (int v = 0; v < halves; v++)
            store(kept + v * LANES, sum[i][v]);
        for (int64_t f = 0; f < filters; f++)
            dw[i * s->filters + f] += kept[f];
    }
}

INLINE void weights_taps(const ls_conv_shape *s, int halves, int64_t taps, int64_t images,
                         const float *x, const float *dy, int64_t filters, float *dw)
{
    _Static_assert(TILE == 6, "one case for each number of taps");
    switch (taps) {
    case 1:
        weights_block(s, 1, halves, images, x, dy, filters, dw);
        break;
    case 2:
        weights_block(s, 2, halves, images, x, dy, filters, dw);
        break;
    case 3:
        weights_block(s, 3, halves, images, x, dy, filters, dw);
        break;
    case 4:
        weights_block(s, 4, halves, images, x, dy, filters, dw);
        break;
    case 5:
        weights_block(s, 5, halves, images, x, dy, filters, dw);
        break;
    default:
        weights_block(s, 6, halves, images, x, dy, filters, dw);
        break;
    }
}

static void conv_kernel_weights(const ls_conv_shape *s, int64_t images, const float *x,
                                const float *dy, float *dw)
{
    for (int64_t f = 0; f < s->filters; f += BLOCK)
        for (int64_t k = 0; k < s->K; k++)
            for (int64_t j = 0; j < s->taps; j += TILE) {
                const int64_t filters = smaller(BLOCK, s->filters - f);
                const int64_t taps = smaller(TILE, s->taps - j);
                const float *window = x + k * s->row + j;
                float *to = dw + (k * s->taps + j) * s->filters + f;
                if (filters <= LANES)
                    weights_taps(s, 1, taps, images, window, dy + f, filters, to);
                else
                    weights_taps(s, 2, taps, images, window, dy + f, filters, to);
            }
}

/* Adds to a block of taps, or its first half, of TILE windows: one by one, as windows overlap. */
INLINE void image_tile(const ls_conv_shape *s, int halves, const float *w, const float *const dy[],
                       float *const dx[], int windows)
{
    vector sum[TILE][2];
    for (int i = 0; i < TILE; i++)
        for (int v = 0; v < halves; v++)
            sum[i][v] = (vector){0};
    for (int64_t f = 0; f < s->filters; f++, w += BLOCK) {
        vector factor[2];
        for (int v = 0; v < halves; v++)
            factor[v] = load(w + v * LANES);
        for (int i = 0; i < TILE; i++)
            for (int v = 0; v < halves; v++)
                sum[i][v] += dy[i][f] * factor[v];
    }
    for (int i = 0; i < windows; i++)
        for (int v = 0; v < halves; v++)
            store(dx[i] + v * LANES, load(dx[i] + v * LANES) + sum[i][v]);
}

INLINE void image_block(const ls_conv_shape *s, int halves, const float *w, const float *dy,
                        float *dx)
{
    const int64_t pixels = s->height * s->width;
    int64_t row = 0, column = 0;
    for (int64_t p = 0; p < pixels; p += TILE) {
        const float *from[TILE];
        float *to[TILE];
        for (int i = 0; i < TILE; i++) {
            from[i] = dy + (row * s->width + column) * s->filters;
            to[i] = dx + row * s->down + column * s->right;
            if (p + i + 1 < pixels && ++column == s->width) {
                column = 0;
                row++;
            }
        }
        image_tile(s, halves, w, from, to, (int)smaller(TILE, pixels - p));
    }
}

static void conv_kernel_image(const ls_conv_shape *s, const float *w, const float *dy, float *dx)
{
    for (int64_t j = 0; j < s->taps; j += BLOCK)
        for (int64_t k = 0; k < s->K; k++, w += s->filters * BLOCK) {
            if (s->taps - j <= LANES)
                image_block(s, 1, w, dy, dx + k * s->row + j);
            else
                image_block(s, 2, w, dy, dx + k * s->row + j);
        }
}

const ls_conv_kernel LS_OF_KIND(ls_conv) = {.block = BLOCK,
                                            .forward = conv_kernel_forward,
                                            .weights = conv_kernel_weights,
                                            .image = conv_kernel_image};
