/* The rows of a command's table, and their help. */
#include "cli/options_state.h"

#include "base/memory.h"
#include "cli/console.h"

#include <assert.h>
#include <string.h>

int ls_options_find(const ls_options *o, const char *name, size_t length)
{
    for (int i = 0; i < o->count; i++)
        if (strlen(o->row[i].name) == length && memcmp(o->row[i].name, name, length) == 0)
            return i;
    return -1;
}

/* Completes a row of a command.
 * group  group of the row before */
static ls_setting resolve(const ls_setting *own, const char *group)
{
    ls_setting row = *own;
    if ((own->flags & LS_OPTION_AS_TRAIN) != 0) {
        const ls_setting *train = ls_setting_find(own->name, strlen(own->name));
        assert(train != NULL);
        row = *train;
        row.offset = own->offset;
        row.change = LS_CHANGE_FREE;
        row.flags = (train->flags & ~LS_SETTING_REQUIRED) | own->flags;
        row.argument = own->argument != NULL ? own->argument : train->argument;
        row.initial = own->initial != NULL ? own->initial : train->initial;
        row.help = own->help != NULL ? own->help : train->help;
    }
    row.group = own->group != NULL ? own->group : group;
    return row;
}

/* Inserts a row after the others of its group. */
static void insert_row(ls_setting *rows, int *count, ls_setting row)
{
    int at = *count;
    for (int i = 0; i < *count; i++)
        if (strcmp(rows[i].group, row.group) == 0)
            at = i + 1;
    memmove(&rows[at + 1], &rows[at], (size_t)(*count - at) * sizeof *rows);
    rows[at] = row;
    ++*count;
}

ls_setting *ls_options_rows(ls_option_table table, int *count)
{
    int train, own = 0;
    const ls_setting *settings = ls_settings(&train);
    const char *group = "Options";
    while (table.own[own].name != NULL)
        own++;
    *count = table.trains ? train : 0;
    ls_setting *rows = ls_alloc(*count + own, sizeof *rows);
    if (rows == NULL)
        return NULL;
    memcpy(rows, settings, (size_t)*count * sizeof *rows);
    for (int i = 0; i < own; i++) {
        const ls_setting row = resolve(&table.own[i], group);
        group = row.group;
        insert_row(rows, count, row);
    }
    return rows;
}

enum { COLUMN = 28, CHOICE = 16 }; /* column of the help; width of a choice's name */

void ls_option_help(const ls_setting *row, FILE *out)
{
    char form[64];
    const bool bare = (row->flags & LS_SETTING_ARGUMENT) != 0;
    const char *argument = row->argument != NULL ? row->argument : "";
    const int width = bare ? snprintf(form, sizeof form, "  %s", argument)
                           : snprintf(form, sizeof form, "  --%s%s%s", row->name,
                                      *argument != '\0' ? " " : "", argument);
    if (width < COLUMN - 1)
        ls_print(out, "%-*s%s", COLUMN, form, row->help);
    else {
        ls_print(out, "%s\n", form);
        ls_print(out, "%*s%s", COLUMN, "", row->help);
    }
    if (row->initial != NULL && *row->initial != '\0')
        ls_print(out, " [%s]", row->initial);
    ls_print(out, "\n");
    for (const ls_choice *c = row->choices; c != NULL && c->name != NULL; c++)
        if (*c->name != '\0')
            ls_print(out, "%*s%-*s %s\n", COLUMN + 2, "", CHOICE - 1, c->name, c->help);
}

ls_status ls_options_help(ls_option_table table, FILE *out)
{
    int count;
    ls_setting *rows = ls_options_rows(table, &count);
    if (rows == NULL)
        return LS_ERR_FAILURE;
    for (int i = 0; i < count; i++) {
        if (i == 0 || strcmp(rows[i].group, rows[i - 1].group) != 0)
            ls_print(out, "\n%s\n", rows[i].group);
        ls_option_help(&rows[i], out);
    }
    ls_free(rows);
    return LS_OK;
}
