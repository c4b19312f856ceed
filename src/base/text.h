/* String helpers: spelling suggestions, key = value lines. */
#ifndef LS_BASE_TEXT_H
#define LS_BASE_TEXT_H

#include <stddef.h>

/* Returns the optimal string alignment distance of two words: the number of letters to insert,
 * delete, replace or swap with a neighbour. Local. For words above 63 letters: the longer
 * length. */
size_t ls_text_distance(const char *a, const char *b);

/* Returns true if `word` may be a misspelling of `candidate`: at most a third of its letters
 * differ, and the distance is below `*distance`, which is then updated. Start with *distance =
 * SIZE_MAX. Local. */
int ls_text_nearer(const char *word, const char *candidate, size_t *distance);

/* As ls_text_nearer(), and also true if `word` contains `candidate`, ignoring case and punctuation:
 * "Conv2d" for "conv", "CosineAnnealingLR" for "cosine". Only identical texts have distance 0.
 * Local. */
int ls_text_resembles(const char *word, const char *candidate, size_t *distance);

/* Returns a text as a field of CSV, in quotes if it needs them; owned. Local. NULL if memory is
 * short. */
char *ls_text_csv(const char *text);

/* Returns a name as a field of CSV on one line, see ls_label(); owned. Local. NULL if memory is
 * short. */
char *ls_text_csv_name(const char *name);

/* Returns the number, a NaN without its sign, which printf() would write as "-nan". Local. */
double ls_plain_number(double value);

/* A line `key = value`; both are slices of the text, not zero-terminated. */
typedef struct ls_pair {
    const char *key, *value;
    size_t key_length, value_length;
} ls_pair;

/* Finds the next `key = value` line from *at on, and moves *at behind it; other lines are skipped.
 * Returns 0 at the end of the text. Local. */
int ls_text_next_pair(const char **at, ls_pair *out);

/* Finds the line with a key. Returns 0 if there is none. Local. */
int ls_text_find_pair(const char *text, const char *key, size_t key_length, ls_pair *out);

/* Cuts the next `key = value` line off a text, in place; blank lines and lines that begin with '#'
 * are skipped. White space around key and value is removed, and quotes around the value. Returns 0
 * at the end of the text. Local.
 * at      moved behind the line
 * number  line counter, incremented for each line
 * value   NULL if the line has no '=': then `key` is the line */
int ls_text_cut_pair(char **at, int *number, char **key, char **value);

#endif
