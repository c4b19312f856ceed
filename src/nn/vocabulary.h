/* The vocabulary in a model string: embedding:WIDTH,VOCABULARY; it may be left out, and is added
 * when the data are known. All functions are Local. */
#ifndef LS_NN_VOCABULARY_H
#define LS_NN_VOCABULARY_H

#include <stdbool.h>
#include <stdint.h>

#include "nn/preset.h"

/* Returns true if a model has an embedding, which reads tokens. */
bool ls_model_reads_tokens(const char *model);

/* Returns the smallest vocabulary that a model's embeddings are given; 0: none is given. */
int64_t ls_model_vocabulary(const char *model);

/* Returns a copy of a model in which a preset's name is replaced by the layers for these data, and
 * embeddings without a vocabulary have that of the data, if there is one; owned by the caller, NULL
 * if memory is short. */
char *ls_model_complete(const char *model, ls_preset_data data);

#endif
