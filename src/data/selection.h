/* Selections: datasets of a file that are the inputs or targets of its rows, and the parts of them
 * that are read, in the notation of NumPy:
 *
 *     /jets[:,53:58]              columns 53 to 57 of all rows
 *     /tensor[:,:10,-1]           of each row the first 10 entries, of them the last number
 *     /showers,/energies[:,0]     the numbers of both, one after the other
 *
 * In brackets: `:`, which stands for the rows, then for each dimension `A:B`, `A:`, `:B`, `:`, or a
 * single index, which drops the dimension; numbers below 0 count from the end. All functions are
 * Local. */
#ifndef LS_DATA_SELECTION_H
#define LS_DATA_SELECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/range.h"
#include "data/h5.h"

#include <lockstep/status.h>

enum { LS_SELECTION_NAME = 256, LS_SELECTIONS_MOST = 16 };

/* The part of a dimension: first .. end-1, as it is written. */
typedef struct ls_slice {
    bool index;              /* `first` is the only index, and the dimension is dropped */
    bool from_start, to_end; /* first or end is not given */
    int64_t first, end;      /* below 0: from the end */
} ls_slice;

typedef struct ls_selection {
    char name[LS_SELECTION_NAME]; /* of the dataset, without a leading slash */
    int slices;                   /* given in brackets; all of the other dimensions is read */
    ls_slice slice[LS_H5_MAX_RANK];
} ls_selection;

/* Selections that are joined. */
typedef struct ls_selections {
    int count;
    ls_selection of[LS_SELECTIONS_MOST];
} ls_selections;

/* Reads a list of selections.
 * option  "inputs", for messages
 * Errors: LS_ERR_USAGE; *out is undefined. */
ls_status ls_selections_parse(ls_selections *out, const char *option,
                              const char *text) LS_MUST_CHECK;

/* Makes the selection of a whole dataset. */
ls_selections ls_selection_of_all(const char *name);

/* Finds the selected indices of each dimension but the first.
 * path   of the file, for messages
 * shape  of the dataset, of 1 to LS_H5_MAX_RANK dimensions
 * part   [rank] on return the indices, at least one in each dimension
 * kept   [rank] on return false for a dimension that is dropped
 * Errors: LS_ERR_DATA if the dataset has no such part. */
ls_status ls_selection_apply(const ls_selection *selection, const char *path,
                             const ls_h5_shape *shape, ls_range *part, bool *kept) LS_MUST_CHECK;

#endif
