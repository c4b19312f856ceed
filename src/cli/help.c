#include "cli/help.h"

#include <lockstep/version.h>

#include "cli/console.h"
#include "cli/rows.h"
#include "cli/topics.h"

#include <assert.h>
#include <string.h>

/* Prints the choices of a row: in its line, or one a line if they have meanings. */
static void print_choices(const ls_option *table, int at, int column, FILE *out)
{
    const char *name, *meaning, *separator = ": ";
    size_t length;
    for (int i = 0; ls_row_choice(table, at, i, &name, &length, &meaning); i++) {
        if (meaning != NULL)
            ls_print(out, "\n%*s%.*s: %s", column, "", (int)length, name, meaning);
        else
            ls_print(out, "%s%.*s", separator, (int)length, name);
        separator = " ";
    }
}

/* Prints an option: its name and argument, and from a column on what it does. */
static void print_row(const ls_option *table, int at, const ls_row *row, FILE *out)
{
    enum { COLUMN = 28 };
    char form[64];
    const int width = row->bare ? snprintf(form, sizeof form, "  %s", row->argument)
                                : snprintf(form, sizeof form, "  --%s%s%s", row->name,
                                           *row->argument != '\0' ? " " : "", row->argument);
    if (width >= COLUMN - 1) {
        ls_print(out, "%s\n", form);
        *form = '\0';
    }
    ls_print(out, "%-*s%s", COLUMN, form, row->help);
    print_choices(table, at, COLUMN, out);
    if (*row->initial != '\0')
        ls_print(out, " [%s]", row->initial);
    ls_print(out, "\n");
}

static void print_options(const ls_option *table, FILE *out)
{
    ls_row row;
    for (int at = 0; ls_row_at(table, at, &row); at++)
        if (row.kind == LS_ROW_HEADING)
            ls_print(out, "\n%s\n", row.help);
        else
            print_row(table, at, &row, out);
}

/* Prints the examples and the options that a command names as its commonest. */
static void print_common(const ls_command *command, FILE *out)
{
    ls_row row;
    int at;
    fprintf(out, "\nExamples\n%s\nCommon options\n", command->examples);
    for (const char *word = command->common; *word != '\0'; word += strspn(word, " ")) {
        const size_t length = strcspn(word, " ");
        const bool found = ls_row_find(command->options, word, length, &at) &&
                           ls_row_at(command->options, at, &row);
        assert(found);
        if (found)
            print_row(command->options, at, &row, out);
        word += length;
    }
    fprintf(out,
            "\nAll options, layers and augmentations: lockstep %s --help --all\n"
            "Manual: lockstep help TOPIC, of which there are",
            command->name);
    ls_topic topic;
    for (int i = 0; ls_topic_at(i, &topic); i++)
        fprintf(out, "%s %s", i > 0 ? "," : "", topic.name);
    fputc('\n', out);
}

void ls_help_command(const ls_command *command, bool all, FILE *out)
{
    fprintf(out, "usage: %slockstep %s %s\n%s\n", command->parallel ? "mpirun -n N " : "",
            command->name, command->usage, command->summary);
    if (command->common != NULL && !all) {
        print_common(command, out);
        return;
    }
    print_options(command->options, out);
    if (command->help != NULL)
        command->help(out);
}

void ls_help_program(FILE *out)
{
    const ls_command *command;
    ls_topic topic;
    fprintf(out, "lockstep %s: data-parallel neural-network training over MPI\n\n", LS_VERSION);
    for (int i = 0; (command = ls_command_at(i)) != NULL; i++)
        fprintf(out, "  %12s lockstep %-16s%s\n", command->parallel ? "mpirun -n N" : "",
                command->name, command->summary);
    fprintf(out, "\n  lockstep COMMAND --help      options of a command\n"
                 "  lockstep help TOPIC          a page of the manual:\n");
    for (int i = 0; ls_topic_at(i, &topic); i++)
        fprintf(out, "                                 %-12s%s\n", topic.name, topic.title);
    fprintf(out, "  lockstep --version\n\nExit codes\n");
#define PRINT_CODE(name, value, text) fprintf(out, "  %2d  %s\n", value, text);
    LS_STATUS_LIST(PRINT_CODE)
#undef PRINT_CODE
}
