#include "train/tokens.h"

#include "base/integer.h"
#include "base/memory.h"
#include "base/text.h"
#include "nn/vocabulary.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

bool ls_tokens_are_inputs(const ls_train_config *config, const ls_dataset_info *dataset)
{
    return dataset->vocabulary > 0 || ls_model_reads_tokens(config->model);
}

int64_t ls_tokens_vocabulary(const char *model, int64_t vocabulary)
{
    const int64_t given = ls_model_vocabulary(model);
    return given > 0 && vocabulary > 0 ? ls_min(given, vocabulary) : ls_max(given, vocabulary);
}

ls_status ls_tokens_check_settings(const ls_train_config *c)
{
    const char *option = c->mean != 0 || c->std != 1           ? "--normalize"
                         : strcmp(c->standardize, "none") != 0 ? "--standardize"
                         : strcmp(c->augment, "none") != 0     ? "--augment"
                         : strcmp(c->corrupt, "none") != 0     ? "--corrupt"
                                                               : NULL;
    return option == NULL ? LS_OK
                          : ls_fail(LS_ERR_USAGE,
                                    "%s: the inputs of %s are tokens, numbers of words, which an "
                                    "embedding reads as they are: leave %s out",
                                    option, c->data, option);
}

/* Checks the tokens of a row.
 * path  NULL: none
 * most  on return at least the largest token; or NULL */
static ls_status check_row(const char *path, const char *split, int64_t row, const float *x,
                           int64_t length, int64_t vocabulary, int64_t *most)
{
    for (int64_t t = 0; t < length; t++) {
        if (!(x[t] >= 0 && x[t] < (float)vocabulary && floorf(x[t]) == x[t]))
            return ls_fail(
                LS_ERR_DATA,
                "%s%s%s row %lld, step %lld: %.9g is no token: the vocabulary has the whole "
                "numbers 0 to %lld",
                path != NULL ? path : "", path != NULL ? ": " : "", split, (long long)row,
                (long long)t, ls_plain_number((double)x[t]), (long long)vocabulary - 1);
        if (most != NULL)
            *most = ls_max(*most, (int64_t)x[t]);
    }
    return LS_OK;
}

ls_status ls_tokens_check_samples(const ls_samples *samples, const char *path, ls_split split,
                                  int64_t vocabulary, int64_t *most)
{
    const ls_sample_format *format = &samples->format;
    const int64_t limit = vocabulary > 0 ? vocabulary : LS_MAX_VOCABULARY;
    float *x = ls_alloc(format->features, sizeof *x);
    ls_status status = x == NULL ? LS_ERR_FAILURE : LS_OK;
    for (int64_t i = 0; status == LS_OK && i < samples->rows; i++) {
        const ls_sample *sample = ls_sample_at(samples, i);
        const int64_t length =
            format->ragged ? (int64_t)*ls_sample_length(samples, sample) : format->features;
        ls_samples_inputs(samples, i, 1, x);
        status = check_row(path, ls_split_name(split), sample->row, x, length, limit, most);
    }
    ls_free(x);
    return status;
}

ls_status ls_tokens_check_batch(const ls_batch *batch, const char *path, const char *split,
                                int64_t vocabulary)
{
    const int64_t T = batch->features;
    ls_status status = LS_OK;
    for (int64_t i = 0; status == LS_OK && i < batch->rows; i++)
        status = check_row(path, split, batch->ids[i], batch->x + i * T,
                           batch->lengths != NULL ? batch->lengths[i] : T, vocabulary, NULL);
    return status;
}
