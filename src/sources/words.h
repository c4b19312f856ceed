/* Words of a text in UTF-8.
 *
 * A word is a run of letters, digits and all other characters that are no blanks and no
 * punctuation; an apostrophe between two of them belongs to it. Letters of the Latin, Greek and
 * Cyrillic scripts become small. A punctuation character is a word of its own, and so is a run of
 * the same one. A byte that is not UTF-8 is U+FFFD, which is no blank and no punctuation. All
 * functions are Local and cannot fail. */
#ifndef LS_SOURCES_WORDS_H
#define LS_SOURCES_WORDS_H

#include <stdbool.h>

enum { LS_WORD_MOST = 64 /* bytes of a word that has a token of its own */ };

/* Texts of the tokens of padding and of unknown words, which no word has. */
#define LS_PADDING_TEXT "<padding>"
#define LS_UNKNOWN_TEXT "<unknown>"

typedef struct ls_word {
    char text[LS_WORD_MOST + 1];
    int bytes;
    bool too_long; /* the text is its beginning only */
} ls_word;

/* Takes the next word of a text, and moves *at behind it; false if there is none. */
bool ls_word_next(const char **at, ls_word *out);

#endif
