#include <lockstep/digit.h>

#include "base/integer.h"
#include "base/memory.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

enum {
    SHADES = 256,
    FAINTEST = 32, /* difference from the border that is ink, if nothing is darker */
    CUT = 4,       /* less than the most ink / CUT is no ink */
    BOX = 20,
    MNIST = 28, /* side of a digit in MNIST's pictures; their side */
};

/* Rows and columns of a picture. */
typedef struct box {
    int64_t top, left, height, width;
} box;

uint8_t ls_digit_border(const uint8_t *pixels, int64_t height, int64_t width)
{
    int64_t count[SHADES] = {0}, total = 0, below = 0;
    int shade = 0;
    for (int64_t y = 0; y < height; y++) {
        const bool all = y == 0 || y == height - 1;
        for (int64_t x = 0; x < width; x += all || width == 1 ? 1 : width - 1) {
            count[pixels[y * width + x]]++;
            total++;
        }
    }
    while ((below += count[shade]) * 2 < total)
        shade++;
    return (uint8_t)shade;
}

/* Makes the border black and the ink bright, in place, and removes what is faint. Returns false if
 * there is no ink. */
static bool keep_ink(uint8_t *pixels, int64_t height, int64_t width)
{
    const uint8_t border = ls_digit_border(pixels, height, width);
    const bool bright = border >= SHADES / 2;
    uint8_t most = 0;
    for (int64_t i = 0; i < height * width; i++) {
        const int ink = bright ? border - pixels[i] : pixels[i] - border;
        pixels[i] = (uint8_t)(ink > 0 ? ink : 0);
        most = pixels[i] > most ? pixels[i] : most;
    }
    for (int64_t i = 0; i < height * width; i++)
        pixels[i] = pixels[i] * CUT < most ? 0 : pixels[i];
    return most >= FAINTEST;
}

/* Returns the smallest box that holds all ink. */
static box find_ink(const uint8_t *pixels, int64_t height, int64_t width)
{
    int64_t top = height, left = width, bottom = -1, right = -1;
    for (int64_t y = 0; y < height; y++)
        for (int64_t x = 0; x < width; x++)
            if (pixels[y * width + x] > 0) {
                top = ls_min(top, y);
                bottom = y;
                left = ls_min(left, x);
                right = ls_max(right, x);
            }
    return (box){top, left, bottom - top + 1, right - left + 1};
}

/* Cuts a box out of a picture, in place. */
static void crop(ls_picture *picture, box b)
{
    for (int64_t y = 0; y < b.height; y++)
        memmove(picture->pixels + y * b.width,
                picture->pixels + (b.top + y) * picture->width + b.left, (size_t)b.width);
    picture->height = b.height;
    picture->width = b.width;
}

/* Returns the length that an axis becomes, in proportion to the longer one.
 * most  that the longer one becomes */
static int64_t scale_side(int64_t side, int64_t longer, int64_t most)
{
    return ls_max(1, (2 * side * most + longer) / (2 * longer));
}

/* Returns the whole number of pixels by which a digit is placed from the start of an axis, so that
 * its centre of mass is nearest to pixel side / 2: side / 2 - moment / mass, rounded half up.
 * moment  sum of ink times pixel number
 * length  of the digit */
static int64_t place(int64_t side, int64_t length, int64_t moment, int64_t mass)
{
    const int64_t above = side * mass - 2 * moment + mass, below = 2 * mass;
    const int64_t at = above >= 0 ? above / below : -((below - 1 - above) / below);
    return ls_max(0, ls_min(at, side - length));
}

/* Copies a digit into a picture of zeros, with its centre of mass at the centre, and stretches it
 * to 255. */
static void centre(const ls_picture *digit, ls_picture *out)
{
    int64_t mass = 0, down = 0, across = 0;
    uint8_t most = 1;
    for (int64_t y = 0; y < digit->height; y++)
        for (int64_t x = 0; x < digit->width; x++) {
            const uint8_t ink = digit->pixels[y * digit->width + x];
            mass += ink;
            down += ink * y;
            across += ink * x;
            most = ink > most ? ink : most;
        }
    mass = ls_max(mass, 1);
    const int64_t top = place(out->height, digit->height, down, mass);
    const int64_t left = place(out->width, digit->width, across, mass);
    for (int64_t y = 0; y < digit->height; y++)
        for (int64_t x = 0; x < digit->width; x++)
            out->pixels[(top + y) * out->width + left + x] =
                (uint8_t)((digit->pixels[y * digit->width + x] * 2 * UINT8_MAX + most) /
                          (2 * most));
}

/* Copies a picture's pixels. */
static ls_status copy_picture(const ls_picture *from, ls_picture *out)
{
    *out = *from;
    out->pixels = ls_alloc(from->height * from->width, 1);
    if (out->pixels == NULL)
        return LS_ERR_FAILURE;
    memcpy(out->pixels, from->pixels, (size_t)(from->height * from->width));
    return LS_OK;
}

/* Resizes the digit and puts it into a new picture.
 * ink  the digit, cropped */
static ls_status put_digit(const ls_picture *ink, int64_t side, ls_picture *out)
{
    const int64_t most = (BOX * side + MNIST / 2) / MNIST, longer = ls_max(ink->height, ink->width);
    ls_picture digit = {0}, result = {.height = side, .width = side, .channels = 1};
    ls_status status = ls_picture_resize(ink, scale_side(ink->height, longer, most),
                                         scale_side(ink->width, longer, most), &digit);
    if (status != LS_OK)
        return status;
    result.pixels = ls_alloc(side * side, 1);
    if (result.pixels != NULL) {
        centre(&digit, &result);
        *out = result;
    }
    ls_picture_free(&digit);
    return result.pixels != NULL ? LS_OK : LS_ERR_FAILURE;
}

ls_status ls_digit_prepare(const ls_picture *picture, int64_t side, ls_picture *out)
{
    ls_picture ink = {0};
    assert(picture != out && picture->pixels != NULL);
    if (picture->channels != 1 || side < LS_DIGIT_MIN_SIDE || side > LS_DIGIT_MAX_SIDE)
        return ls_fail(LS_ERR_USAGE, "a digit is made of a grey picture, with sides of %d to %d",
                       LS_DIGIT_MIN_SIDE, LS_DIGIT_MAX_SIDE);
    ls_status status = copy_picture(picture, &ink);
    if (status == LS_OK && !keep_ink(ink.pixels, ink.height, ink.width))
        status = ls_fail(LS_ERR_DATA, "no digit is seen: all of the picture has nearly the shade "
                                      "of its border");
    if (status == LS_OK) {
        crop(&ink, find_ink(ink.pixels, ink.height, ink.width));
        status = put_digit(&ink, side, out);
    }
    ls_picture_free(&ink);
    return status;
}
