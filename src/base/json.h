/* Texts in JSON, which has to be UTF-8: paths and names need not be. */
#ifndef LS_BASE_JSON_H
#define LS_BASE_JSON_H

#include <jansson.h>
#include <stddef.h>

/* A JSON string of `length` bytes; if they are not UTF-8, each that is not ASCII becomes '?'.
 * Local. NULL when memory is short. */
json_t *ls_json_slice(const char *text, size_t length);

/* The same of a whole text. */
json_t *ls_json_text(const char *text);

#endif
