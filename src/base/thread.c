#include "base/thread.h"

#include <signal.h>
#include <string.h>

ls_status ls_thread_start(pthread_t *out, void *(*work)(void *user), void *user, const char *what)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int code = pthread_create(out, NULL, work, user);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code == 0 ? LS_OK
                     : ls_fail(LS_ERR_FAILURE, "can't start a thread %s: %s", what, strerror(code));
}
