#include "nn/augment.h"

#include "base/memory.h"
#include "base/rng.h"
#include "base/text.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum word { FLIP, ROTATE, SCALE, SHIFT, SHEAR, ELASTIC, ERASE, WORDS } word;
enum { MOST_NUMBERS = 2 };

/* Limits are far beyond what helps a training: they only keep all arithmetic sound. */
static const struct {
    const char *name, *form, *meaning;
    int numbers;
    struct {
        const char *name;
        double least, most;
    } number[MOST_NUMBERS];
} words[WORDS] = {
    [FLIP] = {"flip",
              "flip:P",
              "mirrored, left to right, with this probability",
              1,
              {{"probability", 0, 1}}},
    [ROTATE] = {"rotate",
                "rotate:DEGREES",
                "turned by up to so many degrees either way",
                1,
                {{"angle", 0, 180}}},
    [SCALE] = {"scale",
               "scale:S",
               "width and height, each by a factor in [1-S, 1+S]",
               1,
               {{"scale", 0, 0.95}}},
    [SHIFT] = {"shift",
               "shift:PIXELS",
               "moved by up to so many pixels each way",
               1,
               {{"shift", 0, 10000}}},
    [SHEAR] = {"shear",
               "shear:S",
               "slanted: rows slide by up to S times their distance from the centre",
               1,
               {{"shear", 0, 10}}},
    [ELASTIC] = {"elastic",
                 "elastic:ALPHA,SIGMA",
                 "bent: random displacements, smoothed over SIGMA pixels, times ALPHA",
                 2,
                 {{"alpha", 0, 10000}, {"sigma", 0.5, 100}}},
    [ERASE] = {"erase",
               "erase:FRACTION",
               "every other image: a rectangle of up to this fraction of it covered",
               1,
               {{"fraction", 0, 1}}},
};

/* The random numbers of an image, each with an index of its own: what one word does stays the same
 * whatever other words there are. */
enum draw {
    DRAW_ANGLE,
    DRAW_SCALE_X,
    DRAW_SCALE_Y,
    DRAW_SHIFT_X,
    DRAW_SHIFT_Y,
    DRAW_SHEAR,
    DRAW_FIELD,
    DRAW_WHETHER,
    DRAW_AREA,
    DRAW_ASPECT,
    DRAW_UPRIGHT,
    DRAW_LEFT,
    DRAW_TOP,
    DRAW_FLIP
};

struct ls_augment {
    ls_shape shape;
    double number[WORDS][MOST_NUMBERS]; /* zeros for words that are not there */
    ls_warp *warp;                      /* NULL if they stay in their place */
};

int ls_augment_word(int at, const char **form, const char **meaning)
{
    if (at < 0 || at >= WORDS)
        return 0;
    *form = words[at].form;
    *meaning = words[at].meaning;
    return 1;
}

/* A usage error that points at a word of the text, counted from 1. */
static ls_status wrong_word(int number, const char *text, const char *reason)
{
    return ls_fail(LS_ERR_USAGE, "--augment: word %d, '%s': %s", number, text, reason);
}

static ls_status unknown_word(int number, const char *text, const char *name)
{
    char reason[256];
    const char *near = NULL;
    size_t distance = SIZE_MAX;
    for (int i = 0; i < WORDS; i++)
        if (ls_text_nearer(name, words[i].name, &distance))
            near = words[i].form;
    int used = snprintf(reason, sizeof reason, "nothing is called that; ");
    if (near != NULL)
        snprintf(reason + used, sizeof reason - (size_t)used, "did you mean '%s'?", near);
    else
        for (int i = 0; i < WORDS; i++)
            used += snprintf(reason + used, sizeof reason - (size_t)used, "%s %s",
                             i > 0 ? "," : "there are", words[i].name);
    return wrong_word(number, text, reason);
}

/* The numbers after the colon, separated by commas. */
static ls_status parse_numbers(int number, const char *text, word which, double *out)
{
    char reason[128];
    const char *at = strchr(text, ':');
    for (int i = 0; i < words[which].numbers; i++) {
        char *end = NULL;
        const char *begin = at != NULL ? at + 1 : "";
        const bool plain = (*begin >= '0' && *begin <= '9') || *begin == '.' || *begin == '-';
        out[i] = plain ? strtod(begin, &end) : 0;
        if (!plain || end == begin || *end != (i + 1 < words[which].numbers ? ',' : '\0')) {
            snprintf(reason, sizeof reason, "write it as %s", words[which].form);
            return wrong_word(number, text, reason);
        }
        const double least = words[which].number[i].least, most = words[which].number[i].most;
        if (!(out[i] >= least && out[i] <= most)) {
            snprintf(reason, sizeof reason, "the %s must be from %g to %g",
                     words[which].number[i].name, least, most);
            return wrong_word(number, text, reason);
        }
        at = end;
    }
    return LS_OK;
}

/* The word that the start of a text is, WORDS if none. */
static int find_word(const char *text)
{
    const size_t length = strcspn(text, ":,;");
    int which = 0;
    while (which < WORDS &&
           (strlen(words[which].name) != length || memcmp(words[which].name, text, length) != 0))
        which++;
    return which;
}

