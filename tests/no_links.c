/* Preloaded into a program: a file system that has no symbolic links. */
#include <errno.h>
#include <unistd.h>

int symlink(const char *target, const char *path)
{
    (void)target, (void)path;
    errno = EPERM;
    return -1;
}
