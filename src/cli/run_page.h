/* The page about a run: its results, then its figures, then the record. */
#ifndef LS_CLI_RUN_PAGE_H
#define LS_CLI_RUN_PAGE_H

#include <stdio.h>

#include <lockstep/status.h>

#include <lockstep/run.h>

/* The sources of the page; NULL: not given. */
typedef struct ls_run_material {
    const char *folder;
    ls_run_record run;
    struct json_t *evaluation; /* output of eval --json; owned */
    struct json_t *scaling;    /* result of `lockstep scaling`; owned */
    const char *errors;        /* path of the picture of misclassified rows */
    const char *figure;        /* path of the scaling figure, SVG */
} ls_run_material;

/* Writes the page. Local. Errors: LS_ERR_DATA if a picture is neither PNG nor SVG; LS_ERR_FAILURE
 * when memory is short. */
ls_status ls_run_page_write(FILE *out, const ls_run_material *material) LS_MUST_CHECK;

#endif
