/* Any bytes as a text: its words are valid, and the words of a word are the word itself. */
#include "base/utf8.h"
#include "sources/words.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_word(const ls_word *word)
{
    const char *at = word->text;
    ls_word again;
    require(word->bytes > 0 && word->bytes == (int)strlen(word->text));
    for (const char *c = at; *c != '\0'; c += ls_utf8_length(c))
        require(ls_utf8_length(c) > 0);
    require(ls_word_next(&at, &again) && strcmp(again.text, word->text) == 0);
    require(!ls_word_next(&at, &again));
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    char *text = malloc(size + 1);
    const char *at = text;
    ls_word word;
    if (text == NULL)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    while (ls_word_next(&at, &word))
        if (!word.too_long)
            check_word(&word);
    require(at <= text + size);
    free(text);
    return 0;
}
