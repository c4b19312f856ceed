/* What the program writes for people, on stdout and stderr: lines that fit a terminal's width where
 * one is watched, and that hold nothing which a terminal would obey. Local. */
#ifndef LS_CLI_CONSOLE_H
#define LS_CLI_CONSOLE_H

#include <lockstep/status.h>

#include <jansson.h>
#include <stdio.h>

/* The columns of the terminal on which stdout or stderr ends, as they are now, for it may be
 * changed while the program runs; 0 if it ends on none, or on one that is called dumb. */
int ls_console_width(FILE *out);

/* Prints as fprintf() does, but cleaned, see ls_clean(): only the newlines with which `format`
 * itself begins or ends are newlines. A line may be printed in several parts, and comes when it is
 * whole. On a terminal what is too long for it goes on below, indented as far as its second column,
 * or as itself. On stderr it takes the place of a bar. */
void ls_print(FILE *out, const char *format, ...) LS_PRINTF(2, 3);

/* Draws a bar on stderr, a line that the next one of any kind replaces; "" takes it away.
 * bar  shorter than the terminal is wide */
void ls_console_draw(const char *bar);

/* Prints a JSON value as a line; control characters that JSON would leave as they are, too, are
 * escaped. Takes no reference. */
void ls_print_json(FILE *out, const json_t *value);

#endif
