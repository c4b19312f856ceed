#include "base/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#define XXH_STATIC_LINKING_ONLY
#include <xxhash.h>

/* Finds the value of the first line "key... : value" of a file; returns 0 if there is none. */
static int find_value(const char *path, const char *key, char *out, size_t size)
{
    char line[512];
    int found = 0;
    FILE *file = fopen(path, "r");
    while (file != NULL && !found && fgets(line, sizeof line, file) != NULL) {
        char *colon = strchr(line, ':');
        if (colon == NULL || strncmp(line, key, strlen(key)) != 0)
            continue;
        colon += 1 + strspn(colon + 1, " \t");
        colon[strcspn(colon, "\n")] = '\0';
        snprintf(out, size, "%s", colon);
        found = 1;
    }
    if (file != NULL)
        fclose(file);
    return found;
}

static double find_number(const char *path, const char *key)
{
    char text[LS_MACHINE_TEXT];
    double value = 0;
    return find_value(path, key, text, sizeof text) && sscanf(text, "%lf", &value) == 1 ? value : 0;
}

static void hash_program(char out[LS_MACHINE_TEXT])
{
    struct stat about;
    const int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (file >= 0 && fstat(file, &about) == 0 && about.st_size > 0) {
        const size_t bytes = (size_t)about.st_size;
        void *content = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, file, 0);
        if (content != MAP_FAILED) {
            const XXH128_hash_t hash = XXH3_128bits(content, bytes);
            snprintf(out, LS_MACHINE_TEXT, "%016llx%016llx", (unsigned long long)hash.high64,
                     (unsigned long long)hash.low64);
            munmap(content, bytes);
        }
    }
    if (file >= 0)
        close(file);
}

void ls_machine_look(ls_machine *out)
{
    *out = (ls_machine){0};
    find_value("/proc/cpuinfo", "model name", out->cpu, sizeof out->cpu);
    out->mhz = find_number("/proc/cpuinfo", "cpu MHz");
    out->memory = 1024 * find_number("/proc/meminfo", "MemTotal");
    out->memory_free = 1024 * find_number("/proc/meminfo", "MemAvailable");
    const double shared = ls_machine_disk_free("/dev/shm");
    out->shared_free = shared > 0 ? shared : 0;
    hash_program(out->program);
}

double ls_machine_disk_free(const char *path)
{
    char at[4096];
    struct statvfs about;
    snprintf(at, sizeof at, "%s", *path != '\0' ? path : ".");
    /* The nearest existing parent folder. */
    while (statvfs(at, &about) != 0) {
        char *slash = strrchr(at, '/');
        if (errno != ENOENT || strcmp(at, "/") == 0 || strcmp(at, ".") == 0)
            return -1;
        if (slash == NULL)
            snprintf(at, sizeof at, ".");
        else if (slash == at)
            at[1] = '\0';
        else
            *slash = '\0';
    }
    return (double)about.f_bavail * (double)about.f_frsize;
}

int ls_machine_lock_error(const char *path)
{
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return errno;
    const int error = flock(file, LOCK_SH | LOCK_NB) != 0 ? errno : 0;
    close(file);
    return error;
}
