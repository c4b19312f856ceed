/* Monotonic wall-clock time. */
#ifndef LS_BASE_CLOCK_H
#define LS_BASE_CLOCK_H

#include <time.h>

/* Returns the seconds since a fixed moment in the past. Local. */
static inline double ls_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Records the start of the program, from which time limits count. Local. */
void ls_clock_start(void);

/* Returns the seconds since ls_clock_start(); 0 if it was not called. Local. */
double ls_clock_since_start(void);

#endif
