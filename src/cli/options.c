#include "cli/options.h"

#include "base/memory.h"
#include "base/text.h"
#include "cli/options_state.h"

#include <string.h>

ls_status ls_options_create(ls_options **out, ls_option_table table, void *values)
{
    ls_options *o = ls_alloc(1, sizeof *o);
    if (o == NULL)
        return LS_ERR_FAILURE;
    o->values = values;
    o->help = "--help";
    o->row = ls_options_rows(table, &o->count);
    o->text = o->row == NULL ? NULL : ls_alloc(o->count, sizeof *o->text);
    o->given = o->text == NULL ? NULL : ls_alloc(o->count, sizeof *o->given);
    if (o->given == NULL) {
        ls_options_destroy(&o);
        return LS_ERR_FAILURE;
    }
    for (int i = 0; i < o->count; i++)
        ls_setting_reset(&o->row[i], values);
    *out = o;
    return LS_OK;
}

void ls_options_set_help(ls_options *o, const char *help)
{
    o->help = help;
}

void ls_options_destroy(ls_options **options)
{
    if (options == NULL || *options == NULL)
        return;
    ls_options *o = *options;
    for (int i = 0; i < o->files; i++)
        ls_free(o->file[i]);
    ls_free(o->file);
    ls_free(o->row);
    ls_free(o->text);
    ls_free(o->given);
    ls_free(o->word);
    ls_free(o);
    *options = NULL;
}

/* Starts a file or a command line: options set by others may be set again. */
static void begin_source(ls_options *o)
{
    memset(o->text, 0, (size_t)o->count * sizeof *o->text);
}

/* Sets an option from its text; fails if this file or command line has set it to another text. */
static ls_status set_option(ls_options *o, int at, const char *dashes, const char *text)
{
    const char *before = o->text[at];
    if (before != NULL && strcmp(before, text) != 0)
        return ls_fail(LS_ERR_USAGE, "%s%s is given twice, as '%s' and as '%s': leave one out",
                       dashes, o->row[at].name, before, text);
    o->text[at] = text;
    return ls_setting_parse(&o->row[at], o->values, text);
}

/* Returns true if a word of the command line names an option. */
static bool is_option(const ls_options *o, const char *word)
{
    return strncmp(word, "--", 2) == 0 && ls_options_find(o, word + 2, strcspn(word + 2, "=")) >= 0;
}

/* Finds the option of the bare argument number `number`, counted from 0; -1 if there is none. */
static int find_bare(const ls_options *o, int number)
{
    for (int i = 0; i < o->count; i++)
        if ((o->row[i].flags & LS_SETTING_ARGUMENT) != 0 &&
            (number-- == 0 || (o->row[i].flags & LS_OPTION_MANY) != 0))
            return i;
    return -1;
}

/* Sets the option of the bare argument number `number`, counted from 0. */
static ls_status parse_bare(ls_options *o, int number, const char *text, int before)
{
    const int at = find_bare(o, number);
    if (at < 0)
        return ls_options_unexpected(o, text, before);
    o->given[at] = true;
    if ((o->row[at].flags & LS_OPTION_MANY) == 0)
        return set_option(o, at, "", text);
    o->word[o->words++] = text;
    return o->words == 1 ? set_option(o, at, "", text) : LS_OK;
}

/* Returns true if an empty text would leave the option unset. */
static bool is_nothing(const ls_setting *row, const char *text)
{
    return *text == '\0' && (row->type == LS_TYPE_TEXT || row->type == LS_TYPE_TIME ||
                             row->type == LS_TYPE_SCALING || row->type == LS_TYPE_CHOICE);
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
    const ls_setting *option = &o->row[*row];
    if (name[length] == '=')
        value = name + length + 1;
    else if (option->type == LS_TYPE_FLAG)
        value = "true";
    else if (*at + 1 < argc && !is_option(o, argv[*at + 1]))
        value = argv[++*at];
    else
        value = NULL;
    if (value == NULL || is_nothing(option, value))
        return ls_fail(LS_ERR_USAGE, "--%s needs a value: %s", option->name, option->argument);
    o->given[*row] = true;
    return set_option(o, *row, "--", value);
}

