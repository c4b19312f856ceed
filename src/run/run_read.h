/* Reads what a run left in its folder; see run_log.h for what is in it. */
#ifndef LS_RUN_RUN_READ_H
#define LS_RUN_RUN_READ_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/metrics.h>
#include <lockstep/status.h>

struct json_t;

/* What is known about a run. */
typedef struct ls_run_record {
    bool finished;          /* it has come to its end */
    struct json_t *summary; /* summary.json, an object; owned. Before the end as much of it as
                             * follows from config.conf and events.jsonl: `outcome` "interrupted",
                             * "failed" or "unfinished", `text` (why), `ranks`, `threads`, `best`,
                             * `diagnosis`, `config` */
    ls_metrics *history;    /* [epochs] of metrics.csv; owned */
    int64_t epochs;
} ls_run_record;

/* Local. Columns of metrics.csv that are not known are passed over, those that are missing are NaN,
 * a last line without its end is left out.
 * Errors: LS_ERR_DATA if the folder holds no run, or a file is missing or malformed. */
ls_status ls_run_read(ls_run_record *out, const char *folder) LS_MUST_CHECK;

/* Frees what a record holds. Local. Accepts one of zeros. */
void ls_run_record_clear(ls_run_record *record);

#endif
