/* Inputs that are tokens: whole numbers 0 .. V-1 of a vocabulary, which a network's embedding reads
 * as they are. */
#ifndef LS_TRAIN_TOKENS_H
#define LS_TRAIN_TOKENS_H

#include <stdbool.h>
#include <stdint.h>

#include "data/samples.h"

#include <lockstep/batch.h>
#include <lockstep/config.h>
#include <lockstep/dataset.h>
#include <lockstep/status.h>

/* Returns true if the inputs are tokens: the data set has a vocabulary, or the network begins with
 * an embedding. Local. */
bool ls_tokens_are_inputs(const ls_train_config *config, const ls_dataset_info *dataset);

/* Returns the number of tokens that a model and a data set both know; 0: neither says it. Local.
 * vocabulary  of the data set; 0: it does not say */
int64_t ls_tokens_vocabulary(const char *model, int64_t vocabulary);

/* Refuses settings that would change tokens. Local. Errors: LS_ERR_USAGE. */
ls_status ls_tokens_check_settings(const ls_train_config *config) LS_MUST_CHECK;

/* Checks the tokens of samples, up to each row's length. Local.
 * path        of the data set, for messages
 * vocabulary  V; 0: LS_MAX_VOCABULARY
 * most        on return at least the largest token
 * Errors: LS_ERR_DATA with the row and step of a number that is no token of the vocabulary;
 * LS_ERR_FAILURE. */
ls_status ls_tokens_check_samples(const ls_samples *samples, const char *path, ls_split split,
                                  int64_t vocabulary, int64_t *most) LS_MUST_CHECK;

/* The same for a batch, as its inputs are before they are converted to the network's format.
 * path  NULL: none */
ls_status ls_tokens_check_batch(const ls_batch *batch, const char *path, const char *split,
                                int64_t vocabulary) LS_MUST_CHECK;

#endif
