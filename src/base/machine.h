/* What the machine is that this process runs on, as far as Linux tells. */
#ifndef LS_BASE_MACHINE_H
#define LS_BASE_MACHINE_H

enum { LS_MACHINE_TEXT = 64 };

typedef struct ls_machine {
    char cpu[LS_MACHINE_TEXT];     /* model name; "" where unknown, as all of these */
    char program[LS_MACHINE_TEXT]; /* a digest of the program's own file */
    double mhz;                    /* of this processor, now; 0: unknown, as all of these */
    double memory, memory_free;    /* bytes: in all, and what could be had */
    double shared_free;            /* bytes that /dev/shm has room for */
} ls_machine;

/* Describes this machine. Local. */
void ls_machine_look(ls_machine *out);

/* Bytes that this user may still write where `path` is, or will be; -1: unknown. Local. */
double ls_machine_disk_free(const char *path);

/* Whether HDF5 can lock the file at `path` while it reads it, as it does unless told otherwise: 0,
 * or the errno. Local. */
int ls_machine_lock_error(const char *path);

#endif
