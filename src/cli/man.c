#include "cli/man.h"

#include <lockstep/version.h>

#include "base/memory.h"
#include "build_info.h"
#include "cli/topics.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Writes a text with roff's special characters escaped. */
static void put_escaped(FILE *out, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (text[i] == '\\')
            fputs("\\e", out);
        else if (text[i] == '-')
            fputs("\\-", out);
        else if ((text[i] == '.' || text[i] == '\'') && (i == 0 || text[i - 1] == '\n'))
            fprintf(out, "\\&%c", text[i]);
        else
            fputc(text[i], out);
}

static void put_text(FILE *out, const char *text)
{
    put_escaped(out, text, strlen(text));
}

/* Writes the head of a page.
 * name  such as "lockstep-train" */
static void put_head(FILE *out, const char *name, const char *summary)
{
    fputs(".\\\" Made by `lockstep help --man` from the tables of the program.\n.TH ", out);
    for (const char *at = name; *at != '\0'; at++)
        fputc(toupper((unsigned char)*at), out);
    fprintf(out, " 1 %s \"Lockstep %s\" \"Lockstep\"\n.nh\n.ad l\n.SH NAME\n", LS_BUILD_DATE,
            LS_VERSION);
    put_text(out, name);
    fputs(" \\- ", out);
    put_text(out, summary);
    fputc('\n', out);
}

/* Writes a line: a name in bold, then its argument in italics. */
static void put_form(FILE *out, const char *name, const char *argument)
{
    fputs("\\fB", out);
    put_text(out, name);
    fputs("\\fR", out);
    if (*argument != '\0') {
        fputs(*name != '\0' ? " \\fI" : "\\fI", out);
        put_text(out, argument);
        fputs("\\fR", out);
    }
    fputc('\n', out);
}

static void put_choices(FILE *out, const ls_choice *choices)
{
    fputs(".RS\n", out);
    for (const ls_choice *c = choices; c->name != NULL; c++) {
        if (*c->name == '\0')
            continue;
        fputs(".TP\n", out);
        put_form(out, c->name, "");
        put_text(out, c->help);
        fputc('\n', out);
    }
    fputs(".RE\n", out);
}

static void put_option(FILE *out, const ls_setting *row)
{
    char name[64] = "";
    if ((row->flags & LS_SETTING_ARGUMENT) == 0)
        snprintf(name, sizeof name, "--%s", row->name);
    fputs(".TP\n", out);
    put_form(out, name, row->argument != NULL ? row->argument : "");
    put_text(out, row->help);
    fputc('\n', out);
    if (row->initial != NULL && *row->initial != '\0') {
        fputs("[default: \\fB", out);
        put_text(out, row->initial);
        fputs("\\fR]\n", out);
    }
    if (row->choices != NULL)
        put_choices(out, row->choices);
}

static ls_status put_options(FILE *out, ls_option_table table)
{
    int count;
    ls_setting *rows = ls_options_rows(table, &count);
    if (rows == NULL)
        return LS_ERR_FAILURE;
    fputs(".SH OPTIONS\n", out);
    for (int i = 0; i < count; i++) {
        if (strcmp(rows[i].group, "Options") != 0 &&
            (i == 0 || strcmp(rows[i].group, rows[i - 1].group) != 0)) {
            fputs(".SS ", out);
            put_text(out, rows[i].group);
            fputc('\n', out);
        }
        put_option(out, &rows[i]);
    }
    ls_free(rows);
    return LS_OK;
}

/* Writes a command's further help, headings with indented lines below, as sections. */
static void put_sections(FILE *out, char *text)
{
    bool literal = false;
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        if (*line != ' ') {
            fputs(literal ? ".EE\n.SH " : ".SH ", out);
            literal = false;
        } else if (!literal) {
            fputs(".EX\n", out);
            literal = true;
        }
        put_text(out, *line == ' ' ? line + 2 : line);
        fputc('\n', out);
    }
    fputs(literal ? ".EE\n" : "", out);
}

/* Writes the end of a command's help as sections. */
static ls_status put_help(FILE *out, const ls_command *command)
{
    char *text = NULL;
    size_t length = 0;
    if (command->help == NULL)
        return LS_OK;
    FILE *memory = open_memstream(&text, &length);
    if (memory == NULL)
        return ls_fail(LS_ERR_FAILURE, "out of memory for the manual page");
    command->help(memory);
    const bool well = fclose(memory) == 0;
    if (well)
        put_sections(out, text);
    free(text);
    return well ? LS_OK : ls_fail(LS_ERR_FAILURE, "out of memory for the manual page");
}

