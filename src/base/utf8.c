#include "base/utf8.h"

#include <stdbool.h>

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

uint32_t ls_utf8_value(const char *text, int length)
{
    uint32_t value = (unsigned char)*text & (length == 1 ? 0x7fU : 0x7fU >> length);
    for (int i = 1; i < length; i++)
        value = value << 6 | ((unsigned char)text[i] & 0x3f);
    return value;
}

uint32_t ls_utf8_next(const char **at)
{
    const int length = ls_utf8_length(*at);
    const uint32_t value = length > 0 ? ls_utf8_value(*at, length) : LS_UTF8_REPLACEMENT;
    *at += length > 0 ? length : 1;
    return value;
}

int ls_utf8_write(uint32_t value, char out[LS_UTF8_MOST])
{
    static const uint32_t end[] = {0x80, 0x800, 0x10000};
    static const unsigned char mark[] = {0, 0xc0, 0xe0, 0xf0};
    int more = 0; /* bytes after the first */
    while (more < LS_UTF8_MOST - 1 && value >= end[more])
        more++;
    out[0] = (char)(mark[more] | value >> 6 * more);
    for (int i = 1; i <= more; i++)
        out[i] = (char)(0x80 | (value >> 6 * (more - i) & 0x3f));
    return more + 1;
}
