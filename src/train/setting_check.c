/* The ranges of settings. */
#include "train/setting_value.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include <lockstep/config.h>

static bool is_below(const ls_setting *row, double value)
{
    const bool open = (row->flags & LS_SETTING_ABOVE) != 0;
    const bool floats = (row->flags & LS_SETTING_FLOAT) != 0;
    return value < row->min || (open && (floats ? (double)(float)value : value) <= row->min);
}

static bool is_above(const ls_setting *row, double value)
{
    const bool open = (row->flags & LS_SETTING_BELOW) != 0;
    const bool floats = (row->flags & LS_SETTING_FLOAT) != 0;
    return value > row->max || (open && (floats ? (double)(float)value : value) >= row->max);
}

bool ls_setting_contains(const ls_setting *row, double value)
{
    return isfinite(value) && !is_below(row, value) && !is_above(row, value);
}

ls_status ls_setting_check_number(const ls_setting *row, double value, const char *text)
{
    const char *as = (row->flags & LS_SETTING_FLOAT) != 0 ? ", as a float" : "";
    if (!isfinite(value))
        return ls_fail(LS_ERR_USAGE, "--%s: '%s' is not a number", row->name, text);
    if (is_below(row, value))
        return (row->flags & LS_SETTING_ABOVE) != 0
                   ? ls_fail(LS_ERR_USAGE, "--%s: %s is too small, it must be above %g%s",
                             row->name, text, row->min, as)
                   : ls_fail(LS_ERR_USAGE, "--%s: %s is too small, the minimum is %g", row->name,
                             text, row->min);
    if (is_above(row, value))
        return (row->flags & LS_SETTING_BELOW) != 0
                   ? ls_fail(LS_ERR_USAGE, "--%s: %s is too large, it must be below %.12g%s",
                             row->name, text, row->max, as)
                   : ls_fail(LS_ERR_USAGE, "--%s: %s is too large, the maximum is %.12g", row->name,
                             text, row->max);
    return LS_OK;
}

static ls_status check_text(const ls_setting *row, const char *text)
{
    if (text == NULL || strpbrk(text, "\r\n") != NULL)
        return ls_fail(LS_ERR_USAGE, "--%s: must be a single line", row->name);
    if (*text == '\0' && (row->flags & LS_SETTING_REQUIRED) != 0)
        return ls_fail(LS_ERR_USAGE, "--%s is needed: %s", row->name, row->help);
    return LS_OK;
}

static ls_status check_choice(const ls_setting *row, int value)
{
    for (int i = 0; row->choices[i].name != NULL; i++)
        if (i == value)
            return LS_OK;
    return ls_fail(LS_ERR_USAGE, "--%s: there is no choice %d", row->name, value);
}

static ls_status check_interval(const ls_setting *row, const ls_interval *every)
{
    const int given = (every->epochs > 0) + (every->steps > 0) + (every->seconds > 0);
    if (given != 1 || every->epochs < 0 || every->steps < 0 || !(every->seconds >= 0) ||
        isinf(every->seconds))
        return ls_fail(LS_ERR_USAGE, "--%s must be above 0, in one unit", row->name);
    return LS_OK;
}

static ls_status check_scaling(const ls_setting *row, const ls_schedule_config *schedule)
{
    const double base = (double)schedule->base_batch;
    if ((int)schedule->scaling < LS_LR_AS_GIVEN || schedule->scaling > LS_LR_SQRT ||
        (schedule->scaling != LS_LR_AS_GIVEN && !ls_setting_contains(row, base)))
        return ls_fail(LS_ERR_USAGE, "--%s needs a base batch from %g to %.12g, e.g. linear:128",
                       row->name, row->min, row->max);
    return LS_OK;
}

ls_status ls_setting_check(const ls_setting *row, const void *values)
{
    const void *value = (const char *)values + row->offset;
    double number = 0;
    char text[LS_NUMBER_TEXT];
    switch (row->type) {
    case LS_TYPE_TEXT:
        return check_text(row, *(const char *const *)value);
    case LS_TYPE_CHOICE:
        return check_choice(row, *(const int *)value);
    case LS_TYPE_INTERVAL:
        return check_interval(row, value);
    case LS_TYPE_SCALING:
        return check_scaling(row, value);
    case LS_TYPE_FLAG:
        return LS_OK;
    case LS_TYPE_LOSS:
        if (*(const int *)value != LS_HUBER)
            return check_choice(row, *(const int *)value);
        number = *(const double *)(const void *)((const char *)value + LS_LOSS_NUMBER_AT(0));
        break;
    case LS_TYPE_INT:
    case LS_TYPE_SIZE:
        number = (double)*(const int64_t *)value;
        break;
    case LS_TYPE_PAIR:
        number = *(const double *)value;
        if (!isfinite(number))
            break;
        number = ((const double *)value)[1];
        break;
    case LS_TYPE_REAL:
    case LS_TYPE_TIME:
        number = *(const double *)value;
        break;
    }
    ls_format_real(number, text, sizeof text);
    return ls_setting_check_number(row, number, text);
}
