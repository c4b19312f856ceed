/* The datasets of an HDF5 file of any layout, and their description for messages. All functions are
 * Local. */
#ifndef LS_DATA_H5_LIST_H
#define LS_DATA_H5_LIST_H

#include "data/h5.h"

enum { LS_H5_PATH = 256, LS_H5_SHAPE = 128, LS_H5_CONTENTS = 512 };

/* A dataset of a file. */
typedef struct ls_h5_listed {
    char path[LS_H5_PATH]; /* without the first '/' */
    bool readable;         /* it passes the checks of ls_h5_describe() */
    ls_h5_shape shape;     /* of a readable one */
} ls_h5_listed;

/* Lists the datasets, by name, group by group. Soft and external links are not followed; a damaged
 * group ends early, and a walk after 10,000 links.
 * most  datasets to describe, the first
 * out   [most]
 * Returns the number of datasets, which may be above `most`. */
int ls_h5_list(const ls_h5 *file, int most, ls_h5_listed *out);

/* Returns what a file holds, as "it holds /x [1500,12] float64, /y [1500] int64 and 3 more". */
const char *ls_h5_contents(const ls_h5 *file, char text[LS_H5_CONTENTS]);

/* Returns indices or extents as text: "[300,32,32,3]". */
const char *ls_h5_format_indices(int rank, const int64_t *numbers, char text[LS_H5_SHAPE]);

/* Returns a shape as text, rows first. */
const char *ls_format_shape(const ls_h5_shape *shape, char text[LS_H5_SHAPE]);

#endif
