/* The commonest words of a text, and their tokens: 0 is padding, 1 an unknown word, and from 2 on
 * words by descending number, equally many by their bytes. All functions are Local. */
#ifndef LS_SOURCES_WORD_COUNTS_H
#define LS_SOURCES_WORD_COUNTS_H

#include <stdint.h>

#include <lockstep/status.h>

#include "base/text_list.h"

enum { LS_TOKEN_PADDING, LS_TOKEN_UNKNOWN, LS_TOKEN_FIRST };

typedef struct ls_word_counts ls_word_counts;

/* Creates counts of no words. Errors: LS_ERR_FAILURE; *out is left alone. */
ls_status ls_word_counts_create(ls_word_counts **out) LS_MUST_CHECK;

/* Counts a word. Call before ls_word_counts_choose(). Errors: LS_ERR_FAILURE if memory is short. */
ls_status ls_word_counts_add(ls_word_counts *counts, const char *word) LS_MUST_CHECK;

/* Gives the commonest words their tokens.
 * most   number of words, 1 or more
 * texts  the tokens' texts are appended: "<padding>", "<unknown>", words
 * Errors: LS_ERR_FAILURE if memory is short. */
ls_status ls_word_counts_choose(ls_word_counts *counts, int64_t most,
                                ls_text_list *texts) LS_MUST_CHECK;

/* Returns the token of a word, LS_TOKEN_UNKNOWN if it has none. */
int32_t ls_word_counts_token(const ls_word_counts *counts, const char *word);

/* Frees and sets *counts to NULL; accepts NULL. */
void ls_word_counts_destroy(ls_word_counts **counts);

#endif
