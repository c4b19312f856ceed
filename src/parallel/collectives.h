/* Communicators of some of the ranks, and small collectives. Errors in MPI calls are fatal
 * (MPI_ERRORS_ARE_FATAL, MPI's default), so only functions with errors of their own return a
 * status. */
#ifndef LS_PARALLEL_COLLECTIVES_H
#define LS_PARALLEL_COLLECTIVES_H

#include <stddef.h>
#include <stdint.h>

#include <lockstep/comm.h>
#include <lockstep/status.h>

/* Creates the communicator of the ranks of this node, in the order of `comm`.
 * Collective.
 * Errors: as ls_comm_world(). */
ls_status ls_comm_node(ls_comm **out, ls_comm *comm) LS_MUST_CHECK;

/* Creates the communicator of this rank's group: `size` consecutive ranks; the last group may have
 * fewer.
 * Collective; `size` is the same on all ranks.
 * Errors: as above. */
ls_status ls_comm_groups(ls_comm **out, ls_comm *comm, int size) LS_MUST_CHECK;

/* Sends the bytes of rank 0, or of `root`, to all ranks.
 * Collective; `bytes` and `root` are the same on all ranks.
 * data  [bytes] read on the root, written on the other ranks */
void ls_broadcast(ls_comm *comm, void *data, size_t bytes);
void ls_broadcast_from(ls_comm *comm, void *data, size_t bytes, int root);

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

/* Sends bytes of rank `from`, which is not 0, to rank 0.
 * Called on rank 0 and rank `from`; `bytes` is the same on both.
 * data  [bytes] read on rank `from`, written on rank 0 */
void ls_send_to_root(ls_comm *comm, void *data, size_t bytes, int from);

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

#endif
