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

#endif
