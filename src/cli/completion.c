#include "cli/completion.h"

#include <lockstep/network.h>

#include "base/memory.h"
#include "cli/command.h"
#include "cli/completion_text.h"
#include "cli/rows.h"
#include "cli/topics.h"

#include <string.h>

/* Writes the names of commands and topics, the argument of `help`. */
static void put_topics(FILE *out)
{
    const ls_command *command;
    ls_topic topic;
    for (int i = 0; (command = ls_command_at(i)) != NULL; i++)
        fprintf(out, "%s ", command->name);
    for (int i = 0; ls_topic_at(i, &topic); i++)
        fprintf(out, "%s ", topic.name);
}

/* Writes the names of networks, which a model string may be. */
static void put_networks(FILE *out)
{
    const char *name, *layers;
    for (int i = 0; ls_network_preset(i, &name, &layers); i++)
        fprintf(out, "%s ", name);
}

/* Writes the possible words of a row's value; @file or @folder for a path; @flag: no value. */
static void put_values(FILE *out, const ls_setting *row)
{
    const ls_row_kind kind = ls_row_kind_of(row);
    if (kind == LS_ROW_FILE || kind == LS_ROW_FOLDER) {
        const char *bar = strchr(row->argument, '|'); /* as in auto|PATH */
        fputs(kind == LS_ROW_FILE ? "@file" : "@folder", out);
        if (bar != NULL)
            fprintf(out, " %.*s", (int)(bar - row->argument), row->argument);
    } else if (kind == LS_ROW_FLAG)
        fputs("@flag", out);
    else if (strcmp(row->argument, "TOPIC") == 0)
        put_topics(out);
    else if (strcmp(row->argument, "LAYERS") == 0)
        put_networks(out);
    else
        for (const ls_choice *c = row->choices; c != NULL && c->name != NULL; c++)
            fprintf(out, *c->name != '\0' ? "%s " : "%s", c->name);
}

/* Writes the cases of a command in bash: its options, their values, its bare arguments. */
static void put_bash_command(FILE *out, const ls_command *command, const ls_setting *rows,
                             int count)
{
    const char *name = command->name;
    fprintf(out, "    %s:) echo '", name);
    for (int i = 0; i < count; i++)
        fprintf(out, "--%s ", rows[i].name);
    fputs("--help' ;;\n", out);
    fprintf(out, "    %s:--help) echo '%s' ;;\n", name,
            command->common != NULL ? "--all" : "@flag");
    for (int i = 0; i < count; i++) {
        fprintf(out, "    %s:--%s", name, rows[i].name);
        if ((rows[i].flags & LS_SETTING_ARGUMENT) != 0)
            fprintf(out, " | %s:bare", name);
        fputs(") echo '", out);
        put_values(out, &rows[i]);
        fputs("' ;;\n", out);
    }
}

/* Writes a part of a script for each command. */
static ls_status put_commands(FILE *out, void (*put)(FILE *out, const ls_command *command,
                                                     const ls_setting *rows, int count))
{
    const ls_command *command;
    int count;
    for (int i = 0; (command = ls_command_at(i)) != NULL; i++) {
        ls_setting *rows = ls_options_rows(command->options, &count);
        if (rows == NULL)
            return LS_ERR_FAILURE;
        put(out, command, rows, count);
        ls_free(rows);
    }
    return LS_OK;
}

ls_status ls_completion_bash(FILE *out)
{
    const ls_command *command;
    fputs("# Completion of lockstep in bash; made by `lockstep help --completion bash`.\n"
          "# Candidates at a position: words, or @file, @folder, @flag.\n"
          "_lockstep_words() { # [COMMAND [--OPTION | bare]]\n"
          "    case ${1-}:${2-} in\n    :) echo '",
          out);
    for (int i = 0; (command = ls_command_at(i)) != NULL; i++)
        fprintf(out, "%s ", command->name);
    fputs("--help --version' ;;\n", out);
    ls_status status = put_commands(out, put_bash_command);
    fputs("    esac\n}\n", out);
    (void)fwrite(ls_completion_text_bash, 1, ls_completion_text_bash_length, out);
    return status;
}

/* Writes a text inside '[...]' of zsh's _arguments, in single quotes. */
static void put_quoted(FILE *out, const char *text)
{
    for (; *text != '\0'; text++)
        if (*text == '\'')
            fputs("'\\''", out);
        else
            fprintf(out, strchr("[]:\\", *text) != NULL ? "\\%c" : "%c", *text);
}

/* Writes the value of a row for zsh's _arguments: ":name:action". */
static void put_zsh_value(FILE *out, const ls_setting *row)
{
    const ls_row_kind kind = ls_row_kind_of(row);
    fputc(':', out);
    put_quoted(out, row->argument);
    const char *bar = strchr(row->argument, '|');
    if (bar != NULL && kind == LS_ROW_FILE)
        fprintf(out, ":{compadd %.*s; _files}", (int)(bar - row->argument), row->argument);
    else if (kind == LS_ROW_FILE)
        fputs(":_files", out);
    else if (kind == LS_ROW_FOLDER)
        fputs(":_files -/", out);
    else {
        fputs(":(", out);
        put_values(out, row);
        fputc(')', out);
    }
}

static void put_zsh_command(FILE *out, const ls_command *command, const ls_setting *rows, int count)
{
    fprintf(out, "_lockstep_%s() {\n    _arguments -S \\\n", command->name);
    for (const ls_setting *row = rows; row < rows + count; row++) {
        const bool flag = ls_row_kind_of(row) == LS_ROW_FLAG;
        if ((row->flags & LS_SETTING_ARGUMENT) != 0) {
            fputs((row->flags & LS_OPTION_MANY) != 0 ? "        '*" : "        '1", out);
            put_zsh_value(out, row);
            fputs("' \\\n", out);
        }
        fprintf(out, "        '--%s%s[", row->name, flag ? "" : "=");
        put_quoted(out, row->help);
        fputc(']', out);
        if (!flag)
            put_zsh_value(out, row);
        fputs("' \\\n", out);
    }
    if (command->common != NULL)
        fputs("        '--all[with --help: all options]' \\\n", out);
    fputs("        '--help[options of the command]'\n}\n", out);
}

ls_status ls_completion_zsh(FILE *out)
{
    const ls_command *command;
    fputs("#compdef lockstep mpirun mpiexec orterun prterun srun\n"
          "# Completion of lockstep in zsh; made by `lockstep help --completion zsh`.\n",
          out);
    ls_status status = put_commands(out, put_zsh_command);
    fputs("_lockstep_commands=(\n", out);
    for (int i = 0; (command = ls_command_at(i)) != NULL; i++) {
        fprintf(out, "    '%s:", command->name);
        put_quoted(out, command->summary);
        fputs("'\n", out);
    }
    fputs("    '--help:the commands' '--version:version, compiler, libraries'\n)\n", out);
    (void)fwrite(ls_completion_text_zsh, 1, ls_completion_text_zsh_length, out);
    return status;
}
