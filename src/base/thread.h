/* Threads beside the one that does the work of a rank. */
#ifndef LS_BASE_THREAD_H
#define LS_BASE_THREAD_H

#include <pthread.h>

#include <lockstep/status.h>

/* Starts a thread that gets none of the process's signals: they are for the main thread. Local.
 * what  it is for, for the message: "that reads ahead"
 * Errors: LS_ERR_FAILURE. */
ls_status ls_thread_start(pthread_t *out, void *(*work)(void *user), void *user,
                          const char *what) LS_MUST_CHECK;

#endif
