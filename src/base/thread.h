/* Helper threads, besides the main thread of a rank. */
#ifndef LS_BASE_THREAD_H
#define LS_BASE_THREAD_H

#include <pthread.h>

#include <lockstep/status.h>

/* Starts a thread with all signals blocked: the main thread handles them. Local.
 * what  purpose of the thread, for the message: "that reads ahead"
 * Errors: LS_ERR_FAILURE. */
ls_status ls_thread_start(pthread_t *out, void *(*work)(void *user), void *user,
                          const char *what) LS_MUST_CHECK;

#endif
