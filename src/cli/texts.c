#include "cli/texts.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/show.h"
#include "cli/console.h"

#include <string.h>
#include <unistd.h>

/* Texts that are read and classified at once, so that memory is bounded; bytes of a file. */
enum { AT_ONCE = 1024, BYTES_AT_ONCE = 64 << 20, DOCUMENT_MOST = 64 << 20, LINES_MOST = 1 << 30 };

typedef struct work {
    const ls_model *model;
    const ls_text_request *request;
    ls_predicted printed;
    ls_text_counts counts;
    char *text[AT_ONCE]; /* owned */
    ls_predicted_thing thing[AT_ONCE];
    int held;      /* texts that were read */
    int64_t bytes; /* of them */
    float *y;      /* [AT_ONCE][classes] */
    int32_t predicted[AT_ONCE];
} work;

/* Forgets the texts that are held. */
static void drop(work *w)
{
    for (int i = 0; i < w->held; i++)
        ls_free(w->text[i]);
    w->held = 0;
    w->bytes = 0;
}

/* Classifies and prints the texts that are held. */
static ls_status flush(work *w)
{
    const int classes = ls_model_describe(w->model)->classes;
    ls_status status = ls_model_text_outputs(w->model, (const char *const *)w->text, w->held, w->y,
                                             w->predicted, &w->counts);
    for (int i = 0; status == LS_OK && i < w->held; i++)
        status = ls_predicted_add(&w->printed, w->thing[i], w->predicted[i],
                                  w->y + (int64_t)i * classes);
    drop(w);
    return status;
}

/* Takes a copy of a text. */
static ls_status take(work *w, const char *text, ls_predicted_thing thing)
{
    char *copy = ls_strdup(text);
    if (copy == NULL)
        return LS_ERR_FAILURE;
    w->text[w->held] = copy;
    w->thing[w->held++] = thing;
    w->bytes += (int64_t)strlen(text);
    return w->held == AT_ONCE || w->bytes > BYTES_AT_ONCE ? flush(w) : LS_OK;
}

/* Takes the lines of a text, which is changed. */
static ls_status take_lines(work *w, char *text, const char *path)
{
    ls_status status = LS_OK;
    ls_predicted_thing thing = {.file = path, .line = 1};
    for (char *end; status == LS_OK && *text != '\0'; text = end, thing.line++) {
        char *stop = text + strcspn(text, "\n");
        end = stop + (*stop == '\n');
        if (stop > text && stop[-1] == '\r')
            stop--;
        *stop = '\0';
        status = take(w, text, thing);
    }
    return status;
}

/* Takes the text, or texts, of a file. */
static ls_status take_file(work *w, const char *path)
{
    char *text = NULL;
    size_t length = 0;
    const bool lines = w->request->lines;
    ls_status status =
        ls_read_file(path, lines ? LINES_MOST : DOCUMENT_MOST, LS_ERR_DATA, &text, &length);
    if (status == LS_OK && memchr(text, '\0', length) != NULL)
        status = ls_fail(LS_ERR_DATA, "%s: a zero byte: not a text file", path);
    if (status == LS_ERR_DATA && strchr(path, ' ') != NULL && access(path, F_OK) != 0)
        status = ls_fail(LS_ERR_DATA, "%s: no such file; --text classifies a text itself", path);
    if (status == LS_ERR_DATA) {
        ls_predicted_note_bad(&w->printed);
        status = LS_OK;
    } else if (status == LS_OK)
        status =
            lines ? take_lines(w, text, path) : take(w, text, (ls_predicted_thing){.file = path});
    ls_free(text);
    return status;
}

static ls_status predict_all(work *w)
{
    const ls_text_request *r = w->request;
    ls_status status =
        *r->text != '\0' ? take(w, r->text, (ls_predicted_thing){.file = "text"}) : LS_OK;
    for (int i = 0; status == LS_OK && i < r->count; i++)
        status = take_file(w, r->path[i]);
    return status == LS_OK ? flush(w) : status;
}

/* Says on stderr what is special about the texts. */
static void print_notes(const work *w)
{
    const ls_text_counts *c = &w->counts;
    const char *piece = c->characters ? "character" : "word";
    if (c->unknown > 0)
        ls_print(stderr, "note: %s of %s not in the network's vocabulary\n",
                 ls_grouped(c->unknown).text, ls_counted(c->pieces, piece).text);
    if (c->cut > 0)
        ls_print(stderr, "note: %s with more than %lld %ss cut: the beginning is classified\n",
                 ls_counted(c->cut, "text").text,
                 (long long)ls_shape_size(ls_model_describe(w->model)->input), piece);
    if (c->empty > 0)
        ls_print(stderr, "note: %s without %ss: a sequence of 0 steps\n",
                 ls_counted(c->empty, "text").text, piece);
}

ls_status ls_texts_predict(const ls_model *model, const ls_text_request *request)
{
    const ls_model_facts *facts = ls_model_describe(model);
    work *w = ls_alloc(1, sizeof *w);
    if (w == NULL)
        return LS_ERR_FAILURE;
    w->model = model;
    w->request = request;
    ls_status status = ls_model_check_texts(model);
    if (status == LS_OK)
        status = ls_predicted_begin(&w->printed, model, request->form, request->lines);
    w->y = ls_alloc((int64_t)AT_ONCE * facts->classes, sizeof *w->y);
    if (status == LS_OK && w->y == NULL)
        status = LS_ERR_FAILURE;
    if (status == LS_OK)
        status = predict_all(w);
    drop(w);
    ls_predicted_end(&w->printed, status);
    if (status == LS_OK) {
        print_notes(w);
        status = ls_predicted_bad(&w->printed, request->count, "file");
    }
    ls_free(w->y);
    ls_free(w);
    return status;
}
