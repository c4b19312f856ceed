/* Shared by the files options*.c. */
#ifndef LS_CLI_OPTIONS_STATE_H
#define LS_CLI_OPTIONS_STATE_H

#include "cli/options.h"

struct ls_options {
    ls_setting *row; /* [count], ordered by group */
    int count;
    void *values;
    const char **text; /* [count] set by the current file or command line; NULL: not set */
    bool *given;       /* [count] set by any file or command line */
    const char **word; /* [words] arguments of the option with LS_OPTION_MANY, owned array */
    int words;
    char **file; /* [files] texts of files, cut into pieces */
    int files;
    const char *help; /* see ls_options_set_help() */
    bool helps;       /* the words beside --help are checked */
};

/* The row of a name of `length` bytes, -1 if there is none. Local. */
int ls_options_find(const ls_options *o, const char *name, size_t length);

/* The bytes of the dashes at the start of a word, including too few, too many, and the typographic
 * dashes that a word processor substitutes. Local. */
size_t ls_options_dashes(const char *word);

/* Return the error for an unknown option, a word with dashes up to its '=', and for an unknown key
 * of a file, with a suggestion. Local. Errors: LS_ERR_USAGE, always. */
ls_status ls_options_unknown(const ls_options *o, const char *word) LS_MUST_CHECK;
ls_status ls_options_unknown_key(const ls_options *o, const char *key) LS_MUST_CHECK;

/* Returns the error for an unexpected bare argument. Local. Errors: LS_ERR_USAGE, always.
 * before  the option whose value precedes it, -1 for none */
ls_status ls_options_unexpected(const ls_options *o, const char *text, int before) LS_MUST_CHECK;

#endif
