#include "cli/options.h"

#include "base/memory.h"
#include "base/text.h"
#include "cli/options_state.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void *field(const ls_options *o, int at)
{
    return (char *)o->settings + o->table[at].offset;
}

static int count_rows(const ls_option *table)
{
    int count = 0;
    while (table[count].help != NULL)
        count++;
    return count;
}

/* Whether choice number `at` exists; its name then. */
static bool choice_name(const char *choices, int at, const char **name, size_t *length)
{
    for (const char *word = choices; *word != '\0'; at--) {
        *length = strcspn(word, " ");
        *name = word;
        if (at == 0)
            return true;
        word += *length + strspn(word + *length, " ");
    }
    return false;
}

/* The error for a choice that there is not, with the one that was meant if that can be told. */
static ls_status none_of(const ls_option *row, const char *text)
{
    char near[96] = "", candidate[64];
    const char *name;
    size_t length, distance = SIZE_MAX;
    for (int i = 0; choice_name(row->choices, i, &name, &length); i++) {
        snprintf(candidate, sizeof candidate, "%.*s", (int)length, name);
        if (ls_text_resembles(text, candidate, &distance))
            snprintf(near, sizeof near, "; did you mean %s?", candidate);
    }
    return ls_fail(LS_ERR_USAGE, "--%s: '%s' is none of: %s%s", row->name, text, row->choices,
                   near);
}

static ls_status set_choice(const ls_option *row, const char *text, int *out)
{
    const char *name;
    size_t length;
    for (int i = 0; choice_name(row->choices, i, &name, &length); i++)
        if (strlen(text) == length && memcmp(name, text, length) == 0) {
            *out = i;
            return LS_OK;
        }
    return none_of(row, text);
}

/* A number that fills the text up to `end`. */
static bool parse_real(const char *text, char end, double *out, const char **rest)
{
    char *stop;
    if (isspace((unsigned char)*text))
        return false;
    *out = strtod(text, &stop);
    *rest = stop;
    return stop != text && *stop == end && isfinite(*out);
}

static ls_status set_number(const ls_option *row, const char *text, void *out)
{
    const char *kind = row->type == LS_OPT_INT ? "a whole number" : "a number";
    double value;
    bool good;
    if (row->type == LS_OPT_INT) {
        char *stop;
        errno = 0;
        long long whole = strtoll(text, &stop, 10);
        good = stop != text && *stop == '\0' && !isspace((unsigned char)*text) && errno == 0;
        value = (double)whole;
        if (good && value >= row->min && value <= row->max)
            *(int64_t *)out = whole;
    } else {
        const char *rest;
        good = parse_real(text, '\0', &value, &rest);
        if (good && value >= row->min && value <= row->max)
            *(double *)out = value;
    }
    if (!good)
        return ls_fail(LS_ERR_USAGE, "--%s: '%s' is not %s", row->name, text, kind);
    if (value < row->min)
        return ls_fail(LS_ERR_USAGE, "--%s: %s is too small, the least is %g", row->name, text,
                       row->min);
    if (value > row->max)
        return ls_fail(LS_ERR_USAGE, "--%s: %s is too large, the most is %.12g", row->name, text,
                       row->max);
    return LS_OK;
}

static ls_status set_pair(const ls_option *row, const char *text, double *out)
{
    double a, b;
    const char *rest;
    if (!parse_real(text, ',', &a, &rest) || !parse_real(rest + 1, '\0', &b, &rest) ||
        b <= row->min)
        return ls_fail(LS_ERR_USAGE, "--%s: '%s' is not %s, with the second above %g", row->name,
                       text, row->argument, row->min);
    out[0] = a;
    out[1] = b;
    return LS_OK;
}

static ls_status set_flag(const ls_option *row, const char *text, bool *out)
{
    *out = strcmp(text, "true") == 0;
    if (!*out && strcmp(text, "false") != 0)
        return ls_fail(LS_ERR_USAGE, "--%s: '%s' is neither true nor false", row->name, text);
    return LS_OK;
}

static ls_status set_text(ls_options *o, int at, const char *text)
{
    if (strpbrk(text, "\r\n") != NULL)
        return ls_fail(LS_ERR_USAGE, "--%s: must be a single line", o->table[at].name);
    char *copy = ls_strdup(text);
    if (copy == NULL)
        return LS_ERR_FAILURE;
    ls_free(o->text[at]);
    o->text[at] = copy;
    *(const char **)field(o, at) = copy;
    return LS_OK;
}

/* Sets one option from its text. */
static ls_status set(ls_options *o, int at, const char *text)
{
    const ls_option *row = &o->table[at];
    switch (row->type) {
    case LS_OPT_TEXT:
        return set_text(o, at, text);
    case LS_OPT_INT:
    case LS_OPT_REAL:
        return set_number(row, text, field(o, at));
    case LS_OPT_CHOICE:
        return set_choice(row, text, field(o, at));
    case LS_OPT_FLAG:
        return set_flag(row, text, field(o, at));
    case LS_OPT_PAIR:
        return set_pair(row, text, field(o, at));
    case LS_OPT_HEADING:
        break;
    }
    return LS_OK;
}

