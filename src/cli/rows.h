/* The kind of an option's value, for completion in shells. */
#ifndef LS_CLI_ROWS_H
#define LS_CLI_ROWS_H

#include <lockstep/settings.h>

typedef enum ls_row_kind {
    LS_ROW_FLAG,   /* no value */
    LS_ROW_CHOICE, /* one of the row's choices */
    LS_ROW_FILE,   /* the path of a file */
    LS_ROW_FOLDER, /* the path of a folder */
    LS_ROW_VALUE   /* a number or a text */
} ls_row_kind;

/* The kind of a row's value, from its type and its argument's name. Local. */
ls_row_kind ls_row_kind_of(const ls_setting *row);

#endif
