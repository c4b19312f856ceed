/* What the files options*.c share. */
#ifndef LS_CLI_OPTIONS_STATE_H
#define LS_CLI_OPTIONS_STATE_H

#include "cli/options.h"

struct ls_options {
    ls_setting *row; /* [count], those of a group one after the other */
    int count;
    void *values;
    const char **text; /* [count] what this file or command line set the option to; NULL: nothing */
    bool *given;       /* [count] set by any file or command line */
    char **file;       /* [files] texts of files, cut into pieces */
    int files;
};

/* The row of a name of `length` bytes, -1 if there is none. Local. */
int ls_options_find(const ls_options *o, const char *name, size_t length);

/* The bytes of the dashes that a word begins with: also too few, too many, and those that a word
 * processor makes of two. Local. */
size_t ls_options_dashes(const char *word);

/* The error for a word with dashes, up to its '=', and for a key of a file, that names no option;
 * with the one that was probably meant. Local. Errors: LS_ERR_USAGE, always. */
ls_status ls_options_unknown(const ls_options *o, const char *word) LS_MUST_CHECK;
ls_status ls_options_unknown_key(const ls_options *o, const char *key) LS_MUST_CHECK;

/* The error for a bare argument that none is expected to be. Local. Errors: LS_ERR_USAGE, always.
 * before  the option whose value came last, -1 for none */
ls_status ls_options_unexpected(const ls_options *o, const char *text, int before) LS_MUST_CHECK;

#endif
