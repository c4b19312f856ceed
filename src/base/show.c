#include "base/show.h"

#include "base/utf8.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

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

/* Writes the bytes of a character that can't be printed as an escape; returns the escape's length,
 * at most 4 for each byte. */
static size_t escape(const char *text, int bytes, char *out, size_t size)
{
    static const char known[] = "\n\r\t", letters[] = "nrt";
    const char *short_form = strchr(known, *text);
    size_t used = 0;
    if (short_form != NULL)
        return (size_t)snprintf(out, size, "\\%c", letters[short_form - known]);
    for (int i = 0; i < bytes; i++)
        used += (size_t)snprintf(out + used, size - used, "\\x%02x", (unsigned char)text[i]);
    return used;
}

void ls_label(const char *text, char *out, size_t size)
{
    size_t used = 0;
    if (text[strspn(text, " ")] == '\0') {
        snprintf(out, size, "'%.*s'", (int)(size - LS_LABEL_MORE), text);
        return;
    }
    while (*text != '\0') {
        const int length = ls_utf8_length(text), bytes = length > 0 ? length : 1;
        const bool plain = is_printable(text, length);
        if (used + (size_t)(plain ? 1 : LS_LABEL_BYTES) * (size_t)bytes >= size)
            break;
        if (plain)
            memcpy(out + used, text, (size_t)bytes);
        used += plain ? (size_t)bytes : escape(text, bytes, out + used, size - used);
        text += bytes;
    }
    out[used] = '\0';
}

/* Returns the columns of a character, by the blocks of Unicode. */
static int columns_of(uint32_t c)
{
    static const struct {
        uint32_t first, last;
        int columns;
    } blocks[] = {
        {0x300, 0x36f, 0},     {0x200b, 0x200f, 0}, {0xfe00, 0xfe0f, 0}, {0x20d0, 0x20ff, 0},
        {0x1100, 0x115f, 2},   {0x2e80, 0xa4cf, 2}, {0xac00, 0xd7a3, 2}, {0xf900, 0xfaff, 2},
        {0xfe30, 0xfe6f, 2},   {0xff00, 0xff60, 2}, {0xffe0, 0xffe6, 2}, {0x1f300, 0x1faff, 2},
        {0x20000, 0x3fffd, 2},
    };
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        if (c >= blocks[i].first && c <= blocks[i].last)
            return blocks[i].columns;
    return 1;
}

/* Returns the bytes of the first character, 1 if it is not UTF-8, and adds its columns. */
static int step_over(const char *text, int *columns)
{
    const int length = ls_utf8_length(text);
    *columns += length > 0 ? columns_of(ls_utf8_value(text, length)) : 1;
    return length > 0 ? length : 1;
}

int ls_text_columns(const char *text)
{
    int columns = 0;
    while (*text != '\0')
        text += step_over(text, &columns);
    return columns;
}

void ls_cut(const char *text, int columns, char *out, size_t size)
{
    static const char ellipsis[] = "\xe2\x80\xa6";
    size_t used = 0, whole = 0; /* bytes that fit; that leave room for the ellipsis */
    for (int taken = 0; text[used] != '\0';) {
        const int length = step_over(text + used, &taken);
        if (taken > columns || used + (size_t)length >= size)
            break;
        used += (size_t)length;
        if (taken < columns && used + sizeof ellipsis <= size)
            whole = used;
    }
    if (text[used] == '\0')
        snprintf(out, size, "%s", text);
    else
        snprintf(out, size, "%.*s%s", (int)whole, text, ellipsis);
    ls_clean(out);
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

ls_words ls_sized(int64_t channels, int64_t height, int64_t width)
{
    ls_words out;
    if (height == 1 && width == 1)
        snprintf(out.text, sizeof out.text, "%lld", (long long)channels);
    else
        snprintf(out.text, sizeof out.text, "%lldx%lldx%lld", (long long)channels,
                 (long long)height, (long long)width);
    return out;
}

ls_words ls_sized_steps(int64_t steps, int64_t features)
{
    ls_words words;
    snprintf(words.text, sizeof words.text, "%lldx%lld", (long long)steps, (long long)features);
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

ls_words ls_percent(double probability)
{
    ls_words words;
    const double thousandths = round(1000 * probability), most = 999; /* of what is less than 1 */
    snprintf(words.text, sizeof words.text, "%.1f%%",
             (probability < 1 ? fmin(thousandths, most) : thousandths) / 10);
    return words;
}
