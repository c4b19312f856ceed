#include <lockstep/config.h>
#include <lockstep/dataset.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/show.h"
#include "cli/command.h"
#include "cli/console.h"
#include "cli/import_source.h"

#include <stdlib.h>

#define AT(field) offsetof(ls_import_options, field)
static const ls_setting table[] = {
    {"idx", "DIR", LS_TYPE_TEXT, .offset = AT(idx), .group = "Source: one of these",
     .help = "a folder with train-images-idx3-ubyte, ... (.gz or not)"},
    {"train-images", "FILE", LS_TYPE_TEXT, .offset = AT(train_images),
     .help = "IDX, uint8 [N,H,W] or [N,C,H,W]"},
    {"train-labels", "FILE", LS_TYPE_TEXT, .offset = AT(train_labels),
     .help = "IDX, uint8, int16 or int32 [N]"},
    {"test-images", "FILE", LS_TYPE_TEXT, .offset = AT(test_images),
     .help = "optional, with its labels"},
    {"test-labels", "FILE", LS_TYPE_TEXT, .offset = AT(test_labels), .help = "as above"},
    {"cifar", "DIR", LS_TYPE_TEXT, .offset = AT(cifar),
     .help = "CIFAR-10 or CIFAR-100, binary version"},
    {"coarse", NULL, LS_TYPE_FLAG, .offset = AT(coarse),
     .help = "of CIFAR-100: its 20 coarse classes"},
    {"emnist", "DIR[,SPLIT]", LS_TYPE_TEXT, .offset = AT(emnist),
     .help = "EMNIST's IDX files, images set upright; SPLIT: balanced, letters, ..."},
    {"png", "DIR", LS_TYPE_TEXT, .offset = AT(png),
     .help = "PNG files: DIR/train/CLASS/*.png and DIR/test/CLASS/*.png, or DIR/CLASS/*.png"},
    {"resize", "HxW", LS_TYPE_TEXT, .offset = AT(resize),
     .help = "of --png: height and width of all images, for example 32x32"},
    {"csv", "FILE", LS_TYPE_TEXT, .offset = AT(csv),
     .help = "a table in text, plain or gzip, with or without a header"},
    {"csv-test", "FILE", LS_TYPE_TEXT, .offset = AT(csv_test), .help = "test rows of --csv"},
    {"target", "NAME[,NAME...]", LS_TYPE_TEXT, .offset = AT(target),
     .help = "of --csv: the columns to predict, by name or by number from 1; of --text: that of "
             "the classes"},
    {"npy", "X,Y", LS_TYPE_TEXT, .offset = AT(npy),
     .help = "NumPy's arrays: the .npy files of inputs and targets"},
    {"npy-test", "X,Y", LS_TYPE_TEXT, .offset = AT(npy_test), .help = "test rows of --npy"},
    {"npz", "FILE", LS_TYPE_TEXT, .offset = AT(npz),
     .help = "NumPy's arrays in one file: x_train, y_train, x_test, y_test, or alike"},
    {"members", "X,Y[,X,Y]", LS_TYPE_TEXT, .offset = AT(members),
     .help = "of --npz: names of the arrays, training and test"},
    {"values", NULL, LS_TYPE_FLAG, .offset = AT(values),
     .help = "of --csv, --npy, --npz: integer targets are values, not classes"},
    {"text", "PATH", LS_TYPE_TEXT, .offset = AT(text),
     .help = "documents of classes: a folder for each class (as --png), or a table in text (as "
             "--csv)"},
    {"text-test", "FILE", LS_TYPE_TEXT, .offset = AT(text_test),
     .help = "test rows of a table of --text"},
    {"text-column", "NAME", LS_TYPE_TEXT, .offset = AT(text_column),
     .help = "of a table of --text: the column of the documents, by name or by number"},
    {"vocabulary", "N", LS_TYPE_INT, .offset = AT(vocabulary), .initial = "0",
     .max = LS_MAX_VOCABULARY - 2, .help = "of --text: the N commonest words have tokens; 0: 20,000"},
    {"steps", "T", LS_TYPE_INT, .offset = AT(steps), .initial = "0", .max = 1 << 20,
     .help = "of --text: most tokens of a row, with --characters characters of a row; 0: 256"},
    {"characters", NULL, LS_TYPE_FLAG, .offset = AT(characters),
     .help = "of --text: a text whose next character is to be predicted"},
    {"test-fraction", "F", LS_TYPE_REAL, .offset = AT(test_fraction), .initial = "0.1", .max = 1,
     .flags = LS_SETTING_BELOW,
     .help = "of --characters: the last part of the text becomes test rows"},
    {"synthetic", "N,C,H,W,CLASSES", LS_TYPE_TEXT, .offset = AT(synthetic),
     .help = "instead of files: N generated, learnable training rows of C x H x W pixels, and N/6 "
             "for testing"},
    {"seed", "N", LS_TYPE_INT, .offset = AT(seed), .initial = "0", .max = 1e15,
     .help = "seed of the generated rows"},

    {"out", "FILE", LS_TYPE_TEXT, .flags = LS_SETTING_REQUIRED, .offset = AT(out),
     .group = "Result", .help = "the HDF5 file to write"},
    {"name", "TEXT", LS_TYPE_TEXT, .offset = AT(name), .help = "the data set's name"},
    {"limit", "ROWS", LS_TYPE_INT, .offset = AT(limit), .initial = "0", .max = 1e15,
     .help = "the first training rows only; 0: all"},
    {"limit-test", "ROWS", LS_TYPE_INT, .offset = AT(limit_test), .initial = "0", .max = 1e15,
     .help = "the first test rows only; 0: all"},
    {"classes", "K", LS_TYPE_INT, .offset = AT(classes), .initial = "0", .max = LS_MAX_CLASSES,
     .help = "number of classes; 0: the largest label + 1"},
    {"compress", NULL, LS_TYPE_FLAG, .offset = AT(compress),
     .help = "chunks with deflate and checksums, instead of contiguous"},
    {"force", NULL, LS_TYPE_FLAG, .offset = AT(force),
     .help = "replace an existing data set of other content"},
    {0},
};

