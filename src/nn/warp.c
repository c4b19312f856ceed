/* Resamples one image at a time, in three sweeps without a branch per pixel:
 *
 *     locate        source position of each pixel: offset of the upper left neighbour in a padded
 *                   copy of the image, and weights of the neighbours
 *     copy          a channel to the padded copy
 *     interpolate   each pixel between its four neighbours
 *
 * The copy is padded with background: one column on the left and two on the right, one row above
 * and two below. So a position limited to 0 .. W+1 in the copy has all four neighbours, and outside
 * the image all neighbours are background. */
#include "nn/warp.h"

#include "base/dispatch.h"
#include "base/memory.h"
#include "base/rng.h"

#include <endian.h>
#include <math.h>
#include <string.h>

enum {
    LANES = 16, /* floats of a vector; rows are located in whole vectors, beyond their end */
    BEFORE = 1,
    BORDERS = 3
};

struct ls_warp {
    ls_shape shape;
    int64_t padded_width;
    float background; /* current value of the copy's borders */
    int reach;        /* half-width of the Gaussian in pixels; 0: no elastic field */
    int64_t stride;   /* row length of the field and the noise: W + 2 reach */

    float *workspace; /* one allocation for all floats */
    float *padded;    /* [H+3][W+3] the copy */
    float *fx, *fy;   /* [H][W] weights of the right and of the lower neighbours */
    float *dx, *dy;   /* [H][stride] the elastic field */
    float *noise;     /* [H + 2 reach][stride] */
    float *half;      /* [H][stride] the noise, smoothed along the columns */
    float *down;      /* [reach + 1] the Gaussian from its middle on */
    float *across;    /* [reach + 1] the Gaussian times alpha */

    int32_t *at;     /* [H][W] offset of the upper left neighbour in the copy */
    uint64_t *draws; /* random bits of the noise, one byte each */
};

ls_affine ls_affine_make(const ls_affine_parameters *m, ls_shape shape)
{
    const double c = cos(m->angle), s = sin(m->angle);
    /* A = rotation * shear * scaling, and its inverse. */
    const double a = c * m->scale_x, b = (c * m->shear - s) * m->scale_y;
    const double d = s * m->scale_x, e = (s * m->shear + c) * m->scale_y;
    const double determinant = a * e - b * d;
    ls_affine map = {.xx = e / determinant,
                     .xy = -b / determinant,
                     .yx = -d / determinant,
                     .yy = a / determinant};
    const double x = (double)(shape.width - 1) / 2, y = (double)(shape.height - 1) / 2;
    map.x0 = x - map.xx * (x + m->shift_x) - map.xy * (y + m->shift_y);
    map.y0 = y - map.yx * (x + m->shift_x) - map.yy * (y + m->shift_y);
    return map;
}

static int64_t round_to_vectors(int64_t count)
{
    return (count + LANES - 1) / LANES * LANES;
}

/* Sets the Gaussian, truncated at `reach` and normalised to sum 1. */
static void set_gaussian(ls_warp *w, double alpha, double sigma)
{
    double sum = 0;
    for (int k = -w->reach; k <= w->reach; k++)
        sum += exp(-0.5 * k * k / (sigma * sigma));
    for (int k = 0; k <= w->reach; k++) {
        const double weight = exp(-0.5 * k * k / (sigma * sigma)) / sum;
        w->down[k] = (float)weight;
        w->across[k] = (float)(alpha * weight);
    }
}

