#include "base/show.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

int ls_utf8_length(const char *text)
{
    const unsigned char *c = (const unsigned char *)text;
    if (c[0] < 0x80)
        return c[0] != '\0';
    const int length = c[0] >= 0xf0 ? 4 : c[0] >= 0xe0 ? 3 : 2;
    uint32_t value = c[0] & (0x7f >> length);
    for (int i = 1; i < length; i++) {
        if ((c[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (c[i] & 0x3f);
    }
    static const uint32_t least[] = {[2] = 0x80, [3] = 0x800, [4] = 0x10000};
    const bool surrogate = value >= 0xd800 && value <= 0xdfff;
    const bool first = c[0] >= 0xc2 && c[0] <= 0xf4;
    return first && value >= least[length] && value <= 0x10ffff && !surrogate ? length : 0;
}

/* Returns true if a terminal prints this sequence, and does not interpret it as a command. */
static bool is_printable(const char *text, int length)
{
    const unsigned char *c = (const unsigned char *)text;
    if (length == 1)
        return c[0] >= ' ' && c[0] != 0x7f;
    return length > 1 && !(c[0] == 0xc2 && c[1] < 0xa0); /* U+0080 to U+009F: C1 */
}

void ls_clean(char *text)
{
    while (*text != '\0') {
        const int length = ls_utf8_length(text), bytes = length > 0 ? length : 1;
        if (!is_printable(text, length))
            memset(text, isspace((unsigned char)*text) ? ' ' : '?', (size_t)bytes);
        text += bytes;
    }
}

ls_words ls_plural(int64_t count, const char *noun)
{
    ls_words words;
    const char last = *noun != '\0' ? noun[strlen(noun) - 1] : '\0';
    const char *ending = count == 1 ? "" : last == 's' || last == 'x' ? "es" : "s";
    snprintf(words.text, sizeof words.text, "%s%s", noun, ending);
    return words;
}

ls_words ls_counted(int64_t count, const char *noun)
{
    ls_words words;
    snprintf(words.text, sizeof words.text, "%lld %.24s", (long long)count,
             ls_plural(count, noun).text);
    return words;
}

ls_words ls_grouped(int64_t value)
{
    ls_words words;
    char digits[24];
    const int length = snprintf(digits, sizeof digits, "%lld", (long long)value);
    int used = 0;
    for (int i = 0; i < length; i++) {
        if (i > 0 && digits[i - 1] != '-' && (length - i) % 3 == 0)
            words.text[used++] = ',';
        words.text[used++] = digits[i];
    }
    words.text[used] = '\0';
    return words;
}
