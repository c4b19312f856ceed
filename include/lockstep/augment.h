/* Augmentation: small random transformations of training images, different in every epoch.
 *
 * The specification is a string, "rotate:15 scale:0.15 elastic:34,4": words in any order, each at
 * most once.
 *
 * - flip:P  mirrored left to right with probability P
 * - rotate:DEGREES  rotated about the centre by an angle uniform in [-DEGREES, DEGREES]
 * - scale:S  width and height scaled by independent factors, both uniform in [1-S, 1+S], as in
 *   Ciresan et al., Deep Big Simple Neural Nets Excel on Handwritten Digit Recognition, 2010
 * - shift:PIXELS  shifted horizontally and vertically, both uniform in [-PIXELS, PIXELS]
 * - crop:PIXELS  moved horizontally and vertically, both by a whole number of pixels uniform in
 *   -PIXELS .. PIXELS: a window of the image's size, cropped at random from the image with a border
 *   of PIXELS of background. Alone, it leaves the values of pixels as they are
 * - shear:S  rows slide sideways by k times their distance from the centre, k uniform in [-S, S]
 * - elastic:ALPHA,SIGMA  each pixel is displaced by random fields: noise uniform in [-1, 1],
 *   smoothed with a Gaussian of SIGMA pixels, times ALPHA (Simard, Steinkraus, Platt: Best
 *   Practices for Convolutional Neural Networks, 2003). The noise extends beyond the image, so that
 *   edges move as much as the middle: the standard deviation is ALPHA / (2 sqrt(3 pi) SIGMA) pixels
 * - erase:FRACTION  with probability 0.5 a rectangle is covered with background, after Zhong et
 *   al., Random Erasing Data Augmentation, 2017: area uniform in [0, FRACTION] of the image's area,
 *   longer side 1 to 10/3 times the shorter side, at a uniform position within the image
 *
 * The image is flipped, then scaled, sheared, rotated and shifted in one affine map. With the
 * elastic field added, each pixel is interpolated once between its four neighbours (bilinear);
 * pixels outside the image are background. All channels of an image are treated alike. The
 * transformation of an image is a function of seed, epoch and row number only.
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

/* Creates an augmentation and its workspace.
 * text   see above; "" or "none": no augmentation, *out is then NULL
 * shape  shape of the images: 2x2 pixels or more
 * Errors: LS_ERR_USAGE if the text is wrong, with the wrong word, or images are too small or too
 * large; LS_ERR_FAILURE when memory is short. *out is left alone. */
ls_status ls_augment_create(ls_augment **out, const char *text, ls_shape shape) LS_MUST_CHECK;

/* Augments the rows of a batch in place, as a function of (seed, epoch, ids[row]).
 * augment     NULL: does nothing
 * background  value of a pixel of 0, after conversion to float
 * batch       x [rows][C][H][W], ids [rows] */
void ls_augment_apply(ls_augment *augment, uint64_t seed, int64_t epoch, float background,
                      ls_batch *batch);

/* Frees an augmentation and sets *augment to NULL; accepts NULL. */
void ls_augment_destroy(ls_augment **augment);

/* Gets word `at`, from 0, for help texts. Returns 0 after the last.
 * form     the word with its argument
 * meaning  one line */
int ls_augment_word(int at, const char **form, const char **meaning);

#ifdef __cplusplus
}
#endif

#endif
