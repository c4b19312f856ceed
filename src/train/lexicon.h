/* The texts of a model's tokens, and the tokens of a text. All functions are Local. */
#ifndef LS_TRAIN_LEXICON_H
#define LS_TRAIN_LEXICON_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/status.h>

#include "sources/words.h"

typedef struct ls_lexicon_entry {
    const char *text;
    int32_t token;
} ls_lexicon_entry;

/* Zeroed: none. */
typedef struct ls_lexicon {
    const char *const *text; /* [count] borrowed */
    int count;
    bool words;              /* tokens are words, else characters */
    int32_t unknown;         /* token of unknown words, -1: there is none */
    ls_lexicon_entry *entry; /* [count] sorted by text, of equal ones by token; owned */
} ls_lexicon;

/* Creates a lexicon. Its tokens are characters if all texts, but for those of padding and of an
 * unknown word, are single characters.
 * text  [count] of the tokens; borrowed until ls_lexicon_free()
 * Errors: LS_ERR_FAILURE if memory is short. */
ls_status ls_lexicon_make(ls_lexicon *lexicon, const char *const *text, int count) LS_MUST_CHECK;

/* Takes the next word of a text, as ls_import_text() divides it, or character, and moves *at behind
 * it; false at the end of the text.
 * token  on return its token, `unknown` if it has none */
bool ls_lexicon_next(const ls_lexicon *lexicon, const char **at, ls_word *out, int32_t *token);

/* Frees; the lexicon is zeroed afterwards. */
void ls_lexicon_free(ls_lexicon *lexicon);

#endif
