#include "cli/command.h"
#include "cli/completion.h"
#include "cli/console.h"
#include "cli/help.h"
#include "cli/man.h"
#include "cli/markdown.h"
#include "cli/suggest.h"
#include "cli/topics.h"

#include <string.h>

typedef struct settings {
    const char *topic;
    bool all, man, list;
    int completion;
} settings;

typedef enum ls_shell { SHELL_NONE, SHELL_BASH, SHELL_ZSH } ls_shell;

#define AT(field) offsetof(settings, field)
static const ls_choice shells[] = {{"", NULL}, /* not given */
                                   {"bash", "script for ~/.bashrc"},
                                   {"zsh", "script for ~/.zshrc"},
                                   {0}}; /* as ls_shell */
static const ls_setting table[] = {
    {"topic", "TOPIC", LS_TYPE_TEXT, .offset = AT(topic), .flags = LS_SETTING_ARGUMENT,
     .help = "a command, or a page of the manual"},
    {"all", NULL, LS_TYPE_FLAG, .offset = AT(all), .help = "all options of the command"},
    {"man", NULL, LS_TYPE_FLAG, .offset = AT(man),
     .help = "print the manual page of the program or command, in roff"},
    {"completion", "SHELL", LS_TYPE_CHOICE, .offset = AT(completion), .choices = shells,
     .help = "print the completion script of a shell"},
    {"list", NULL, LS_TYPE_FLAG, .offset = AT(list), .help = "print the commands' names"},
    {0},
};

/* The names of topics: the commands' names, then the pages'. */
static const char *topic_name(const void *user, int at)
{
    (void)user;
    int commands = 0;
    ls_topic topic;
    while (ls_command_at(commands) != NULL)
        commands++;
    if (at < commands)
        return ls_command_at(at)->name;
    return ls_topic_at(at - commands, &topic) ? topic.name : NULL;
}

static ls_status show_topic(const char *name, const settings *s)
{
    const ls_command *command;
    ls_topic topic;
    for (int i = 0; (command = ls_command_at(i)) != NULL; i++)
        if (strcmp(command->name, name) == 0) {
            if (s->man)
                return ls_man_command(command, stdout);
            return ls_help_command(command, s->all, stdout);
        }
    if (strncmp(name, "lockstep-", strlen("lockstep-")) == 0)
        name += strlen("lockstep-");
    for (int i = 0; ls_topic_at(i, &topic); i++)
        if (strcmp(topic.name, name) == 0) {
            if (ls_console_width(stdout) > 0)
                return ls_markdown_print(topic.text, topic.length, stdout);
            (void)fwrite(topic.text, 1, topic.length, stdout);
            return LS_OK;
        }
    const char *meant = ls_suggest(name, topic_name, NULL);
    if (meant != NULL)
        return ls_fail(LS_ERR_USAGE, "there is no topic '%s'; did you mean '%s'?", name, meant);
    return ls_fail(LS_ERR_USAGE, "there is no topic '%s'; lockstep --help lists them", name);
}

static ls_status help_run(ls_comm *comm, const ls_options *options, const void *values)
{
    (void)comm, (void)options;
    const settings *s = values;
    if (*s->topic != '\0')
        return show_topic(s->topic, s);
    if (s->completion == SHELL_BASH)
        return ls_completion_bash(stdout);
    if (s->completion == SHELL_ZSH)
        return ls_completion_zsh(stdout);
    if (s->man)
        ls_man_program(stdout);
    else if (s->list)
        for (int i = 0; ls_command_at(i) != NULL; i++)
            fprintf(stdout, "%s\n", ls_command_at(i)->name);
    else
        ls_help_program(stdout);
    return LS_OK;
}

const ls_command ls_command_help = {
    .name = "help",
    .usage = "[TOPIC | --man | --completion SHELL]",
    .summary = "a command's options, or a page of the manual",
    .options = {table, false},
    .settings_size = sizeof(settings),
    .speaks_once = true,
    .run = help_run,
};
