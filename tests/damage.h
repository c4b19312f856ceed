/* Files that are truncated and overwritten at random places, and what must follow: a refusal, with
 * one line and the right code, or no effect. */
#ifndef LS_TESTS_DAMAGE_H
#define LS_TESTS_DAMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lockstep/status.h>

/* Reads a file as a command does; *effect is a hash of the content. */
typedef ls_status damage_reader(const char *path, uint64_t *effect);

/* GUARDED: an accepted file must have the content from before the damage. */
enum { UNGUARDED, GUARDED };

/* A file's content in memory. */
typedef struct damage_bytes {
    char *at;
    size_t count;
} damage_bytes;

/* Selects the places of damage by LOCKSTEP_SEED, which is printed. */
void damage_begin(void);

/* Reads a data set with held-out rows. */
ls_status damage_read_dataset(const char *path, uint64_t *effect);

/* Read a file into memory, to be freed by ls_free(), and write one. */
damage_bytes damage_load(const char *path);
void damage_store(const char *path, const char *at, size_t count);

/* Asserts one line of text and the code of a bad file or a bad setting. */
void damage_check_refusal(ls_status status, const char *what, int number);

/* Counts a file that was read with this status, for the next report. */
void damage_count(ls_status status);

/* Reads a file, and asserts that damage is refused, or, if guarded, that it has no effect.
 * before  the effect of the whole file */
void damage_check(damage_reader *read, const char *path, bool guarded, uint64_t before,
                  const char *what, int number);

/* Truncates a valid file at many lengths: near its start, near its end, and between. */
void damage_truncate(damage_reader *read, const char *path, bool guarded, int cuts);

/* Damages a valid file at up to three random places from byte `from` on: flips a bit, or sets all
 * bits of a byte to 0 or 1, as in numbers at their limits. */
void damage_flip(damage_reader *read, const char *path, bool guarded, size_t from, int flips);

/* Prints the numbers of files since the last report. */
void damage_report(const char *what);

#endif
