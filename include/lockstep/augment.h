/* Augmentation: training images that are moved, bent and covered a little, anew in every epoch.
 *
 * A text says how, "rotate:15 scale:0.15 elastic:34,4": words in any order, each at most once.
 *
 * - flip:P  mirrored left to right with probability P
 * - rotate:DEGREES  about the centre, by an angle uniform in [-DEGREES, DEGREES]
 * - scale:S  width and height by factors of their own, both uniform in [1-S, 1+S], as in Ciresan et
 *   al., Deep Big Simple Neural Nets Excel on Handwritten Digit Recognition, 2010
 * - shift:PIXELS  to the side and up or down, both uniform in [-PIXELS, PIXELS]
 * - shear:S  a row slides sideways by k times its distance from the centre, k uniform in [-S, S]
 * - elastic:ALPHA,SIGMA  each pixel is displaced by fields of numbers uniform in [-1, 1], smoothed
 *   with a Gaussian of SIGMA pixels, times ALPHA (Simard, Steinkraus, Platt: Best Practices for
 *   Convolutional Neural Networks, 2003). The fields reach beyond the image, so that its edges move
 *   as much as its middle: with a standard deviation of ALPHA / (2 sqrt(3 pi) SIGMA) pixels
 * - erase:FRACTION  every other image, by chance, has a rectangle covered with background, after
 *   Zhong et al., Random Erasing Data Augmentation, 2017: its area uniform in [0, FRACTION] of the
 *   image's, its longer side 1 to 10/3 times the shorter, any place within the image
 *
 * The image is flipped, and then scaled, sheared, rotated, shifted, in one map; with the elastic
 * field each pixel is looked up once, between its four neighbours (bilinear); what lies outside the
 * image is background. All channels of an image are treated alike. What happens to an image depends
 * on seed, epoch and its row number and on nothing else.
 *
 * All functions are Local. H, W: height and width of an image; C: its channels. */
#ifndef LOCKSTEP_AUGMENT_H
#define LOCKSTEP_AUGMENT_H

#include <stdint.h>

#include <lockstep/batch.h>
#include <lockstep/network.h>
#include <lockstep/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ls_augment ls_augment;

/* Makes what the text says, and its workspace.
 * text   see above; "" or "none": nothing, *out is then NULL
 * shape  of the images: 2x2 pixels or more
 * Errors: LS_ERR_USAGE if the text is wrong, with the word that is, or images are too small or too
 * large; LS_ERR_FAILURE when memory is short. *out is left alone. */
ls_status ls_augment_create(ls_augment **out, const char *text, ls_shape shape) LS_MUST_CHECK;

/* Augments the rows of a batch in place, each by (seed, epoch, ids[row]).
 * augment     NULL: nothing happens
 * background  the float that a pixel of 0 is
 * batch       x [rows][C][H][W], ids [rows] */
void ls_augment_apply(ls_augment *augment, uint64_t seed, int64_t epoch, float background,
                      ls_batch *batch);

/* Frees and sets *augment to NULL; accepts NULL. */
void ls_augment_destroy(ls_augment **augment);

/* The words, one after the other, for help texts: form with argument, meaning. Returns 0 past the
 * last. */
int ls_augment_word(int at, const char **form, const char **meaning);

#ifdef __cplusplus
}
#endif

#endif
