/* Resizing of pictures, one axis after the other. */
#include <lockstep/picture.h>

#include "base/memory.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

/* The pixels of an axis that contribute to one pixel of the result: first .. first+count-1. */
typedef struct taps {
    int64_t first, count;
    double begin, end; /* the area that the pixel covers */
    double centre;     /* between `first` and the next pixel, if the axis becomes longer */
    bool longer;
} taps;

/* at  pixel of the result; from, to: lengths of the axis */
static taps find_taps(int64_t at, int64_t from, int64_t to)
{
    const double scale = (double)from / (double)to;
    taps t = {.longer = to > from};
    if (t.longer) {
        const double centre = ((double)at + 0.5) * scale - 0.5;
        t.centre = fmin(fmax(centre, 0), (double)(from - 1));
        t.first = (int64_t)t.centre;
        t.count = t.first + 1 < from ? 2 : 1;
    } else {
        t.first = at * from / to;
        t.count = ((at + 1) * from + to - 1) / to - t.first;
        t.begin = (double)at * scale;
        t.end = (double)(at + 1) * scale;
    }
    return t;
}

/* Returns the weight of pixel first+k; all weights of a pixel add up to 1. */
static double find_weight(const taps *t, int64_t k)
{
    const double at = (double)(t->first + k);
    if (t->longer)
        return 1 - fabs(t->centre - at);
    return fmax(0, fmin(at + 1, t->end) - fmax(at, t->begin)) / (t->end - t->begin);
}

/* Adds a row of the picture, resized to `width` and times `weight`, to sums [width][channels]. */
static void add_row(const ls_picture *picture, int64_t row, double weight, int64_t width,
                    double *sums)
{
    const int channels = picture->channels;
    const uint8_t *pixels = picture->pixels + row * picture->width * channels;
    for (int64_t x = 0; x < width; x++) {
        const taps across = find_taps(x, picture->width, width);
        for (int64_t k = 0; k < across.count; k++) {
            const double w = weight * find_weight(&across, k);
            for (int c = 0; c < channels; c++)
                sums[x * channels + c] += w * pixels[(across.first + k) * channels + c];
        }
    }
}

static void resize(const ls_picture *picture, double *sums, ls_picture *out)
{
    const int64_t values = out->width * out->channels;
    uint8_t *to = out->pixels;
    for (int64_t y = 0; y < out->height; y++, to += values) {
        const taps down = find_taps(y, picture->height, out->height);
        memset(sums, 0, (size_t)values * sizeof *sums);
        for (int64_t k = 0; k < down.count; k++)
            add_row(picture, down.first + k, find_weight(&down, k), out->width, sums);
        for (int64_t i = 0; i < values; i++)
            to[i] = (uint8_t)lround(fmin(fmax(sums[i], 0), UINT8_MAX));
    }
}

ls_status ls_picture_resize(const ls_picture *picture, int64_t height, int64_t width,
                            ls_picture *out)
{
    assert(picture != out && picture->pixels != NULL);
    if (height < 1 || width < 1 || height > LS_PICTURE_MAX_PIXELS / width)
        return ls_fail(LS_ERR_USAGE, "a picture of %lld x %lld pixels is not possible",
                       (long long)height, (long long)width);
    ls_picture result = {.height = height, .width = width, .channels = picture->channels};
    result.pixels = ls_alloc(height * width * result.channels, 1);
    double *sums = result.pixels == NULL ? NULL : ls_alloc(width * result.channels, sizeof *sums);
    if (sums == NULL) {
        ls_picture_free(&result);
        return LS_ERR_FAILURE;
    }
    resize(picture, sums, &result);
    ls_free(sums);
    *out = result;
    return LS_OK;
}

void ls_picture_free(ls_picture *picture)
{
    ls_free(picture->pixels);
    *picture = (ls_picture){0};
}
