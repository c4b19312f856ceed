/* Internals of augmentation, declared for tests. */
#ifndef LS_NN_AUGMENT_H
#define LS_NN_AUGMENT_H

#include <stdbool.h>

#include <lockstep/augment.h>

#include "nn/warp.h"

/* A rectangle of pixels; none if its width is 0. */
typedef struct ls_patch {
    int64_t x, y, width, height;
} ls_patch;

/* Random parameters of one image. */
typedef struct ls_augment_values {
    bool flipped;
    ls_affine_parameters motion;
    ls_patch erased;
    uint64_t field; /* key of the elastic field */
} ls_augment_values;

/* Draws the random parameters of one image. Local.
 * key  of (seed, epoch), see ls_augment_key()
 * id   the image's row number */
ls_augment_values ls_augment_draw(const ls_augment *augment, uint64_t key, int64_t id);

/* Returns the random key of (seed, epoch). Local. */
uint64_t ls_augment_key(uint64_t seed, int64_t epoch);

#endif
