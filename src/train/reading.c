#include "train/reading.h"

#include "base/memory.h"
#include "base/text.h"

#include <string.h>

static ls_target_kind kind_of_target(ls_loss loss)
{
    return loss == LS_LOSS_AUTO       ? LS_TARGET_AUTO
           : loss == LS_CROSS_ENTROPY ? LS_TARGET_CLASSES
           : loss == LS_BCE           ? LS_TARGET_FRACTIONS
                                      : LS_TARGET_VALUES;
}

ls_dataset_options ls_reading_options(const ls_train_config *c)
{
    return (ls_dataset_options){.validation = c->validation,
                                .hold_out = c->hold_out,
                                .seed = c->seed,
                                .test_data = c->test_data,
                                .test_rows = c->test_rows,
                                .split = c->split,
                                .fold = c->fold,
                                .layout = c->layout,
                                .order = c->order,
                                .inputs = c->inputs,
                                .targets = c->objective == LS_VAE ? "inputs" : c->targets,
                                .weights = c->weights,
                                .lengths = c->lengths,
                                .padding = c->padding,
                                .padded = c->padding >= 0,
                                .kind = kind_of_target(c->loss)};
}

static bool is_about_reading(const char *name)
{
    static const char *const names[] = {
        "validation", "hold-out", "seed", "layout",  "order",   "inputs",    "targets", "test-data",
        "test-rows",  "split",    "fold", "lengths", "padding", "objective", "corrupt"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

ls_status ls_reading_parse(ls_train_config *out, const char *path, const char *settings,
                           char **texts)
{
    char *copy = ls_strdup(settings), *at = copy, *name, *value;
    int line = 0;
    ls_status status = copy == NULL ? LS_ERR_FAILURE : LS_OK;
    ls_config_default(out);
    while (status == LS_OK && ls_text_cut_pair(&at, &line, &name, &value))
        if (value != NULL && is_about_reading(name) && ls_config_set(out, name, value) != LS_OK)
            status =
                ls_fail(LS_ERR_DATA, "%s: '--%s %s' is unknown to this version", path, name, value);
    if (status != LS_OK) {
        ls_free(copy);
        return status;
    }
    if (out->layout == LS_LAYOUT_AUTO) /* training read the images as nchw */
        out->layout = LS_LAYOUT_NCHW;
    if (out->order == LS_ORDER_AUTO) /* training read rows first: else the order is written */
        out->order = LS_ORDER_ROW_MAJOR;
    *texts = copy;
    return LS_OK;
}
