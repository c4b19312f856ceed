/* The rows of an option table as help, the manual and completion see them: the only place that
 * these three depend on how a table is stored. */
#ifndef LS_CLI_ROWS_H
#define LS_CLI_ROWS_H

#include "cli/options.h"

typedef enum ls_row_kind {
    LS_ROW_HEADING, /* `help` is the heading of the rows that follow */
    LS_ROW_FLAG,    /* takes no value */
    LS_ROW_CHOICE,  /* takes one of some words, see ls_row_choice() */
    LS_ROW_FILE,    /* takes the path of a file */
    LS_ROW_FOLDER,  /* takes the path of a folder */
    LS_ROW_VALUE    /* takes a number or a text */
} ls_row_kind;

typedef struct ls_row {
    ls_row_kind kind;
    const char *name;     /* without the dashes; NULL of a heading */
    const char *argument; /* what the value is called, "" of a flag */
    const char *initial;  /* the default as text, "" if there is none */
    const char *help;
    bool bare; /* may be given without its name */
} ls_row;

/* Row number `at` of a table. Returns false past the last one. Local. */
bool ls_row_at(const ls_option *table, int at, ls_row *out);

/* Choice number `choice` of row number `at`. Returns false past the last one, or if the row has
 * none. Local. name     borrowed, `length` bytes meaning  one line of help, NULL if there is none
 */
bool ls_row_choice(const ls_option *table, int at, int choice, const char **name, size_t *length,
                   const char **meaning);

/* The row of that name. Returns false if there is none. Local.
 * at  its number */
bool ls_row_find(const ls_option *table, const char *name, size_t length, int *at);

#endif
