/* All settings of a training: defaults, setting by name, reading and writing text, differences. */
#include <lockstep/config.h>
#include <lockstep/settings.h>

#include "base/memory.h"
#include "base/text.h"
#include "nn/vocabulary.h"
#include "nn/schedule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Bytes of a value's text in a message; only values of LS_TYPE_TEXT may be longer. */
enum { VALUE = 256 };

void ls_config_default(ls_train_config *config)
{
    int count;
    const ls_setting *rows = ls_settings(&count);
    *config = (ls_train_config){0};
    for (int i = 0; i < count; i++)
        ls_setting_reset(&rows[i], config);
}

/* Makes the error for an unknown name, with the nearest known one. */
static ls_status fail_unknown(const char *name)
{
    int count;
    const ls_setting *rows = ls_settings(&count);
    const char *near = NULL;
    size_t distance = SIZE_MAX;
    for (int i = 0; i < count; i++)
        if (ls_text_nearer(name, rows[i].name, &distance))
            near = rows[i].name;
    return ls_fail(LS_ERR_USAGE, "there is no setting %s%s%s%s", name,
                   near != NULL ? "; did you mean " : "", near != NULL ? near : "",
                   near != NULL ? "?" : "");
}

ls_status ls_config_set(ls_train_config *config, const char *name, const char *text)
{
    const ls_setting *row = ls_setting_find(name, strlen(name));
    return row != NULL ? ls_setting_parse(row, config, text) : fail_unknown(name);
}

/* Sets a setting from a file's line.
 * given  [rows of the table] text of each setting that was set already, else NULL */
static ls_status set_line(ls_train_config *config, const char **given, const char *key,
                          const char *value)
{
    int count;
    const ls_setting *rows = ls_settings(&count), *row = ls_setting_find(key, strlen(key));
    if (row == NULL)
        return fail_unknown(key);
    const char **before = &given[row - rows];
    if (row->change == LS_CHANGE_NOT_SAVED)
        return ls_fail(LS_ERR_USAGE, "'%s' is for one invocation and does not belong in a file",
                       key);
    if (*before != NULL && strcmp(*before, value) != 0)
        return ls_fail(LS_ERR_USAGE, "'%s' is given twice, as %s and %s", key, *before, value);
    *before = value;
    return ls_setting_parse(row, config, value);
}

ls_status ls_config_read(ls_train_config *config, char *text, const char *name)
{
    int count, number = 0;
    char *key, *value;
    (void)ls_settings(&count);
    const char **given = ls_alloc(count, sizeof *given);
    ls_status status = given == NULL ? LS_ERR_FAILURE : LS_OK;
    while (status == LS_OK && ls_text_cut_pair(&text, &number, &key, &value)) {
        status = value != NULL ? set_line(config, given, key, value)
                               : ls_fail(LS_ERR_USAGE, "'%.40s' is not 'key = value'", key);
        if (status != LS_OK)
            status = ls_fail(status, "%s line %d: %s", name, number, ls_error_text());
    }
    ls_free(given);
    return status;
}

size_t ls_config_text(const ls_train_config *config, char *out, size_t size)
{
    int count;
    const ls_setting *rows = ls_settings(&count);
    return ls_settings_text(rows, count, config, out, size);
}

/* Values that are synonyms of another one. */
static const struct {
    const char *name, *value, *means;
} synonyms[] = {{"layout", "auto", "nchw"}};

static const char *resolve_synonym(const ls_setting *row, const char *value)
{
    for (size_t i = 0; i < sizeof synonyms / sizeof *synonyms; i++)
        if (strcmp(row->name, synonyms[i].name) == 0 && strcmp(value, synonyms[i].value) == 0)
            return synonyms[i].means;
    return value;
}

/* Returns the value in a configuration text, or the default, both as they are written. */
static ls_pair find_value(const ls_setting *row, const char *before)
{
    const char *initial = row->initial != NULL        ? row->initial
                          : row->type == LS_TYPE_FLAG ? "false"
                                                      : "";
    ls_pair pair;
    if (!ls_text_find_pair(before, row->name, strlen(row->name), &pair))
        pair = (ls_pair){.value = initial, .value_length = strlen(initial)};
    return pair;
}

