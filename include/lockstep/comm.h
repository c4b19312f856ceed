/* Communicators: rank and size, agreement on errors, and small collectives. Only the parallel layer
 * calls MPI. Errors in MPI calls are fatal (MPI_ERRORS_ARE_FATAL, MPI's default), so only functions
 * with errors of their own return a status. */
#ifndef LOCKSTEP_COMM_H
#define LOCKSTEP_COMM_H

#include <stddef.h>
#include <stdint.h>

#include <lockstep/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ls_comm ls_comm;

/* Creates a communicator: a duplicate of MPI_COMM_WORLD, or of the caller's. MPI must be
 * initialised.
 * Collective.
 * handle  the caller's communicator as a Fortran handle, MPI_Comm_c2f(comm): an int, so that this
 *         header does not include mpi.h
 * Errors: LS_ERR_FAILURE if any rank is out of memory (all ranks get it). */
ls_status ls_comm_world(ls_comm **out) LS_MUST_CHECK;
ls_status ls_comm_from_fortran(ls_comm **out, int handle) LS_MUST_CHECK;

/* Creates the communicator of the ranks of this node, in the order of `comm`.
 * Collective.
 * Errors: as above. */
ls_status ls_comm_node(ls_comm **out, ls_comm *comm) LS_MUST_CHECK;

/* Creates the communicator of this rank's group: `size` consecutive ranks; the last group may have
 * fewer.
 * Collective; `size` is the same on all ranks.
 * Errors: as above. */
ls_status ls_comm_groups(ls_comm **out, ls_comm *comm, int size) LS_MUST_CHECK;

/* Frees a communicator and sets *comm to NULL; accepts NULL. Collective. */
void ls_comm_destroy(ls_comm **comm);

/* This rank, from 0, and the number of ranks. Local. */
int ls_comm_rank(const ls_comm *comm);
int ls_comm_size(const ls_comm *comm);

/* Agrees on an error: all ranks return the status and error text of the lowest rank that passed a
 * status other than LS_OK; LS_OK if all ranks passed LS_OK. The text names the failed rank, unless
 * all ranks failed.
 * Collective. */
ls_status ls_agree(ls_comm *comm, ls_status status) LS_MUST_CHECK;

/* Checks that a text is the same on all ranks.
 * Collective.
 * what  name of the text in the error message; the same on all ranks
 * Errors: LS_ERR_RANKS on all ranks; the message names the lowest rank whose text differs from
 * rank 0's. LS_ERR_FAILURE if any rank is out of memory (all ranks get it). */
ls_status ls_agree_equal(ls_comm *comm, const char *text, const char *what) LS_MUST_CHECK;

/* Sends the bytes of rank 0, or of `root`, to all ranks.
 * Collective; `bytes` and `root` are the same on all ranks.
 * data  [bytes] read on the root, written on the other ranks */
void ls_broadcast(ls_comm *comm, void *data, size_t bytes);
void ls_broadcast_from(ls_comm *comm, void *data, size_t bytes, int root);

/* Sends rank 0's text to all ranks. On the other ranks *text is replaced by an owned copy.
 * Collective.
 * Errors: LS_ERR_FAILURE if any rank is out of memory (all ranks get it); *text is unchanged. */
ls_status ls_broadcast_text(ls_comm *comm, char **text) LS_MUST_CHECK;

/* Sums arrays over ranks, in place, element by element; the results have the same bits on all
 * ranks. Integer sums are modulo 2^64. The MPI library chooses the order in which floating-point
 * numbers are added.
 * Collective; `count` is the same on all ranks.
 * values  [count] this rank's values; on return the sums */
void ls_allreduce_doubles(ls_comm *comm, double *values, int count);
void ls_allreduce_integers(ls_comm *comm, int64_t *values, int count);
void ls_allreduce_floats(ls_comm *comm, float *values, int count);

/* Waits until all ranks have called it. Collective. */
void ls_barrier(ls_comm *comm);

/* Returns the rank with the largest value, the lowest such rank in a tie; the same on all ranks.
 * Collective. */
int ls_argmax_rank(ls_comm *comm, double value);

/* Computes the maximum over ranks, in place, element by element.
 * Collective; `count` is the same on all ranks.
 * values  [count] this rank's values; on return the maxima */
void ls_allreduce_max(ls_comm *comm, double *values, int count);

/* Sends rank 0's bytes to rank `to`, which is not 0.
 * Called on rank 0 and rank `to`; `bytes` is the same on both.
 * data  [bytes] read on rank 0, written on rank `to` */
void ls_send_from_root(ls_comm *comm, void *data, size_t bytes, int to);

/* Gathers every rank's bytes on rank 0, in the order of ranks.
 * Collective; `bytes` is the same on all ranks.
 * mine  [bytes] this rank's data
 * all   on rank 0 [size][bytes]; unused elsewhere, may be NULL */
void ls_gather_bytes(ls_comm *comm, const void *mine, int bytes, void *all);

/* Gathers every rank's bytes on all ranks, in the order of ranks.
 * Collective; `bytes` is the same on all ranks.
 * mine  [bytes] this rank's data
 * all   [size][bytes] on return the data of all ranks */
void ls_allgather_bytes(ls_comm *comm, const void *mine, int bytes, void *all);

/* Returns the name and version of the MPI library, for example "Open MPI v4.1.4". Local. */
const char *ls_comm_version(void);

#ifdef __cplusplus
}
#endif

#endif
