/* The description of a file, as `lockstep info` prints it. Local. */
#ifndef LS_CLI_INFO_TEXT_H
#define LS_CLI_INFO_TEXT_H

#include <jansson.h>

/* Prints a description, an object, part by part; empty parts are left out. */
void ls_info_print(const json_t *description);

#endif
