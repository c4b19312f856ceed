/* Text output on stdout and stderr: lines are wrapped to the width of a terminal, and hold no
 * control characters. All functions are Local. */
#ifndef LS_CLI_CONSOLE_H
#define LS_CLI_CONSOLE_H

#include <lockstep/status.h>

#include <jansson.h>
#include <stdio.h>

/* The current columns of the terminal that shows stdout or stderr; they may change while the
 * program runs. 0: no terminal, or TERM=dumb. */
int ls_console_width(FILE *out);

/* Prints as fprintf() does, but cleaned, see ls_clean(): only the newlines with which `format`
 * itself begins or ends are newlines. A line may be printed in several parts; it is written when it
 * is complete. On a terminal a long line continues below, indented to its second column or as the
 * line itself. On stderr a line replaces the bar. */
void ls_print(FILE *out, const char *format, ...) LS_PRINTF(2, 3);

/* Draws a bar on stderr; the next line or bar replaces it, "" erases it.
 * bar  shorter than the terminal's width */
void ls_console_draw(const char *bar);

/* Prints a JSON value as a line; control characters that JSON permits are escaped, too. Takes no
 * reference. */
void ls_print_json(FILE *out, const json_t *value);

#endif
