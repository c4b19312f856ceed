/* Documents become sequences of words' tokens. They are read twice: to count words and lengths, and
 * to write tokens. T: steps of a row. */
#include <lockstep/import.h>

#include "base/integer.h"
#include "base/memory.h"
#include "base/show.h"
#include "base/utf8.h"
#include "sources/documents.h"
#include "sources/import_common.h"
#include "sources/tokens.h"
#include "sources/word_counts.h"
#include "sources/words.h"

#include <stdio.h>
#include <string.h>

/* What all splits share. */
typedef struct reading {
    ls_documents *documents;
    ls_word_counts *counts;
    ls_text_list texts; /* of the tokens */
    ls_h5_type type;
    int64_t most;  /* words that have tokens */
    int64_t steps; /* T: at most as wanted, and no more than the longest document */
    /* For notes: */
    int64_t cut, empty;
    int64_t broken; /* bytes that are not UTF-8 */
    int64_t words;
} reading;

/* A split. */
typedef struct pile {
    reading *reading;
    int number;
    bool begun;
    int64_t next;
    int32_t *length; /* [rows] */
} pile;

static int64_t count_broken(const char *text)
{
    int64_t broken = 0;
    for (int length; *text != '\0'; text += length > 0 ? length : 1) {
        length = ls_utf8_length(text);
        broken += length == 0;
    }
    return broken;
}

/* Counts the words of a document.
 * training  they belong to the vocabulary
 * steps     on return their number */
static ls_status count_words(reading *r, const char *text, bool training, int64_t *steps)
{
    ls_word word;
    ls_status status = LS_OK;
    r->broken += count_broken(text);
    for (*steps = 0; status == LS_OK && ls_word_next(&text, &word); ++*steps)
        if (training && !word.too_long)
            status = ls_word_counts_add(r->counts, word.text);
    r->words += training ? *steps : 0;
    return status;
}

/* Reads all documents of a split: lengths, and of training documents the words. */
static ls_status count_split(pile *p, const ls_document_split *split, int64_t most,
                             int64_t *longest)
{
    reading *r = p->reading;
    const char *text = NULL;
    int64_t steps = 0;
    p->length = ls_alloc(split->rows, sizeof *p->length);
    ls_status status =
        p->length != NULL ? ls_documents_first(r->documents, p->number) : LS_ERR_FAILURE;
    for (int64_t i = 0; status == LS_OK && i < split->rows; i++) {
        status = ls_documents_next(r->documents, &text);
        if (status == LS_OK)
            status = count_words(r, text, p->number == 0, &steps);
        p->length[i] = (int32_t)ls_min(steps, most);
        r->cut += steps > most;
        r->empty += steps == 0;
        *longest = steps > *longest ? steps : *longest;
    }
    return status;
}

/* Reads all documents, and gives words their tokens. */
static ls_status count_all(reading *r, pile *piles, int64_t most)
{
    int splits;
    int64_t longest = 1;
    const ls_document_split *split = ls_documents_splits(r->documents, &splits);
    ls_status status = LS_OK;
    for (int k = 0; status == LS_OK && k < splits; k++) {
        piles[k] = (pile){.reading = r, .number = k};
        status = count_split(&piles[k], &split[k], most, &longest);
    }
    if (status == LS_OK && r->words == 0)
        return ls_fail(LS_ERR_DATA, "%s: the training documents have no words",
                       split->sources->text[0]);
    if (status == LS_OK)
        status = ls_word_counts_choose(r->counts, r->most, &r->texts);
    r->steps = ls_min(longest, most);
    r->type = ls_token_type(r->texts.count);
    return status;
}