/* Warns of classes that can't be learned from the training rows, or from the rows that remain for
 * training after the default hold-out. */
static ls_status warn_of_gaps(const ls_dataset *dataset)
{
    const ls_dataset_info *info = ls_dataset_describe(dataset);
    char text[LS_CLASS_GAPS_TEXT];
    const char **names = ls_alloc(info->classes, sizeof *names);
    int64_t *counts = ls_alloc((int64_t)LS_SPLITS * info->classes, sizeof *counts);
    ls_status status = counts == NULL || names == NULL ? LS_ERR_FAILURE : LS_OK;
    for (int split = 0; status == LS_OK && split < LS_SPLITS; split++)
        status = ls_dataset_count_classes(dataset, (ls_split)split,
                                          counts + (int64_t)split * info->classes);
    if (status == LS_OK) {
        for (int k = 0; k < info->classes; k++)
            names[k] = ls_dataset_class_name(dataset, k);
        ls_class_gaps(info, counts, names[0] != NULL ? names : NULL, text);
        if (*text != '\0')
            ls_print(stderr, "note: classes: %s\n", text);
    }
    ls_free(names);
    ls_free(counts);
    return status;
}

/* Prints rows, shape and targets of the new data set. */
static void print_summary(const char *path, const ls_dataset_info *info, double seconds)
{
    const bool own = info->rows[LS_VALIDATION] > 0 && !info->held_out;
    const int64_t training = info->rows[LS_TRAIN] + (own ? 0 : info->rows[LS_VALIDATION]);
    ls_print(stderr, "%s: %lld training", path, (long long)training);
    if (own)
        ls_print(stderr, ", %lld validation", (long long)info->rows[LS_VALIDATION]);
    ls_print(stderr, " and %s of ", ls_counted(info->rows[LS_TEST], "test row").text);
    if (info->vocabulary > 0)
        ls_print(stderr, "%s, vocabulary %s", ls_counted(ls_dataset_steps(info), "token").text,
                 ls_grouped(info->vocabulary).text);
    else if (info->height == 1 && info->width == 1)
        ls_print(stderr, "%s", ls_counted(info->channels, "number").text);
    else
        ls_print(stderr, "%s", ls_sized(info->channels, info->height, info->width).text);
    ls_print(stderr, ", %s%s, %.2f s\n",
             info->classes > 0 ? ls_counted(info->classes, "class").text
                               : ls_counted(info->values, "value").text,
             ls_dataset_by_step(info) ? " of each step" : "", seconds);
}

static ls_status import_run(ls_comm *comm, const ls_options *options, const void *values)
{
    (void)comm;
    const ls_import_options *s = values;
    const double begin = ls_now();
    ls_status status = ls_import_from(options, s);
    ls_dataset *dataset = NULL;
    ls_train_config train; /* its defaults: the likely hold-out */
    ls_config_default(&train);
    const ls_dataset_options by_default = {.validation = train.validation,
                                           .layout = LS_LAYOUT_NCHW};
    if (status == LS_OK)
        status = ls_dataset_open(&dataset, s->out, &by_default);
    if (status != LS_OK)
        return status;
    const ls_dataset_info *info = ls_dataset_describe(dataset);
    print_summary(s->out, info, ls_now() - begin);
    status = info->classes > 0 && !ls_dataset_by_step(info) ? warn_of_gaps(dataset) : LS_OK;
    ls_dataset_close(&dataset);
    return status;
}

static void import_help(FILE *out)
{
    fputs("\nData sets: HDF5 files, made by this command or by any other program\n"
          "  /train/images      numbers [N,H,W] or [N,C,H,W]; [N,H,W,C] for --layout nhwc\n"
          "  or /train/inputs   [N,F] for rows that are no images; integers and floats\n"
          "  /train/labels      integers [N] or [N,1], of 8 to 64 bits or bool, 0 to classes-1;\n"
          "                     [N,T]: a class of each step\n"
          "  or /train/targets  numbers [N] or [N,K], K values for each row\n"
          "  /train/lengths     optional: the steps of each row of a sequence, [N]\n"
          "  /test, /validation the same, optional\n"
          "  /vocabulary        optional: texts of tokens, strings\n"
          "  attributes of /    format = \"lockstep-dataset\", version = 1, classes;\n"
          "                     optional: name, source_sha256, class_names (strings [classes])\n",
          out);
}

const ls_command ls_command_import = {
    .name = "import",
    .usage = "--idx DIR | --cifar DIR | --emnist DIR | --png DIR | --csv FILE | --npy X,Y | "
             "--npz FILE | --text PATH | --synthetic N,C,H,W,CLASSES --out FILE",
    .summary = "makes an HDF5 data set from files of other formats, or a synthetic one",
    .options = {table, false},
    .settings_size = sizeof(ls_import_options),
    .help = import_help,
    .run = import_run,
};
