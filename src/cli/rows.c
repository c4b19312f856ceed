#include "cli/rows.h"

#include <string.h>

/* What the name of an argument says of its value: FILE, DIR and their like are paths. */
static ls_row_kind kind_of(const ls_option *option)
{
    if (option->type == LS_OPT_HEADING)
        return LS_ROW_HEADING;
    if (option->type == LS_OPT_FLAG)
        return LS_ROW_FLAG;
    if (option->type == LS_OPT_CHOICE)
        return LS_ROW_CHOICE;
    if (strstr(option->argument, "FILE") != NULL || strstr(option->argument, "PATH") != NULL)
        return LS_ROW_FILE;
    if (strstr(option->argument, "DIR") != NULL || strstr(option->argument, "FOLDER") != NULL)
        return LS_ROW_FOLDER;
    return LS_ROW_VALUE;
}

bool ls_row_at(const ls_option *table, int at, ls_row *out)
{
    const ls_option *option = &table[at];
    if (option->help == NULL)
        return false;
    *out = (ls_row){.kind = kind_of(option),
                    .name = option->name,
                    .argument = option->argument != NULL ? option->argument : "",
                    .initial = option->initial != NULL ? option->initial : "",
                    .help = option->help,
                    .bare = (option->flags & LS_OPT_ARGUMENT) != 0};
    return true;
}

bool ls_row_choice(const ls_option *table, int at, int choice, const char **name, size_t *length,
                   const char **meaning)
{
    const char *word = table[at].choices != NULL ? table[at].choices : "";
    *meaning = NULL;
    for (; *word != '\0'; choice--) {
        *length = strcspn(word, " ");
        *name = word;
        if (choice == 0)
            return true;
        word += *length + strspn(word + *length, " ");
    }
    return false;
}

bool ls_row_find(const ls_option *table, const char *name, size_t length, int *at)
{
    ls_row row;
    for (*at = 0; ls_row_at(table, *at, &row); ++*at)
        if (row.name != NULL && strlen(row.name) == length && memcmp(row.name, name, length) == 0)
            return true;
    return false;
}
