#include "base/text.h"

#include "base/memory.h"
#include "base/show.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

enum { LONGEST = 63 };

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t ls_text_distance(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b);
    if (n > LONGEST || m > LONGEST)
        return n > m ? n : m;
    size_t d[LONGEST + 1][LONGEST + 1];
    for (size_t i = 0; i <= n; i++)
        d[i][0] = i;
    for (size_t j = 0; j <= m; j++)
        d[0][j] = j;
    for (size_t i = 1; i <= n; i++)
        for (size_t j = 1; j <= m; j++) {
            size_t change = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            d[i][j] = min_size(change, min_size(d[i - 1][j], d[i][j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                d[i][j] = min_size(d[i][j], d[i - 2][j - 2] + 1);
        }
    return d[n][m];
}

int ls_text_nearer(const char *word, const char *candidate, size_t *distance)
{
    size_t found = ls_text_distance(word, candidate);
    size_t tolerated = (strlen(word) + 2) / 3;
    if (found > tolerated || found >= *distance)
        return 0;
    *distance = found;
    return 1;
}

/* Copies the letters and digits of a text, in lower case. */
static size_t copy_alphanumeric(const char *text, char out[LONGEST + 1])
{
    size_t length = 0;
    for (; *text != '\0' && length < LONGEST; text++)
        if (isalnum((unsigned char)*text))
            out[length++] = (char)tolower((unsigned char)*text);
    out[length] = '\0';
    return length;
}

int ls_text_resembles(const char *word, const char *candidate, size_t *distance)
{
    enum { LEAST = 3 };
    char a[LONGEST + 1], b[LONGEST + 1];
    if (ls_text_nearer(word, candidate, distance))
        return 1;
    const size_t n = copy_alphanumeric(word, a), m = copy_alphanumeric(candidate, b);
    if (m < LEAST || strstr(a, b) == NULL || n - m + 1 >= *distance)
        return 0;
    *distance = n - m + 1;
    return 1;
}

char *ls_text_csv(const char *text)
{
    if (strpbrk(text, ",\"\n\r") == NULL)
        return ls_strdup(text);
    char *field = ls_alloc(2 * (int64_t)strlen(text) + 3, 1), *to = field;
    if (field == NULL)
        return NULL;
    *to++ = '"';
    for (; *text != '\0'; text++) {
        if (*text == '"')
            *to++ = '"';
        *to++ = *text;
    }
    *to = '"'; /* the rest is zero */
    return field;
}

char *ls_text_csv_name(const char *name)
{
    const int64_t size = LS_LABEL_BYTES * (int64_t)strlen(name) + LS_LABEL_MORE + 8;
    char *label = ls_alloc(size, 1);
    if (label == NULL)
        return NULL;
    ls_label(name, label, (size_t)size);
    char *field = ls_text_csv(label);
    ls_free(label);
    return field;
}

double ls_plain_number(double value)
{
    return isnan(value) ? fabs(value) : value;
}

int ls_text_next_pair(const char **at, ls_pair *out)
{
    while (**at != '\0') {
        const char *line = *at, *end = strchrnul(line, '\n');
        const char *equals = strstr(line, " = ");
        *at = end + (*end != '\0');
        if (equals == NULL || equals + 3 > end)
            continue;
        *out = (ls_pair){.key = line,
                         .value = equals + 3,
                         .key_length = (size_t)(equals - line),
                         .value_length = (size_t)(end - equals - 3)};
        return 1;
    }
    return 0;
}

int ls_text_find_pair(const char *text, const char *key, size_t key_length, ls_pair *out)
{
    while (ls_text_next_pair(&text, out))
        if (out->key_length == key_length && memcmp(out->key, key, key_length) == 0)
            return 1;
    return 0;
}

/* Removes white space from both ends, in place. */
static char *trim(char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    char *end = text + strlen(text);
    while (end > text && isspace((unsigned char)end[-1]))
        *--end = '\0';
    return text;
}

/* Removes the quotes around a value, if any, as in a shell; in place. */
static char *unquote(char *text)
{
    const size_t length = strlen(text);
    if (length < 2 || (*text != '"' && *text != '\'') || text[length - 1] != *text)
        return text;
    text[length - 1] = '\0';
    return text + 1;
}

int ls_text_cut_pair(char **at, int *number, char **key, char **value)
{
    while (**at != '\0') {
        char *line = *at, *end = strchrnul(line, '\n');
        *at = end + (*end != '\0');
        *end = '\0';
        ++*number;
        line = trim(line);
        if (*line == '\0' || *line == '#')
            continue;
        char *equals = strchr(line, '=');
        *value = equals != NULL ? unquote(trim(equals + 1)) : NULL;
        if (equals != NULL)
            *equals = '\0';
        *key = trim(line);
        return 1;
    }
    return 0;
}
