/* Texts that a network by step writes: the parts of ls_model_generate(). All functions are Local. */
#ifndef LS_TRAIN_GENERATE_H
#define LS_TRAIN_GENERATE_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/network.h>
#include <lockstep/status.h>

/* Draws one of K tokens with the probabilities softmax(logits / temperature): the first whose
 * cumulative probability exceeds a random number of (seed, position). In double, in the order of
 * tokens.
 * logits       [K] finite
 * temperature  0: the token of the largest logit, of equal ones the first
 * position     of the token in what is written */
int32_t ls_generate_draw(const float *logits, int K, double temperature, uint64_t seed,
                         int64_t position);

/* Tokens that are continued. */
typedef struct ls_continuation {
    ls_network *network;
    const float *params;
    int32_t *tokens; /* [known + count] of the prompt; on return those that follow, too */
    int64_t known;   /* 1 or more */
    int64_t count;
    double temperature;
    uint64_t seed;
} ls_continuation;

/* Continues tokens by a network whose classes of each step are the token that follows: reads the
 * latest ones, at most its steps, and draws by the outputs of the last of them.
 * written  called for each token that follows, in order
 * Errors: LS_ERR_NUMERIC if an output is not finite; LS_INTERRUPTED; LS_ERR_FAILURE; those of
 * `written`. */
ls_status ls_generate_tokens(const ls_continuation *continuation,
                             ls_status (*written)(void *user, int32_t token),
                             void *user) LS_MUST_CHECK;

#endif
