#include "base/terms.h"

#include "base/memory.h"
#include "base/text.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char blanks[] = " \t\r\n";

/* A term of a list. */
typedef struct place {
    const ls_terms *terms;
    int number; /* from 1 */
    const char *text;
} place;

/* A usage error that points at a term. */
static ls_status wrong_term(const place *p, const char *reason)
{
    return ls_fail(LS_ERR_USAGE, "%s: word %d, '%s': %s", p->terms->option, p->number, p->text,
                   reason);
}

static ls_status unknown_term(const place *p)
{
    const ls_terms *terms = p->terms;
    char name[32], reason[256];
    const char *near = NULL;
    size_t distance = SIZE_MAX;
    snprintf(name, sizeof name, "%.*s", (int)strcspn(p->text, ":"), p->text);
    for (int i = 0; i < terms->count; i++)
        if (ls_text_nearer(name, terms->term[i].name, &distance))
            near = terms->term[i].form;
    int used = snprintf(reason, sizeof reason, "unknown word; ");
    if (near != NULL)
        snprintf(reason + used, sizeof reason - (size_t)used, "did you mean '%s'?", near);
    else
        for (int i = 0; i < terms->count; i++)
            used += snprintf(reason + used, sizeof reason - (size_t)used, "%s %s",
                             i > 0 ? "," : "the words are", terms->term[i].name);
    return wrong_term(p, reason);
}

/* Parses the numbers after the colon, separated by commas. */
static ls_status parse_numbers(const place *p, const ls_term *term, double *out)
{
    char reason[128];
    const char *at = strchr(p->text, ':');
    for (int i = 0; i < term->numbers; i++) {
        char *end = NULL;
        const char *begin = at != NULL ? at + 1 : "";
        const bool plain = (*begin >= '0' && *begin <= '9') || *begin == '.' || *begin == '-';
        out[i] = plain ? strtod(begin, &end) : 0;
        if (!plain || end == begin || *end != (i + 1 < term->numbers ? ',' : '\0')) {
            snprintf(reason, sizeof reason, "write it as %s", term->form);
            return wrong_term(p, reason);
        }
        const double least = term->number[i].least, most = term->number[i].most;
        if (!(out[i] >= least && out[i] <= most)) {
            snprintf(reason, sizeof reason, "the %s must be from %g to %g", term->number[i].name,
                     least, most);
            return wrong_term(p, reason);
        }
        if (term->number[i].whole && out[i] != floor(out[i])) {
            snprintf(reason, sizeof reason, "the %s must be a whole number", term->number[i].name);
            return wrong_term(p, reason);
        }
        at = end;
    }
    return LS_OK;
}

/* Returns the term at the start of a text; terms->count if there is none. */
static int find_term(const ls_terms *terms, const char *text)
{
    const size_t length = strcspn(text, ":,;");
    int which = 0;
    while (which < terms->count && (strlen(terms->term[which].name) != length ||
                                    memcmp(terms->term[which].name, text, length) != 0))
        which++;
    return which;
}

/* Parses a term.
 * given  bit i: term i was in the list before */
static ls_status parse_term(const place *p, uint64_t *given, double (*numbers)[LS_TERM_NUMBERS])
{
    const ls_terms *terms = p->terms;
    for (const char *comma = strpbrk(p->text, ",;"); comma != NULL;
         comma = strpbrk(comma + 1, ",;"))
        if (find_term(terms, comma + 1) < terms->count)
            return wrong_term(p, "separate words by blanks, not commas");
    const int which = find_term(terms, p->text);
    if (which == terms->count)
        return unknown_term(p);
    if ((*given >> which & 1) != 0)
        return wrong_term(p, "is given twice");
    *given |= UINT64_C(1) << which;
    return parse_numbers(p, &terms->term[which], numbers[which]);
}

bool ls_terms_are_none(const char *text)
{
    return text[strspn(text, blanks)] == '\0' || strcmp(text, "none") == 0;
}

ls_status ls_terms_parse(const ls_terms *terms, const char *text,
                         double (*numbers)[LS_TERM_NUMBERS])
{
    char *rest = NULL, *copy = ls_strdup(ls_terms_are_none(text) ? "" : text);
    ls_status status = copy == NULL ? LS_ERR_FAILURE : LS_OK;
    uint64_t given = 0;
    place p = {.terms = terms};
    for (p.text = copy != NULL ? strtok_r(copy, blanks, &rest) : NULL;
         p.text != NULL && status == LS_OK; p.text = strtok_r(NULL, blanks, &rest)) {
        p.number++;
        status = parse_term(&p, &given, numbers);
    }
    ls_free(copy);
    return status;
}

int ls_terms_describe(const ls_terms *terms, int at, const char **form, const char **meaning)
{
    if (at < 0 || at >= terms->count)
        return 0;
    *form = terms->term[at].form;
    *meaning = terms->term[at].meaning;
    return 1;
}
