#include <lockstep/augment.h>
#include <lockstep/batch.h>
#include <lockstep/dataset.h>

#include "base/memory.h"
#include "base/show.h"
#include "cli/command.h"
#include "cli/console.h"
#include "cli/data_choice.h"
#include "cli/png.h"
#include "cli/sheet.h"

typedef struct settings {
    const char *data, *inputs, *augment, *out;
    double validation;
    int hold_out;
    int64_t seed, first, samples, variants, epoch;
    int layout, order;
    bool trust_data;
} settings;

#define AT(field) offsetof(settings, field)
#define BIG       9007199254740992.0 /* 2^53 */
static const ls_setting table[] = {
    {"data", .flags = LS_OPTION_AS_TRAIN | LS_SETTING_REQUIRED, .offset = AT(data),
     .help = "HDF5 data set"},
    {"inputs", .flags = LS_OPTION_AS_TRAIN, .offset = AT(inputs),
     .help = "datasets of the file that are the images, as for train"},
    {"augment", .flags = LS_OPTION_AS_TRAIN | LS_SETTING_REQUIRED, .offset = AT(augment),
     .initial = "", .help = "words, such as \"rotate:15 shift:2\""},
    {"layout", .flags = LS_OPTION_AS_TRAIN, .offset = AT(layout)},
    {"order", .flags = LS_OPTION_AS_TRAIN, .offset = AT(order)},
    {"out", "FILE", LS_TYPE_TEXT, .offset = AT(out), .initial = "preview.png",
     .help = "the PNG file to write"},
    {"seed", .flags = LS_OPTION_AS_TRAIN, .offset = AT(seed), .help = "as for train"},
    {"validation", .flags = LS_OPTION_AS_TRAIN, .offset = AT(validation), .initial = "0",
     .help = "held-out rows, as for train: with --hold-out random the rows' numbers depend on it"},
    {"hold-out", .flags = LS_OPTION_AS_TRAIN, .offset = AT(hold_out), .help = "as for train"},
    {"first", "ROW", LS_TYPE_INT, .offset = AT(first), .initial = "0", .max = BIG,
     .help = "number of the first training row to show"},
    {"samples", "N", LS_TYPE_INT, .offset = AT(samples), .initial = "8", .min = 1, .max = 10000,
     .help = "rows to show"},
    {"epoch", "N", LS_TYPE_INT, .offset = AT(epoch), .initial = "1", .min = 1, .max = BIG,
     .help = "the first epoch to show"},
    {"variants", "N", LS_TYPE_INT, .offset = AT(variants), .initial = "8", .min = 1, .max = 10000,
     .help = "number of epochs to show, after the original"},
    {"trust-data", .flags = LS_OPTION_AS_TRAIN, .offset = AT(trust_data),
     .help = "do not check the whole data set first, as for train"},
    {0},
};

/* State of a preview. */
typedef struct work {
    ls_dataset *dataset;
    ls_samples *samples;
    ls_batch *batch; /* one row */
    ls_augment *augment;
    ls_sheet *sheet;
    uint8_t *picture, *pixels; /* of one row; augmented */
} work;

enum { TEXT = 32 };

