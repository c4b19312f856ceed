/* Load of the processors that this process may run on, as reported by Linux. */
#ifndef LS_BASE_BUSY_H
#define LS_BASE_BUSY_H

/* Times in seconds, each since a fixed moment in the past. */
typedef struct ls_busy {
    double at;  /* wall-clock time */
    double all; /* busy time of the processors, for all users, hypervisor included; 0: unknown */
    double own; /* processor time of this process */
} ls_busy;

/* Returns the current times. Local. */
ls_busy ls_busy_now(void);

/* Average number of busy processors: for all users, and for this process. */
typedef struct ls_load {
    double all, own;
} ls_load;

/* Returns the load since `then`; zeros if it is unknown. Local. */
ls_load ls_busy_since(const ls_busy *then);

#endif
