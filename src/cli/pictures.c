/* K: classes of the network. */
#include "cli/pictures.h"

#include "base/file.h"
#include "base/integer.h"
#include "base/memory.h"
#include "base/show.h"
#include "cli/console.h"
#include "cli/pictures_read.h"
#include "cli/png.h"
#include "cli/sheet.h"

#include <string.h>

/* Pictures that are read and classified at once, so that memory is bounded. */
enum { AT_ONCE = 128 };

typedef struct work {
    const ls_model *model;
    const ls_model_facts *facts; /* the model's */
    const ls_picture_request *request;
    int64_t features;
    uint8_t *pixels;    /* [AT_ONCE][features] */
    int *which;         /* [AT_ONCE] number of the picture */
    float *y;           /* [AT_ONCE][K] */
    int32_t *predicted; /* [AT_ONCE] */
    ls_sheet *sheet;    /* or NULL */
    ls_predicted printed;
    int resized, recoloured; /* pictures */
    int bright, dark;        /* pictures whose border is much brighter or darker than in training */
} work;

ls_status ls_pictures_check_show(const ls_picture_request *r)
{
    const ls_status status = ls_refuse_input(r->show, r->path, r->count);
    return status == LS_OK ? ls_png_check(r->show) : status;
}

/* Draws what the network saw, with the class. */
static void draw(const work *w, int64_t cell, const uint8_t *pixels, int32_t class, float y)
{
    char caption[32];
    snprintf(caption, sizeof caption, "%d", (int)class);
    ls_sheet_put(w->sheet, cell, pixels, caption,
                 ls_predicted_probable(&w->printed) ? ls_percent((double)y).text : "");
}

/* Prints the pictures that were classified at once. */
static ls_status print_some(work *w, int count)
{
    ls_status status = LS_OK;
    for (int i = 0; status == LS_OK && i < count; i++) {
        const float *y = w->y + (int64_t)i * w->facts->classes;
        const int32_t class = w->predicted[i];
        const ls_predicted_thing picture = {.file = w->request->path[w->which[i]]};
        status = ls_predicted_add(&w->printed, picture, class, y);
        if (w->sheet != NULL)
            draw(w, w->which[i], w->pixels + i * w->features, class, y[class]);
    }
    return status;
}

static void count_changes(work *w, const ls_picture_changes *changes)
{
    w->resized += changes->resized;
    w->recoloured += changes->recoloured;
    /* Without the border of the training, NaN, nothing is counted. */
    w->bright += changes->border - w->facts->border > 0.5;
    w->dark += w->facts->border - changes->border > 0.5;
}

/* Reads pictures from number *at on, at most AT_ONCE, and moves *at behind them. Returns the number
 * of those that could be read.
 * Errors: LS_ERR_FAILURE. */
static ls_status read_some(work *w, int *at, int *count)
{
    const ls_picture_request *r = w->request;
    *count = 0;
    for (; *at < r->count && *count < AT_ONCE; (*at)++) {
        ls_picture_changes changes;
        const ls_status status = ls_picture_fit(r->path[*at], w->facts->input, r->digit,
                                                w->pixels + *count * w->features, &changes);
        if (status == LS_ERR_DATA) {
            ls_predicted_note_bad(&w->printed);
            continue;
        }
        if (status != LS_OK)
            return status;
        count_changes(w, &changes);
        w->which[(*count)++] = *at;
    }
    return LS_OK;
}

static ls_status predict_all(work *w)
{
    ls_status status = LS_OK;
    for (int at = 0, count; status == LS_OK && at < w->request->count;) {
        status = read_some(w, &at, &count);
        if (status == LS_OK)
            status = ls_model_outputs(w->model, w->pixels, count, w->y, w->predicted);
        if (status == LS_OK)
            status = print_some(w, count);
    }
    return status;
}

static ls_status make_room(work *w)
{
    const ls_picture_request *r = w->request;
    const int64_t columns = ls_sheet_columns(r->count);
    const ls_sheet_layout layout = {
        .shape = w->facts->input,
        .columns = columns,
        .rows = (r->count + columns - 1) / columns,
        .line = {"00000", ls_predicted_probable(&w->printed) ? "100.0%" : ""}};
    w->pixels = ls_alloc(AT_ONCE * w->features, 1);
    w->which = ls_alloc(AT_ONCE, sizeof *w->which);
    w->y = ls_alloc((int64_t)AT_ONCE * w->facts->classes, sizeof *w->y);
    w->predicted = ls_alloc(AT_ONCE, sizeof *w->predicted);
    if (w->pixels == NULL || w->which == NULL || w->y == NULL || w->predicted == NULL)
        return LS_ERR_FAILURE;
    return *r->show != '\0' ? ls_sheet_create(&w->sheet, &layout) : LS_OK;
}

/* Says on stderr that pictures look unlike the training's. */
static void print_border_notes(const work *w)
{
    const bool digits = w->facts->input.channels == 1 && !w->request->digit;
    if (w->bright > 0)
        ls_print(stderr,
                 "note: %s with a bright border, where the training's have a dark one: invert them"
                 "%s\n",
                 ls_counted(w->bright, "picture").text,
                 digits ? ", or give --digit if they are digits or letters" : "");
    if (w->dark > 0)
        ls_print(stderr,
                 "note: %s with a dark border, where the training's have a bright one: %s\n",
                 ls_counted(w->dark, "picture").text,
                 w->request->digit ? "leave out --digit" : "invert them");
}

/* Says on stderr how pictures were changed. */
static void print_notes(const work *w)
{
    const ls_picture_request *r = w->request;
    const ls_shape in = w->facts->input;
    const char *colour = in.channels == 1 ? "made grey" : "made coloured";
    if (!r->digit && w->resized > 0)
        ls_print(stderr, "note: %s resized to %lldx%lld, which the network takes\n",
                 ls_counted(w->resized, "picture").text, (long long)in.height, (long long)in.width);
    if (w->recoloured > 0)
        ls_print(stderr, "note: %s %s, which the network takes\n",
                 ls_counted(w->recoloured, "picture").text, colour);
    print_border_notes(w);
    if (*r->show != '\0')
        ls_print(stderr,
                 w->printed.bad < r->count ? "%s: what the network saw\n"
                                           : "note: %s is not written: no picture could be read\n",
                 r->show);
}

ls_status ls_pictures_predict(const ls_model *model, const ls_picture_request *request)
{
    work w = {.model = model, .facts = ls_model_describe(model), .request = request};
    w.features = ls_shape_size(w.facts->input);
    ls_status status = ls_pictures_check_network(w.facts, request->digit);
    if (status == LS_OK)
        status = ls_predicted_begin(&w.printed, model, request->form, false);
    if (status == LS_OK)
        status = make_room(&w);
    if (status == LS_OK)
        status = predict_all(&w);
    ls_predicted_end(&w.printed, status);
    if (status == LS_OK && w.sheet != NULL && w.printed.bad < request->count)
        status = ls_sheet_write(w.sheet, request->show);
    if (status == LS_OK) {
        print_notes(&w);
        status = ls_predicted_bad(&w.printed, request->count, "picture");
    }
    ls_sheet_destroy(&w.sheet);
    ls_free(w.pixels);
    ls_free(w.which);
    ls_free(w.y);
    ls_free(w.predicted);
    return status;
}
