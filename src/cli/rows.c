#include "cli/rows.h"

#include <string.h>

ls_row_kind ls_row_kind_of(const ls_setting *row)
{
    if (row->type == LS_TYPE_FLAG)
        return LS_ROW_FLAG;
    if (row->type == LS_TYPE_CHOICE)
        return LS_ROW_CHOICE;
    if (strstr(row->argument, "FILE") != NULL || strstr(row->argument, "PATH") != NULL)
        return LS_ROW_FILE;
    if (strstr(row->argument, "DIR") != NULL || strstr(row->argument, "FOLDER") != NULL ||
        strcmp(row->argument, "RUN") == 0)
        return LS_ROW_FOLDER;
    return LS_ROW_VALUE;
}
