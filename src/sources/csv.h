/* Tables in text: records of fields between commas, semicolons or tabs (RFC 4180), plain or gzip.
 * A field may be quoted; a quoted one may contain separators, line ends and doubled quotes. Blank
 * lines are left out. All functions are Local. */
#ifndef LS_SOURCES_CSV_H
#define LS_SOURCES_CSV_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/status.h>

typedef struct ls_csv ls_csv; /* a file being read from its beginning to its end */

/* Opens a file. The separator is the one that comes first in its first line.
 * Errors: LS_ERR_DATA if it can't be read; LS_ERR_FAILURE; *out is left alone. */
ls_status ls_csv_open(ls_csv **out, const char *path) LS_MUST_CHECK;

/* Returns the path that the file was opened with; borrowed. */
const char *ls_csv_path(const ls_csv *csv);

/* Reads the next record.
 * end  on return true if there is none
 * Errors: LS_ERR_DATA for damaged files, zero bytes, text behind a closing quote, a quote that is
 * not closed, and records of more than 64 MiB or 2^20 fields; LS_ERR_FAILURE. */
ls_status ls_csv_next(ls_csv *csv, bool *end) LS_MUST_CHECK;

/* Describe the latest record: its number of fields; a field, without quotes, valid until the next
 * record; the line on which it begins, from 1. */
int64_t ls_csv_fields(const ls_csv *csv);
const char *ls_csv_field(const ls_csv *csv, int64_t at);
int64_t ls_csv_line(const ls_csv *csv);

/* Returns to the beginning of the file. Errors: LS_ERR_DATA. */
ls_status ls_csv_rewind(ls_csv *csv) LS_MUST_CHECK;

/* Closes, frees and sets *csv to NULL; accepts NULL. */
void ls_csv_close(ls_csv **csv);

#endif
