/* Images moved and bent: the resampling of augmentation, with nothing random but the elastic field.
 *
 * H, W, C as in lockstep/augment.h; x goes to the right, y down, pixel centres are whole numbers.
 */
#ifndef LS_NN_WARP_H
#define LS_NN_WARP_H

#include <stdint.h>

#include <lockstep/network.h>
#include <lockstep/status.h>

typedef struct ls_warp ls_warp;

/* Where in the image pixel (x, y) of the result comes from, but for the elastic displacement:
 * (xx x + xy y + x0, yx x + yy y + y0). */
typedef struct ls_affine {
    double xx, xy, x0;
    double yx, yy, y0;
} ls_affine;

/* What is done to an image, in this order. */
typedef struct ls_affine_parameters {
    double scale_x, scale_y; /* factors, above 0 */
    double shear;            /* x grows by this times the distance below the centre */
    double angle;            /* radians, clockwise as seen */
    double shift_x, shift_y; /* pixels */
} ls_affine_parameters;

/* The map of a motion about the centre of an image. Local. */
ls_affine ls_affine_make(const ls_affine_parameters *motion, ls_shape shape);

/* A workspace for images of this shape. Local.
 * alpha, sigma  of the elastic field, see lockstep/augment.h; sigma 0: none
 * Errors: LS_ERR_USAGE if the images are too large to be indexed; LS_ERR_FAILURE when memory is
 * short. *out is left alone. */
ls_status ls_warp_create(ls_warp **out, ls_shape shape, double alpha, double sigma) LS_MUST_CHECK;
void ls_warp_destroy(ls_warp **warp);

/* Draws the elastic field anew, the one of this key of base/rng.h. Local. */
void ls_warp_draw_field(ls_warp *warp, uint64_t key);

/* The field, zeros until it is drawn: displacement of pixel (x, y) is [y * stride + x] of each.
 * Borrowed. Local. */
void ls_warp_field(const ls_warp *warp, const float **dx, const float **dy, int64_t *stride);

/* Resamples an image [C][H][W] in place. Local.
 * background  what is outside */
void ls_warp_image(ls_warp *warp, const ls_affine *map, float background, float *image);

#endif