/* Writes the tokens of a document, and padding behind them. */
static ls_status put_tokens(const pile *p, const char *text, void *inputs, int64_t row)
{
    const reading *r = p->reading;
    ls_word word;
    int64_t step = 0;
    for (; step < p->length[p->next] && ls_word_next(&text, &word); step++)
        ls_token_put(inputs, r->type, row * r->steps + step,
                     word.too_long ? LS_TOKEN_UNKNOWN : ls_word_counts_token(r->counts, word.text));
    if (step < p->length[p->next])
        return ls_fail(LS_ERR_DATA, "%s: changed while it was read",
                       ls_documents_place(r->documents));
    for (; step < r->steps; step++)
        ls_token_put(inputs, r->type, row * r->steps + step, LS_TOKEN_PADDING);
    return LS_OK;
}

static ls_status text_read_rows(void *user, int64_t rows, void *inputs)
{
    pile *p = user;
    const char *text = NULL;
    ls_status status = p->begun ? LS_OK : ls_documents_first(p->reading->documents, p->number);
    p->begun = true;
    for (int64_t row = 0; status == LS_OK && row < rows; row++, p->next++) {
        status = ls_documents_next(p->reading->documents, &text);
        if (status == LS_OK)
            status = put_tokens(p, text, inputs, row);
    }
    return status;
}

static ls_status write_piles(const ls_import *import, const reading *r, pile *piles,
                             const char *path)
{
    int splits;
    int64_t classes;
    ls_text_list sources = {0};
    ls_split_source split[LS_DOCUMENT_SPLITS];
    const ls_document_split *from = ls_documents_splits(r->documents, &splits);
    const ls_text_list *names = ls_documents_classes(r->documents, &classes);
    ls_status status = LS_OK;
    for (int k = 0; k < splits; k++) {
        split[k] = (ls_split_source){.group = from[k].group,
                                     .rows = from[k].rows,
                                     .type = r->type,
                                     .dims = 1,
                                     .image = {r->steps},
                                     .label = from[k].label,
                                     .length = piles[k].length,
                                     .source = &piles[k],
                                     .read = text_read_rows};
        if (status == LS_OK)
            status = ls_text_list_append(&sources, from[k].sources);
    }
    ls_dataset_content content = ls_import_content(import, split, splits);
    content.classes = classes;
    content.class_names = names;
    content.vocabulary = &r->texts;
    content.user = &sources;
    content.digest = ls_import_digest;
    if (status == LS_OK)
        status = ls_dataset_write(&content, path);
    ls_text_list_free(&sources);
    return status;
}

/* Passes a note on, if there is something to tell. */
static void tell(const ls_import *import, int64_t count, const char *noun, const char *what)
{
    char text[160];
    if (count == 0 || import->note == NULL)
        return;
    snprintf(text, sizeof text, "%s %s", ls_counted(count, noun).text, what);
    import->note(import->user, text);
}

static void tell_all(const ls_import *import, const reading *r)
{
    char what[96];
    snprintf(what, sizeof what, "with more than %lld words cut, see --steps", (long long)r->steps);
    tell(import, r->cut, "document", what);
    tell(import, r->empty, "document", "without words: sequences of 0 steps");
    tell(import, r->broken, "byte", "not UTF-8, taken as U+FFFD");
}

ls_status ls_import_text(const ls_import *import, const ls_text_source *source, const char *path)
{
    reading r = {.most = source->vocabulary > 0 ? source->vocabulary : LS_TEXT_VOCABULARY};
    pile piles[LS_DOCUMENT_SPLITS] = {{.reading = NULL}};
    ls_status status = ls_documents_open(&r.documents, import, source);
    if (status == LS_OK)
        status = ls_word_counts_create(&r.counts);
    if (status == LS_OK)
        status = count_all(&r, piles, source->steps > 0 ? source->steps : LS_TEXT_STEPS);
    if (status == LS_OK)
        status = write_piles(import, &r, piles, path);
    if (status == LS_OK)
        tell_all(import, &r);
    for (int k = 0; k < LS_DOCUMENT_SPLITS; k++)
        ls_free(piles[k].length);
    ls_text_list_free(&r.texts);
    ls_word_counts_destroy(&r.counts);
    ls_documents_close(&r.documents);
    return status;
}
