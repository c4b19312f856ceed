/* Preloaded into the tests under MPICH over UCX: lets other ranks run where a rank finds that no
 * message has arrived, as Open MPI does on request. There are more ranks than cores, and each would
 * otherwise wait until its time slice is over. */
#include <dlfcn.h>
#include <sched.h>
#include <stddef.h>

unsigned ucp_worker_progress(void *worker);

unsigned ucp_worker_progress(void *worker)
{
    static unsigned (*progress)(void *);
    if (progress == NULL)
        *(void **)&progress = dlsym(RTLD_NEXT, "ucp_worker_progress");
    const unsigned arrived = progress(worker);
    if (arrived == 0)
        sched_yield();
    return arrived;
}
