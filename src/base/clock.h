/* Monotonic wall-clock time. */
#ifndef LS_BASE_CLOCK_H
#define LS_BASE_CLOCK_H

#include <time.h>

/* Seconds since some fixed moment in the past. */
static inline double ls_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Marks the start of the program, from which its time limits count. Local. */
void ls_clock_start(void);

/* Seconds since then; 0 if it was not marked. Local. */
double ls_clock_since_start(void);

#endif
