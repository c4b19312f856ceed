/* Description of the machine that this process runs on, as reported by Linux. */
#ifndef LS_BASE_MACHINE_H
#define LS_BASE_MACHINE_H

enum { LS_MACHINE_TEXT = 64 };

typedef struct ls_machine {
    /* Unknown values are "" and 0. */
    char cpu[LS_MACHINE_TEXT];     /* model name */
    char program[LS_MACHINE_TEXT]; /* digest of the program's executable */
    double mhz;                    /* current clock rate of the first processor */
    double memory, memory_free;    /* bytes: total and available */
    double shared_free;            /* bytes free in /dev/shm */
} ls_machine;

/* Describes this machine. Local. */
void ls_machine_look(ls_machine *out);

/* Returns the bytes available to this user in the file system of `path`, which may not exist yet;
 * -1: unknown. Local. */
double ls_machine_disk_free(const char *path);

/* Tries to lock the file at `path` for reading, as HDF5 does by default. Returns 0, or the errno.
 * Local. */
int ls_machine_lock_error(const char *path);

#endif
