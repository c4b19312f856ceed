/* The fixed parts of the completion scripts: the files of completion/. */
#ifndef LS_CLI_COMPLETION_TEXT_H
#define LS_CLI_COMPLETION_TEXT_H

#include <stddef.h>

extern const unsigned char ls_completion_text_bash[], ls_completion_text_zsh[];
extern const size_t ls_completion_text_bash_length, ls_completion_text_zsh_length;

#endif
