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

/* The `key = value` lines of a text as an object of texts. Local. NULL when memory is short. */
json_t *ls_json_pairs(const char *text);

enum { LS_JSON_TEXT = 128 };

/* The value of an object at `part`, or at `key` of the object that is there (NULL: the former).
 * Local. NULL if it is not there. */
const json_t *ls_json_at(const json_t *object, const char *part, const char *key);

/* The same for people: a text of the object's own, or written to `out`; "" for what is not there,
 * null, or no single value. Local. */
const char *ls_json_show(const json_t *object, const char *part, const char *key,
                         char out[LS_JSON_TEXT]);

#endif
