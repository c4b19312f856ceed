/* Parses settings. */
#include "train/setting_value.h"

#include "base/text.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <lockstep/config.h>

/* Reads the number at the beginning of a text.
 * rest  on return the text after the number */
static bool read_real(const char *text, double *out, const char **rest)
{
    char *stop;
    if (isspace((unsigned char)*text))
        return false;
    *out = strtod(text, &stop);
    *rest = stop;
    return stop != text && isfinite(*out);
}

static ls_status parse_int(const ls_setting *row, const char *text, int64_t *out)
{
    char *stop;
    errno = 0;
    const long long value = strtoll(text, &stop, 10);
    if (stop == text || *stop != '\0' || isspace((unsigned char)*text) || errno != 0)
        return ls_fail(LS_ERR_USAGE, "--%s: '%s' is not a whole number", row->name, text);
    /* Ranges are doubles, which hold integers up to 2^53: larger ones are beyond all ranges. */
    const int64_t most = INT64_C(1) << 53;
    const double number = value > most ? 0x1p63 : value < -most ? -0x1p63 : (double)value;
    const ls_status status = ls_setting_check_number(row, number, text);
    if (status == LS_OK)
        *out = value;
    return status;
}

static ls_status parse_real(const ls_setting *row, const char *text, double *out)
{
    double value;
    const char *rest;
    if (!read_real(text, &value, &rest) || *rest != '\0')
        return ls_fail(LS_ERR_USAGE, "--%s: '%s' is not a number", row->name, text);
    const ls_status status = ls_setting_check_number(row, value, text);
    if (status == LS_OK)
        *out = value;
    return status;
}

static ls_status parse_pair(const ls_setting *row, const char *text, double out[2])
{
    double a, b;
    const char *rest;
    if (!read_real(text, &a, &rest) || *rest != ',' || !read_real(rest + 1, &b, &rest) ||
        *rest != '\0' || !ls_setting_contains(row, b))
        return ls_fail(LS_ERR_USAGE, "--%s: '%s' is not %s, with the second above %g", row->name,
                       text, row->argument, row->min);
    out[0] = a;
    out[1] = b;
    return LS_OK;
}

/* Values in Keras, PyTorch and others whose names here are other words. */
static const struct {
    const char *theirs, *ours;
} synonyms[] = {{"rmsprop", "adam"},
                {"adagrad", "adam"},
                {"adadelta", "adam"},
                {"nll", "cross-entropy"},
                {"ce", "cross-entropy"},
                {"mean-squared-error", "mse"},
                {"l2", "mse"},
                {"l1", "mae"},
                {"mean-absolute-error", "mae"},
                {"smooth-l1", "huber"},
                {"binary-cross-entropy", "bce"},
                {"binary-crossentropy", "bce"},
                {"binarycrossentropy", "bce"},
                {"bce-with-logits", "bce"},
                {"binary", "bce"},
                {"logistic", "bce"},
                {"log-loss", "bce"},
                {"sigmoid", "bce"},
                {"softmax", "cross-entropy"},
                {"f1", "val_macro_f1"},
                {"f1-score", "val_macro_f1"},
                {"val-f1", "val_macro_f1"},
                {"roc-auc", "val_auc"},
                {"val-mse", "val_rmse"},
                {"r2-score", "val_r2"},
                {"exponential", "step"},
                {"multistep", "step"}};

/* Returns true if a text is a name, where '-' stands for '_', too. */
static bool is_alike(const char *text, const char *name)
{
    while (*text != '\0' &&
           (*text == '_' ? '-' : tolower((unsigned char)*text)) == (*name == '_' ? '-' : *name)) {
        text++;
        name++;
    }
    return *text == '\0' && *name == '\0';
}

/* Returns the choice that is meant, NULL if none is likely: one of another name, one that begins
 * with the text, or one that resembles it. */
