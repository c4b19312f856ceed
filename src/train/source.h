/* Readers: every rank of a job reads its own rows from the file, or one rank reads for others, for
 * file systems that cannot serve thousands of ranks opening one file. */
#ifndef LS_TRAIN_SOURCE_H
#define LS_TRAIN_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/range.h"
#include "base/text_list.h"
#include "train/rows.h"

#include <lockstep/choice.h>
#include <lockstep/comm.h>
#include <lockstep/dataset.h>
#include <lockstep/status.h>

typedef struct ls_source ls_source;

/* Opens a data set on the reading ranks and checks, by size and seal, that all of them see the same
 * file; nodes may have their own copies.
 * Collective.
 * path     borrowed, as is that of options->test_data, until the source is closed and rows that
 *          ls_source_rows() has read are destroyed
 * options  as for ls_dataset_open(), the same on all ranks
 * verify   on each node with reading ranks, one of them verifies the whole file first, see
 *          ls_dataset_check(); copies without a seal are also compared by content
 * info     on return the description of the data set, on all ranks
 * Errors (all ranks get them): LS_ERR_DATA, LS_ERR_USAGE, LS_ERR_RANKS, LS_ERR_FAILURE. */
ls_status ls_source_open(ls_source **out, ls_comm *comm, const char *path,
                         const ls_dataset_options *options, bool verify, ls_read read,
                         ls_dataset_info *info) LS_MUST_CHECK;

/* Appends the names of the classes to a list, on ranks that read the file, as rank 0 always does;
 * nothing if they have none. Local. Errors: LS_ERR_FAILURE if memory is short. */
ls_status ls_source_class_names(const ls_source *source, ls_text_list *out) LS_MUST_CHECK;

/* The same, of the texts of the tokens of the vocabulary. */
ls_status ls_source_vocabulary(const ls_source *source, ls_text_list *out) LS_MUST_CHECK;

/* Returns the path of the files that a split is of, as it was given to ls_source_open(); borrowed.
 * Local. */
const char *ls_source_path(const ls_source *source, ls_split split);

/* Reads rows of a split for every rank.
 * Collective; `split` is the same on all ranks.
 * rows      this rank's rows; rows.count may be 0
 * capacity  capacity of *out in samples, at least rows.count
 * Errors (all ranks get them): LS_ERR_DATA, LS_ERR_FAILURE; *out is unchanged. */
ls_status ls_source_read(ls_source *source, ls_split split, ls_range rows, int64_t capacity,
                         ls_samples **out) LS_MUST_CHECK;

/* Reads the rows of a split that this rank evaluates, its ls_evaluation_shard().
 * Collective.
 * rows  on return this rank's rows, in memory; they outlive the source
 * Errors (all ranks get them): LS_ERR_DATA, LS_ERR_FAILURE, LS_ERR_USAGE if mean or std of the
 * format is out of range; *rows is unchanged. */
ls_status ls_source_rows(ls_source *s, ls_split split, const ls_input_format *format,
                         ls_rows **out) LS_MUST_CHECK;

/* Closes the file, frees the source and sets *source to NULL; accepts NULL. Collective. */
void ls_source_close(ls_source **source);

#endif
