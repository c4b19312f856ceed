/* Small helps with words. */
#ifndef LS_BASE_TEXT_H
#define LS_BASE_TEXT_H

#include <stddef.h>

/* How many letters must be added, dropped, changed or swapped with their neighbour to make one word
 * of the other (the optimal string alignment distance). Local. Words beyond 63 letters are never
 * near: the result is then their length. */
size_t ls_text_distance(const char *a, const char *b);

/* Whether `candidate` is near enough to be what was meant by `word`: at most a third of its letters
 * are wrong, and nearer than `*distance`, which is then updated. Start with *distance = SIZE_MAX.
 */
int ls_text_nearer(const char *word, const char *candidate, size_t *distance);

/* The same, also where `candidate` is all of it but capitals, signs and what stands around it:
 * "Conv2d" for "conv", "CosineAnnealingLR" for "cosine". Identical texts alone have the distance 0.
 */
int ls_text_resembles(const char *word, const char *candidate, size_t *distance);

/* The number, a NaN without its sign: printf() writes that as "-nan". Local. */
double ls_plain_number(double value);

/* A line `key = value` of a text; both are slices of it, not terminated. */
typedef struct ls_pair {
    const char *key, *value;
    size_t key_length, value_length;
} ls_pair;

/* The next such line from *at on, which moves behind it; lines of another form are passed over.
 * Returns 0 at the end of the text. Local. */
int ls_text_next_pair(const char **at, ls_pair *out);

/* The line with this key. Returns 0 if there is none. Local. */
int ls_text_find_pair(const char *text, const char *key, size_t key_length, ls_pair *out);

/* Cuts the next line `key = value` off a text, in place, passing over blank lines and those that
 * begin with '#'. Blanks around both are cut off, and the quotes that the value may be in. Returns 0
 * at the end of the text. Local.
 * at      moves behind the line
 * number  counts lines
 * value   NULL if the line has no '=': then `key` is the line */
int ls_text_cut_pair(char **at, int *number, char **key, char **value);

#endif
