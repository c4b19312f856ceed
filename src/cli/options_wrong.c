/* Errors of a command line, with suggestions. */
#include "cli/options_state.h"
#include "cli/suggest.h"

#include <string.h>
#include <sys/stat.h>

/* The names of the options, then of those that print help. */
static const char *row_name(const void *user, int at)
{
    static const char *const help[] = {"help", "all"};
    const ls_options *o = user;
    if (at < o->count)
        return o->row[at].name;
    return at - o->count < (o->helps ? 2 : 1) ? help[at - o->count] : NULL;
}

/* Returns the error for a name that is in no row, with a suggestion.
 * written  the name as the user wrote it, with its dashes */
static ls_status fail_unknown(const ls_options *o, const char *what, const char *written,
                              const char *dashes, const char *name)
{
    const char *why = ls_explain(name, ls_options_find(o, "model", strlen("model")) >= 0);
    const char *meant = ls_suggest(name, row_name, o);
    if (why != NULL)
        return ls_fail(LS_ERR_USAGE, "there is no %s %s; %s", what, written, why);
    if (meant != NULL)
        return ls_fail(LS_ERR_USAGE, "there is no %s %s; did you mean %s%s?", what, written, dashes,
                       meant);
    return ls_fail(LS_ERR_USAGE, "there is no %s %s; %s lists them all", what, written, o->help);
}

size_t ls_options_dashes(const char *word)
{
    static const char *const kinds[] = {"-",      "\u2010", "\u2011", "\u2012",
                                        "\u2013", "\u2014", "\u2015", "\u2212"};
    size_t length = 0, more;
    do {
        more = 0;
        for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
            if (strncmp(word + length, kinds[i], strlen(kinds[i])) == 0)
                more = strlen(kinds[i]);
        length += more;
    } while (more > 0);
    return length;
}

ls_status ls_options_unknown_key(const ls_options *o, const char *key)
{
    return fail_unknown(o, "key", key, "", key);
}

ls_status ls_options_unknown(const ls_options *o, const char *word)
{
    char written[64];
    snprintf(written, sizeof written, "%.*s", (int)strcspn(word, "="), word);
    return fail_unknown(o, "option", written, "--", written + ls_options_dashes(written));
}

/* Guesses the option of a bare argument from its form; NULL: none. */
static const char *option_for(const ls_options *o, const char *text)
{
    struct stat found;
    const bool there = stat(text, &found) == 0;
    const char *end = strrchr(text, '.');
    const char *names[3] = {NULL};
    if (there && S_ISDIR(found.st_mode))
        memcpy(names, (const char *[]){"checkpoint", "run", "idx"}, sizeof names);
    else if (end != NULL && strcmp(end, ".conf") == 0)
        names[0] = "config";
    else if (there || (end != NULL && (strcmp(end, ".h5") == 0 || strcmp(end, ".hdf5") == 0)))
        memcpy(names, (const char *[]){"data", "checkpoint"}, 2 * sizeof *names);
    for (int i = 0; i < 3 && names[i] != NULL; i++) {
        const int at = ls_options_find(o, names[i], strlen(names[i]));
        if (at >= 0 && !o->given[at])
            return names[i];
    }
    return NULL;
}

ls_status ls_options_unexpected(const ls_options *o, const char *text, int before)
{
    static const char what[] = "unexpected argument";
    const char *name = option_for(o, text);
    const size_t length = strcspn(text, "=");
    if (name != NULL)
        return ls_fail(LS_ERR_USAGE, "%s '%s'; did you mean --%s %s?", what, text, name, text);
    if (ls_options_find(o, text, length) >= 0)
        return ls_fail(LS_ERR_USAGE, "%s '%s'; did you mean --%s?", what, text, text);
    if (before >= 0 && o->row[before].type == LS_TYPE_TEXT)
        return ls_fail(LS_ERR_USAGE,
                       "%s '%s': a value of several words needs quotes: --%s \"%s %s ...\"", what,
                       text, o->row[before].name, o->text[before], text);
    return ls_fail(LS_ERR_USAGE, "%s '%s'", what, text);
}