/* Allocates all arrays, each with spare elements for whole vectors beyond its end. */
static ls_status make_workspace(ls_warp *w)
{
    const int64_t H = w->shape.height, W = w->shape.width, reach = w->reach;
    const int64_t noise = reach > 0 ? (H + 2 * reach) * w->stride : 0;
    const int64_t half = reach > 0 ? H * w->stride + 2 * reach : 0;
    const struct {
        float **array;
        int64_t count;
    } parts[] = {{&w->padded, (H + BORDERS) * w->padded_width},
                 {&w->fx, H * W},
                 {&w->fy, H * W},
                 {&w->dx, H * w->stride},
                 {&w->dy, H * w->stride},
                 {&w->noise, noise},
                 {&w->half, half},
                 {&w->down, reach + 1},
                 {&w->across, reach + 1}};
    enum { PARTS = sizeof parts / sizeof *parts };
    int64_t room = 0;
    for (int i = 0; i < PARTS; i++)
        room += round_to_vectors(parts[i].count) + LANES;
    w->workspace = ls_alloc(room, sizeof *w->workspace);
    w->at = ls_alloc(H * W + LANES, sizeof *w->at);
    w->draws = ls_alloc(noise / (int64_t)sizeof *w->draws + 1, sizeof *w->draws);
    if (w->workspace == NULL || w->at == NULL || w->draws == NULL)
        return LS_ERR_FAILURE;
    float *at = w->workspace;
    for (int i = 0; i < PARTS; i++) {
        *parts[i].array = at;
        at += round_to_vectors(parts[i].count) + LANES;
    }
    return LS_OK;
}

ls_status ls_warp_create(ls_warp **out, ls_shape shape, double alpha, double sigma)
{
    const int64_t reach = (int64_t)ceil(3 * sigma); /* 0.3 % of a Gaussian is beyond 3 sigma */
    const int64_t H = shape.height, W = shape.width;
    if ((H + 2 * reach + BORDERS) * (W + 2 * reach + BORDERS) > INT32_MAX)
        return ls_fail(LS_ERR_USAGE, "--augment: images of %lldx%lld are too large", (long long)H,
                       (long long)W);
    ls_warp *w = ls_alloc(1, sizeof *w);
    if (w == NULL)
        return LS_ERR_FAILURE;
    w->shape = shape;
    w->padded_width = W + BORDERS;
    w->stride = W + 2 * reach;
    w->reach = (int)reach;
    const ls_status status = make_workspace(w);
    if (status != LS_OK) {
        ls_warp_destroy(&w);
        return status;
    }
    if (reach > 0)
        set_gaussian(w, alpha, sigma);
    *out = w;
    return LS_OK;
}

void ls_warp_destroy(ls_warp **warp)
{
    if (warp == NULL || *warp == NULL)
        return;
    ls_free((*warp)->workspace);
    ls_free((*warp)->at);
    ls_free((*warp)->draws);
    ls_free(*warp);
    *warp = NULL;
}

/* Maps bytes to numbers of mean 0 and variance 1/3, as numbers uniform in [-1, 1] have. */
LS_DISPATCH static void center_bytes(int64_t count, const uint8_t *restrict bytes,
                                     float *restrict noise)
{
    for (int64_t i = 0; i < count; i++)
        noise[i] = ((float)bytes[i] - 127.5f) / 128.0f;
}

/* out[i] = sum over k = -reach .. reach of gaussian[|k|] in[i + k step], for all pixels at once:
 * rows are contiguous, so the same loop smooths along rows and columns. Columns at the ends of a
 * row include values of adjacent rows; these columns are not used. */
LS_DISPATCH static void smooth_field(int64_t count, int64_t reach, const float *restrict gaussian,
                                     int64_t step, const float *restrict in, float *restrict out)
{
    for (int64_t i = 0; i < count; i++)
        out[i] = gaussian[0] * in[i];
    for (int64_t k = 1; k <= reach; k++) {
        const float *before = in - k * step, *after = in + k * step;
        for (int64_t i = 0; i < count; i++)
            out[i] += gaussian[k] * (before[i] + after[i]);
    }
}

/* One 64-bit draw gives eight numbers of the noise, with 256 levels each: enough, as each number of
 * the field is a sum of many. */
static void draw_noise(ls_warp *w, uint64_t key)
{
    const int64_t count = (w->shape.height + 2 * (int64_t)w->reach) * w->stride;
    const int64_t draws = count / (int64_t)sizeof *w->draws + 1;
    for (int64_t i = 0; i < draws; i++)
        w->draws[i] = htole64(ls_rng_at(key, (uint64_t)i));
    center_bytes(count, (const uint8_t *)w->draws, w->noise);
}

