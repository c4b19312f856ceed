/* Parameters from Lockstep's layout to that of a format with channels first. All functions are
 * Local. */
#ifndef LS_INTEROP_LAYOUT_H
#define LS_INTEROP_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/network.h>

/* Transposes a matrix: to [columns][rows] from [rows][columns]. */
void ls_layout_transpose(int64_t rows, int64_t columns, const float *from, float *to);

/* Reorders filters of so many taps, K K or of steps K: to [F][C][taps] from [taps][C][F]. */
void ls_layout_filters(int64_t taps, int64_t C, int64_t F, const float *from, float *to);

/* Reorders the rows of a matrix whose rows are the features of an image: [channels][pixels] from
 * [pixels][channels], or reverse.
 * width   columns; 1 for a vector
 * planar  true: `from` is [channels][pixels] */
void ls_layout_features(ls_shape image, bool planar, int64_t width, const float *from, float *to);

/* Stores floats with their bytes in little-endian order, in place. */
void ls_layout_little_endian(int64_t count, float *values);

#endif
