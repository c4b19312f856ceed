/* A disk that fails when it is told to. A program that is linked with faulty_disk.c has the file
 * operations of the C library replaced, those that libraries call, too; the ones on files below the
 * folder `run` are counted. */
#ifndef LS_TESTS_FAULTY_DISK_H
#define LS_TESTS_FAULTY_DISK_H

typedef enum disk_mishap {
    DISK_WELL,
    DISK_CRASH, /* the process ends right after the operation, with DISK_CRASHED */
    DISK_FAILS, /* the operation fails */
    DISK_FULL,  /* it fails if it needs room, and so do all later ones that need some */
    DISK_SHORT, /* half of what it was to write is written, and the next write fails */
} disk_mishap;

enum { DISK_CRASHED = 77 };

/* Counts from now on, and lets this befall operation number `at`, from 1, with this errno. */
void disk_arm(disk_mishap mishap, int at, int error);

/* Stops counting. */
void disk_disarm(void);

/* A line "OPERATION NAME\n" for each operation counted, in their order. NAME is the last part of
 * the file's path, the new one when it is renamed. */
const char *disk_journal(void);

/* Files below the folder that are open, opened while it was armed. */
int disk_open_files(void);

#endif
