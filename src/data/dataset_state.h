/* The definition of ls_dataset, and how its parts are opened. Included in dataset*.c only. All
 * functions are Local. */
#ifndef LS_DATA_DATASET_STATE_H
#define LS_DATA_DATASET_STATE_H

#include <lockstep/dataset.h>

#include "base/text_list.h"
#include "data/division.h"
#include "data/files.h"
#include "data/h5.h"
#include "data/series.h"

struct ls_dataset {
    ls_files paths;
    ls_h5 **files;    /* [paths.count] NULL from the first that is not open */
    ls_dataset *test; /* another file, whose training rows are the test rows; NULL: none */
    ls_dataset_info info;
    ls_series groups[LS_SPLITS]; /* in the files */
    ls_split group[LS_SPLITS]; /* that has the rows of a split: all its rows, or with LS_TRAIN those
                                  of the division */
    ls_division *division;     /* of the training group */
    ls_text_list class_names;  /* empty: none */
    ls_text_list vocabulary;   /* texts of tokens; empty: none */
};

/* Returns true if an option's text is neither NULL nor "". */
static inline bool ls_is_given(const char *text)
{
    return text != NULL && *text != '\0';
}

/* Returns the path of the first file, for messages; borrowed. */
static inline const char *ls_dataset_first_path(const ls_dataset *dataset)
{
    return dataset->paths.path[0];
}

/* Selections of the datasets beside inputs and targets. */
typedef struct ls_beside {
    ls_selections weights, lengths;
} ls_beside;

/* Reads the options for weights and lengths into a choice.
 * parsed  memory for the selections
 * Errors: LS_ERR_USAGE. */
ls_status ls_dataset_parse_beside(const ls_dataset_options *options, ls_beside *parsed,
                                  ls_fields_choice *choice) LS_MUST_CHECK;

/* As ls_dataset_open(), but there may be no rows: a file may be empty if others are not.
 * Errors: as ls_dataset_open(), *out is left alone. */
ls_status ls_dataset_open_any(ls_dataset **out, const char *path,
                              const ls_dataset_options *options) LS_MUST_CHECK;

/* Opens a group of a file, appends it to the rows of a split, and compares its rows with the
 * training rows; the first training rows describe the data set.
 * Errors: as ls_fields_open(); LS_ERR_DATA if the rows differ. */
ls_status ls_dataset_open_group(ls_dataset *dataset, ls_split split, const ls_h5 *file,
                                const ls_fields_choice *choice) LS_MUST_CHECK;

/* Opens the groups of a file of Lockstep's own layout.
 * Errors: as above; LS_ERR_DATA for wrong attributes. */
ls_status ls_dataset_open_own(ls_dataset *dataset, const ls_h5 *file,
                              const ls_dataset_options *options) LS_MUST_CHECK;

/* Opens the selected inputs and targets of files of any layout: one table of rows.
 * Errors: as above; LS_ERR_USAGE. */
ls_status ls_dataset_open_selected(ls_dataset *dataset,
                                   const ls_dataset_options *options) LS_MUST_CHECK;

/* Divides the rows of the training group into the splits that have no group of their own.
 * Errors: LS_ERR_USAGE, LS_ERR_DATA, LS_ERR_FAILURE. */
ls_status ls_dataset_divide(ls_dataset *dataset, const ls_dataset_options *options) LS_MUST_CHECK;

/* Checks that rows are as the training rows.
 * Errors: LS_ERR_DATA. */
ls_status ls_dataset_compare_rows(const ls_dataset_info *info, const ls_fields *fields,
                                  const ls_fields *train) LS_MUST_CHECK;

#endif
