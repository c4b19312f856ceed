/* Pictures as PNG files. */
#ifndef LS_CLI_PNG_H
#define LS_CLI_PNG_H

#include <stdint.h>

#include <lockstep/status.h>

/* Checks, before any work is done, that a picture can be written: its folder exists, and no file is
 * lost. Lockstep's pictures have a mark and may be replaced, those of others may not. Local.
 * Errors: LS_ERR_USAGE if the file exists and Lockstep did not write it; LS_ERR_FAILURE. */
ls_status ls_png_check(const char *path) LS_MUST_CHECK;

/* Writes a picture, with a mark in its chunk "Software": the file appears whole or not at
 * all. Local.
 * channels  1: grey; 3: red, green, blue
 * pixels    [height][width][channels]
 * Errors: as ls_png_check(). */
ls_status ls_png_write(const char *path, int64_t width, int64_t height, int channels,
                       const uint8_t *pixels) LS_MUST_CHECK;

#endif
