#include <lockstep/config.h>
#include <lockstep/dataset.h>
#include <lockstep/import.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/show.h"
#include "cli/command.h"
#include "cli/console.h"

#include <stdlib.h>

typedef struct settings {
    const char *idx, *out;
    const char *train_images, *train_labels, *test_images, *test_labels;
    const char *synthetic;
    const char *name;
    int64_t limit, limit_test, classes, seed;
    bool compress, force;
} settings;

#define AT(field) offsetof(settings, field)
static const ls_setting table[] = {
    {"idx", "DIR", LS_TYPE_TEXT, .offset = AT(idx),
     .group = "Source: a folder of the four files, or the files one by one",
     .help = "train-images-idx3-ubyte, ... (.gz or not)"},
    {"train-images", "FILE", LS_TYPE_TEXT, .offset = AT(train_images),
     .help = "IDX, uint8 [N,H,W] or [N,C,H,W]"},
    {"train-labels", "FILE", LS_TYPE_TEXT, .offset = AT(train_labels),
     .help = "IDX, uint8, int16 or int32 [N]"},
    {"test-images", "FILE", LS_TYPE_TEXT, .offset = AT(test_images),
     .help = "optional, with its labels"},
    {"test-labels", "FILE", LS_TYPE_TEXT, .offset = AT(test_labels), .help = "as above"},
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

/* Fills in the paths that are not given from the folder. */
static ls_status find_files(settings *s, char paths[4][LS_PATH_MAX])
{
    const struct {
        const char *stem, **path;
    } files[4] = {{"train-images", &s->train_images},
                  {"train-labels", &s->train_labels},
                  {"t10k-images", &s->test_images},
                  {"t10k-labels", &s->test_labels}};
    if (*s->idx == '\0') {
        if (*s->train_images == '\0' || *s->train_labels == '\0')
            return ls_fail(LS_ERR_USAGE,
                           "give --idx DIR, or --train-images and --train-labels (and the same "
                           "for test)");
        if ((*s->test_images == '\0') != (*s->test_labels == '\0'))
            return ls_fail(LS_ERR_USAGE, "give both --test-images and --test-labels, or neither");
        return LS_OK;
    }
    for (int i = 0; i < 4; i++) {
        if (**files[i].path != '\0')
            continue;
        ls_status status = ls_import_find(s->idx, files[i].stem, paths[i], LS_PATH_MAX);
        if (status != LS_OK)
            return status;
        *files[i].path = paths[i];
    }
    return LS_OK;
}

static ls_status import_files(settings *s)
{
    char paths[4][LS_PATH_MAX];
    ls_status status = find_files(s, paths);
    if (status != LS_OK)
        return status;
    if (s->classes == 1)
        return ls_fail(LS_ERR_USAGE, "--classes 1: a classifier needs 2 classes or more");
    const bool has_test = *s->test_images != '\0';
    if (s->limit_test > 0 && !has_test)
        return ls_fail(LS_ERR_USAGE, "--limit-test %lld: there are no test files",
                       (long long)s->limit_test);
    const ls_import import = {.train_images = s->train_images,
                              .train_labels = s->train_labels,
                              .test_images = has_test ? s->test_images : NULL,
                              .test_labels = has_test ? s->test_labels : NULL,
                              .name = s->name,
                              .limit = s->limit,
                              .limit_test = s->limit_test,
                              .classes = s->classes,
                              .compress = s->compress,
                              .force = s->force};
    return ls_import_idx(&import, s->out);
}

static ls_status import_synthetic(const settings *s)
{
    long long rows, channels, height, width, classes;
    int used = 0;
    const int got = sscanf(s->synthetic, "%15lld,%9lld,%9lld,%9lld,%9lld%n", &rows, &channels,
                           &height, &width, &classes, &used);
    if (got != 5 || s->synthetic[used] != '\0')
        return ls_fail(LS_ERR_USAGE,
                       "--synthetic: '%s' is not N,C,H,W,CLASSES, for example 60000,1,28,28,10",
                       s->synthetic);
    const char *const files[] = {s->idx, s->train_images, s->train_labels, s->test_images,
                                 s->test_labels};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (*files[i] != '\0')
            return ls_fail(LS_ERR_USAGE, "--synthetic takes no files: leave out '%s'", files[i]);
    if (s->limit > 0 || s->limit_test > 0 || s->classes > 0)
        return ls_fail(LS_ERR_USAGE, "--synthetic sets the numbers of rows and classes: "
                                     "leave out --limit, --limit-test and --classes");
    const ls_synthetic wanted = {.rows = rows,
                                 .channels = channels,
                                 .height = height,
                                 .width = width,
                                 .classes = classes,
                                 .seed = (uint64_t)s->seed,
                                 .name = *s->name != '\0' ? s->name : "synthetic",
                                 .compress = s->compress,
                                 .force = s->force};
    return ls_import_synthetic(&wanted, s->out);
}

/* Warns of classes that can't be learned from the training rows, or from the rows that remain for
 * training after the default hold-out. */
static ls_status warn_of_gaps(const ls_dataset *dataset)
{
    const ls_dataset_info *info = ls_dataset_describe(dataset);
    char text[LS_CLASS_GAPS_TEXT];
    int64_t *counts = ls_alloc((int64_t)LS_SPLITS * info->classes, sizeof *counts);
    ls_status status = counts == NULL ? LS_ERR_FAILURE : LS_OK;
    for (int split = 0; status == LS_OK && split < LS_SPLITS; split++)
        status = ls_dataset_count_classes(dataset, (ls_split)split,
                                          counts + (int64_t)split * info->classes);
    if (status == LS_OK) {
        ls_class_gaps(info, counts, text);
        if (*text != '\0')
            ls_print(stderr, "note: classes: %s\n", text);
    }
    ls_free(counts);
    return status;
}

static ls_status import_run(ls_comm *comm, const ls_options *options, const void *values)
{
    (void)comm, (void)options;
    settings copy = *(const settings *)values, *s = &copy; /* find_files() fills in the paths */
    const double begin = ls_now();
    ls_status status = *s->synthetic != '\0' ? import_synthetic(s) : import_files(s);
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
    ls_print(stderr, "%s: %lld training and %s of %lldx%lldx%lld, %s, %.2f s\n", s->out,
             (long long)(info->rows[LS_TRAIN] + info->rows[LS_VALIDATION]),
             ls_counted(info->rows[LS_TEST], "test row").text, (long long)info->channels,
             (long long)info->height, (long long)info->width,
             ls_counted(info->classes, "class").text, ls_now() - begin);
    status = warn_of_gaps(dataset);
    ls_dataset_close(&dataset);
    return status;
}

static void import_help(FILE *out)
{
    fputs("\nData sets: HDF5 files, made by this command or by any other program\n"
          "  /train/images      numbers [N,H,W] or [N,C,H,W]; [N,H,W,C] for --layout nhwc\n"
          "  or /train/inputs   [N,F] for rows that are no images; integers and floats\n"
          "  /train/labels      integers [N] or [N,1], of 8 to 64 bits or bool, 0 to classes-1\n"
          "  or /train/targets  numbers [N] or [N,K], K values for each row\n"
          "  /test, /validation the same, optional\n"
          "  attributes of /    format = \"lockstep-dataset\", version = 1, classes;\n"
          "                     optional: name, source_sha256\n",
          out);
}

const ls_command ls_command_import = {
    .name = "import",
    .usage = "--idx DIR | --synthetic N,C,H,W,CLASSES --out FILE",
    .summary = "makes an HDF5 data set from IDX files, or a synthetic one",
    .options = {table, false},
    .settings_size = sizeof(settings),
    .help = import_help,
    .run = import_run,
};
