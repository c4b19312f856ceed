/* Suggestions for unknown words. */
#ifndef LS_CLI_SUGGEST_H
#define LS_CLI_SUGGEST_H

#include <stdbool.h>

/* Returns the name that means `word` in another tool, or is spelled nearly like it; NULL: none.
 * Local. The result is one of the names.
 * name  returns name number `at`, NULL past the last; "" for a place without a name */
const char *ls_suggest(const char *word, const char *(*name)(const void *user, int at),
                       const void *user);

/* Returns what to know about an option of other tools that has no equivalent here; NULL: none.
 * Local.
 * has_model  the command has an option --model, whose words some of them are */
const char *ls_explain(const char *word, bool has_model);

#endif
