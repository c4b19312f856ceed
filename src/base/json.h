/* JSON strings from texts that may not be UTF-8, as paths and names; and reading JSON values. */
#ifndef LS_BASE_JSON_H
#define LS_BASE_JSON_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* Returns a JSON string of `length` bytes; if they are not UTF-8, each non-ASCII byte becomes '?'.
 * Local. NULL if memory is short. */
json_t *ls_json_slice(const char *text, size_t length);

/* As ls_json_slice(), of a zero-terminated text. Local. */
json_t *ls_json_text(const char *text);

/* Returns texts as an array of strings, as ls_json_text(). Local. NULL if `texts` is, or memory is
 * short. */
json_t *ls_json_texts(const char *const *texts, int64_t count);

/* Returns the `key = value` lines of a text as an object of strings. Local. NULL if memory is
 * short. */
json_t *ls_json_pairs(const char *text);

enum { LS_JSON_TEXT = 128 };

/* Returns object[part], or, if `key` is not NULL, object[part][key]. Local. NULL if missing. */
const json_t *ls_json_at(const json_t *object, const char *part, const char *key);

/* Returns the value of ls_json_at() as text, for people: borrowed from the object, or written to
 * `out`; "" for a missing value, null, an array or an object. Local. */
const char *ls_json_show(const json_t *object, const char *part, const char *key,
                         char out[LS_JSON_TEXT]);

#endif