static ls_status parse_word(ls_augment *augment, bool *there, int number, const char *text)
{
    char name[32];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(text, ":"), text);
    for (const char *comma = strpbrk(text, ",;"); comma != NULL; comma = strpbrk(comma + 1, ",;"))
        if (find_word(comma + 1) < WORDS)
            return wrong_word(number, text, "between words stand blanks, not commas");
    const int which = find_word(text);
    if (which == WORDS)
        return unknown_word(number, text, name);
    if (there[which])
        return wrong_word(number, text, "stands there twice");
    there[which] = true;
    return parse_numbers(number, text, (word)which, augment->number[which]);
}

/* Cuts the text into words. */
static ls_status parse(ls_augment *augment, const char *text)
{
    static const char blanks[] = " \t\r\n";
    char *copy = ls_strdup(text), *rest = NULL;
    bool there[WORDS] = {false};
    ls_status status = copy == NULL ? LS_ERR_FAILURE : LS_OK;
    int number = 0;
    for (char *at = copy != NULL ? strtok_r(copy, blanks, &rest) : NULL;
         at != NULL && status == LS_OK; at = strtok_r(NULL, blanks, &rest))
        status = parse_word(augment, there, ++number, at);
    ls_free(copy);
    return status;
}

static bool moves(const ls_augment *a)
{
    return a->number[ROTATE][0] > 0 || a->number[SCALE][0] > 0 || a->number[SHIFT][0] > 0 ||
           a->number[SHEAR][0] > 0 || a->number[ELASTIC][0] > 0;
}

ls_status ls_augment_create(ls_augment **out, const char *text, ls_shape shape)
{
    if (text[strspn(text, " \t\r\n")] == '\0' || strcmp(text, "none") == 0) {
        *out = NULL;
        return LS_OK;
    }
    ls_augment *augment = ls_alloc(1, sizeof *augment);
    if (augment == NULL)
        return LS_ERR_FAILURE;
    augment->shape = shape;
    ls_status status = parse(augment, text);
    if (status == LS_OK && (shape.height < 2 || shape.width < 2))
        status = ls_fail(LS_ERR_USAGE,
                         "--augment: the data must be images of 2x2 pixels or more, not %lldx%lld",
                         (long long)shape.height, (long long)shape.width);
    if (status == LS_OK && moves(augment))
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
static double either_way(uint64_t key, enum draw which, double most)
{
    return most * (2 * ls_rng_uniform(key, which) - 1);
}

/* A whole number of 0 .. most, all alike. */
static int64_t any_of(uint64_t key, enum draw which, int64_t most)
{
    return (int64_t)(ls_rng_uniform(key, which) * (double)(most + 1));
}

/* A length in whole pixels, within what there is. */
static int64_t in_pixels(double length, int64_t most)
{
    const int64_t pixels = (int64_t)(length + 0.5);
    return pixels < most ? pixels : most;
}

static ls_patch draw_patch(const ls_augment *a, uint64_t key)
{
    const double most = a->number[ERASE][0], longest = 10.0 / 3;
    const int64_t H = a->shape.height, W = a->shape.width;
    if (most == 0 || ls_rng_uniform(key, DRAW_WHETHER) < 0.5)
        return (ls_patch){0};
    const double area = most * ls_rng_uniform(key, DRAW_AREA) * (double)(H * W);
    const double aspect = 1 + (longest - 1) * ls_rng_uniform(key, DRAW_ASPECT);
    const double shorter = sqrt(area / aspect), longer = shorter * aspect;
    const bool upright = ls_rng_uniform(key, DRAW_UPRIGHT) < 0.5;
    ls_patch patch = {.width = in_pixels(upright ? shorter : longer, W),
                      .height = in_pixels(upright ? longer : shorter, H)};
    patch.x = any_of(key, DRAW_LEFT, W - patch.width);
    patch.y = any_of(key, DRAW_TOP, H - patch.height);
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
    return (ls_augment_values){
        .motion = {.scale_x = 1 + either_way(mine, DRAW_SCALE_X, a->number[SCALE][0]),
                   .scale_y = 1 + either_way(mine, DRAW_SCALE_Y, a->number[SCALE][0]),
                   .shear = either_way(mine, DRAW_SHEAR, a->number[SHEAR][0]),
                   .angle = either_way(mine, DRAW_ANGLE, a->number[ROTATE][0] * degree),
                   .shift_x = either_way(mine, DRAW_SHIFT_X, a->number[SHIFT][0]),
                   .shift_y = either_way(mine, DRAW_SHIFT_Y, a->number[SHIFT][0])},
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
    background += 0.0f; /* no negative zero: that is not what pixels become */
    for (int64_t i = 0; i < batch->rows; i++) {
        float *image = batch->x + i * batch->features;
        const ls_augment_values chance = ls_augment_draw(augment, key, batch->ids[i]);
        if (chance.flipped)
            flip(augment->shape, image);
        if (augment->warp != NULL) {
            const ls_affine map = ls_affine_make(&chance.motion, augment->shape);
            ls_warp_draw_field(augment->warp, chance.field);
            ls_warp_image(augment->warp, &map, background, image);
        }
        erase(augment->shape, chance.erased, background, image);
    }
}
