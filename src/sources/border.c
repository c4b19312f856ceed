#include <lockstep/picture.h>

#include "base/integer.h"

#include <stdbool.h>

int64_t ls_picture_border_count(int64_t channels, int64_t height, int64_t width)
{
    const int64_t inside = ls_max(0, height - 2) * ls_max(0, width - 2);
    return channels * (height * width - inside);
}

/* Returns the sum of the border of one channel. */
static int64_t sum_plane(const uint8_t *pixels, int64_t height, int64_t width)
{
    int64_t sum = 0;
    for (int64_t y = 0; y < height; y++) {
        const bool all = y == 0 || y == height - 1 || width == 1;
        for (int64_t x = 0; x < width; x += all ? 1 : width - 1)
            sum += pixels[y * width + x];
    }
    return sum;
}

int64_t ls_picture_border_sum(const uint8_t *pixels, int64_t channels, int64_t height,
                              int64_t width)
{
    int64_t sum = 0;
    for (int64_t c = 0; c < channels; c++)
        sum += sum_plane(pixels + c * height * width, height, width);
    return sum;
}
