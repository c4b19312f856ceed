/* What the value of an option is, for shells that complete it. */
#ifndef LS_CLI_ROWS_H
#define LS_CLI_ROWS_H

#include <lockstep/settings.h>

typedef enum ls_row_kind {
    LS_ROW_FLAG,   /* there is none */
    LS_ROW_CHOICE, /* one of the row's choices */
    LS_ROW_FILE,   /* the path of a file */
    LS_ROW_FOLDER, /* the path of a folder */
    LS_ROW_VALUE   /* a number or a text */
} ls_row_kind;

/* What kind of value a row has, by its type and its argument's name. Local. */
ls_row_kind ls_row_kind_of(const ls_setting *row);

#endif
