#include "cli/info_sequence.h"

#include "base/json.h"
#include "base/memory.h"

/* The lengths of rows. */
typedef struct lengths {
    int64_t rows, least, most;
    double sum;
} lengths;

static void add_length(lengths *l, int64_t length)
{
    l->least = l->rows == 0 || length < l->least ? length : l->least;
    l->most = length > l->most ? length : l->most;
    l->sum += (double)length;
    l->rows++;
}

/* Reads the lengths of the training rows, with their inputs. */
static ls_status read_lengths(const ls_dataset *dataset, lengths *out)
{
    enum { PIECE_BYTES = 16 << 20 };
    const ls_dataset_info *info = ls_dataset_describe(dataset);
    const int64_t bytes = info->features * (int64_t)ls_element_bytes(info->element);
    const int64_t piece = bytes < PIECE_BYTES ? PIECE_BYTES / bytes : 1;
    const int64_t rows = info->rows[LS_TRAIN];
    ls_status status = LS_OK;
    for (int64_t done = 0; status == LS_OK && done < rows; done += piece) {
        ls_samples *samples = NULL;
        const int64_t some = rows - done < piece ? rows - done : piece;
        status = ls_dataset_read(dataset, LS_TRAIN, done, some, some, &samples);
        for (int64_t i = 0; status == LS_OK && i < some; i++)
            add_length(out, ls_samples_row(samples, i).length);
        ls_samples_destroy(&samples);
    }
    return status;
}

/* Adds the steps of rows, and how many of them the rows have. */
static ls_status add_steps(const ls_dataset *dataset, json_t *out)
{
    const int64_t most_bytes = INT64_C(1) << 28;
    const ls_dataset_info *info = ls_dataset_describe(dataset);
    const int64_t bytes = info->features * (int64_t)ls_element_bytes(info->element);
    const bool reads = info->ragged && info->rows[LS_TRAIN] <= most_bytes / bytes;
    lengths l = {0};
    json_t *steps = json_pack("{s:I}", "steps", (json_int_t)ls_dataset_steps(info));
    const ls_status status = reads ? read_lengths(dataset, &l) : LS_OK;
    if (info->ragged)
        json_object_set_new(steps, "lengths", json_true());
    if (l.rows > 0) {
        json_object_set_new(steps, "shortest", json_integer(l.least));
        json_object_set_new(steps, "mean", json_real(l.sum / (double)l.rows));
        json_object_set_new(steps, "longest", json_integer(l.most));
    }
    json_object_set_new(out, "sequence", steps);
    return status;
}

/* Returns the texts of the first tokens of a row in memory; NULL if memory is short.
 * x  [features] room */
static json_t *first_tokens(const ls_dataset *dataset, const ls_samples *samples, float *x)
{
    enum { FIRST = 12 };
    const int64_t features = ls_dataset_describe(dataset)->features;
    const int64_t length = ls_samples_row(samples, 0).length;
    const int64_t end = length >= 0 ? length : features;
    json_t *texts = json_array();
    ls_samples_inputs(samples, 0, 1, x);
    for (int64_t i = 0; i < end && i < FIRST; i++) {
        const char *text = ls_dataset_token(dataset, (int64_t)x[i]);
        json_array_append_new(texts, text != NULL ? ls_json_text(text) : json_null());
    }
    return texts;
}

/* Adds the number of tokens, and the texts of the first training row's first ones. */
static ls_status add_vocabulary(const ls_dataset *dataset, json_t *out)
{
    const ls_dataset_info *info = ls_dataset_describe(dataset);
    ls_samples *samples = NULL;
    json_object_set_new(out, "vocabulary", json_integer(info->vocabulary));
    if (ls_dataset_token(dataset, 0) == NULL || info->rows[LS_TRAIN] == 0)
        return LS_OK;
    float *x = ls_alloc(info->features, sizeof *x);
    ls_status status = x == NULL ? LS_ERR_FAILURE : LS_OK;
    if (status == LS_OK)
        status = ls_dataset_read(dataset, LS_TRAIN, 0, 1, 1, &samples);
    if (status == LS_OK)
        json_object_set_new(out, "first_tokens", first_tokens(dataset, samples, x));
    ls_samples_destroy(&samples);
    ls_free(x);
    return status;
}

ls_status ls_info_sequence(const ls_dataset *dataset, json_t *out)
{
    const ls_dataset_info *info = ls_dataset_describe(dataset);
    ls_status status = LS_OK;
    if (info->ragged || info->vocabulary > 0 || ls_dataset_by_step(info))
        status = add_steps(dataset, out);
    return status == LS_OK && info->vocabulary > 0 ? add_vocabulary(dataset, out) : status;
}
