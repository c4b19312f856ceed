/* Suggestions for unknown words. */
#ifndef LS_CLI_SUGGEST_H
#define LS_CLI_SUGGEST_H

/* Returns the name that means `word` in another tool, or is spelled nearly like it; NULL: none.
 * Local. The result is one of the names.
 * name  returns name number `at`, NULL past the last; "" for a place without a name */
const char *ls_suggest(const char *word, const char *(*name)(const void *user, int at),
                       const void *user);

#endif
