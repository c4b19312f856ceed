#include "sources/words.h"

#include "base/utf8.h"

#include <stddef.h>
#include <string.h>

enum { APOSTROPHE = '\'', CURLY_APOSTROPHE = 0x2019 };

typedef enum kind { BLANK, PUNCTUATION, LETTER } kind;

/* Characters that are no letters, in order; the rest are. */
static const struct {
    uint32_t first, last;
    kind kind;
} others[] = {
    {0, ' ', BLANK},
    {'!', '/', PUNCTUATION},
    {':', '@', PUNCTUATION},
    {'[', '`', PUNCTUATION},
    {'{', '~', PUNCTUATION},
    {0x7f, 0xa0, BLANK},
    {0xa1, 0xa9, PUNCTUATION},
    {0xab, 0xb4, PUNCTUATION},
    {0xb6, 0xb9, PUNCTUATION},
    {0xbb, 0xbf, PUNCTUATION},
    {0xd7, 0xd7, PUNCTUATION},
    {0xf7, 0xf7, PUNCTUATION},
    {0x2000, 0x200f, BLANK},
    {0x2010, 0x2027, PUNCTUATION},
    {0x2028, 0x202f, BLANK},
    {0x2030, 0x205e, PUNCTUATION},
    {0x205f, 0x206f, BLANK},
    {0x3000, 0x3000, BLANK},
    {0x3001, 0x303f, PUNCTUATION},
    {0xfeff, 0xfeff, BLANK},
};

/* Capital letters, every `step`-th of a range, and the distance of their small letters. */
static const struct {
    uint32_t first, last, step, distance;
} capitals[] = {
    {'A', 'Z', 1, 32},     {0xc0, 0xd6, 1, 32},   {0xd8, 0xde, 1, 32},   {0x100, 0x12e, 2, 1},
    {0x132, 0x136, 2, 1},  {0x139, 0x147, 2, 1},  {0x14a, 0x176, 2, 1},  {0x179, 0x17d, 2, 1},
    {0x391, 0x3a9, 1, 32}, {0x400, 0x40f, 1, 80}, {0x410, 0x42f, 1, 32}, {0x490, 0x4be, 2, 1},
};

static kind kind_of(uint32_t c)
{
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (c <= others[i].last)
            return c >= others[i].first ? others[i].kind : LETTER;
    return LETTER;
}

static uint32_t small(uint32_t c)
{
    for (size_t i = 0; i < sizeof capitals / sizeof *capitals; i++)
        if (c >= capitals[i].first && c <= capitals[i].last)
            return (c - capitals[i].first) % capitals[i].step == 0 ? c + capitals[i].distance : c;
    return c;
}

/* Appends a character, if there is room. */
static void add(ls_word *word, uint32_t c)
{
    char bytes[LS_UTF8_MOST];
    const int length = ls_utf8_write(c, bytes);
    word->too_long = word->too_long || word->bytes + length > LS_WORD_MOST;
    if (word->too_long)
        return;
    memcpy(word->text + word->bytes, bytes, (size_t)length);
    word->bytes += length;
}

/* Returns the kind of the next character, BLANK at the end of the text. */
static kind kind_at(const char *at)
{
    return *at != '\0' ? kind_of(ls_utf8_next(&at)) : BLANK;
}

/* Takes the rest of a word that begins with a letter. */
static void take_letters(const char **at, ls_word *out)
{
    while (**at != '\0') {
        const char *next = *at;
        uint32_t c = ls_utf8_next(&next);
        const bool apostrophe = c == APOSTROPHE || c == CURLY_APOSTROPHE;
        if (apostrophe ? kind_at(next) != LETTER : kind_of(c) != LETTER)
            return;
        add(out, apostrophe ? APOSTROPHE : small(c));
        *at = next;
    }
}

/* Skips characters that are equal to the first. */
static void skip_equal(const char **at, uint32_t first)
{
    for (const char *next = *at; *next != '\0' && ls_utf8_next(&next) == first;)
        *at = next;
}

bool ls_word_next(const char **at, ls_word *out)
{
    out->bytes = 0;
    out->too_long = false;
    while (**at != '\0') {
        const uint32_t c = ls_utf8_next(at);
        const kind of_first = kind_of(c);
        if (of_first == BLANK)
            continue;
        add(out, small(c));
        if (of_first == LETTER)
            take_letters(at, out);
        else
            skip_equal(at, c);
        out->text[out->bytes] = '\0';
        return true;
    }
    return false;
}
