#include "cli/data_choice.h"

#include <stddef.h>

static bool is_given(const char *text)
{
    return text != NULL && *text != '\0';
}

/* Replaces a text if another is given. */
static void replace(const char **text, const char *other)
{
    if (is_given(other))
        *text = other;
}

void ls_data_choose(ls_dataset_options *o, const ls_data_choice *c)
{
    if (is_given(c->test_data) || is_given(c->test_rows) || is_given(c->split))
        o->test_data = o->test_rows = o->split = NULL;
    replace(&o->inputs, c->inputs);
    replace(&o->targets, c->targets);
    if (is_given(c->lengths) || c->padded) {
        o->lengths = c->lengths;
        o->padded = c->padded;
        o->padding = c->padding;
    }
    replace(&o->test_data, c->test_data);
    replace(&o->test_rows, c->test_rows);
    replace(&o->split, c->split);
    replace(&o->fold, c->fold);
    if (c->layout != LS_LAYOUT_AUTO)
        o->layout = (ls_layout_order)c->layout;
    if (c->order != LS_ORDER_AUTO || is_given(c->inputs)) /* other datasets show their order */
        o->order = (ls_order)c->order;
}
