/* The page about a run: what it came to first, then what there is to see, then the record. */
#ifndef LS_CLI_RUN_PAGE_H
#define LS_CLI_RUN_PAGE_H

#include <stdio.h>

#include <lockstep/status.h>

#include "run/run_read.h"

/* What the page is made of; NULL where there is none. */
typedef struct ls_run_material {
    const char *folder;
    ls_run_record run;
    struct json_t *evaluation; /* what eval --json printed; owned */
    struct json_t *scaling;    /* what `lockstep scaling` found; owned */
    const char *errors;        /* a picture */
    const char *figure;        /* the scaling's, SVG */
} ls_run_material;

/* Writes the page. Local. Errors: LS_ERR_DATA if a picture is none; LS_ERR_FAILURE when memory is
 * short. */
ls_status ls_run_page_write(FILE *out, const ls_run_material *material) LS_MUST_CHECK;

#endif