static void smooth_noise(ls_warp *w, float *field)
{
    const int64_t count = w->shape.height * w->stride, reach = w->reach;
    smooth_field(count, reach, w->down, w->stride, w->noise + reach * w->stride, w->half);
    smooth_field(count, reach, w->across, 1, w->half + reach, field);
}

void ls_warp_draw_field(ls_warp *w, uint64_t key)
{
    if (w->reach == 0)
        return;
    draw_noise(w, ls_rng_at(key, 0));
    smooth_noise(w, w->dx);
    draw_noise(w, ls_rng_at(key, 1));
    smooth_noise(w, w->dy);
}

void ls_warp_field(const ls_warp *w, const float **dx, const float **dy, int64_t *stride)
{
    *dx = w->dx;
    *dy = w->dy;
    *stride = w->stride;
}

/* The map of one row in the copy's coordinates: source of pixel 0, and steps per pixel. */
typedef struct row_map {
    float x, y, step_x, step_y;
    float most_x, most_y; /* largest position with all neighbours */
    int32_t width;        /* of the copy */
} row_map;

LS_DISPATCH static void locate_row(int32_t vectors, row_map m, const float *restrict dx,
                                   const float *restrict dy, int32_t *restrict at,
                                   float *restrict fx, float *restrict fy)
{
    for (int32_t i = 0; i < vectors * LANES; i++) {
        float x = m.step_x * (float)i + m.x + dx[i];
        float y = m.step_y * (float)i + m.y + dy[i];
        x = x > 0 ? x : 0;
        y = y > 0 ? y : 0;
        x = x < m.most_x ? x : m.most_x;
        y = y < m.most_y ? y : m.most_y;
        const int32_t left = (int32_t)x, above = (int32_t)y;
        at[i] = above * m.width + left;
        fx[i] = x - (float)left;
        fy[i] = y - (float)above;
    }
}

LS_DISPATCH static void interpolate(int64_t count, const float *restrict padded, int64_t width,
                                    const int32_t *restrict at, const float *restrict fx,
                                    const float *restrict fy, float *restrict image)
{
    const float *below = padded + width;
    for (int64_t i = 0; i < count; i++) {
        const float a = padded[at[i]], b = padded[at[i] + 1];
        const float c = below[at[i]], d = below[at[i] + 1];
        const float upper = a + fx[i] * (b - a), lower = c + fx[i] * (d - c);
        image[i] = upper + fy[i] * (lower - upper);
    }
}

static void locate_pixels(ls_warp *w, const ls_affine *map)
{
    const int64_t H = w->shape.height, W = w->shape.width;
    row_map m = {.step_x = (float)map->xx,
                 .step_y = (float)map->yx,
                 .most_x = (float)(W + 1),
                 .most_y = (float)(H + 1),
                 .width = (int32_t)w->padded_width};
    /* The last vector of a row writes beyond the row's end, into the next row, which is written
     * later. */
    for (int64_t y = 0; y < H; y++) {
        m.x = (float)(map->xy * (double)y + map->x0 + BEFORE);
        m.y = (float)(map->yy * (double)y + map->y0 + BEFORE);
        locate_row((int32_t)(round_to_vectors(W) / LANES), m, w->dx + y * w->stride,
                   w->dy + y * w->stride, w->at + y * W, w->fx + y * W, w->fy + y * W);
    }
}

void ls_warp_image(ls_warp *w, const ls_affine *map, float background, float *image)
{
    const int64_t H = w->shape.height, W = w->shape.width;
    if (background != w->background) {
        for (int64_t i = 0; i < (H + BORDERS) * w->padded_width; i++)
            w->padded[i] = background;
        w->background = background;
    }
    locate_pixels(w, map);
    for (int64_t c = 0; c < w->shape.channels; c++, image += H * W) {
        for (int64_t y = 0; y < H; y++)
            memcpy(w->padded + (y + BEFORE) * w->padded_width + BEFORE, image + y * W,
                   (size_t)W * sizeof *image);
        interpolate(H * W, w->padded, w->padded_width, w->at, w->fx, w->fy, image);
    }
}
