#include "cli/completion.h"

#include "cli/command.h"
#include "cli/completion_text.h"
#include "cli/rows.h"
#include "cli/topics.h"

#include <string.h>

/* The names of commands and topics: the argument of `help`. */
static void put_topics(FILE *out)
{
    const ls_command *command;
    ls_topic topic;
    for (int i = 0; (command = ls_command_at(i)) != NULL; i++)
        fprintf(out, "%s ", command->name);
    for (int i = 0; ls_topic_at(i, &topic); i++)
        fprintf(out, "%s ", topic.name);
}

/* The words that a row's value may be; @file or @folder, and words, for a path; @flag: no value. */
static void put_values(FILE *out, const ls_option *table, int at, const ls_row *row)
{
    const char *name, *meaning;
    size_t length;
    if (row->kind == LS_ROW_FILE || row->kind == LS_ROW_FOLDER) {
        const char *bar = strchr(row->argument, '|'); /* as in auto|PATH */
        fputs(row->kind == LS_ROW_FILE ? "@file" : "@folder", out);
        if (bar != NULL)
            fprintf(out, " %.*s", (int)(bar - row->argument), row->argument);
    } else if (row->kind == LS_ROW_FLAG)
        fputs("@flag", out);
    else if (strcmp(row->argument, "TOPIC") == 0)
        put_topics(out);
    else
        for (int i = 0; ls_row_choice(table, at, i, &name, &length, &meaning); i++)
            fprintf(out, "%.*s ", (int)length, name);
}

/* The cases of a command in bash: its options, the values of each, and of its bare arguments. */
static void put_bash_command(FILE *out, const ls_command *command)
{
    ls_row row;
    fprintf(out, "    %s:) echo '", command->name);
    for (int at = 0; ls_row_at(command->options, at, &row); at++)
        if (row.kind != LS_ROW_HEADING)
            fprintf(out, "--%s ", row.name);
    fputs("--help' ;;\n", out);
    for (int at = 0; ls_row_at(command->options, at, &row); at++) {
        if (row.kind == LS_ROW_HEADING)
            continue;
        fprintf(out, "    %s:--%s", command->name, row.name);
        if (row.bare)
            fprintf(out, " | %s:bare", command->name);
        fputs(") echo '", out);
        put_values(out, command->options, at, &row);
        fputs("' ;;\n", out);
    }
}

void ls_completion_bash(FILE *out)
{
    const ls_command *command;
    fputs("# Completion of lockstep in bash; made by `lockstep help --completion bash`.\n"
          "# What may stand in a place: words, or @file, @folder, @flag.\n"
          "_lockstep_words() { # [COMMAND [--OPTION | bare]]\n"
          "    case ${1-}:${2-} in\n    :) echo '",
          out);
    for (int i = 0; (command = ls_command_at(i)) != NULL; i++)
        fprintf(out, "%s ", command->name);
    fputs("--help --version' ;;\n", out);
    for (int i = 0; (command = ls_command_at(i)) != NULL; i++)
        put_bash_command(out, command);
    fputs("    esac\n}\n", out);
    (void)fwrite(ls_completion_text_bash, 1, ls_completion_text_bash_length, out);
}

/* A text within '[...]' of zsh's _arguments, in single quotes. */
static void put_quoted(FILE *out, const char *text)
{
    for (; *text != '\0'; text++)
        if (*text == '\'')
            fputs("'\\''", out);
        else
            fprintf(out, strchr("[]:\\", *text) != NULL ? "\\%c" : "%c", *text);
}

/* What zsh's _arguments does for a row's value: ":name:action". */
static void put_zsh_value(FILE *out, const ls_option *table, int at, const ls_row *row)
{
    fputc(':', out);
    put_quoted(out, row->argument);
    const char *bar = strchr(row->argument, '|');
    if (bar != NULL && row->kind == LS_ROW_FILE)
        fprintf(out, ":{compadd %.*s; _files}", (int)(bar - row->argument), row->argument);
    else if (row->kind == LS_ROW_FILE)
        fputs(":_files", out);
    else if (row->kind == LS_ROW_FOLDER)
        fputs(":_files -/", out);
    else {
        fputs(":(", out);
        put_values(out, table, at, row);
        fputc(')', out);
    }
}

static void put_zsh_command(FILE *out, const ls_command *command)
{
    ls_row row;
    fprintf(out, "_lockstep_%s() {\n    _arguments -S \\\n", command->name);
    for (int at = 0; ls_row_at(command->options, at, &row); at++) {
        if (row.kind == LS_ROW_HEADING)
            continue;
        if (row.bare) {
            fputs("        '1", out);
            put_zsh_value(out, command->options, at, &row);
            fputs("' \\\n", out);
        }
        fprintf(out, "        '--%s%s[", row.name, row.kind == LS_ROW_FLAG ? "" : "=");
        put_quoted(out, row.help);
        fputc(']', out);
        if (row.kind != LS_ROW_FLAG)
            put_zsh_value(out, command->options, at, &row);
        fputs("' \\\n", out);
    }
    fputs("        '--help[options of the command]'\n}\n", out);
}

void ls_completion_zsh(FILE *out)
{
    const ls_command *command;
    fputs("#compdef lockstep mpirun mpiexec orterun prterun srun\n"
          "# Completion of lockstep in zsh; made by `lockstep help --completion zsh`.\n",
          out);
    for (int i = 0; (command = ls_command_at(i)) != NULL; i++)
        put_zsh_command(out, command);
    fputs("_lockstep_commands=(\n", out);
    for (int i = 0; (command = ls_command_at(i)) != NULL; i++) {
        fprintf(out, "    '%s:", command->name);
        put_quoted(out, command->summary);
        fputs("'\n", out);
    }
    fputs("    '--help:the commands' '--version:of what it was built'\n)\n", out);
    (void)fwrite(ls_completion_text_zsh, 1, ls_completion_text_zsh_length, out);
}
