#include "train/lexicon.h"

#include "base/memory.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

/* Texts of tokens that are no part of a text. */
static bool is_special(const char *text)
{
    return strcmp(text, LS_PADDING_TEXT) == 0 || strcmp(text, LS_UNKNOWN_TEXT) == 0;
}

static bool is_character(const char *text)
{
    const int length = ls_utf8_length(text);
    return length > 0 && text[length] == '\0';
}

static int lexicon_compare(const void *a, const void *b)
{
    const ls_lexicon_entry *x = a, *y = b;
    const int order = strcmp(x->text, y->text);
    return order != 0 ? order : (x->token > y->token) - (x->token < y->token);
}

/* Returns the lowest token with a text, -1 if there is none. */
static int32_t find(const ls_lexicon *l, const char *text)
{
    const ls_lexicon_entry key = {text, -1};
    int low = 0, high = l->count;
    while (low < high) {
        const int middle = low + (high - low) / 2;
        if (lexicon_compare(&l->entry[middle], &key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < l->count && strcmp(l->entry[low].text, text) == 0 ? l->entry[low].token : -1;
}

ls_status ls_lexicon_make(ls_lexicon *l, const char *const *text, int count)
{
    *l = (ls_lexicon){.text = text, .count = count};
    l->entry = ls_alloc(count, sizeof *l->entry);
    if (l->entry == NULL)
        return LS_ERR_FAILURE;
    for (int k = 0; k < count; k++) {
        l->entry[k] = (ls_lexicon_entry){text[k], k};
        l->words = l->words || !(is_character(text[k]) || is_special(text[k]));
    }
    qsort(l->entry, (size_t)count, sizeof *l->entry, lexicon_compare);
    l->unknown = find(l, LS_UNKNOWN_TEXT);
    return LS_OK;
}

/* Takes the next character of a text, or, if tokens are words, the next word. */
static bool take(const ls_lexicon *l, const char **at, ls_word *out)
{
    if (l->words)
        return ls_word_next(at, out);
    if (**at == '\0')
        return false;
    *out = (ls_word){0};
    out->bytes = ls_utf8_write(ls_utf8_next(at), out->text);
    return true;
}

bool ls_lexicon_next(const ls_lexicon *l, const char **at, ls_word *out, int32_t *token)
{
    if (!take(l, at, out))
        return false;
    const int32_t found = out->too_long ? -1 : find(l, out->text);
    *token = found >= 0 ? found : l->unknown;
    return true;
}

void ls_lexicon_free(ls_lexicon *l)
{
    ls_free(l->entry);
    *l = (ls_lexicon){0};
}
