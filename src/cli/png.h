/* Pictures as PNG files. */
#ifndef LS_CLI_PNG_H
#define LS_CLI_PNG_H

#include <stdint.h>

#include <lockstep/status.h>

/* Writes a picture: the file appears whole or not at all. Local.
 * channels  1: grey; 3: red, green, blue
 * pixels    [height][width][channels]
 * Errors: LS_ERR_USAGE if the file exists and is not a PNG; LS_ERR_FAILURE. */
ls_status ls_png_write(const char *path, int64_t width, int64_t height, int channels,
                       const uint8_t *pixels) LS_MUST_CHECK;

#endif
