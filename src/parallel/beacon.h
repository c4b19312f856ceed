/* Beacons: heartbeats in UDP datagrams, independent of MPI, so that they arrive when MPI hangs.
 * Every rank reports its position in the training to rank 0; rank 0 replies with its own. A lost
 * beacon is followed by the next one. Datagrams from other senders are rejected. All functions
 * except ls_beacon_open() never block and may be called from any one thread. */
#ifndef LS_PARALLEL_BEACON_H
#define LS_PARALLEL_BEACON_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/comm.h>

enum { LS_BEACON_HOST = 64 };

/* A rank's position in the training. */
typedef struct ls_beacon_place {
    int64_t epoch, step; /* from 0 */
    int32_t activity;    /* ls_activity */
    int32_t waiting;     /* 1 while the rank waits for other ranks */
    int32_t concluding;  /* 1 on rank 0: it is about to report the lagging ranks and end the job */
} ls_beacon_place;

/* State of a rank as known from its beacons. */
typedef struct ls_beacon_rank {
    char host[LS_BEACON_HOST];
    bool heard;            /* true after its first beacon */
    double when;           /* time of its latest beacon, on the caller's clock */
    ls_beacon_place place; /* position in its latest beacon */
} ls_beacon_rank;

typedef struct ls_beacon ls_beacon;

/* Opens the beacon channel. Without a socket, a rank just sends no beacons, see ls_beacon_error().
 * Collective.
 * Errors: LS_ERR_FAILURE if any rank is out of memory (all ranks get it); *out is unchanged. */
ls_status ls_beacon_open(ls_beacon **out, ls_comm *comm) LS_MUST_CHECK;

/* Returns the errno because of which this rank has no socket; 0 if it has or needs none. Local. */
int ls_beacon_error(const ls_beacon *beacon);

/* Closes the channel, frees it and sets *beacon to NULL; accepts NULL. Local. */
void ls_beacon_close(ls_beacon **beacon);

/* Sends this rank's position and receives all beacons that have arrived. Local.
 * now  time of arrival that is recorded for them, on the caller's clock */
void ls_beacon_exchange(ls_beacon *beacon, const ls_beacon_place *mine, double now);

/* Returns the state of a rank; its `host` is always known. Ranks other than 0 know rank 0 only.
 * Borrowed. Local. */
const ls_beacon_rank *ls_beacon_look(const ls_beacon *beacon, int rank);

#endif
