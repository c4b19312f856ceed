/* Texts for people: what a terminal must not obey is taken out, and numbers are written as words
 * need them. Local, cannot fail. */
#ifndef LS_BASE_SHOW_H
#define LS_BASE_SHOW_H

#include <stdint.h>

/* Takes out of a text, in place, whatever a terminal could take for a command: control characters,
 * C0, DEL and C1, and what is not UTF-8, become '?', and white space of any kind becomes blanks.
 * The length stays. Texts from files and command lines go through this before anyone sees them. */
void ls_clean(char *text);

/* The length of the valid UTF-8 sequence at the start of a text, not "", 0 if there is none. */
int ls_utf8_length(const char *text);

/* A short text by value: it lives until the end of the expression that calls for it. */
typedef struct ls_words {
    char text[48];
} ls_words;

/* "1 rank", "2 ranks", "0 classes". Local.
 * noun  in the singular, with a regular plural */
ls_words ls_counted(int64_t count, const char *noun);

/* The noun alone, as it is after that number: "rank", "ranks". */
ls_words ls_plural(int64_t count, const char *noun);

/* A whole number with commas between its thousands. */
ls_words ls_grouped(int64_t value);

#endif
