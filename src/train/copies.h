/* The files that ranks open under one name: one and the same, or copies on their nodes' own disks,
 * which may be damaged, older, or of something else. */
#ifndef LS_TRAIN_COPIES_H
#define LS_TRAIN_COPIES_H

#include <stdbool.h>

#include <lockstep/comm.h>
#include <lockstep/status.h>

/* Makes sure that the data files of all ranks that read are one file, or copies of one: of the same
 * size and seal; with `verify` each copy (one on each node, unless ranks of a node have several) is
 * verified as a whole, see ls_dataset_check(), and those without a seal are compared by their
 * content. Collective; `path` and `verify` are the same on all ranks.
 * node   the ranks of this one's node
 * reads  whether this rank reads; rank 0 does
 * Errors, on all ranks alike: LS_ERR_DATA for a file that is damaged or missing, LS_ERR_RANKS for
 * one that is another than rank 0's, both naming rank and node. */
ls_status ls_copies_check(ls_comm *comm, ls_comm *node, const char *path, bool reads,
                          bool verify) LS_MUST_CHECK;

#endif
