/* A hash table with open addressing; words lie one behind the other in a buffer. */
#include "sources/word_counts.h"

#include "base/memory.h"
#include "sources/words.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

typedef struct entry {
    int64_t text; /* offset in the buffer */
    int64_t count;
    int32_t token;
} entry;

struct ls_word_counts {
    char *text; /* [text_room] words, each with a zero at its end */
    int64_t text_used, text_room;
    entry *words; /* [words_room] */
    int64_t count, words_room;
    int64_t *slots; /* [slot_count] a word's number + 1, 0: free; a power of two, half are free */
    int64_t slot_count;
};

enum { FIRST_SLOTS = 1 << 10 };

/* A word to be sorted. */
typedef struct rank {
    const char *text;
    entry *word;
} rank;

ls_status ls_word_counts_create(ls_word_counts **out)
{
    ls_word_counts *c = ls_alloc(1, sizeof *c);
    if (c == NULL)
        return LS_ERR_FAILURE;
    c->slot_count = FIRST_SLOTS;
    c->slots = ls_alloc(c->slot_count, sizeof *c->slots);
    if (c->slots == NULL) {
        ls_word_counts_destroy(&c);
        return LS_ERR_FAILURE;
    }
    *out = c;
    return LS_OK;
}

/* Returns the slot of a word, or the free one where it belongs. */
static int64_t find_slot(const ls_word_counts *c, const char *word)
{
    int64_t at = (int64_t)(XXH64(word, strlen(word), 0) & (uint64_t)(c->slot_count - 1));
    while (c->slots[at] != 0 && strcmp(c->text + c->words[c->slots[at] - 1].text, word) != 0)
        at = (at + 1) & (c->slot_count - 1);
    return at;
}

/* Doubles the number of slots. */
static ls_status widen(ls_word_counts *c)
{
    int64_t *old = c->slots;
    int64_t *slots = ls_alloc(2 * c->slot_count, sizeof *slots);
    if (slots == NULL)
        return LS_ERR_FAILURE;
    c->slots = slots;
    c->slot_count *= 2;
    for (int64_t i = 0; i < c->count; i++)
        c->slots[find_slot(c, c->text + c->words[i].text)] = i + 1;
    ls_free(old);
    return LS_OK;
}

/* Adds a word, whose number is then `count` - 1. */
static ls_status add(ls_word_counts *c, const char *word)
{
    const int64_t size = (int64_t)strlen(word) + 1;
    ls_status status = LS_OK;
    while (status == LS_OK && c->text_used + size > c->text_room)
        status = ls_grow(&c->text, c->text_used, &c->text_room, 1);
    if (status == LS_OK && c->count == c->words_room)
        status = ls_grow(&c->words, c->count, &c->words_room, sizeof *c->words);
    if (status != LS_OK)
        return status;
    memcpy(c->text + c->text_used, word, (size_t)size);
    c->words[c->count++] = (entry){.text = c->text_used, .token = LS_TOKEN_UNKNOWN};
    c->text_used += size;
    return LS_OK;
}

ls_status ls_word_counts_add(ls_word_counts *c, const char *word)
{
    ls_status status = 2 * (c->count + 1) > c->slot_count ? widen(c) : LS_OK;
    if (status != LS_OK)
        return status;
    const int64_t slot = find_slot(c, word);
    if (c->slots[slot] == 0) {
        status = add(c, word);
        if (status != LS_OK)
            return status;
        c->slots[slot] = c->count;
    }
    c->words[c->slots[slot] - 1].count++;
    return LS_OK;
}

static int word_counts_compare(const void *a, const void *b)
{
    const rank *x = a, *y = b;
    return x->word->count != y->word->count ? (x->word->count < y->word->count ? 1 : -1)
                                            : strcmp(x->text, y->text);
}

ls_status ls_word_counts_choose(ls_word_counts *c, int64_t most, ls_text_list *texts)
{
    rank *ranks = ls_alloc(c->count, sizeof *ranks);
    ls_status status = ranks != NULL ? ls_text_list_add(texts, LS_PADDING_TEXT) : LS_ERR_FAILURE;
    if (status == LS_OK)
        status = ls_text_list_add(texts, LS_UNKNOWN_TEXT);
    for (int64_t i = 0; status == LS_OK && i < c->count; i++)
        ranks[i] = (rank){.text = c->text + c->words[i].text, .word = &c->words[i]};
    if (status == LS_OK)
        qsort(ranks, (size_t)c->count, sizeof *ranks, word_counts_compare);
    for (int64_t i = 0; status == LS_OK && i < c->count && i < most; i++) {
        ranks[i].word->token = (int32_t)(LS_TOKEN_FIRST + i);
        status = ls_text_list_add(texts, ranks[i].text);
    }
    ls_free(ranks);
    return status;
}

int32_t ls_word_counts_token(const ls_word_counts *c, const char *word)
{
    const int64_t number = c->slots[find_slot(c, word)];
    return number > 0 ? c->words[number - 1].token : LS_TOKEN_UNKNOWN;
}

void ls_word_counts_destroy(ls_word_counts **counts)
{
    if (*counts == NULL)
        return;
    ls_free((*counts)->text);
    ls_free((*counts)->words);
    ls_free((*counts)->slots);
    ls_free(*counts);
    *counts = NULL;
}
