/* NumPy's arrays: .npy files, or members of .npz files. All functions are Local.
 *
 * Errors: LS_ERR_DATA for a file that is damaged or of a type that is not supported;
 * LS_ERR_FAILURE if memory is short. */
#ifndef LS_SOURCES_NPY_H
#define LS_SOURCES_NPY_H

#include <stdbool.h>
#include <stdint.h>

#include "data/h5.h"
#include "sources/zip.h"

/* An array that is read row by row, a row being an index of the first dimension. */
typedef struct ls_npy {
    ls_member *member; /* owned */
    ls_h5_type type;   /* as in memory; bool is uint8 */
    int64_t bytes;     /* of a number */
    bool swapped;      /* numbers are in the other byte order */
    bool by_columns;   /* Fortran's order */
    int rank;          /* 1 .. LS_H5_MAX_RANK */
    int64_t dims[LS_H5_MAX_RANK];
    int64_t row; /* numbers in a row */
    int64_t next;
    unsigned char *whole; /* the array as it is in the file, if it is by columns; owned */
} ls_npy;

/* Reads the header. An array by columns will be read as a whole.
 * member  taken, also if it fails */
ls_status ls_npy_open(ls_npy *out, ls_member *member) LS_MUST_CHECK;

/* Reads the next rows, in this machine's byte order, in C's order.
 * out  [rows][row] */
ls_status ls_npy_read(ls_npy *npy, int64_t rows, void *out) LS_MUST_CHECK;

/* Checks that numbers of an array are finite, as float32. Errors: LS_ERR_DATA, with row and column.
 * first    row of the first number
 * numbers  [rows][row] as ls_npy_read() gives them */
ls_status ls_npy_check_finite(const ls_npy *npy, int64_t first, int64_t rows,
                              const void *numbers) LS_MUST_CHECK;

/* Returns a number of an array's type. */
double ls_npy_number(const ls_npy *npy, const void *number);

/* Frees what it holds; accepts a zeroed one. */
void ls_npy_close(ls_npy *npy);

#endif
