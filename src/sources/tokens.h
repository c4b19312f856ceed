/* Tokens as inputs of a data set. All functions are Local and cannot fail. */
#ifndef LS_SOURCES_TOKENS_H
#define LS_SOURCES_TOKENS_H

#include "data/h5.h"

/* Returns the smallest type for tokens 0 .. vocabulary-1. */
ls_h5_type ls_token_type(int64_t vocabulary);

/* Sets element `at` of tokens of this type. */
void ls_token_put(void *tokens, ls_h5_type type, int64_t at, int32_t token);

#endif
