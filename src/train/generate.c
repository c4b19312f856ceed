/* Generation of texts: for each token a window of the latest ones goes through the network.
 *
 *     tokens    t h e   c a t _        T = 4: the window is  c a t _
 *     network           c a t _        the outputs of its last step say which token follows
 *
 * A window of fewer than T tokens is a row with a length. */
#include "train/generate.h"

#include "train/lexicon.h"
#include "train/model_state.h"

#include "base/integer.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "base/rng.h"
#include "base/show.h"

#include <math.h>
#include <string.h>

enum { SHOWN = 40 /* bytes of a word in a message */ };

static int32_t find_largest(const float *logits, int K)
{
    int32_t largest = 0;
    for (int k = 1; k < K; k++)
        largest = logits[k] > logits[largest] ? k : largest;
    return largest;
}

int32_t ls_generate_draw(const float *logits, int K, double temperature, uint64_t seed,
                         int64_t position)
{
    const int32_t largest = find_largest(logits, K);
    if (temperature == 0)
        return largest;
    const double most = logits[largest];
    double sum = 0, below = 0;
    for (int k = 0; k < K; k++)
        sum += exp((logits[k] - most) / temperature);
    const double drawn =
        sum * ls_rng_uniform(ls_rng_key(seed, LS_RNG_GENERATE, 0), (uint64_t)position);
    for (int k = 0; k < K; k++) {
        below += exp((logits[k] - most) / temperature);
        if (below > drawn)
            return k;
    }
    return largest; /* rounding */
}

/* Fills a row with the latest of some tokens; returns its length. */
static int64_t fill_window(ls_batch *batch, const int32_t *tokens, int64_t known)
{
    const int64_t length = ls_min(known, batch->features);
    memset(batch->x, 0, (size_t)batch->features * sizeof *batch->x);
    for (int64_t i = 0; i < length; i++)
        batch->x[i] = (float)tokens[known - length + i];
    batch->lengths[0] = (int32_t)length;
    batch->rows = 1;
    return length;
}

/* Computes the logits of the token that follows. */
static ls_status compute_next(const ls_continuation *c, ls_batch *batch, int64_t known,
                              const float **out)
{
    const int K = ls_network_outputs(c->network);
    const int64_t length = fill_window(batch, c->tokens, known);
    const float *y = ls_network_forward(c->network, c->params, batch) + (length - 1) * K;
    for (int k = 0; k < K; k++)
        if (!isfinite(y[k]))
            return ls_fail(LS_ERR_NUMERIC, "token %lld: an output of the network is not finite",
                           (long long)known);
    *out = y;
    return LS_OK;
}

ls_status ls_generate_tokens(const ls_continuation *c,
                             ls_status (*written)(void *user, int32_t token), void *user)
{
    ls_batch *batch = NULL;
    const int64_t T = ls_network_steps(c->network);
    ls_status status = ls_batch_create(&batch, 1, T, T);
    if (status == LS_OK)
        status = ls_batch_add_lengths(batch);
    for (int64_t i = 0; status == LS_OK && i < c->count; i++) {
        const float *logits = NULL;
        status = compute_next(c, batch, c->known + i, &logits);
        if (status != LS_OK)
            break;
        c->tokens[c->known + i] =
            ls_generate_draw(logits, ls_network_outputs(c->network), c->temperature, c->seed, i);
        status = written(user, c->tokens[c->known + i]);
        if (status == LS_OK)
            status = ls_interrupt_poll(LS_INTERRUPT_GRACE);
    }
    ls_batch_destroy(&batch);
    return status;
}

/* Finds the tokens of a prompt. A word that has none is an unknown word, if there is such a token.
 * tokens  [bytes of the prompt]
 * count   on return their number */
static ls_status read_prompt(const ls_lexicon *l, const char *prompt, int32_t *tokens,
                             int64_t *count)
{
    ls_word piece;
    int32_t token;
    char label[4 * SHOWN];
    *count = 0;
    while (ls_lexicon_next(l, &prompt, &piece, &token)) {
        if (token < 0) {
            ls_label(piece.text, label, sizeof label);
            return ls_fail(LS_ERR_USAGE,
                           "the prompt has the %s %s%.*s%s, which is not in the model's "
                           "vocabulary of %d",
                           l->words ? "word" : "character", *label == '\'' ? "" : "'", SHOWN, label,
                           *label == '\'' ? "" : "'", l->count);
        }
        tokens[(*count)++] = token;
    }
    return *count > 0
               ? LS_OK
               : ls_fail(LS_ERR_USAGE, "the prompt is empty: it must have a %s to begin with",
                         l->words ? "word" : "character");
}

/* Finds the texts of a model's tokens, and checks that they are what it predicts. */
static ls_status find_lexicon(const ls_model *m, ls_lexicon *out)
{
    const ls_model_facts *f = &m->facts;
    const char *const *classes = f->class_names, *const *tokens = f->tokens;
    bool same = f->task.kind == LS_TASK_STEPS && f->classes == f->vocabulary &&
                (tokens != NULL || classes != NULL) &&
                ls_network_steps(m->network) == ls_shape_size(f->input);
    for (int k = 0; same && tokens != NULL && classes != NULL && k < f->classes; k++)
        same = strcmp(tokens[k], classes[k]) == 0;
    if (!same)
        return ls_fail(
            LS_ERR_USAGE,
            "%s: does not predict the next token of a text: its classes, in each step, "
            "must be the tokens of its inputs, with their texts; `lockstep import --text "
            "FILE --characters` makes such a data set",
            f->path);
    return ls_lexicon_make(out, tokens != NULL ? tokens : classes, f->classes);
}

/* What the tokens are passed on to, as texts. */
typedef struct writer {
    const ls_lexicon *lexicon;
    ls_text_sink sink;
    void *user;
} writer;

static ls_status write_token(void *user, int32_t token)
{
    const writer *w = user;
    ls_status status = w->lexicon->words ? w->sink(w->user, " ") : LS_OK;
    return status == LS_OK ? w->sink(w->user, w->lexicon->text[token]) : status;
}

ls_status ls_model_generate(const ls_model *m, const ls_generation *wanted, ls_text_sink sink,
                            void *user)
{
    ls_lexicon known = {0};
    ls_continuation c = {.network = m->network,
                         .params = m->params,
                         .count = wanted->count,
                         .temperature = wanted->temperature,
                         .seed = wanted->seed};
    ls_status status = m->params != NULL
                           ? find_lexicon(m, &known)
                           : ls_fail(LS_ERR_USAGE, "%s: opened without its parameters", m->path);
    if (status == LS_OK) {
        c.tokens = ls_alloc((int64_t)strlen(wanted->prompt) + wanted->count, sizeof *c.tokens);
        status = c.tokens != NULL ? read_prompt(&known, wanted->prompt, c.tokens, &c.known)
                                  : LS_ERR_FAILURE;
    }
    if (status == LS_OK) {
        writer w = {.lexicon = &known, .sink = sink, .user = user};
        status = ls_generate_tokens(&c, write_token, &w);
    }
    ls_lexicon_free(&known);
    ls_free(c.tokens);
    return status;
}
