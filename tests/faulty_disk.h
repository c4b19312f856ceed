/* A disk that fails on request. Linking a program with faulty_disk.c replaces the C library's file
 * operations, also for libraries that call them. Operations on files below the folder `run` are
 * counted. */
#ifndef LS_TESTS_FAULTY_DISK_H
#define LS_TESTS_FAULTY_DISK_H

typedef enum disk_mishap {
    DISK_WELL,
    DISK_CRASH, /* the process exits right after the operation, with code DISK_CRASHED */
    DISK_FAILS, /* the operation fails */
    DISK_FULL,  /* this and all later operations that need space fail */
    DISK_SHORT, /* half of the bytes are written, and the next write fails */
} disk_mishap;

enum { DISK_CRASHED = 77 };

/* Starts counting; operation number `at`, from 1, fails in this way with this errno. */
void disk_arm(disk_mishap mishap, int at, int error);

/* Stops counting. */
void disk_disarm(void);

/* Returns a line "OPERATION NAME\n" for each counted operation, in order. NAME is the last
 * component of the file's path; for a rename, of the new path. */
const char *disk_journal(void);

/* Returns the number of open files below the folder that were opened while the disk was armed. */
int disk_open_files(void);

#endif
