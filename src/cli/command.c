#include "cli/command.h"

#include "base/file.h"
#include "base/memory.h"
#include "cli/console.h"

#include <stdio.h>
#include <string.h>

enum { HELP = 64 };

/* Agrees on a status with all ranks; without a communicator returns it. Collective. */
static ls_status agree_if_parallel(ls_comm *comm, ls_status status)
{
    return comm != NULL ? ls_agree(comm, status) : status;
}

/* Reads a file on rank 0 and broadcasts its text. Collective. */
static ls_status read_config(ls_comm *comm, const char *path, char **text)
{
    enum { CONFIG_MAX = 1 << 20 };
    size_t length = 0;
    ls_status status = LS_OK;
    if (comm == NULL || ls_comm_rank(comm) == 0)
        status = ls_read_file(path, CONFIG_MAX, LS_ERR_USAGE, text, &length);
    if (status == LS_OK && *text != NULL && strlen(*text) != length)
        status = ls_fail(LS_ERR_USAGE, "%s: holds a zero byte: not a text file", path);
    status = comm != NULL ? ls_agree_root(comm, status) : status;
    return status == LS_OK && comm != NULL ? ls_broadcast_text(comm, text) : status;
}

/* Sets the options from the configuration file, then again from the command line, which wins.
 * Collective. */
static ls_status apply_config(ls_comm *comm, ls_options *options, int argc, char **argv)
{
    char *path = NULL, *text = NULL;
    ls_status status = LS_OK;
    if (*ls_options_get_text(options, "config") == '\0')
        return LS_OK;
    /* A copy: setting an option frees its former text. */
    path = ls_strdup(ls_options_get_text(options, "config"));
    status = agree_if_parallel(comm, path == NULL ? LS_ERR_FAILURE : LS_OK);
    if (status == LS_OK)
        status = read_config(comm, path, &text);
    if (status == LS_OK) {
        status = ls_options_parse_file(options, path, text);
        if (status == LS_OK)
            status = ls_options_parse_args(options, argc, argv);
        status = agree_if_parallel(comm, status);
    }
    ls_free(text);
    ls_free(path);
    return status;
}

/* Creates the options of a command. Local.
 * help  on return the command line that lists them */
static ls_status create_options(const ls_command *command, void *settings, char help[HELP],
                                ls_options **out)
{
    const ls_status status = ls_options_create(out, command->options, settings);
    snprintf(help, HELP, "lockstep %s --help%s", command->name,
             command->common != NULL ? " --all" : "");
    if (status == LS_OK)
        ls_options_set_help(*out, help);
    return status;
}

/* Makes sure that all ranks were given the same settings. Collective. */
static ls_status agree_on_settings(ls_comm *comm, const ls_options *options)
{
    char *text = ls_options_text(options);
    ls_status status = ls_agree(comm, text == NULL ? LS_ERR_FAILURE : LS_OK);
    if (status == LS_OK)
        status = ls_agree_equal(comm, text, "the configuration");
    ls_free(text);
    return status;
}

ls_status ls_command_run(const ls_command *command, ls_comm *comm, int argc, char **argv)
{
    ls_options *options = NULL;
    char help[HELP];
    void *settings = ls_alloc(1, command->settings_size);
    ls_status status = agree_if_parallel(comm, settings == NULL ? LS_ERR_FAILURE : LS_OK);
    if (status == LS_OK)
        status = agree_if_parallel(comm, create_options(command, settings, help, &options));
    if (status == LS_OK)
        status = agree_if_parallel(comm, ls_options_parse_args(options, argc, argv));
    if (status == LS_OK)
        status = apply_config(comm, options, argc, argv);
    if (status == LS_OK)
        status = agree_if_parallel(comm, ls_options_check(options));
    if (status == LS_OK && comm != NULL)
        status = agree_on_settings(comm, options);
    if (status == LS_OK)
        status = command->run(comm, options, settings);
    ls_options_destroy(&options);
    ls_free(settings);
    return status;
}

ls_status ls_command_check_help(const ls_command *command, int argc, char **argv)
{
    ls_options *options = NULL;
    char help[HELP];
    void *settings = ls_alloc(1, command->settings_size);
    ls_status status = settings == NULL ? LS_ERR_FAILURE : LS_OK;
    if (status == LS_OK)
        status = create_options(command, settings, help, &options);
    if (status == LS_OK)
        status = ls_options_check_words(options, argc, argv);
    ls_options_destroy(&options);
    ls_free(settings);
    return status;
}

void ls_command_list(const char *heading,
                     int (*word)(int at, const char **form, const char **meaning), FILE *out)
{
    const char *form, *meaning;
    int width = 32; /* of the words and a blank */
    for (int i = 0; word(i, &form, &meaning); i++)
        width = (int)strlen(form) >= width ? (int)strlen(form) + 1 : width;
    ls_print(out, "\n%s\n", heading);
    for (int i = 0; word(i, &form, &meaning); i++)
        ls_print(out, "  %-*s%s\n", width, form, meaning);
}
