/* Prose pages on a terminal. */
#ifndef LS_CLI_MARKDOWN_H
#define LS_CLI_MARKDOWN_H

#include <stddef.h>
#include <stdio.h>

#include <lockstep/status.h>

/* Prints Markdown as plain text, a paragraph in a single line for ls_print() to wrap: headings,
 * lists, tables and code, without marks and targets of links. Local.
 * text  `length` bytes of UTF-8
 * Errors: LS_ERR_FAILURE when memory is short. */
ls_status ls_markdown_print(const char *text, size_t length, FILE *out) LS_MUST_CHECK;

#endif
