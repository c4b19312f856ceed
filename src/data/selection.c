#include "data/selection.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A list that is being read. */
typedef struct reader {
    const char *option, *text; /* for messages */
    const char *at;            /* the next character */
} reader;

static ls_status fail_at(const reader *r, const char *expected)
{
    return *r->at == '\0' ? ls_fail(LS_ERR_USAGE, "--%s '%s': expected %s at the end", r->option,
                                    r->text, expected)
                          : ls_fail(LS_ERR_USAGE, "--%s '%s': expected %s at '%.24s'", r->option,
                                    r->text, expected, r->at);
}

static void skip_blanks(reader *r)
{
    r->at += strspn(r->at, " \t");
}

/* Reads a number, if there is one. */
static bool read_number(reader *r, int64_t *out)
{
    enum { DIGITS = 18 };
    skip_blanks(r);
    const char *digits = r->at + (*r->at == '-');
    const size_t length = strspn(digits, "0123456789");
    if (length == 0 || length > DIGITS)
        return false;
    *out = strtoll(r->at, NULL, 10);
    r->at = digits + length;
    skip_blanks(r);
    return true;
}

static ls_status read_slice(reader *r, ls_slice *out)
{
    ls_slice s = {0};
    s.from_start = !read_number(r, &s.first);
    s.index = *r->at != ':';
    if (s.index && s.from_start)
        return fail_at(r, "A:B, an index or ':'");
    if (!s.index) {
        r->at++;
        s.to_end = !read_number(r, &s.end);
    }
    if (*r->at == ':')
        return fail_at(r, "no step, but ',' or ']',");
    if (*r->at != ',' && *r->at != ']')
        return fail_at(r, "',' or ']'");
    *out = s;
    return LS_OK;
}

/* Reads the part in brackets. */
static ls_status read_slices(reader *r, ls_selection *out)
{
    ls_status status = LS_OK;
    do {
        const char *start = ++r->at;
        if (out->slices == LS_H5_MAX_RANK)
            return fail_at(r, "at most 4 dimensions, and ']',");
        ls_slice *slice = &out->slice[out->slices];
        status = read_slice(r, slice);
        if (status == LS_OK && out->slices == 0 &&
            (slice->index || !slice->from_start || !slice->to_end)) {
            r->at = start;
            return fail_at(r, "':' for the rows (--split and --test-rows choose among them)");
        }
        out->slices++;
    } while (status == LS_OK && *r->at == ',');
    r->at += status == LS_OK;
    return status;
}

static ls_status read_name(reader *r, ls_selection *out)
{
    skip_blanks(r);
    const char *start = r->at;
    start += strspn(start, "/");
    size_t length = strcspn(start, "[,");
    r->at = start + length;
    while (length > 0 && isspace((unsigned char)start[length - 1]))
        length--;
    if (length == 0)
        return fail_at(r, "the path of a dataset");
    if (length >= sizeof out->name)
        return ls_fail(LS_ERR_USAGE, "--%s: the path '%.24s...' is too long", r->option, start);
    memcpy(out->name, start, length);
    return LS_OK;
}

static ls_status read_selection(reader *r, ls_selection *out)
{
    *out = (ls_selection){0};
    ls_status status = read_name(r, out);
    if (status == LS_OK && *r->at == '[')
        status = read_slices(r, out);
    skip_blanks(r);
    return status == LS_OK && *r->at != ',' && *r->at != '\0' ? fail_at(r, "','") : status;
}

ls_status ls_selections_parse(ls_selections *out, const char *option, const char *text)
{
    reader r = {option, text, text};
    ls_status status = LS_OK;
    out->count = 0;
    do {
        if (out->count == LS_SELECTIONS_MOST)
            return ls_fail(LS_ERR_USAGE, "--%s '%s': more than %d datasets", option, text,
                           LS_SELECTIONS_MOST);
        status = read_selection(&r, &out->of[out->count++]);
    } while (status == LS_OK && *r.at++ == ',');
    return status;
}

ls_selections ls_selection_of_all(const char *name)
{
    ls_selections all = {.count = 1};
    snprintf(all.of[0].name, sizeof all.of[0].name, "%s", name);
    return all;
}

static ls_status fail_range(const ls_selection *s, const char *path, int d, int64_t extent)
{
    const ls_slice *slice = &s->slice[d];
    char text[64] = "", end[24] = "";
    if (slice->index || !slice->from_start)
        snprintf(text, sizeof text, "%" PRId64, slice->first);
    if (!slice->to_end)
        snprintf(end, sizeof end, "%" PRId64, slice->end);
    return ls_fail(LS_ERR_DATA,
                   "%s: '/%s' has %" PRId64 " numbers in dimension %d, which '%s%s%s' does not "
                   "select from",
                   path, s->name, extent, d, text, slice->index ? "" : ":",
                   slice->index ? "" : end);
}

/* Resolves a slice in a dimension; returns false if the dimension has no such indices. */
static bool resolve_slice(const ls_slice *s, int64_t extent, ls_range *out)
{
    const int64_t first = s->first < 0 ? s->first + extent : s->first;
    int64_t end = s->index ? first + 1 : s->end < 0 ? s->end + extent : s->end;
    if (s->to_end)
        end = extent;
    *out = (ls_range){first, end - first};
    return first >= 0 && end > first && end <= extent;
}

ls_status ls_selection_apply(const ls_selection *s, const char *path, const ls_h5_shape *shape,
                             ls_range *part, bool *kept)
{
    if (s->slices > shape->rank)
        return ls_fail(LS_ERR_DATA, "%s: '/%s' has %d dimensions, but %d are selected from", path,
                       s->name, shape->rank, s->slices);
    for (int d = 1; d < shape->rank; d++) {
        const bool all = d >= s->slices;
        kept[d] = all || !s->slice[d].index;
        if (all)
            part[d] = (ls_range){0, shape->dims[d]};
        else if (!resolve_slice(&s->slice[d], shape->dims[d], &part[d]))
            return fail_range(s, path, d, shape->dims[d]);
    }
    return LS_OK;
}
