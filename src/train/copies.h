/* The files that ranks open under one path: the same file, or copies on the nodes' own disks, which
 * may be damaged, older, or other data. */
#ifndef LS_TRAIN_COPIES_H
#define LS_TRAIN_COPIES_H

#include <stdbool.h>

#include <lockstep/comm.h>
#include <lockstep/dataset.h>
#include <lockstep/status.h>

/* Checks that the data files of all ranks that read are one file, or copies of one: of the same
 * size and seal. With `verify` each copy (one on each node, or more if its ranks have several) is
 * verified as a whole, see ls_dataset_check(), and copies without a seal are compared by content.
 * Collective; `path` and `verify` are the same on all ranks.
 * options  as for ls_dataset_check()
 * node   the ranks of this rank's node
 * reads  this rank reads; rank 0 does
 * Errors, on all ranks alike: LS_ERR_DATA for a file that is damaged or missing, LS_ERR_RANKS for
 * a file that differs from rank 0's, both naming rank and node. */
ls_status ls_copies_check(ls_comm *comm, ls_comm *node, const char *path,
                          const ls_dataset_options *options, bool reads, bool verify) LS_MUST_CHECK;

#endif
