/* Resampling of images for augmentation: affine map and elastic field. Only the field is random.
 *
 * H, W, C as in lockstep/augment.h; x increases to the right, y down; pixel centres are
 * integers. */
#ifndef LS_NN_WARP_H
#define LS_NN_WARP_H

#include <stdint.h>

#include <lockstep/network.h>
#include <lockstep/status.h>

typedef struct ls_warp ls_warp;

/* Affine map: the source of pixel (x, y) of the result is (xx x + xy y + x0, yx x + yy y + y0),
 * without the elastic displacement. */
typedef struct ls_affine {
    double xx, xy, x0;
    double yx, yy, y0;
} ls_affine;

/* Affine parameters, applied in this order. */
typedef struct ls_affine_parameters {
    double scale_x, scale_y; /* factors, above 0 */
    double shear;            /* x increases by shear times the distance below the centre */
    double angle;            /* radians, clockwise */
    double shift_x, shift_y; /* pixels */
} ls_affine_parameters;

/* Returns the map of affine parameters about the centre of an image. Local. */
ls_affine ls_affine_make(const ls_affine_parameters *motion, ls_shape shape);

/* Creates a workspace for images of one shape. Local.
 * alpha, sigma  of the elastic field, see lockstep/augment.h; sigma 0: no field
 * Errors: LS_ERR_USAGE if the images are too large to be indexed; LS_ERR_FAILURE when memory is
 * short. *out is left alone. */
ls_status ls_warp_create(ls_warp **out, ls_shape shape, double alpha, double sigma) LS_MUST_CHECK;

/* Frees a workspace and sets *warp to NULL; accepts NULL. Local. */
void ls_warp_destroy(ls_warp **warp);

/* Draws a new elastic field, a function of the key, see base/rng.h. Local. */
void ls_warp_draw_field(ls_warp *warp, uint64_t key);

/* Returns the elastic field, zeros before the first draw: the displacement of pixel (x, y) is at
 * [y * stride + x] of dx and dy. Borrowed. Local. */
void ls_warp_field(const ls_warp *warp, const float **dx, const float **dy, int64_t *stride);

/* Resamples an image [C][H][W] in place. Local.
 * background  value outside the image */
void ls_warp_image(ls_warp *warp, const ls_affine *map, float background, float *image);

#endif
