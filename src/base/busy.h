/* How busy the processors are that this process may run on, as far as Linux tells. */
#ifndef LS_BASE_BUSY_H
#define LS_BASE_BUSY_H

/* Seconds, since some moments in the past. */
typedef struct ls_busy {
    double at;  /* the time */
    double all; /* of work of the processors, for anyone, a hypervisor included; 0: unknown */
    double own; /* of work of this process */
} ls_busy;

/* The state now. Local. */
ls_busy ls_busy_now(void);

/* Processors kept busy since then, on average: by all, and by this process. Local. */
typedef struct ls_load {
    double all, own;
} ls_load;

/* The load since `then`. Local. */
ls_load ls_busy_since(const ls_busy *then);

#endif
