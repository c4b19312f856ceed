/* Where the ranks of a job get their rows from: each reads its own, or one reads for others, for
 * file systems that fear thousands of ranks at one file. */
#ifndef LOCKSTEP_SOURCE_H
#define LOCKSTEP_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/choice.h>
#include <lockstep/comm.h>
#include <lockstep/dataset.h>
#include <lockstep/range.h>
#include <lockstep/status.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LS_READ_LIST(X)                                                                            \
    X(LS_READ_EACH, "each", "every rank reads its rows")                                           \
    X(LS_READ_ROOT, "root", "rank 0 reads the rows of all ranks, one rank's after the other's")    \
    X(LS_READ_NODE, "node", "the lowest rank of each node reads the rows of the node's ranks")

typedef enum ls_read { LS_READ_LIST(LS_CHOICE_ENUM) } ls_read;

typedef struct ls_source ls_source;

/* Opens a data set on the ranks that read, and makes sure that they all see the same, copies on
 * their nodes included, by their sizes and seals. Collective.
 * options  as for ls_dataset_open(), the same on all ranks
 * verify   one rank of each node that reads verifies the whole file first, see ls_dataset_check();
 *          copies without a seal are compared by their content, too
 * info     on return its description, on all ranks
 * Errors, on all ranks alike: LS_ERR_DATA, LS_ERR_USAGE, LS_ERR_RANKS, LS_ERR_FAILURE. */
ls_status ls_source_open(ls_source **out, ls_comm *comm, const char *path,
                         const ls_dataset_options *options, bool verify, ls_read read,
                         ls_dataset_info *info) LS_MUST_CHECK;

/* Reads rows of a split for every rank. Collective; `split` is the same on all ranks.
 * rows      of this rank, may be none
 * capacity  room to leave in *out, at least rows.count
 * Errors, on all ranks alike: LS_ERR_DATA, LS_ERR_FAILURE; *out is left alone. */
ls_status ls_source_read(ls_source *source, ls_split split, ls_range rows, int64_t capacity,
                         ls_samples **out) LS_MUST_CHECK;

/* Closes the file, frees, and sets *source to NULL; accepts NULL. Collective. */
void ls_source_close(ls_source **source);

#ifdef __cplusplus
}
#endif

#endif
