/* Formats settings as text. */
#include "train/setting_value.h"

#include <ctype.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lockstep/config.h>

const ls_unit ls_units[] = {{"epochs", 0}, {"epoch", 0}, {"steps", 0}, {"step", 0}, {"s", 1},
                            {"min", 60},   {"h", 3600},  {"d", 86400}, {NULL, 0}};

const char *ls_scaling_name(int scaling)
{
    static const char *const names[] = {LS_LR_SCALING_LIST(LS_CHOICE_NAME)};
    return names[scaling];
}

int ls_format_real(double value, char *out, size_t size)
{
    char text[LS_NUMBER_TEXT];
    int digits = 15;
    do
        snprintf(text, sizeof text, "%.*g", digits, value);
    while (strtod(text, NULL) != value && digits++ < 17);
    return snprintf(out, size, "%s", text);
}

/* Adds quotes if reading the text from a file would strip blanks or quotes at its ends. */
static int format_text(const char *text, char *out, size_t size)
{
    const char first = *text, last = first != '\0' ? text[strlen(text) - 1] : '\0';
    const bool quoted = isspace((unsigned char)first) || isspace((unsigned char)last) ||
                        ((first == '"' || first == '\'') && first == last);
    return snprintf(out, size, quoted ? "\"%s\"" : "%s", text);
}

/* Uses the largest unit that gives a whole number; "" for 0. */
static int format_time(double seconds, char *out, size_t size)
{
    char number[LS_NUMBER_TEXT];
    const ls_unit *unit = NULL;
    if (seconds == 0)
        return snprintf(out, size, "%s", "");
    for (const ls_unit *u = ls_units; u->name != NULL; u++)
        if (u->seconds == 1 || (u->seconds > 1 && fmod(seconds, u->seconds) == 0))
            unit = u;
    ls_format_real(seconds / unit->seconds, number, sizeof number);
    return snprintf(out, size, "%s%s", number, unit->name);
}

static int format_count(int64_t count, const char *unit, char *out, size_t size)
{
    return snprintf(out, size, "%lld%s%s", (long long)count, unit, count == 1 ? "" : "s");
}

static int format_interval(const ls_interval *every, char *out, size_t size)
{
    if (every->epochs > 0)
        return format_count(every->epochs, "epoch", out, size);
    if (every->steps > 0)
        return format_count(every->steps, "step", out, size);
    return format_time(every->seconds, out, size);
}

static int format_size(int64_t bytes, char *out, size_t size)
{
    static const char *const names[] = {"", "K", "M", "G"};
    int unit = 0;
    for (; unit < 3 && bytes > 0 && bytes % 1024 == 0; unit++)
        bytes /= 1024;
    return snprintf(out, size, "%lld%s", (long long)bytes, names[unit]);
}

static int format_scaling(const ls_schedule_config *schedule, char *out, size_t size)
{
    if (schedule->scaling == LS_LR_AS_GIVEN)
        return snprintf(out, size, "%s", "");
    return snprintf(out, size, "%s:%lld", ls_scaling_name((int)schedule->scaling),
                    (long long)schedule->base_batch);
}

/* The number is written with huber, unless it is the one that is meant without it. */
static int format_loss(const ls_setting *row, const char *value, char *out, size_t size)
{
    int loss;
    double number;
    char text[LS_NUMBER_TEXT];
    memcpy(&loss, value, sizeof loss);
    memcpy(&number, value + LS_LOSS_NUMBER_AT(0), sizeof number);
    if (loss != LS_HUBER || number == 1)
        return snprintf(out, size, "%s", row->choices[loss].name);
    ls_format_real(number, text, sizeof text);
    return snprintf(out, size, "%s:%s", row->choices[loss].name, text);
}

static int format_pair(const double pair[2], char *out, size_t size)
{
    char first[LS_NUMBER_TEXT], second[LS_NUMBER_TEXT];
    ls_format_real(pair[0], first, sizeof first);
    ls_format_real(pair[1], second, sizeof second);
    return snprintf(out, size, "%s,%s", first, second);
}

int ls_setting_format(const ls_setting *row, const void *values, char *out, size_t size)
{
    const void *value = (const char *)values + row->offset;
    switch (row->type) {
    case LS_TYPE_TEXT:
        return format_text(*(const char *const *)value, out, size);
    case LS_TYPE_INT:
        return snprintf(out, size, "%lld", (long long)*(const int64_t *)value);
    case LS_TYPE_REAL:
        return ls_format_real(*(const double *)value, out, size);
    case LS_TYPE_CHOICE:
        return snprintf(out, size, "%s", row->choices[*(const int *)value].name);
    case LS_TYPE_FLAG:
        return snprintf(out, size, "%s", *(const bool *)value ? "true" : "false");
    case LS_TYPE_PAIR:
        return format_pair(value, out, size);
    case LS_TYPE_INTERVAL:
        return format_interval(value, out, size);
    case LS_TYPE_TIME:
        return format_time(*(const double *)value, out, size);
    case LS_TYPE_SIZE:
        return format_size(*(const int64_t *)value, out, size);
    case LS_TYPE_LOSS:
        return format_loss(row, value, out, size);
    case LS_TYPE_SCALING:
        return format_scaling(value, out, size);
    }
    return 0;
}

/* Returns the end of a text after `used` written or counted bytes; NULL if it is beyond `size`. */
static char *text_end(char *out, size_t size, size_t used)
{
    return used < size ? out + used : NULL;
}

/* Returns the bytes that remain after `used`. */
static size_t remaining_size(size_t size, size_t used)
{
    return used < size ? size - used : 0;
}

size_t ls_settings_text(const ls_setting *rows, int count, const void *values, char *out,
                        size_t size)
{
    size_t n = 0;
    for (int i = 0; i < count; i++) {
        if (rows[i].change == LS_CHANGE_NOT_SAVED)
            continue;
        n += (size_t)snprintf(text_end(out, size, n), remaining_size(size, n),
                              "%s = ", rows[i].name);
        n += (size_t)ls_setting_format(&rows[i], values, text_end(out, size, n),
                                       remaining_size(size, n));
        n += (size_t)snprintf(text_end(out, size, n), remaining_size(size, n), "\n");
    }
    return n;
}