static const char *find_meant(const ls_setting *row, const char *text)
{
    const char *near = NULL;
    size_t distance = SIZE_MAX;
    for (const ls_choice *c = row->choices; c->name != NULL; c++)
        for (size_t i = 0; i < sizeof synonyms / sizeof *synonyms; i++)
            if (is_alike(text, synonyms[i].theirs) && strcmp(c->name, synonyms[i].ours) == 0)
                return c->name;
    for (const ls_choice *c = row->choices; c->name != NULL; c++)
        if (strncmp(c->name, "val_", strlen("val_")) == 0 &&
            is_alike(text, c->name + strlen("val_")))
            return c->name;
    for (const ls_choice *c = row->choices; c->name != NULL; c++)
        if (strlen(text) > 1 && strncmp(c->name, text, strlen(text)) == 0)
            return c->name;
    for (const ls_choice *c = row->choices; c->name != NULL; c++)
        if (*c->name != '\0' && ls_text_resembles(text, c->name, &distance))
            near = c->name;
    return near;
}

/* Makes the error for an unknown choice. */
static ls_status fail_choice(const ls_setting *row, const char *text)
{
    char all[LS_ERROR_TEXT_MAX / 2] = "";
    const char *meant = find_meant(row, text);
    for (const ls_choice *c = row->choices; c->name != NULL; c++)
        if (*c->name != '\0')
            snprintf(all + strlen(all), sizeof all - strlen(all), " %s", c->name);
    return ls_fail(LS_ERR_USAGE, "--%s: '%s' is not one of:%s%s%s%s", row->name, text, all,
                   meant != NULL ? "; did you mean " : "", meant != NULL ? meant : "",
                   meant != NULL ? "?" : "");
}

static ls_status parse_choice(const ls_setting *row, const char *text, int *out)
{
    for (int i = 0; row->choices[i].name != NULL; i++)
        if (strcmp(row->choices[i].name, text) == 0) {
            *out = i;
            return LS_OK;
        }
    return fail_choice(row, text);
}

/* Parses a loss; huber may be followed by a colon and a number. */
static ls_status parse_loss(const ls_setting *row, const char *text, char *value)
{
    static const char prefix[] = "huber:";
    int loss = LS_HUBER;
    double number = 1;
    const char *rest;
    ls_status status = LS_OK;
    if (strncmp(text, prefix, strlen(prefix)) != 0)
        status = parse_choice(row, text, &loss);
    else if (!read_real(text + strlen(prefix), &number, &rest) || *rest != '\0' ||
             !ls_setting_contains(row, number))
        status = ls_fail(LS_ERR_USAGE, "--%s: '%s': write huber:D with a number above 0", row->name,
                         text);
    if (status != LS_OK)
        return status;
    memcpy(value, &loss, sizeof loss);
    memcpy(value + LS_LOSS_NUMBER_AT(0), &number, sizeof number);
    return LS_OK;
}

static ls_status parse_flag(const ls_setting *row, const char *text, bool *out)
{
    const bool on = strcmp(text, "true") == 0;
    if (!on && strcmp(text, "false") != 0)
        return ls_fail(LS_ERR_USAGE, "--%s: '%s' is neither true nor false", row->name, text);
    *out = on;
    return LS_OK;
}

static ls_status parse_text(const ls_setting *row, const char *text, const char **out)
{
    if (strpbrk(text, "\r\n") != NULL)
        return ls_fail(LS_ERR_USAGE, "--%s: must be a single line", row->name);
    *out = text;
    return LS_OK;
}

static const double MOST = 1e15; /* epochs, steps or seconds: ls_format_real() writes all digits */

/* Reads a number and its unit.
 * counts  true: epochs (the default unit), steps or a time; false: a time, in seconds by default */
static bool read_interval(const char *text, bool counts, ls_interval *out)
{
    double value;
    const char *unit;
    if (!read_real(text, &value, &unit) || !(value > 0 && value < MOST))
        return false;
    unit += strspn(unit, " ");
    if (*unit == '\0')
        unit = counts ? "epochs" : "s";
    for (const ls_unit *u = ls_units; u->name != NULL; u++) {
        if (strcmp(unit, u->name) != 0)
            continue;
        *out = (ls_interval){0};
        if (u->seconds > 0)
            out->seconds = value * u->seconds;
        else if (counts && value == floor(value) && *unit == 'e')
            out->epochs = (int64_t)value;
        else if (counts && value == floor(value))
            out->steps = (int64_t)value;
        return out->epochs > 0 || out->steps > 0 || (out->seconds > 0 && out->seconds < MOST);
    }
    return false;
}