static void put_codes(FILE *out)
{
    fputs(".SH EXIT STATUS\n", out);
#define PUT_CODE(name, value, text) fprintf(out, ".TP\n\\fB%d\\fR\n%s\n", value, text);
    LS_STATUS_LIST(PUT_CODE)
#undef PUT_CODE
}

/* Writes the list of the other pages. */
static void put_others(FILE *out, const ls_command *own)
{
    const ls_command *command;
    ls_topic topic;
    fputs(".SH SEE ALSO\n", out);
    fputs(own != NULL ? ".BR lockstep (1),\n" : "", out);
    for (int i = 0; (command = ls_command_at(i)) != NULL; i++)
        if (command != own) {
            fputs(".BR lockstep\\-", out);
            put_text(out, command->name);
            fputs(" (1),\n", out);
        }
    for (int i = 0; ls_topic_at(i, &topic); i++)
        fprintf(out, ".BR lockstep\\-%s (%d),\n", topic.name, topic.section);
    fputs(".BR mpirun (1)\n", out);
}

static void put_synopsis(FILE *out, const ls_command *command)
{
    fputs(command->parallel ? ".B mpirun \\-n\n.I N\n.B lockstep " : ".B lockstep ", out);
    put_text(out, command->name);
    fputc('\n', out);
    put_text(out, command->usage);
    fputc('\n', out);
}

ls_status ls_man_command(const ls_command *command, FILE *out)
{
    char name[64];
    snprintf(name, sizeof name, "lockstep-%s", command->name);
    put_head(out, name, command->summary);
    fputs(".SH SYNOPSIS\n", out);
    put_synopsis(out, command);
    if (command->examples != NULL) {
        fputs(".SH EXAMPLES\n.EX\n", out);
        put_text(out, command->examples);
        fputs(".EE\n", out);
    }
    ls_status status = put_options(out, command->options);
    if (status == LS_OK)
        status = put_help(out, command);
    put_codes(out);
    put_others(out, command);
    return status;
}

void ls_man_program(FILE *out)
{
    const ls_command *command;
    ls_topic topic;
    put_head(out, "lockstep", "data-parallel neural-network training over MPI");
    fputs(".SH SYNOPSIS\n.B lockstep\n.I COMMAND\n[OPTION ...]\n"
          ".SH DESCRIPTION\nLockstep trains neural networks on the CPUs of a cluster: every MPI "
          "rank trains a\nreplica on its shard of an HDF5 data set, and the gradients are summed "
          "over all ranks\nat every step.\n.SH COMMANDS\n",
          out);
    for (int i = 0; (command = ls_command_at(i)) != NULL; i++) {
        fputs(".TP\n\\fB", out);
        put_text(out, command->name);
        fputs(command->parallel ? "\\fR (under mpirun)\n" : "\\fR\n", out);
        put_text(out, command->summary);
        fputc('\n', out);
    }
    fputs(".SH PAGES\n", out);
    for (int i = 0; ls_topic_at(i, &topic); i++) {
        fprintf(out, ".TP\n\\fBlockstep\\-%s\\fR(%d)\n", topic.name, topic.section);
        put_text(out, topic.title);
        fputc('\n', out);
    }
    fputs(".SH ENVIRONMENT\n.TP\n\\fBOPENBLAS_CORETYPE\\fR\nthe BLAS kernels to use; where it is "
          "not set, and OpenBLAS has chosen kernels that\ndo not suit the processor, Lockstep sets "
          "it\n.TP\n\\fBHDF5_USE_FILE_LOCKING\\fR\nFALSE where the file system has no locks\n"
          ".TP\n\\fBLOCKSTEP_END_TIME\\fR, \\fBSLURM_JOB_END_TIME\\fR\nthe end of the batch job in "
          "seconds since 1970, the first that is set; a training stops\nbefore it\n"
          ".TP\n\\fBLOCKSTEP_FAULT\\fR\nSITE:RANK:NTH makes a named place fail, for tests\n",
          out);
    put_codes(out);
    put_others(out, NULL);
}
