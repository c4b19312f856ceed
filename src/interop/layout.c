#include "interop/layout.h"

#include <endian.h>
#include <string.h>

void ls_layout_transpose(int64_t rows, int64_t columns, const float *from, float *to)
{
    enum { TILE = 32 }; /* a tile of both matrices stays in the cache */
    for (int64_t i = 0; i < rows; i += TILE)
        for (int64_t j = 0; j < columns; j += TILE)
            for (int64_t r = i; r < rows && r < i + TILE; r++)
                for (int64_t c = j; c < columns && c < j + TILE; c++)
                    to[c * rows + r] = from[r * columns + c];
}

void ls_layout_filters(int64_t taps, int64_t C, int64_t F, const float *from, float *to)
{
    for (int64_t f = 0; f < F; f++)
        for (int64_t c = 0; c < C; c++)
            for (int64_t k = 0; k < taps; k++)
                to[(f * C + c) * taps + k] = from[(k * C + c) * F + f];
}

void ls_layout_features(ls_shape image, bool planar, int64_t width, const float *from, float *to)
{
    const int64_t C = image.channels, P = image.height * image.width;
    for (int64_t c = 0; c < C; c++)
        for (int64_t p = 0; p < P; p++) {
            const int64_t first = c * P + p, last = p * C + c;
            memcpy(to + (planar ? last : first) * width, from + (planar ? first : last) * width,
                   (size_t)width * sizeof *to);
        }
}

void ls_layout_little_endian(int64_t count, float *values)
{
    for (int64_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        bits = htole32(bits);
        memcpy(&values[i], &bits, sizeof bits);
    }
}