ls_status ls_options_create(ls_options **out, const ls_option *table, void *settings)
{
    ls_options *o = ls_alloc(1, sizeof *o);
    if (o == NULL)
        return LS_ERR_FAILURE;
    o->table = table;
    o->settings = settings;
    o->count = count_rows(table);
    o->text = ls_alloc(o->count, sizeof *o->text);
    o->given = o->text == NULL ? NULL : ls_alloc(o->count, sizeof *o->given);
    ls_status status = o->given == NULL ? LS_ERR_FAILURE : LS_OK;
    for (int i = 0; status == LS_OK && i < o->count; i++) {
        const char *initial = table[i].initial;
        if (initial == NULL)
            initial = table[i].type == LS_OPT_FLAG ? "false" : "";
        status = set(o, i, initial);
    }
    if (status != LS_OK) {
        ls_options_destroy(&o);
        return status;
    }
    *out = o;
    return LS_OK;
}

void ls_options_destroy(ls_options **options)
{
    if (options == NULL || *options == NULL)
        return;
    ls_options *o = *options;
    for (int i = 0; o->text != NULL && i < o->count; i++)
        ls_free(o->text[i]);
    ls_free(o->text);
    ls_free(o->given);
    ls_free(o);
    *options = NULL;
}

int ls_options_find(const ls_options *o, const char *name, size_t length)
{
    for (int i = 0; i < o->count; i++)
        if (o->table[i].type != LS_OPT_HEADING && strlen(o->table[i].name) == length &&
            memcmp(o->table[i].name, name, length) == 0)
            return i;
    return -1;
}

/* Whether a word of the command line names an option. */
static bool is_option(const ls_options *o, const char *word)
{
    return strncmp(word, "--", 2) == 0 && ls_options_find(o, word + 2, strcspn(word + 2, "=")) >= 0;
}

/* Sets the option that the bare argument number `number`, from 0, stands for. */
static ls_status parse_bare(ls_options *o, int number, const char *text, int before)
{
    for (int i = 0; i < o->count; i++)
        if ((o->table[i].flags & LS_OPT_ARGUMENT) != 0 && number-- == 0) {
            o->given[i] = true;
            return set(o, i, text);
        }
    return ls_options_unexpected(o, text, before);
}

/* Sets the option that word *at names, and moves *at to the last word that belongs to it.
 * row  the option */
static ls_status parse_named(ls_options *o, int argc, char **argv, int *at, int *row)
{
    const char *name = argv[*at] + 2, *value;
    const size_t length = strcspn(name, "=");
    *row = ls_options_find(o, name, length);
    if (*row < 0)
        return ls_options_unknown(o, argv[*at]);
    const ls_option *option = &o->table[*row];
    if (name[length] == '=')
        value = name + length + 1;
    else if (option->type == LS_OPT_FLAG)
        value = "true";
    else if (*at + 1 < argc && !is_option(o, argv[*at + 1]))
        value = argv[++*at];
    else
        return ls_fail(LS_ERR_USAGE, "--%s needs a value: %s", option->name, option->argument);
    if (option->type == LS_OPT_TEXT && *value == '\0')
        return ls_fail(LS_ERR_USAGE, "--%s: the %s is empty", option->name, option->argument);
    o->given[*row] = true;
    return set(o, *row, value);
}

ls_status ls_options_parse_args(ls_options *o, int argc, char **argv)
{
    int bare = 0, before = -1;
    ls_status status = LS_OK;
    for (int i = 0; status == LS_OK && i < argc; i++) {
        const size_t dashes = ls_options_dashes(argv[i]);
        if (dashes == 0 || argv[i][dashes] == '\0')
            status = parse_bare(o, bare++, argv[i], before);
        else if (dashes == strlen("--"))
            status = parse_named(o, argc, argv, &i, &before);
        else
            status = ls_options_unknown(o, argv[i]);
    }
    return status;
}

/* Cuts blanks off both ends, in place. */
static char *trimmed(char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    char *end = text + strlen(text);
    while (end > text && isspace((unsigned char)end[-1]))
        *--end = '\0';
    return text;
}

/* Takes off the quotes that a value may stand in, as it does in a shell; in place. */
static char *unquoted(char *text)
{
    size_t length = strlen(text);
    if (length < 2 || (*text != '"' && *text != '\'') || text[length - 1] != *text)
        return text;
    text[length - 1] = '\0';
    return text + 1;
}

