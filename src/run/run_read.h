/* Reads the records of a run folder, see run_log.h. */
#ifndef LS_RUN_RUN_READ_H
#define LS_RUN_RUN_READ_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/metrics.h>
#include <lockstep/status.h>

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

#endif
