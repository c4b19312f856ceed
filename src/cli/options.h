/* Options of a command: declared by rows of ls_setting, parsed from the command line and from
 * `key = value` files, printed as help.
 *
 * A command's table ends with a row of zeros. A row without a group belongs to the group of the row
 * before it, the first row to "Options". */
#ifndef LS_CLI_OPTIONS_H
#define LS_CLI_OPTIONS_H

#include <stdio.h>

#include <lockstep/settings.h>
#include <lockstep/status.h>

enum {
    /* Takes the row of this name in ls_settings(), for the value at `offset`. Argument, initial,
     * group and help given here override that row's. */
    LS_OPTION_AS_TRAIN = 1 << 8,
    /* With LS_SETTING_ARGUMENT, of the last such row: takes all further bare arguments. The value
     * is the first of them, ls_options_words() has all. */
    LS_OPTION_MANY = 1 << 9,
};

/* The declared options of a command. */
typedef struct ls_option_table {
    const ls_setting *own; /* ends with a row of zeros */
    bool trains;           /* adds all settings of ls_train_config; values begin with that struct */
} ls_option_table;

/* A command's options while they are parsed into its settings. */
typedef struct ls_options ls_options;

/* Creates options with the defaults. Local.
 * values  the struct in which `offset` counts; borrowed
 * Errors: LS_ERR_FAILURE when memory is short. */
ls_status ls_options_create(ls_options **out, ls_option_table table, void *values) LS_MUST_CHECK;

/* Names the command line that lists all options, for messages; else it is "--help". Local.
 * help  borrowed */
void ls_options_set_help(ls_options *options, const char *help);

/* Frees the options, and the texts of files, into which values may point. Local. Accepts NULL. */
void ls_options_destroy(ls_options **options);

/* Sets options from `--name value`, `--name=value`, `--flag` and bare arguments. An option may be
 * given twice only with the same text. Local.
 * argv  borrowed by the values
 * Errors: LS_ERR_USAGE. */
ls_status ls_options_parse_args(ls_options *options, int argc, char **argv) LS_MUST_CHECK;

/* Checks that each word beside --help is known; --all belongs to help. Nothing is set, and values
 * are not checked. Local. Errors: LS_ERR_USAGE. */
ls_status ls_options_check_words(ls_options *options, int argc, char **argv) LS_MUST_CHECK;

/* Sets options from the text of a file: lines `key = value`, `#` starts a comment line. A key may
 * be given twice only with the same value. Local.
 * name  of the file, for messages
 * Errors: LS_ERR_USAGE, naming the line. */
ls_status ls_options_parse_file(ls_options *options, const char *name,
                                const char *text) LS_MUST_CHECK;

/* Makes sure that required options are given. Local. Errors: LS_ERR_USAGE. */
ls_status ls_options_check(const ls_options *options) LS_MUST_CHECK;

/* The value of a text option; "" if there is no such option. Local. Borrowed until the option is
 * set again. */
const char *ls_options_get_text(const ls_options *options, const char *name);

/* Returns true if a file or the command line set an option. Local. */
bool ls_options_given(const ls_options *options, const char *name);

/* Returns the bare arguments of the option with LS_OPTION_MANY, [*count]; borrowed. Local. */
const char *const *ls_options_words(const ls_options *options, int *count);

/* The values as `key = value` lines, except those that are not saved; owned by the caller,
 * ls_free(). Local. NULL when memory is short. */
char *ls_options_text(const ls_options *options);

/* All rows of a table, [*count], ordered by group; owned by the caller,
 * ls_free(). Local. NULL when memory is short. */
ls_setting *ls_options_rows(ls_option_table table, int *count);

/* Prints the help of one option. Local. */
void ls_option_help(const ls_setting *row, FILE *out);

/* Prints the help of a table's options. Local. Errors: LS_ERR_FAILURE when memory is short. */
ls_status ls_options_help(ls_option_table table, FILE *out) LS_MUST_CHECK;

#endif
