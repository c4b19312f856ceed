/* Pictures of one handwritten digit or letter, prepared as MNIST's were. */
#ifndef LOCKSTEP_DIGIT_H
#define LOCKSTEP_DIGIT_H

#include <stdint.h>

#include <lockstep/picture.h>
#include <lockstep/status.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { LS_DIGIT_MIN_SIDE = 7, LS_DIGIT_MAX_SIDE = 4096 };

/* Returns the median of the pixels at a grey picture's border, 0 to 255: its background. Local.
 * pixels  [height][width], 1 or more of each */
uint8_t ls_digit_border(const uint8_t *pixels, int64_t height, int64_t width);

/* Prepares a picture of one digit: inverted if the border is bright, the border's shade subtracted,
 * what is fainter than a quarter of the ink removed, cropped to the ink, resized in proportion so
 * that the longer side has 20 of 28 parts of the result's, shifted by whole pixels so that the
 * centre of mass is at pixel side / 2 of both axes, as far as the ink stays inside, and stretched
 * to a maximum of 255. As the digits of MNIST (LeCun et al., Gradient-based learning applied to
 * document recognition, 1998), whose centres of mass are at pixel 14 of 28, counted from 0. Local.
 * picture  grey; borrowed
 * side     of the result, LS_DIGIT_MIN_SIDE to LS_DIGIT_MAX_SIDE
 * out      another picture: [side][side], grey, ink bright on 0; its former content is ignored
 * Errors: LS_ERR_DATA if the picture has only one shade, or nearly; LS_ERR_USAGE if the picture is
 * not grey or the side is out of range; LS_ERR_FAILURE if memory is short; *out is left alone. */
ls_status ls_digit_prepare(const ls_picture *picture, int64_t side, ls_picture *out) LS_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
