#include "base/limits.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

ls_status ls_limits_allow_files(int count)
{
    struct rlimit limit;
    const rlim_t wanted = (rlim_t)count;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ||
        limit.rlim_cur >= wanted)
        return LS_OK;
    if (limit.rlim_max == RLIM_INFINITY || limit.rlim_max >= wanted) {
        limit.rlim_cur = wanted;
        if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
            return LS_OK;
    }
    return ls_fail(LS_ERR_FAILURE,
                   "the limit on open files is %llu, %d are needed: raise it with ulimit -n %d",
                   (unsigned long long)limit.rlim_max, count, count);
}

ls_status ls_limits_try_files(int count)
{
    enum { MOST = 64 };
    int file[MOST], opened = 0;
    ls_status status = LS_OK;
    while (opened < count && opened < MOST && status == LS_OK) {
        file[opened] = open("/dev/null", O_RDONLY | O_CLOEXEC);
        if (file[opened] < 0)
            status = ls_fail(LS_ERR_FAILURE, "can't open %d more files: %s: see ulimit -n", count,
                             strerror(errno));
        else
            opened++;
    }
    while (opened > 0)
        close(file[--opened]);
    return status;
}

ls_status ls_limits_try_shared_memory(void)
{
    static const char folder[] = "/dev/shm";
    char path[LS_PATH_MAX];
    if (access(folder, F_OK) != 0)
        return LS_OK;
    snprintf(path, sizeof path, "%s/lockstep-%ld", folder, (long)getpid());
    const int file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    const int reason = errno;
    if (file >= 0) {
        close(file);
        unlink(path);
    }
    return file >= 0 || reason == EEXIST
               ? LS_OK
               : ls_fail(LS_ERR_FAILURE, "can't create a file in %s for shared memory: %s", folder,
                         strerror(reason));
}
