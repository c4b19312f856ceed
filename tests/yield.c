/* Preloaded into the tests under MPICH over UCX: a rank that finds no message yields the processor,
 * as Open MPI does on request. With more ranks than cores each rank would otherwise poll until the
 * end of its time slice. */
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