/* Returns true if a text equals the written one, which may be quoted. */
static bool is_same_text(const char *text, const ls_pair *pair)
{
    const size_t length = strlen(text);
    const bool quoted = pair->value_length == length + 2 && *pair->value == '"';
    return (quoted || pair->value_length == length) &&
           memcmp(pair->value + quoted, text, length) == 0;
}

/* Returns true if two texts have the same words, separated by blanks. */
static bool has_same_words(const char *a, const char *b)
{
    static const char blanks[] = " \t";
    for (;;) {
        a += strspn(a, blanks);
        b += strspn(b, blanks);
        const size_t length = strcspn(a, blanks);
        if (length != strcspn(b, blanks) || memcmp(a, b, length) != 0)
            return false;
        if (length == 0)
            return true;
        a += length;
        b += length;
    }
}

/* Returns true if a model string describes the same network as the written one: with the name of a
 * preset, with or without the vocabulary, or other blanks. */
static bool is_same_model(const char *model, const ls_pair *pair, const ls_preset_data *data)
{
    const bool quoted = pair->value_length >= 2 && *pair->value == '"';
    char *written = ls_alloc((int64_t)pair->value_length + 1, 1), *now = NULL, *old = NULL;
    if (written != NULL) {
        memcpy(written, pair->value + quoted, pair->value_length - 2 * quoted);
        now = ls_model_complete(model, *data);
        old = ls_model_complete(written, *data);
    }
    const bool same = now != NULL && old != NULL && has_same_words(now, old);
    ls_free(old);
    ls_free(now);
    ls_free(written);
    return same;
}

/* Returns true if a value equals the written one, also if that has another form.
 * old  on return the written value's text */
static bool is_same(const ls_setting *row, const ls_train_config *config,
                    const ls_preset_data *data, const ls_pair *pair, char old[VALUE])
{
    ls_train_config scratch;
    char now[VALUE];
    snprintf(old, VALUE, "%.*s", (int)pair->value_length, pair->value);
    if (row->offset == offsetof(ls_train_config, model))
        return is_same_text(config->model, pair) || is_same_model(config->model, pair, data);
    if (row->type == LS_TYPE_TEXT)
        return is_same_text(*(const char *const *)((const char *)config + row->offset), pair);
    if (ls_setting_parse(row, &scratch, old) == LS_OK)
        ls_setting_format(row, &scratch, old, VALUE);
    ls_setting_format(row, config, now, sizeof now);
    return strcmp(resolve_synonym(row, now), resolve_synonym(row, old)) == 0;
}

/* Returns true if a setting belongs to a set of ls_change. */
static bool is_among(const ls_setting *row, const ls_train_config *config, int changes)
{
    if (row->change == LS_CHANGE_SPAN && !ls_schedule_needs_epochs(&config->schedule))
        return false;
    return ((int)row->change & changes) != 0;
}

bool ls_config_diff(const char *before, const ls_train_config *config, const ls_preset_data *data,
                    int changes, char *out, size_t size)
{
    int count;
    const ls_setting *rows = ls_settings(&count);
    size_t used = 0;
    char now[VALUE], old[VALUE];
    *out = '\0';
    for (int i = 0; i < count && used < size; i++) {
        if (!is_among(&rows[i], config, changes))
            continue;
        const ls_pair pair = find_value(&rows[i], before);
        if (is_same(&rows[i], config, data, &pair, old))
            continue;
        ls_setting_format(&rows[i], config, now, sizeof now);
        used += (size_t)snprintf(out + used, size - used, "%s--%s is %s, was %s",
                                 used > 0 ? "; " : "", rows[i].name, *now != '\0' ? now : "unset",
                                 *old != '\0' ? old : "unset");
    }
    return used > 0;
}

void ls_config_limit_to_job(ls_train_config *config)
{
    const char *end = getenv("LOCKSTEP_END_TIME");
    end = end != NULL && *end != '\0' ? end : getenv("SLURM_JOB_END_TIME");
    if (end == NULL || atoll(end) <= 0)
        return;
    double left = difftime((time_t)atoll(end), time(NULL)) - config->stop_margin;
    left = left > 1 ? left : 1;
    if (config->time_limit == 0 || left < config->time_limit)
        config->time_limit = left;
}
