#include "nn/augment.h"

#include "base/memory.h"
#include "base/rng.h"
#include "base/terms.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>

typedef enum word { FLIP, ROTATE, SCALE, SHIFT, CROP, SHEAR, ELASTIC, ERASE, WORDS } word;

/* Limits are far beyond useful values: they only keep the arithmetic valid. */
static const ls_term words[WORDS] = {
    [FLIP] =
        {"flip", "flip:P", "mirrored left to right with probability P", 1, {{"probability", 0, 1}}},
    [ROTATE] = {"rotate",
                "rotate:DEGREES",
                "rotated by an angle in [-DEGREES, DEGREES]",
                1,
                {{"angle", 0, 180}}},
    [SCALE] = {"scale",
               "scale:S",
               "width and height, each by a factor in [1-S, 1+S]",
               1,
               {{"scale", 0, 0.95}}},
    [SHIFT] = {"shift",
               "shift:PIXELS",
               "moved by up to PIXELS in each direction",
               1,
               {{"shift", 0, 10000}}},
    [CROP] = {"crop",
              "crop:PIXELS",
              "moved by a whole number of pixels, up to PIXELS in each direction",
              1,
              {{"number of pixels", 0, 10000, .whole = true}}},
    [SHEAR] = {"shear",
               "shear:S",
               "sheared: rows slide by up to S times their distance from the centre",
               1,
               {{"shear", 0, 10}}},
    [ELASTIC] = {"elastic",
                 "elastic:ALPHA,SIGMA",
                 "deformed: random displacements, smoothed over SIGMA pixels, times ALPHA",
                 2,
                 {{"alpha", 0, 10000}, {"sigma", 0.5, 100}}},
    [ERASE] = {"erase",
               "erase:FRACTION",
               "with probability 0.5 a rectangle of up to FRACTION of the image is erased",
               1,
               {{"fraction", 0, 1}}},
};

static const ls_terms terms = {"--augment", WORDS, words};

/* The random numbers of an image, each with its own index: the effect of a word does not depend on
 * the other words. */
enum draw {
    DRAW_ANGLE,
    DRAW_SCALE_X,
    DRAW_SCALE_Y,
    DRAW_SHIFT_X,
    DRAW_SHIFT_Y,
    DRAW_SHEAR,
    DRAW_FIELD,
    DRAW_ERASE,
    DRAW_AREA,
    DRAW_ASPECT,
    DRAW_UPRIGHT,
    DRAW_LEFT,
    DRAW_TOP,
    DRAW_FLIP,
    DRAW_CROP_X,
    DRAW_CROP_Y
};

struct ls_augment {
    ls_shape shape;
    double number[WORDS][LS_TERM_NUMBERS]; /* zeros for absent words */
    ls_warp *warp;                         /* NULL if no word moves pixels */
};

int ls_augment_word(int at, const char **form, const char **meaning)
{
    return ls_terms_describe(&terms, at, form, meaning);
}

/* Returns true if some word moves pixels. */
static bool needs_warp(const ls_augment *a)
{
    return a->number[ROTATE][0] > 0 || a->number[SCALE][0] > 0 || a->number[SHIFT][0] > 0 ||
           a->number[CROP][0] > 0 || a->number[SHEAR][0] > 0 || a->number[ELASTIC][0] > 0;
}

ls_status ls_augment_create(ls_augment **out, const char *text, ls_shape shape)
{
    if (ls_terms_are_none(text)) {
        *out = NULL;
        return LS_OK;
    }
    ls_augment *augment = ls_alloc(1, sizeof *augment);
    if (augment == NULL)
        return LS_ERR_FAILURE;
    augment->shape = shape;
    ls_status status = ls_terms_parse(&terms, text, augment->number);
    if (status == LS_OK && (shape.height < 2 || shape.width < 2))
        status = ls_fail(LS_ERR_USAGE,
                         "--augment: the data must be images of 2x2 pixels or more, not %lldx%lld",
                         (long long)shape.height, (long long)shape.width);
    if (status == LS_OK && needs_warp(augment))
        status = ls_warp_create(&augment->warp, shape, augment->number[ELASTIC][0],
                                augment->number[ELASTIC][0] > 0 ? augment->number[ELASTIC][1] : 0);
    if (status != LS_OK) {
        ls_augment_destroy(&augment);
        return status;
    }
    *out = augment;
    return LS_OK;
}

void ls_augment_destroy(ls_augment **augment)
{
    if (augment == NULL || *augment == NULL)
        return;
    ls_warp_destroy(&(*augment)->warp);
    ls_free(*augment);
    *augment = NULL;
}

/* Uniform in [-most, most). */
static double draw_symmetric(uint64_t key, enum draw which, double most)
{
    return most * (2 * ls_rng_uniform(key, which) - 1);
}

