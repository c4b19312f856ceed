/* The outputs of a network of tokens for texts: as rows that ls_import_text() would make of
 * them. */
#include "train/lexicon.h"
#include "train/model_outputs.h"
#include "train/model_state.h"

#include "base/integer.h"

/* How texts become rows. */
typedef struct reader {
    const ls_model *model;
    ls_lexicon lexicon;
    bool ragged; /* rows have lengths */
    ls_text_counts *counts;
} reader;

ls_status ls_model_check_texts(const ls_model *m)
{
    if (m->params == NULL)
        return ls_fail(LS_ERR_USAGE, "%s: opened without its parameters", m->path);
    return m->facts.tokens != NULL
               ? LS_OK
               : ls_fail(LS_ERR_DATA,
                         "%s: the network does not take texts: it must be trained on tokens whose "
                         "texts the data set has, such as those of `lockstep import --text`",
                         m->path);
}

/* Prepares to read texts. */
static ls_status prepare(reader *r)
{
    const ls_model *m = r->model;
    const ls_model_facts *f = &m->facts;
    const int64_t T = ls_shape_size(f->input);
    const ls_status status = ls_model_check_texts(m);
    if (status != LS_OK)
        return status;
    if (!ls_network_reads_steps(m->network) || ls_network_check_lengths(m->network, T) != LS_OK)
        ls_batch_drop_lengths(m->batch);
    else if (ls_batch_add_lengths(m->batch) == LS_OK)
        r->ragged = true;
    else
        return LS_ERR_FAILURE;
    return ls_lexicon_make(&r->lexicon, f->tokens, f->vocabulary);
}

/* Fills a row with the tokens of a text; what is behind them is token 0. */
static void fill_row(reader *r, const char *text, int64_t row)
{
    const ls_batch *batch = r->model->batch;
    float *x = batch->x + row * batch->features;
    ls_text_counts *counts = r->counts;
    ls_word word;
    int32_t token;
    int64_t steps = 0, known = 0;
    while (ls_lexicon_next(&r->lexicon, &text, &word, &token)) {
        counts->pieces++;
        counts->unknown += token < 0 || token == r->lexicon.unknown;
        known += token >= 0;
        if (token >= 0 && steps < batch->features)
            x[steps++] = (float)token;
    }
    counts->cut += known > batch->features;
    counts->empty += known == 0;
    if (r->ragged)
        batch->lengths[row] = (int32_t)steps;
    while (steps < batch->features)
        x[steps++] = 0;
}

ls_status ls_model_text_outputs(const ls_model *m, const char *const *texts, int64_t rows, float *y,
                                int32_t *predicted, ls_text_counts *counts)
{
    reader r = {.model = m, .counts = counts};
    const int64_t T = ls_model_steps(m);
    ls_status status = prepare(&r);
    if (status == LS_OK)
        counts->characters = !r.lexicon.words;
    for (int64_t at = 0; status == LS_OK && at < rows; at += m->batch->rows) {
        m->batch->rows = ls_min(rows - at, m->facts.max_rows);
        for (int64_t i = 0; i < m->batch->rows; i++)
            fill_row(&r, texts[at + i], i);
        status = ls_model_convert(m, at, m->batch->rows,
                                  ls_network_forward(m->network, m->params, m->batch),
                                  y + at * T * ls_model_outputs_count(m), predicted + at * T);
    }
    ls_lexicon_free(&r.lexicon);
    return status;
}
