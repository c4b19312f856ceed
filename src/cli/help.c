#include "cli/help.h"

#include <lockstep/version.h>

#include "base/memory.h"
#include "cli/topics.h"

#include <assert.h>
#include <string.h>

/* Prints the command's list of common options. */
static ls_status print_common_options(const ls_command *command, FILE *out)
{
    int count;
    ls_setting *rows = ls_options_rows(command->options, &count);
    if (rows == NULL)
        return LS_ERR_FAILURE;
    fputs("\nCommon options\n", out);
    for (const char *word = command->common; *word != '\0'; word += strspn(word, " ")) {
        const size_t length = strcspn(word, " ");
        int at = 0;
        while (at < count &&
               (strlen(rows[at].name) != length || memcmp(rows[at].name, word, length) != 0))
            at++;
        assert(at < count);
        if (at < count)
            ls_option_help(&rows[at], out);
        word += length;
    }
    ls_free(rows);
    return LS_OK;
}

/* Prints examples, common options, and where to find the rest. */
static ls_status print_common(const ls_command *command, FILE *out)
{
    ls_topic topic;
    fprintf(out, "\nExamples\n%s", command->examples);
    ls_status status = print_common_options(command, out);
    fprintf(out,
            "\nAll options, layers and augmentations: lockstep %s --help --all\n"
            "Manual: lockstep help TOPIC; topics:",
            command->name);
    for (int i = 0; ls_topic_at(i, &topic); i++)
        fprintf(out, "%s %s", i > 0 ? "," : "", topic.name);
    fputc('\n', out);
    return status;
}

ls_status ls_help_command(const ls_command *command, bool all, FILE *out)
{
    fprintf(out, "usage: %slockstep %s %s\n%s\n", command->parallel ? "mpirun -n N " : "",
            command->name, command->usage, command->summary);
    if (command->common != NULL && !all)
        return print_common(command, out);
    if (command->common == NULL && command->examples != NULL)
        fprintf(out, "\nExamples\n%s", command->examples);
    ls_status status = ls_options_help(command->options, out);
    if (command->help != NULL)
        command->help(out);
    return status;
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
