#include "cli/eval_result.h"

#include "base/memory.h"
#include "base/show.h"
#include "cli/console.h"
#include "cli/sheet.h"

#include <stdio.h>

/* Puts the image of each misclassified row on the sheet; then writes it. */
static ls_status draw_wrong(const ls_eval_result *r, const ls_dataset *dataset, ls_sheet *sheet,
                            const char *path)
{
    enum { TEXT = 32 };
    char caption[TEXT];
    uint8_t *picture = ls_alloc(ls_dataset_describe(dataset)->features, 1);
    ls_status status = picture == NULL ? LS_ERR_FAILURE : LS_OK;
    for (int64_t i = 0; status == LS_OK && i < r->wrongs; i++) {
        const ls_misclassified *m = &r->wrong[i];
        ls_samples *one = NULL;
        status = ls_dataset_read(dataset, r->split, m->row, 1, 1, &one);
        if (status != LS_OK)
            break;
        snprintf(caption, TEXT, "%d>%d", (int)m->label, (int)m->predicted);
        const bool probable =
            ls_loss_takes_logits(r->facts->loss); /* outputs of mse are no probabilities */
        ls_samples_picture(one, 0, picture);
        ls_sheet_put(sheet, i, picture, caption,
                     probable ? ls_percent((double)m->probability).text : "");
        ls_samples_destroy(&one);
    }
    ls_free(picture);
    if (status == LS_OK)
        status = ls_sheet_write(sheet, path);
    if (status == LS_OK)
        ls_print(stderr, "%s: picture of the misclassified rows\n", path);
    return status;
}

ls_status ls_eval_picture(const ls_eval_result *r, const char *data,
                          const ls_dataset_options *options, const char *path)
{
    char widest[64];
    ls_dataset *dataset = NULL;
    ls_sheet *sheet = NULL;
    const int64_t columns = ls_sheet_columns(r->wrongs);
    if (r->wrongs == 0) {
        ls_print(stderr, "note: %s is not written: no row is misclassified\n", path);
        return LS_OK;
    }
    const ls_sheet_layout layout = {
        .shape = r->facts->input,
        .columns = columns,
        .rows = (r->wrongs + columns - 1) / columns,
        .line = {widest, ls_loss_takes_logits(r->facts->loss) ? "100.0%" : ""}};
    snprintf(widest, sizeof widest, "%d>%d", r->facts->classes - 1, r->facts->classes - 1);
    ls_status status = ls_sheet_create(&sheet, &layout);
    if (status == LS_OK)
        status = ls_dataset_open(&dataset, data, options);
    if (status == LS_OK)
        status = draw_wrong(r, dataset, sheet, path);
    ls_dataset_close(&dataset);
    ls_sheet_destroy(&sheet);
    if (status != LS_OK)
        return ls_fail(status,
                       "can't draw the misclassified rows: %s (--errors-file none: no picture)",
                       ls_error_text());
    return LS_OK;
}
