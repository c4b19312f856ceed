#include "data/division.h"

#include "base/fraction.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static bool is_given(const char *text)
{
    return text != NULL && *text != '\0';
}

/* Reads digits only. */
static bool read_count(const char **at, int64_t *out)
{
    enum { DIGITS = 15 };
    const size_t length = strspn(*at, "0123456789");
    *out = length > 0 && length <= DIGITS ? strtoll(*at, NULL, 10) : 0;
    *at += length;
    return *out > 0;
}

static ls_status read_test_rows(ls_division_plan *p, const char *text)
{
    const char *colon = strchr(text, ':'), *at = colon != NULL ? colon + 1 : text;
    p->fixed_first = strncmp(text, "first:", 6) == 0;
    if (strcmp(text, "all") == 0)
        p->fixed = INT64_MAX;
    else if ((!p->fixed_first && strncmp(text, "last:", 5) != 0) || !read_count(&at, &p->fixed) ||
             *at != '\0')
        return ls_fail(LS_ERR_USAGE, "--test-rows: '%s' is not last:N, first:N or all", text);
    return LS_OK;
}

static ls_status read_split(ls_division_plan *p, const char *text)
{
    double part[3];
    char *at = (char *)(uintptr_t)text;
    for (int i = 0; i < 3; i++) {
        const char *from = at;
        part[i] = isspace((unsigned char)*from) ? -1 : strtod(from, &at);
        if (at == from || !(part[i] >= 0 && part[i] <= 1) || *at++ != (i < 2 ? ',' : '\0'))
            part[i] = -1;
        if (part[i] < 0)
            return ls_fail(LS_ERR_USAGE,
                           "--split: '%s' is not TRAIN,VALIDATION,TEST, as in 0.8,0.1,0.1", text);
    }
    if (part[0] == 0 || ls_meant(part[0] + part[1] + part[2]) != 1)
        return ls_fail(LS_ERR_USAGE,
                       "--split %s: the fractions must add up to 1, with training rows", text);
    p->validation = part[1];
    p->test = part[2];
    return LS_OK;
}

static ls_status read_fold(ls_division_plan *p, const char *text)
{
    const char *at = text;
    int64_t fold, folds;
    if (!read_count(&at, &fold) || *at++ != '/' || !read_count(&at, &folds) || *at != '\0' ||
        folds < 2 || folds > LS_FOLDS_MOST || fold > folds)
        return ls_fail(LS_ERR_USAGE, "--fold: '%s' is not K/N, K from 1 to N, N from 2 to %d", text,
                       LS_FOLDS_MOST);
    p->fold = (int)fold;
    p->folds = (int)folds;
    return LS_OK;
}

ls_status ls_division_plan_make(ls_division_plan *out, const ls_dataset_options *o)
{
    ls_division_plan p = {.how = o->hold_out, .seed = o->seed, .validation = o->validation};
    ls_status status = LS_OK;
    if (is_given(o->split) && (is_given(o->test_rows) || is_given(o->fold)))
        return ls_fail(LS_ERR_USAGE, "--split chooses test and validation rows: leave --%s out",
                       is_given(o->fold) ? "fold" : "test-rows");
    if (is_given(o->test_rows))
        status = read_test_rows(&p, o->test_rows);
    if (status == LS_OK && is_given(o->split))
        status = read_split(&p, o->split);
    if (status == LS_OK && is_given(o->fold))
        status = read_fold(&p, o->fold);
    if (status == LS_OK)
        *out = p;
    return status;
}
