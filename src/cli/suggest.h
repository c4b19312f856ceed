/* What was probably meant by a word that is none of ours. */
#ifndef LS_CLI_SUGGEST_H
#define LS_CLI_SUGGEST_H

/* Of some names the one that means what `word` is called elsewhere, or that is spelled nearly like
 * it; NULL if none is. Local. The result is one of the names.
 * name  returns name number `at`, NULL past the last; "" for a place without a name */
const char *ls_suggest(const char *word, const char *(*name)(const void *user, int at),
                       const void *user);

#endif
