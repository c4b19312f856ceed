/* Beacons: every rank lets rank 0 know where it is, and rank 0 all others where it is itself, by
 * datagrams beside MPI. They arrive also when MPI is what hangs; one that is lost is followed by
 * another; those of anybody else are not taken. All functions but the first may be called from any
 * one thread, and never wait. */
#ifndef LS_PARALLEL_BEACON_H
#define LS_PARALLEL_BEACON_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/comm.h>

enum { LS_BEACON_HOST = 64 };

/* Where a rank is. */
typedef struct ls_beacon_place {
    int64_t epoch, step; /* from 0 */
    int32_t activity;
    int32_t waiting;    /* for other ranks */
    int32_t concluding; /* that the job is stuck: it is about to say who lags, and to end */
} ls_beacon_place;

/* What is known of a rank. */
typedef struct ls_beacon_rank {
    char host[LS_BEACON_HOST];
    bool heard;            /* at least once */
    double when;           /* the latest time, as the caller counts */
    ls_beacon_place place; /* then */
} ls_beacon_rank;

typedef struct ls_beacon ls_beacon;

/* Opens the channel. Where the system refuses a socket, a rank is just never heard of.
 * Collective. Errors, on all ranks alike: LS_ERR_FAILURE when memory is short. */
ls_status ls_beacon_open(ls_beacon **out, ls_comm *comm) LS_MUST_CHECK;

/* Why this rank has no socket, an errno; 0 if it has one, or needs none. Local. */
int ls_beacon_error(const ls_beacon *beacon);

/* Closes it, frees and sets *beacon to NULL; accepts NULL. Local. */
void ls_beacon_close(ls_beacon **beacon);

/* Sends where this rank is; takes what has arrived, all of it at time `now`. Local. */
void ls_beacon_exchange(ls_beacon *beacon, const ls_beacon_place *mine, double now);

/* What is known of a rank, of its host always; elsewhere than on rank 0 only of rank 0. Local. */
const ls_beacon_rank *ls_beacon_look(const ls_beacon *beacon, int rank);

#endif
