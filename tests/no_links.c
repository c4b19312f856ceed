/* Preloaded into a program: simulates a file system without symbolic links. */
#include <errno.h>
#include <unistd.h>

int symlink(const char *target, const char *path)
{
    (void)target, (void)path;
    errno = EPERM;
    return -1;
}