static ls_status load_samples(const settings *s, work *w)
{
    const bool selected = *s->inputs != '\0';
    ls_dataset_options options = {.validation = s->validation,
                                  .hold_out = (ls_hold_out)s->hold_out,
                                  .seed = (uint64_t)s->seed};
    ls_data_choose(&options, &(ls_data_choice){.inputs = s->inputs,
                                               .targets = selected ? "inputs" : "",
                                               .layout = s->layout,
                                               .order = s->order});
    ls_status status = s->trust_data ? LS_OK : ls_dataset_check(s->data, &options);
    if (status == LS_OK)
        status = ls_dataset_open(&w->dataset, s->data, &options);
    if (status != LS_OK)
        return status;
    const ls_dataset_info *info = ls_dataset_describe(w->dataset);
    if (info->ragged || info->vocabulary > 0)
        return ls_fail(LS_ERR_USAGE, "%s: its rows are sequences, not images to augment", s->data);
    const ls_shape shape = {info->channels, info->height, info->width};
    const int64_t left = info->rows[LS_TRAIN] - s->first;
    const int64_t rows = s->samples < left ? s->samples : left;
    if (rows < 1)
        return ls_fail(LS_ERR_USAGE, "--first %lld: %s has %lld training rows", (long long)s->first,
                       s->data, (long long)info->rows[LS_TRAIN]);
    char row[TEXT], class[TEXT], epoch[TEXT];
    snprintf(row, TEXT, "row %lld", (long long)(s->first + rows - 1));
    *class = '\0';
    if (info->classes > 0)
        snprintf(class, TEXT, "class %d", info->classes - 1);
    snprintf(epoch, TEXT, "epoch %lld", (long long)(s->epoch + s->variants - 1));
    const ls_sheet_layout layout = {.shape = shape,
                                    .columns = 1 + s->variants,
                                    .rows = rows,
                                    .line = {"", epoch},
                                    .apart = true,
                                    .lead = {row, class}};
    status = ls_augment_create(&w->augment, s->augment, shape);
    if (status == LS_OK)
        status = ls_sheet_create(&w->sheet, &layout);
    if (status == LS_OK)
        status = ls_dataset_read(w->dataset, LS_TRAIN, s->first, rows, rows, &w->samples);
    if (status == LS_OK)
        status = ls_batch_create(&w->batch, 1, info->features, 0);
    if (status != LS_OK)
        return status;
    w->picture = ls_alloc(info->features, 1);
    w->pixels = ls_alloc(info->features, 1);
    return w->picture == NULL || w->pixels == NULL ? LS_ERR_FAILURE : LS_OK;
}

/* Makes a picture the only row of a batch, with pixels from 0 to 255. */
static void copy_pixels(const uint8_t *picture, int64_t number, ls_batch *batch)
{
    batch->rows = 1;
    batch->ids[0] = number;
    for (int64_t k = 0; k < batch->features; k++)
        batch->x[k] = picture[k];
}

/* Draws a row of the sheet: a sample, and its augmented images in consecutive epochs. */
static void draw_row(const settings *s, work *w, int64_t line)
{
    const ls_row row = ls_samples_row(w->samples, line);
    char caption[TEXT], note[TEXT];
    int64_t at = line * (1 + s->variants);
    snprintf(caption, TEXT, "row %lld", (long long)row.number);
    *note = '\0';
    if (ls_dataset_describe(w->dataset)->classes > 0)
        snprintf(note, TEXT, "class %d", (int)row.label);
    ls_samples_picture(w->samples, line, w->picture);
    ls_sheet_put(w->sheet, at++, w->picture, caption, note);
    for (int64_t i = 0; i < s->variants; i++) {
        copy_pixels(w->picture, row.number, w->batch);
        ls_augment_apply(w->augment, (uint64_t)s->seed, s->epoch - 1 + i, 0, w->batch);
        for (int64_t k = 0; k < w->batch->features; k++)
            w->pixels[k] = (uint8_t)(w->batch->x[k] + 0.5f);
        snprintf(note, TEXT, "epoch %lld", (long long)(s->epoch + i));
        ls_sheet_put(w->sheet, at++, w->pixels, "", note);
    }
}

static ls_status preview_run(ls_comm *comm, const ls_options *options, const void *values)
{
    const settings *s = values;
    work w = {0};
    (void)comm, (void)options;
    ls_status status = ls_png_check(s->out);
    if (status == LS_OK)
        status = load_samples(s, &w);
    if (status == LS_OK) {
        const int64_t rows = ls_samples_count(w.samples);
        for (int64_t row = 0; row < rows; row++)
            draw_row(s, &w, row);
        status = ls_sheet_write(w.sheet, s->out);
        if (status == LS_OK)
            ls_print(stderr, "%s: %s, augmented as in %s\n", s->out,
                     ls_counted(rows, "training image").text,
                     ls_counted(s->variants, "epoch").text);
    }
    ls_dataset_close(&w.dataset);
    ls_samples_destroy(&w.samples);
    ls_batch_destroy(&w.batch);
    ls_augment_destroy(&w.augment);
    ls_sheet_destroy(&w.sheet);
    ls_free(w.picture);
    ls_free(w.pixels);
    return status;
}

static void preview_help(FILE *out)
{
    ls_command_list("Augmentation: words in any order", ls_augment_word, out);
}

const ls_command ls_command_preview = {
    .name = "augment-preview",
    .usage = "--data FILE --augment WORDS [OPTION ...]",
    .summary = "a picture of augmented training images",
    .options = {table, false},
    .settings_size = sizeof(settings),
    .help = preview_help,
    .run = preview_run,
};
