/* Characters of texts in UTF-8. All functions are Local and cannot fail. */
#ifndef LS_BASE_UTF8_H
#define LS_BASE_UTF8_H

#include <stdint.h>

enum { LS_UTF8_MOST = 4 /* bytes of a character */, LS_UTF8_REPLACEMENT = 0xfffd };

/* Returns the bytes of the valid UTF-8 sequence at the start of a text; 0 if there is none. */
int ls_utf8_length(const char *text);

/* Returns the code point of a valid sequence of `length` bytes. */
uint32_t ls_utf8_value(const char *text, int length);

/* Takes the next character of a text that is not at its end: returns its code point, and moves *at
 * behind it. A byte that is not UTF-8 is LS_UTF8_REPLACEMENT, U+FFFD. */
uint32_t ls_utf8_next(const char **at);

/* Writes a code point, without a zero byte; returns the bytes. */
int ls_utf8_write(uint32_t value, char out[LS_UTF8_MOST]);

#endif
