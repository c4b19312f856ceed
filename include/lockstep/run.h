/* Files of trainings: the records in a run folder, and the kind of a file. All functions are Local.
 */
#ifndef LOCKSTEP_RUN_H
#define LOCKSTEP_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lockstep/metrics.h>
#include <lockstep/status.h>

#ifdef __cplusplus
extern "C" {
#endif

struct json_t;

/* The records of a run. */
typedef struct ls_run_record {
    bool finished;          /* the run has a summary.json */
    struct json_t *summary; /* summary.json, an object; owned. Of an unfinished run the part that
                             * follows from config.conf and events.jsonl: `outcome` "interrupted",
                             * "failed" or "unfinished", `text` (the reason), `ranks`, `threads`,
                             * `best`, `diagnosis`, `config` */
    ls_metrics *history;    /* [epochs] of metrics.csv; owned */
    int64_t epochs;
} ls_run_record;

/* Reads the records of a run folder. Unknown columns of metrics.csv are ignored, missing ones are
 * NaN, and an incomplete last line is ignored. Local.
 * Errors: LS_ERR_DATA if the folder holds no run, or a file is missing or malformed. */
ls_status ls_run_read(ls_run_record *out, const char *folder) LS_MUST_CHECK;

/* Frees the content of a record. Accepts a zeroed record. Local. */
void ls_run_record_clear(ls_run_record *record);

/* Returns the columns of a task in a row of the history as a jansson object, owned by the caller;
 * NaN becomes null. Returns NULL when memory is short.
 * kinds  LS_TASK_..., of ls_task_kinds() */
struct json_t *ls_metrics_json(const ls_metrics *metrics, unsigned kinds);

/* A data set, a checkpoint, or another HDF5 file. */
typedef struct ls_file_facts {
    bool checkpoint;
    bool foreign;    /* neither a checkpoint nor a data set of Lockstep's own layout */
    bool sealed;     /* the file has a digest, and its content matches it */
    char digest[33]; /* XXH3-128 as hex digits; "" if there is none */
} ls_file_facts;

/* Verifies a file's digest, if it has one, and determines its kind.
 * Errors: LS_ERR_DATA if the file is missing, damaged, or no HDF5 file; LS_INTERRUPTED after a
 * signal. */
ls_status ls_file_identify(const char *path, ls_file_facts *out) LS_MUST_CHECK;

/* Finds the checkpoint for a user's path: a file; a run folder or its folder of checkpoints, of
 * which the best is found, else the last; or `best` or `last` in that folder. If these links do not
 * exist, the checkpoints themselves are read.
 * newest  true: the last checkpoint of a folder instead of the best
 * Errors: LS_ERR_DATA if there is none, or the best or last can't be determined; LS_ERR_USAGE if
 * the path is too long for `size` bytes. */
ls_status ls_checkpoint_find(const char *path, bool newest, char *out, size_t size) LS_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
