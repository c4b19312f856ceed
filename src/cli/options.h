/* The option table: one array per command says what its options are, and parses the command line
 * and `key = value` files, and prints the resolved values. */
#ifndef LS_CLI_OPTIONS_H
#define LS_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <lockstep/status.h>

typedef enum ls_option_type {
    LS_OPT_TEXT,   /* const char * */
    LS_OPT_INT,    /* int64_t */
    LS_OPT_REAL,   /* double */
    LS_OPT_CHOICE, /* int: index in `choices` */
    LS_OPT_FLAG,   /* bool */
    LS_OPT_PAIR,   /* double[2], written "a,b" */
    LS_OPT_HEADING /* no option: `help` is a heading of the help text */
} ls_option_type;

enum {
    LS_OPT_FIXED = 1,     /* a resumed run must keep the value */
    LS_OPT_REQUIRED = 2,  /* has no default */
    LS_OPT_ARGUMENT = 4,  /* may also stand alone on the command line, without its name */
    LS_OPT_NOT_SAVED = 8, /* about this invocation only: not in files */
    LS_OPT_BOUND = 16,    /* fixed, and not even --resume-anyway changes that */
    LS_OPT_ORDER = 32,    /* fixed within an epoch: says which samples make up a step */
    LS_OPT_SPAN = 64,     /* fixed where other settings refer to the end of the run */
};

typedef struct ls_option {
    const char *name;     /* without the dashes; the key in files */
    const char *argument; /* what help calls the value */
    ls_option_type type;
    int flags;
    size_t offset;       /* of the value in the command's settings */
    const char *initial; /* default, as text; NULL is "" for a text and false for a flag */
    double min, max;     /* of numbers, both allowed */
    const char *choices; /* names, one blank between them */
    const char *help;
} ls_option;

/* Values of a command's options on their way into its settings. */
typedef struct ls_options ls_options;

/* Starts with the defaults. Local.
 * table     ends with a row of zeros; borrowed
 * settings  the struct that `offset` counts in; borrowed
 * Errors: LS_ERR_FAILURE when memory is short. */
ls_status ls_options_create(ls_options **out, const ls_option *table, void *settings) LS_MUST_CHECK;

/* Frees the values; texts in the settings go with them. Local. Accepts NULL. */
void ls_options_destroy(ls_options **options);

/* Sets options from `--name value`, `--name=value`, `--flag` and bare arguments. Local.
 * Errors: LS_ERR_USAGE. */
ls_status ls_options_parse_args(ls_options *options, int argc, char **argv) LS_MUST_CHECK;

/* Sets options from the text of a file: lines `key = value`, `#` starts a comment line. Local.
 * name  of the file, for messages
 * Errors: LS_ERR_USAGE, naming the line. */
ls_status ls_options_parse_file(ls_options *options, const char *name,
                                const char *text) LS_MUST_CHECK;

/* Makes sure that required options are there. Local. Errors: LS_ERR_USAGE. */
ls_status ls_options_check(const ls_options *options) LS_MUST_CHECK;

/* The text that an option was set to; "" if the table has no such option. Local. Borrowed until the
 * option is set again. */
const char *ls_options_get_text(const ls_options *options, const char *name);

/* Whether an option was set by a file or on the command line. Local. */
bool ls_options_given(const ls_options *options, const char *name);

/* The resolved values as `key = value` lines; owned by the caller, ls_free(). Local.
 * flags  only options that have one of these; 0: all
 * NULL when memory is short. */
char *ls_options_text(const ls_options *options, int flags);

#endif
