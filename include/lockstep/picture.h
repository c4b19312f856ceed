/* Pictures: PNG files as pixels of 8 bits, grey or colour, of any size. */
#ifndef LOCKSTEP_PICTURE_H
#define LOCKSTEP_PICTURE_H

#include <stdint.h>

#include <lockstep/status.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { LS_PICTURE_MAX_PIXELS = 1 << 26 };

/* A picture in memory. Zeroed: no picture. */
typedef struct ls_picture {
    int64_t height, width; /* height * width is at most LS_PICTURE_MAX_PIXELS */
    int channels;          /* 1: grey; 3: red, green, blue */
    uint8_t *pixels;       /* [height][width][channels]; owned: ls_picture_free() */
    int file_channels;     /* of the file that it was read from, before a conversion; or 0 */
} ls_picture;

/* Reads the size of a PNG file, and its channels: 1 if it has greys only, by its type of colour or
 * its palette, else 3. Local.
 * out  on return without pixels
 * Errors: LS_ERR_DATA if the file is missing, no PNG, damaged, or too large; *out is left alone. */
ls_status ls_picture_describe(const char *path, ls_picture *out) LS_MUST_CHECK;

/* Reads a PNG file of any kind: 1 to 16 bits, grey, colour or palette, with transparency,
 * interlaced. 16 bits are rounded to 8. Transparent pixels show white. Gamma and colour profiles
 * are ignored, as in most readers of training data. A pipe can be read as well: "/dev/stdin".
 * Local.
 * channels  1: colours become grey by the luma of ITU-R BT.601; 3: greys become colours; 0: as
 *           ls_picture_describe() says
 * out       its former content is ignored
 * Errors: LS_ERR_DATA as ls_picture_describe(), or if the file ends early; LS_ERR_FAILURE if memory
 * is short; *out is left alone. */
ls_status ls_picture_read(const char *path, int channels, ls_picture *out) LS_MUST_CHECK;

/* Resizes a picture. Along an axis that becomes shorter or stays, a pixel is the mean of the area
 * that it covers (box filter, with parts of pixels at the border); along one that becomes longer it
 * is interpolated linearly between the centres of the nearest two. Local.
 * picture  borrowed
 * out      another picture; its former content is ignored
 * Errors: LS_ERR_USAGE if height or width is below 1, or both together are too large;
 * LS_ERR_FAILURE if memory is short; *out is left alone. */
ls_status ls_picture_resize(const ls_picture *picture, int64_t height, int64_t width,
                            ls_picture *out) LS_MUST_CHECK;

/* Return the number of values at the border of a picture in planes, and their sum. Local.
 * pixels  [channels][height][width] */
int64_t ls_picture_border_count(int64_t channels, int64_t height, int64_t width);
int64_t ls_picture_border_sum(const uint8_t *pixels, int64_t channels, int64_t height,
                              int64_t width);

/* Frees the pixels and zeroes the picture. Local. */
void ls_picture_free(ls_picture *picture);

#ifdef __cplusplus
}
#endif

#endif