/* A whole number, uniform in 0 .. most. */
static int64_t draw_integer(uint64_t key, enum draw which, int64_t most)
{
    return (int64_t)(ls_rng_uniform(key, which) * (double)(most + 1));
}

/* A move by whole pixels, uniform in -most .. most. */
static double draw_move(uint64_t key, enum draw which, double most)
{
    const int64_t pixels = (int64_t)most;
    return (double)(draw_integer(key, which, 2 * pixels) - pixels);
}

/* A length rounded to whole pixels, at most `most`. */
static int64_t round_to_pixels(double length, int64_t most)
{
    const int64_t pixels = (int64_t)(length + 0.5);
    return pixels < most ? pixels : most;
}

/* Draws the rectangle to erase; width 0: none. */
static ls_patch draw_patch(const ls_augment *a, uint64_t key)
{
    const double most = a->number[ERASE][0], longest = 10.0 / 3;
    const int64_t H = a->shape.height, W = a->shape.width;
    if (most == 0 || ls_rng_uniform(key, DRAW_ERASE) < 0.5)
        return (ls_patch){0};
    const double area = most * ls_rng_uniform(key, DRAW_AREA) * (double)(H * W);
    const double aspect = 1 + (longest - 1) * ls_rng_uniform(key, DRAW_ASPECT);
    const double shorter = sqrt(area / aspect), longer = shorter * aspect;
    const bool upright = ls_rng_uniform(key, DRAW_UPRIGHT) < 0.5;
    ls_patch patch = {.width = round_to_pixels(upright ? shorter : longer, W),
                      .height = round_to_pixels(upright ? longer : shorter, H)};
    patch.x = draw_integer(key, DRAW_LEFT, W - patch.width);
    patch.y = draw_integer(key, DRAW_TOP, H - patch.height);
    return patch;
}

uint64_t ls_augment_key(uint64_t seed, int64_t epoch)
{
    return ls_rng_key(seed, LS_RNG_AUGMENT, (uint64_t)epoch);
}

ls_augment_values ls_augment_draw(const ls_augment *a, uint64_t key, int64_t id)
{
    const double degree = 3.14159265358979323846 / 180;
    const uint64_t mine = ls_rng_at(key, (uint64_t)id);
    const double shift = a->number[SHIFT][0], crop = a->number[CROP][0];
    return (ls_augment_values){
        .motion = {.scale_x = 1 + draw_symmetric(mine, DRAW_SCALE_X, a->number[SCALE][0]),
                   .scale_y = 1 + draw_symmetric(mine, DRAW_SCALE_Y, a->number[SCALE][0]),
                   .shear = draw_symmetric(mine, DRAW_SHEAR, a->number[SHEAR][0]),
                   .angle = draw_symmetric(mine, DRAW_ANGLE, a->number[ROTATE][0] * degree),
                   .shift_x = draw_symmetric(mine, DRAW_SHIFT_X, shift) +
                              draw_move(mine, DRAW_CROP_X, crop),
                   .shift_y = draw_symmetric(mine, DRAW_SHIFT_Y, shift) +
                              draw_move(mine, DRAW_CROP_Y, crop)},
        .flipped = ls_rng_uniform(mine, DRAW_FLIP) < a->number[FLIP][0],
        .erased = draw_patch(a, mine),
        .field = ls_rng_at(mine, DRAW_FIELD)};
}

static void flip(ls_shape shape, float *image)
{
    for (int64_t y = 0; y < shape.channels * shape.height; y++, image += shape.width)
        for (int64_t x = 0; x < shape.width / 2; x++) {
            const float kept = image[x];
            image[x] = image[shape.width - 1 - x];
            image[shape.width - 1 - x] = kept;
        }
}

static void erase(ls_shape shape, ls_patch patch, float background, float *image)
{
    for (int64_t c = 0; c < shape.channels; c++, image += shape.height * shape.width)
        for (int64_t y = patch.y; y < patch.y + patch.height; y++)
            for (int64_t x = patch.x; x < patch.x + patch.width; x++)
                image[y * shape.width + x] = background;
}

void ls_augment_apply(ls_augment *augment, uint64_t seed, int64_t epoch, float background,
                      ls_batch *batch)
{
    if (augment == NULL)
        return;
    assert(batch->features == ls_shape_size(augment->shape));
    const uint64_t key = ls_augment_key(seed, epoch);
    background += 0.0f; /* -0 becomes 0, as in pixels */
    for (int64_t i = 0; i < batch->rows; i++) {
        float *image = batch->x + i * batch->features;
        const ls_augment_values draw = ls_augment_draw(augment, key, batch->ids[i]);
        if (draw.flipped)
            flip(augment->shape, image);
        if (augment->warp != NULL) {
            const ls_affine map = ls_affine_make(&draw.motion, augment->shape);
            ls_warp_draw_field(augment->warp, draw.field);
            ls_warp_image(augment->warp, &map, background, image);
        }
        erase(augment->shape, draw.erased, background, image);
    }
}
