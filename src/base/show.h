/* Texts for people: terminal commands are removed, numbers and nouns are formatted. All functions
 * are Local and cannot fail. */
#ifndef LS_BASE_SHOW_H
#define LS_BASE_SHOW_H

#include <stddef.h>
#include <stdint.h>

/* Replaces, in place, everything that a terminal could interpret as a command: control characters
 * (C0, DEL, C1) and bytes that are not UTF-8 become '?', white space becomes blanks. The length is
 * unchanged. Texts from files and command lines pass through this function before they are
 * shown. */
void ls_clean(char *text);

enum { LS_LABEL_BYTES = 4 /* at most, of a byte of the text */, LS_LABEL_MORE = 3 };

/* Writes a text so that it can be read as a name: line ends as \n and \r, tabs as \t, other control
 * characters and bytes that are not UTF-8 as \x1b; a text of blanks only in quotes, ' '.
 * size  of `out`, 8 or more: LS_LABEL_BYTES for each byte of the text and LS_LABEL_MORE are enough;
 *       what does not fit is left out */
void ls_label(const char *text, char *out, size_t size);

/* Returns the columns of a text on a terminal: East Asian characters and emoji take two, combining
 * marks none. */
int ls_text_columns(const char *text);

/* Writes a text, cleaned; if it has more than `columns` columns, its beginning and an ellipsis.
 * size  of `out`, 8 or more; a text of more bytes is cut, too */
void ls_cut(const char *text, int columns, char *out, size_t size);

/* A short text by value: it lives until the end of the expression that contains the call. */
typedef struct ls_words {
    char text[48];
} ls_words;

/* Returns a count with its noun: "1 rank", "2 ranks", "0 classes".
 * noun  in the singular, with a regular plural */
ls_words ls_counted(int64_t count, const char *noun);

/* Returns the noun alone, in the form that follows the count: "rank", "ranks". */
ls_words ls_plural(int64_t count, const char *noun);

/* Returns the size of a row: "1x28x28", of a vector its length, "12". */
ls_words ls_sized(int64_t channels, int64_t height, int64_t width);

/* Returns the size of a sequence: "28x128", 28 steps of 128 features. */
ls_words ls_sized_steps(int64_t steps, int64_t features);

/* Returns an integer with commas between thousands. */
ls_words ls_grouped(int64_t value);

/* Returns a probability, rounded: "34.7%"; "100.0%" only if it is 1. */
ls_words ls_percent(double probability);

#endif