ls_status ls_options_parse_args(ls_options *o, int argc, char **argv)
{
    int bare = 0, before = -1;
    ls_free(o->word);
    o->words = 0;
    o->word = ls_alloc(argc, sizeof *o->word);
    ls_status status = o->word == NULL ? LS_ERR_FAILURE : LS_OK;
    begin_source(o);
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

/* Returns true for a word that asks for help. */
static bool is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "--all") == 0;
}

ls_status ls_options_check_words(ls_options *o, int argc, char **argv)
{
    int bare = 0;
    o->helps = true;
    for (int i = 0; i < argc; i++) {
        const size_t dashes = ls_options_dashes(argv[i]);
        const char *name = argv[i] + dashes;
        if (is_help(argv[i]))
            continue;
        if (dashes == 0 || *name == '\0') {
            if (find_bare(o, bare++) < 0)
                return ls_options_unexpected(o, argv[i], -1);
            continue;
        }
        const int at = is_option(o, argv[i]) ? ls_options_find(o, name, strcspn(name, "=")) : -1;
        if (at < 0)
            return ls_options_unknown(o, argv[i]);
        const bool joined = o->row[at].type == LS_TYPE_FLAG || strchr(name, '=') != NULL;
        if (!joined && i + 1 < argc && !is_option(o, argv[i + 1]) && !is_help(argv[i + 1]))
            i++;
    }
    return LS_OK;
}

static ls_status parse_line(ls_options *o, const char *key, const char *value)
{
    if (value == NULL)
        return ls_fail(LS_ERR_USAGE, "'%.40s' is not 'key = value'", key);
    const int at = ls_options_find(o, key, strlen(key));
    if (at < 0)
        return ls_options_unknown_key(o, key);
    if (o->row[at].change == LS_CHANGE_NOT_SAVED)
        return ls_fail(LS_ERR_USAGE, "'%s' belongs on the command line, not in a file", key);
    o->given[at] = *value != '\0';
    return set_option(o, at, "", value);
}

/* Copies a file's text, which values then point into; NULL when memory is short. */
static char *keep_file(ls_options *o, const char *text)
{
    char *copy = ls_strdup(text);
    char **file = copy == NULL ? NULL : ls_alloc(o->files + 1, sizeof *file);
    if (file == NULL) {
        ls_free(copy);
        return NULL;
    }
    for (int i = 0; i < o->files; i++)
        file[i] = o->file[i];
    ls_free(o->file);
    o->file = file;
    return o->file[o->files++] = copy;
}

ls_status ls_options_parse_file(ls_options *o, const char *name, const char *text)
{
    char *at = keep_file(o, text), *key, *value;
    ls_status status = at == NULL ? LS_ERR_FAILURE : LS_OK;
    int number = 0;
    begin_source(o);
    while (status == LS_OK && ls_text_cut_pair(&at, &number, &key, &value)) {
        status = parse_line(o, key, value);
        if (status != LS_OK)
            status = ls_fail(status, "%s line %d: %s", name, number, ls_error_text());
    }
    return status;
}

ls_status ls_options_check(const ls_options *o)
{
    for (int i = 0; i < o->count; i++) {
        const ls_setting *row = &o->row[i];
        const bool bare = (row->flags & LS_SETTING_ARGUMENT) != 0;
        if ((row->flags & LS_SETTING_REQUIRED) != 0 && !o->given[i])
            return ls_fail(LS_ERR_USAGE, "%s%s is needed: %s", bare ? "" : "--",
                           bare ? row->argument : row->name, row->help);
    }
    return LS_OK;
}

const char *ls_options_get_text(const ls_options *o, const char *name)
{
    const int at = ls_options_find(o, name, strlen(name));
    if (at < 0 || o->row[at].type != LS_TYPE_TEXT)
        return "";
    return *(const char **)((char *)o->values + o->row[at].offset);
}

bool ls_options_given(const ls_options *o, const char *name)
{
    const int at = ls_options_find(o, name, strlen(name));
    return at >= 0 && o->given[at];
}

const char *const *ls_options_words(const ls_options *o, int *count)
{
    *count = o->words;
    return (const char *const *)o->word;
}

char *ls_options_text(const ls_options *o)
{
    const size_t length = ls_settings_text(o->row, o->count, o->values, NULL, 0);
    char *text = ls_alloc((int64_t)length + 1, 1);
    if (text != NULL)
        ls_settings_text(o->row, o->count, o->values, text, length + 1);
    return text;
}
