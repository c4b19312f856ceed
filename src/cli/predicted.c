#include "cli/predicted.h"

#include "base/json.h"
#include "base/memory.h"
#include "base/show.h"
#include "base/text.h"
#include "cli/class_label.h"
#include "cli/console.h"

bool ls_predicted_probable(const ls_predicted *p)
{
    return ls_model_meaning(p->model) == LS_MEANING_PROBABILITIES;
}

/* Prints a field of CSV, which is then freed. */
static void print_field(char *field)
{
    ls_print(stdout, "%s", field != NULL ? field : "");
    ls_free(field);
}

static const char *what_is_one(const ls_predicted *p)
{
    return ls_predicted_probable(p) ? "probability" : "value";
}

static void print_csv_head(const ls_predicted *p)
{
    const ls_model_facts *facts = ls_model_describe(p->model);
    ls_print(stdout, "file%s,class%s,%s", p->lines ? ",line" : "",
             facts->class_names != NULL ? ",class_name" : "", what_is_one(p));
    for (int k = 0; k < facts->classes; k++)
        ls_print(stdout, ",%c%d", ls_predicted_probable(p) ? 'p' : 'y', k);
    ls_print(stdout, "\n");
}

static void print_csv(const ls_predicted *p, ls_predicted_thing thing, int32_t class,
                      const float *y)
{
    const ls_model_facts *facts = ls_model_describe(p->model);
    print_field(ls_text_csv(thing.file));
    if (p->lines)
        ls_print(stdout, ",%lld", (long long)thing.line);
    ls_print(stdout, ",%d,", (int)class);
    if (facts->class_names != NULL) {
        print_field(ls_text_csv_name(facts->class_names[class]));
        ls_print(stdout, ",");
    }
    ls_print(stdout, "%.9g", (double)y[class]);
    for (int k = 0; k < facts->classes; k++)
        ls_print(stdout, ",%.9g", (double)y[k]);
    ls_print(stdout, "\n");
}

static void print_line(const ls_predicted *p, ls_predicted_thing thing, int32_t class,
                       const float *y)
{
    const ls_class_text words = ls_class_words(ls_model_describe(p->model)->class_names, class);
    if (p->lines)
        ls_print(stdout, "%s:%lld: class %s, %s %.4f\n", thing.file, (long long)thing.line,
                 words.text, what_is_one(p), (double)y[class]);
    else
        ls_print(stdout, "%s: class %s, %s %.4f\n", thing.file, words.text, what_is_one(p),
                 (double)y[class]);
}

static ls_status add_json(const ls_predicted *p, ls_predicted_thing thing, int32_t class,
                          const float *y)
{
    const ls_model_facts *facts = ls_model_describe(p->model);
    const char *const *names = facts->class_names;
    json_t *all = json_array();
    for (int k = 0; k < facts->classes; k++)
        json_array_append_new(all, json_real((double)y[k]));
    json_t *one =
        json_pack("{s:o, s:o*, s:i, s:o*, s:f, s:o}", "file", ls_json_text(thing.file), "line",
                  p->lines ? json_integer(thing.line) : NULL, "class", (int)class, "class_name",
                  names != NULL ? ls_json_text(names[class]) : NULL, what_is_one(p),
                  (double)y[class], ls_predicted_probable(p) ? "probabilities" : "values", all);
    return json_array_append_new(p->list, one) == 0
               ? LS_OK
               : ls_fail(LS_ERR_FAILURE, "out of memory for the result");
}

ls_status ls_predicted_begin(ls_predicted *p, const ls_model *model, ls_predicted_form form,
                             bool lines)
{
    const ls_model_facts *facts = ls_model_describe(model);
    *p = (ls_predicted){.model = model, .form = form, .lines = lines};
    if (facts->classes == 0)
        return ls_fail(LS_ERR_DATA,
                       "%s: the network gives values, no classes: predict rows of a data set with "
                       "--data",
                       facts->path);
    if (facts->task.kind == LS_TASK_STEPS)
        return ls_fail(LS_ERR_DATA,
                       "%s: the network gives a class for each step, none for a row: predict rows "
                       "of a data set with --data",
                       facts->path);
    p->list = form == LS_PREDICTED_JSON ? json_array() : NULL;
    if (form == LS_PREDICTED_CSV)
        print_csv_head(p);
    return LS_OK;
}

ls_status ls_predicted_add(ls_predicted *p, ls_predicted_thing thing, int32_t class, const float *y)
{
    if (p->form == LS_PREDICTED_JSON)
        return add_json(p, thing, class, y);
    (p->form == LS_PREDICTED_CSV ? print_csv : print_line)(p, thing, class, y);
    return LS_OK;
}

void ls_predicted_note_bad(ls_predicted *p)
{
    if (p->bad++ == 0)
        snprintf(p->first_bad, sizeof p->first_bad, "%s", ls_error_text());
    else
        ls_print(stderr, "note: %s\n", ls_error_text());
}

ls_status ls_predicted_bad(const ls_predicted *p, int count, const char *noun)
{
    if (p->bad == 0)
        return LS_OK;
    if (p->bad == 1)
        return ls_fail(LS_ERR_DATA, "%s", p->first_bad);
    return ls_fail(LS_ERR_DATA, "%s; and %d more of %s can't be read", p->first_bad, p->bad - 1,
                   ls_counted(count, noun).text);
}

void ls_predicted_end(ls_predicted *p, ls_status status)
{
    if (status == LS_OK && p->list != NULL)
        ls_print_json(stdout, p->list);
    json_decref(p->list);
    p->list = NULL;
}
