/* Lists of terms, "rotate:15 elastic:34,4": names with numbers, in any order, each at most once,
 * separated by blanks. They are the value of options such as --augment, whose messages call them
 * words. All functions are Local. */
#ifndef LS_BASE_TERMS_H
#define LS_BASE_TERMS_H

#include <stdbool.h>

#include <lockstep/status.h>

enum { LS_TERM_NUMBERS = 2 /* of a term at most */ };

/* A term that a list can have. */
typedef struct ls_term {
    const char *name, *form, *meaning; /* form: with its numbers; meaning: one line */
    int numbers;                       /* separated by commas */
    struct {
        const char *name;
        double least, most;
        bool whole; /* must be a whole number */
    } number[LS_TERM_NUMBERS];
} ls_term;

/* All terms of an option. */
typedef struct ls_terms {
    const char *option; /* "--augment" */
    int count;          /* up to 64 */
    const ls_term *term;
} ls_terms;

/* Returns true if a list has no terms: "", blanks, or "none". */
bool ls_terms_are_none(const char *text);

/* Parses a list.
 * numbers  [terms->count] on return the numbers of the terms in the list; those of others are left
 *          alone
 * Errors: LS_ERR_USAGE, with the wrong term; LS_ERR_FAILURE when memory is short. */
ls_status ls_terms_parse(const ls_terms *terms, const char *text,
                         double (*numbers)[LS_TERM_NUMBERS]) LS_MUST_CHECK;

/* Gets form and meaning of term `at`, from 0. Returns 0 after the last. */
int ls_terms_describe(const ls_terms *terms, int at, const char **form, const char **meaning);

#endif
