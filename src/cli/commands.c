#include "cli/command.h"

#include <stddef.h>

static const ls_command *const commands[] = {
    &ls_command_import,   &ls_command_train,   &ls_command_eval,   &ls_command_predict,
    &ls_command_generate, &ls_command_export,  &ls_command_info,   &ls_command_bench,
    &ls_command_preview,  &ls_command_scaling, &ls_command_doctor, &ls_command_report,
    &ls_command_help,
};

const ls_command *ls_command_at(int at)
{
    enum { COMMANDS = sizeof commands / sizeof *commands };
    return at < COMMANDS ? commands[at] : NULL;
}