static ls_status parse_line(ls_options *o, char *line)
{
    line = trimmed(line);
    if (*line == '\0' || *line == '#')
        return LS_OK;
    char *equals = strchr(line, '=');
    if (equals == NULL)
        return ls_fail(LS_ERR_USAGE, "'%.40s' is not 'key = value'", line);
    *equals = '\0';
    char *key = trimmed(line);
    int at = ls_options_find(o, key, strlen(key));
    if (at < 0)
        return ls_options_unknown_key(o, key);
    if ((o->table[at].flags & LS_OPT_NOT_SAVED) != 0)
        return ls_fail(LS_ERR_USAGE, "'%s' belongs on the command line, not in a file", key);
    const char *value = unquoted(trimmed(equals + 1));
    o->given[at] = *value != '\0';
    return set(o, at, value);
}

ls_status ls_options_parse_file(ls_options *o, const char *name, const char *text)
{
    char *copy = ls_strdup(text);
    if (copy == NULL)
        return LS_ERR_FAILURE;
    ls_status status = LS_OK;
    int number = 1;
    for (char *line = copy, *next; status == LS_OK && line != NULL; line = next, number++) {
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        status = parse_line(o, line);
        if (status != LS_OK)
            status = ls_fail(status, "%s line %d: %s", name, number, ls_error_text());
    }
    ls_free(copy);
    return status;
}

ls_status ls_options_check(const ls_options *o)
{
    for (int i = 0; i < o->count; i++)
        if ((o->table[i].flags & LS_OPT_REQUIRED) != 0 && !o->given[i])
            return ls_fail(LS_ERR_USAGE, "%s%s is needed: %s",
                           (o->table[i].flags & LS_OPT_ARGUMENT) != 0 ? "" : "--",
                           (o->table[i].flags & LS_OPT_ARGUMENT) != 0 ? o->table[i].argument
                                                                      : o->table[i].name,
                           o->table[i].help);
    return LS_OK;
}

const char *ls_options_get_text(const ls_options *o, const char *name)
{
    int at = ls_options_find(o, name, strlen(name));
    return at >= 0 && o->text[at] != NULL ? o->text[at] : "";
}

/* The shortest text that is read as the same number again; as long as snprintf() says. */
static int render_real(double value, char *out, size_t size)
{
    char text[32];
    int digits = 15;
    do
        snprintf(text, sizeof text, "%.*g", digits, value);
    while (strtod(text, NULL) != value && digits++ < 17);
    return snprintf(out, size, "%s", text);
}

/* A text as a file's line can hold it: in quotes if it has blanks or quotes at its ends, which
 * reading it back would cut off; as long as snprintf() says. */
static int render_text(const char *text, char *out, size_t size)
{
    const char first = *text, last = first != '\0' ? text[strlen(text) - 1] : '\0';
    const bool quoted = isspace((unsigned char)first) || isspace((unsigned char)last) ||
                        ((first == '"' || first == '\'') && first == last);
    return snprintf(out, size, quoted ? "\"%s\"" : "%s", text);
}

/* Writes a value as text; as long as snprintf() says. */
static int render(const ls_options *o, int at, char *out, size_t size)
{
    const ls_option *row = &o->table[at];
    const char *name = "";
    char first[32], second[32];
    size_t length = 0;
    switch (row->type) {
    case LS_OPT_TEXT:
        return render_text(*(const char **)field(o, at), out, size);
    case LS_OPT_INT:
        return snprintf(out, size, "%lld", (long long)*(int64_t *)field(o, at));
    case LS_OPT_REAL:
        return render_real(*(double *)field(o, at), out, size);
    case LS_OPT_CHOICE:
        choice_name(row->choices, *(int *)field(o, at), &name, &length);
        return snprintf(out, size, "%.*s", (int)length, name);
    case LS_OPT_FLAG:
        return snprintf(out, size, "%s", *(bool *)field(o, at) ? "true" : "false");
    case LS_OPT_PAIR:
        render_real(((double *)field(o, at))[0], first, sizeof first);
        render_real(((double *)field(o, at))[1], second, sizeof second);
        return snprintf(out, size, "%s,%s", first, second);
    case LS_OPT_HEADING:
        break;
    }
    return 0;
}

bool ls_options_given(const ls_options *o, const char *name)
{
    const int at = ls_options_find(o, name, strlen(name));
    return at >= 0 && o->given[at];
}

char *ls_options_text(const ls_options *o, int flags)
{
    size_t room = 1, used = 0;
    for (int i = 0; i < o->count; i++)
        if (o->table[i].type != LS_OPT_HEADING)
            room += strlen(o->table[i].name) + 5 + (size_t)render(o, i, NULL, 0);
    char *text = ls_alloc((int64_t)room, 1);
    if (text == NULL)
        return NULL;
    for (int i = 0; i < o->count; i++) {
        const ls_option *row = &o->table[i];
        if (row->type == LS_OPT_HEADING || (row->flags & LS_OPT_NOT_SAVED) != 0 ||
            (flags != 0 && (row->flags & flags) == 0))
            continue;
        used += (size_t)snprintf(text + used, room - used, "%s = ", row->name);
        used += (size_t)render(o, i, text + used, room - used);
        used += (size_t)snprintf(text + used, room - used, "\n");
    }
    return text;
}
