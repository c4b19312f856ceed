/* A text becomes rows of T characters, whose targets are the characters that follow:
 *
 *     text      t h e   c a t   s a t
 *     row 0     t h e _            targets  h e _ c
 *     row 1             c a t _    targets          a t _ s
 *
 * T: steps of a row. */
#include <lockstep/dataset.h>
#include <lockstep/import.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/show.h"
#include "base/utf8.h"
#include "data/class_names.h"
#include "sources/import_common.h"
#include "sources/tokens.h"

#include <stdio.h>
#include <string.h>

enum { CODE_POINTS = 0x110000, TEXT_MOST = 1 << 30 /* bytes */ };

typedef struct text {
    char *bytes;
    const char *begin; /* behind a byte order mark */
    int64_t characters;
    int64_t broken;     /* bytes that are not UTF-8 */
    int32_t *token;     /* [CODE_POINTS] of each character; -1: it does not occur */
    ls_text_list texts; /* of the tokens, in the order of code points */
    int64_t steps;      /* T */
} text;

/* A split: a part of the text. */
typedef struct part {
    const text *text;
    int64_t rows;
    const char *input, *target; /* the next characters to write */
} part;

static ls_status read_text(text *t, const char *path)
{
    size_t length = 0;
    ls_status status = ls_check_readable(path);
    if (status == LS_OK)
        status = ls_read_file(path, TEXT_MOST, LS_ERR_DATA, &t->bytes, &length);
    if (status != LS_OK)
        return status;
    t->begin = t->bytes + (strncmp(t->bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0);
    if (length == 0)
        return ls_fail(LS_ERR_DATA, "%s: is empty", path);
    return memchr(t->bytes, '\0', length) == NULL
               ? LS_OK
               : ls_fail(LS_ERR_DATA, "%s: a zero byte: not a text file", path);
}

/* Counts the characters, and gives those that occur their tokens. */
static ls_status find_characters(text *t, const char *path)
{
    ls_status status = LS_OK;
    t->token = ls_alloc(CODE_POINTS, sizeof *t->token);
    if (t->token == NULL)
        return LS_ERR_FAILURE;
    for (const char *at = t->begin; *at != '\0'; t->characters++) {
        t->broken += ls_utf8_length(at) == 0;
        t->token[ls_utf8_next(&at)] = 1;
    }
    for (uint32_t c = 0; status == LS_OK && c < CODE_POINTS; c++) {
        char name[LS_UTF8_MOST + 1] = "";
        const bool occurs = t->token[c] > 0;
        t->token[c] = occurs ? (int32_t)t->texts.count : -1;
        (void)ls_utf8_write(c, name);
        if (occurs)
            status = ls_text_list_add(&t->texts, name);
    }
    if (status == LS_OK && (t->texts.count < 2 || t->texts.count > LS_MAX_CLASSES))
        status = ls_fail(LS_ERR_DATA, "%s: has %lld different characters, expected 2 to %d", path,
                         (long long)t->texts.count, LS_MAX_CLASSES);
    return status;
}

static const char *skip(const char *at, int64_t characters)
{
    for (int64_t i = 0; i < characters; i++)
        (void)ls_utf8_next(&at);
    return at;
}

/* Makes a part of some characters; the first of them is at *at, which is moved behind them.
 * what  "training", for the message */
static ls_status make_part(part *out, const text *t, const char *path, const char **at,
                           int64_t characters, const char *what)
{
    *out = (part){.text = t, .rows = (characters - 1) / t->steps, .input = *at};
    out->target = skip(*at, characters > 0);
    *at = skip(*at, characters);
    if (characters > t->steps)
        return LS_OK;
    return ls_fail(LS_ERR_DATA,
                   "%s: has %s for %s: a row of %lld steps needs %lld: give fewer --steps", path,
                   ls_counted(characters, "character").text, what, (long long)t->steps,
                   (long long)t->steps + 1);
}

static ls_status characters_read_inputs(void *user, int64_t rows, void *inputs)
{
    part *p = user;
    const ls_h5_type type = ls_token_type(p->text->texts.count);
    for (int64_t i = 0; i < rows * p->text->steps; i++)
        ls_token_put(inputs, type, i, p->text->token[ls_utf8_next(&p->input)]);
    return LS_OK;
}

static ls_status characters_read_labels(void *user, int64_t rows, void *labels)
{
    part *p = user;
    for (int64_t i = 0; i < rows * p->text->steps; i++)
        ((int32_t *)labels)[i] = p->text->token[ls_utf8_next(&p->target)];
    return LS_OK;
}

static ls_status write_parts(const ls_import *import, const text *t, part *parts, int splits,
                             const char *source, const char *path)
{
    static const char *const groups[] = {"train", "test"};
    ls_split_source split[2];
    ls_text_list sources = {0};
    for (int k = 0; k < splits; k++)
        split[k] = (ls_split_source){
            .group = groups[k],
            .rows = ls_import_rows(parts[k].rows, k == 0 ? import->limit : import->limit_test),
            .type = ls_token_type(t->texts.count),
            .dims = 1,
            .image = {t->steps},
            .source = &parts[k],
            .read = characters_read_inputs,
            .read_labels = characters_read_labels};
    ls_dataset_content content = ls_import_content(import, split, splits);
    content.classes = t->texts.count;
    content.class_names = ls_class_names_fit(&t->texts) ? &t->texts : NULL;
    content.vocabulary = &t->texts;
    content.user = &sources;
    content.digest = ls_import_digest;
    ls_status status = ls_text_list_add(&sources, source);
    if (status == LS_OK)
        status = ls_dataset_write(&content, path);
    ls_text_list_free(&sources);
    return status;
}

/* Divides the text: the last part is for testing. */
static ls_status divide(const text *t, const ls_character_source *source, part parts[2],
                        int *splits)
{
    const char *at = t->begin;
    const int64_t test = (int64_t)((double)t->characters * source->test_fraction);
    *splits = source->test_fraction > 0 ? 2 : 1;
    ls_status status = make_part(&parts[0], t, source->path, &at, t->characters - test, "training");
    if (status == LS_OK && *splits > 1)
        status = make_part(&parts[1], t, source->path, &at, test, "testing");
    return status;
}

ls_status ls_import_characters(const ls_import *import, const ls_character_source *source,
                               const char *path)
{
    text t = {.steps = source->steps > 0 ? source->steps : LS_TEXT_STEPS};
    part parts[2];
    int splits = 0;
    ls_status status =
        import->classes == 0
            ? read_text(&t, source->path)
            : ls_fail(LS_ERR_USAGE, "the characters are the classes: leave out --classes");
    if (status == LS_OK)
        status = find_characters(&t, source->path);
    if (status == LS_OK)
        status = divide(&t, source, parts, &splits);
    if (status == LS_OK)
        status = write_parts(import, &t, parts, splits, source->path, path);
    if (status == LS_OK && t.broken > 0 && import->note != NULL) {
        char note[96];
        snprintf(note, sizeof note, "%s not UTF-8, taken as U+FFFD",
                 ls_counted(t.broken, "byte").text);
        import->note(import->user, note);
    }
    ls_text_list_free(&t.texts);
    ls_free(t.token);
    ls_free(t.bytes);
    return status;
}