static ls_status parse_interval(const ls_setting *row, const char *text, ls_interval *out)
{
    ls_interval value;
    if (!read_interval(text, true, &value))
        return ls_fail(LS_ERR_USAGE,
                       "--%s: '%s' is not an interval: write 500steps, 1epoch or 10min", row->name,
                       text);
    *out = value;
    return LS_OK;
}

static ls_status parse_time(const ls_setting *row, const char *text, double *out)
{
    ls_interval value = {0};
    if (*text != '\0' && !read_interval(text, false, &value))
        return ls_fail(LS_ERR_USAGE, "--%s: '%s' is not a time: write 90s or 10min", row->name,
                       text);
    *out = value.seconds;
    return LS_OK;
}

/* Parses bytes, with an optional suffix K, M or G (powers of 1024). */
static ls_status parse_size(const ls_setting *row, const char *text, int64_t *out)
{
    static const char letters[] = "KMG";
    double value;
    const char *unit;
    bool good = read_real(text, &value, &unit);
    const char *at = good && *unit != '\0' ? strchr(letters, *unit) : NULL;
    if (at != NULL) {
        value = ldexp(value, 10 * (int)(at - letters + 1));
        unit++;
    }
    if (!good || *unit != '\0' || !ls_setting_contains(row, value))
        return ls_fail(LS_ERR_USAGE, "--%s: '%s' is not a size: write 256M or 2G", row->name, text);
    *out = (int64_t)value;
    return LS_OK;
}

static ls_status parse_scaling(const ls_setting *row, const char *text, ls_schedule_config *out)
{
    for (int i = LS_LR_AS_GIVEN; i <= LS_LR_SQRT; i++) {
        const size_t length = strlen(ls_scaling_name(i));
        const char *digits = text + length + 1;
        char *end = (char *)"";
        if (strncmp(text, ls_scaling_name(i), length) != 0 ||
            text[length] != (length > 0 ? ':' : 0))
            continue;
        const int64_t batch =
            length > 0 && isdigit((unsigned char)*digits) ? strtoll(digits, &end, 10) : 0;
        const double number = (double)batch;
        if (*end != '\0' || (length > 0 && !ls_setting_contains(row, number)))
            continue;
        out->scaling = (ls_lr_scaling)i;
        out->base_batch = batch;
        return LS_OK;
    }
    return ls_fail(LS_ERR_USAGE,
                   "--%s: '%s' is not a rule and a batch: write linear:128 or sqrt:128", row->name,
                   text);
}

ls_status ls_setting_parse(const ls_setting *row, void *values, const char *text)
{
    void *value = (char *)values + row->offset;
    switch (row->type) {
    case LS_TYPE_TEXT:
        return parse_text(row, text, value);
    case LS_TYPE_INT:
        return parse_int(row, text, value);
    case LS_TYPE_REAL:
        return parse_real(row, text, value);
    case LS_TYPE_CHOICE:
        return parse_choice(row, text, value);
    case LS_TYPE_FLAG:
        return parse_flag(row, text, value);
    case LS_TYPE_PAIR:
        return parse_pair(row, text, value);
    case LS_TYPE_INTERVAL:
        return parse_interval(row, text, value);
    case LS_TYPE_TIME:
        return parse_time(row, text, value);
    case LS_TYPE_SIZE:
        return parse_size(row, text, value);
    case LS_TYPE_LOSS:
        return parse_loss(row, text, value);
    case LS_TYPE_SCALING:
        return parse_scaling(row, text, value);
    }
    assert(!"a type without a parser");
    return LS_OK;
}

void ls_setting_reset(const ls_setting *row, void *values)
{
    const char *unset = row->type == LS_TYPE_FLAG ? "false" : "";
    if (ls_setting_parse(row, values, row->initial != NULL ? row->initial : unset) != LS_OK)
        assert(!"a default out of its range");
}
