/* Ranks: who they are, what they agree on. The rest of Lockstep meets MPI through this and the
 * other modules of the parallel layer only. MPI's own errors are fatal, as its standard has it, so
 * that only functions with errors of ours return a status. */
#ifndef LOCKSTEP_COMM_H
#define LOCKSTEP_COMM_H

#include <stddef.h>
#include <stdint.h>

#include <lockstep/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ls_comm ls_comm;

/* A communicator of Lockstep's own, a duplicate of MPI_COMM_WORLD or of another one. MPI must be
 * initialised. Collective.
 * handle  the other one as a Fortran handle, MPI_Comm_c2f(comm): the same on C side and needs no
 *         mpi.h here
 * Errors: LS_ERR_FAILURE when memory is short on any rank (all ranks get it). */
ls_status ls_comm_world(ls_comm **out) LS_MUST_CHECK;
ls_status ls_comm_from_fortran(ls_comm **out, int handle) LS_MUST_CHECK;

/* The ranks of this one's node, in their order. Collective. Errors: as above. */
ls_status ls_comm_node(ls_comm **out, ls_comm *comm) LS_MUST_CHECK;

/* This rank's group: so many ranks that follow each other; the last group may have fewer.
 * Collective; `size` is the same on all ranks. Errors: as above. */
ls_status ls_comm_groups(ls_comm **out, ls_comm *comm, int size) LS_MUST_CHECK;

/* Frees a communicator and sets *comm to NULL; accepts NULL. Collective. */
void ls_comm_destroy(ls_comm **comm);

/* Number of this rank, from 0, and of ranks. Local. */
int ls_comm_rank(const ls_comm *comm);
int ls_comm_size(const ls_comm *comm);

/* Replaces "if I failed" by "if anyone failed": every rank gets the status and the text of the
 * lowest rank that passed a status other than LS_OK; the text names the rank, unless all ranks
 * failed alike. Collective. Returns LS_OK if all passed LS_OK. */
ls_status ls_agree(ls_comm *comm, ls_status status) LS_MUST_CHECK;

/* Makes sure that a text is the same on all ranks. Collective.
 * what  names the text in the message; the same on all ranks
 * Errors: LS_ERR_RANKS on all ranks, naming the first that differs from rank 0. */
ls_status ls_agree_equal(ls_comm *comm, const char *text, const char *what) LS_MUST_CHECK;

/* Rank 0's bytes, or those of `root`, to all ranks. Collective; `bytes` and `root` are the same on
 * all ranks. */
void ls_broadcast(ls_comm *comm, void *data, size_t bytes);
void ls_broadcast_from(ls_comm *comm, void *data, size_t bytes, int root);

/* Rank 0's text to all ranks. Collective. On other ranks *text is replaced by an owned copy. On
 * rank 0 it stays as it is. Errors: LS_ERR_FAILURE when memory is short on any rank (all ranks get
 * it). */
ls_status ls_broadcast_text(ls_comm *comm, char **text) LS_MUST_CHECK;

/* Sums over ranks, in place, the same result on all. Collective; `count` is the same on all ranks.
 * Integer sums are modulo 2^64. */
void ls_sum_doubles(ls_comm *comm, double *values, int count);
void ls_sum_integers(ls_comm *comm, int64_t *values, int count);

void ls_sum_floats(ls_comm *comm, float *values, int count);

/* Waits until all ranks are here. Collective. */
void ls_barrier(ls_comm *comm);

/* The rank, the lowest of them, whose value is the largest. Collective. */
int ls_rank_of_max(ls_comm *comm, double value);

/* Maximum over ranks, in place. Collective; `count` is the same on all ranks. */
void ls_max_doubles(ls_comm *comm, double *values, int count);

/* Rank 0's bytes to one other rank. Both of them call it; `bytes` is the same on both, `to` is not
 * 0.
 */
void ls_hand_over(ls_comm *comm, void *data, size_t bytes, int to);

/* Every rank's `bytes` to rank 0, in the order of ranks. Collective.
 * all  on rank 0 [size][bytes]; unused elsewhere, may be NULL */
void ls_gather_bytes(ls_comm *comm, const void *mine, int bytes, void *all);

/* Every rank's `bytes` to all ranks, in the order of ranks. Collective. all: [size][bytes] */
void ls_share_bytes(ls_comm *comm, const void *mine, int bytes, void *all);

/* The MPI library and its version, "Open MPI 4.1.4". Local. */
const char *ls_comm_version(void);

#ifdef __cplusplus
}
#endif

#endif
