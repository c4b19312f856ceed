#include "cli/import_source.h"

#include <lockstep/import.h>

#include "base/file.h"
#include "cli/console.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* Fills in the paths that are not given from the folder. */
static ls_status find_files(ls_import_options *s, char paths[4][LS_PATH_MAX])
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

static void print_note(void *user, const char *text)
{
    (void)user;
    ls_print(stderr, "note: %s\n", text);
}

/* Returns the settings that all importers share. */
static ls_import make_import(const ls_import_options *s)
{
    return (ls_import){.name = s->name,
                       .limit = s->limit,
                       .limit_test = s->limit_test,
                       .classes = s->classes,
                       .compress = s->compress,
                       .force = s->force,
                       .note = print_note};
}

static ls_status fail_no_test(const ls_import_options *s)
{
    return ls_fail(LS_ERR_USAGE, "--limit-test %lld: there are no test files",
                   (long long)s->limit_test);
}

static ls_status import_idx(const ls_import_options *options)
{
    char paths[4][LS_PATH_MAX];
    ls_import_options found = *options, *s = &found;
    ls_status status = find_files(s, paths);
    if (status != LS_OK)
        return status;
    const bool has_test = *s->test_images != '\0';
    if (s->limit_test > 0 && !has_test)
        return fail_no_test(s);
    ls_import import = make_import(s);
    import.train_images = s->train_images;
    import.train_labels = s->train_labels;
    import.test_images = has_test ? s->test_images : NULL;
    import.test_labels = has_test ? s->test_labels : NULL;
    return ls_import_idx(&import, s->out);
}

static ls_status import_cifar(const ls_import_options *s)
{
    const ls_import import = make_import(s);
    return ls_import_cifar(&import, s->cifar, s->coarse, s->out);
}

/* DIR or DIR,SPLIT: the split follows the last comma. */
static ls_status import_emnist(const ls_import_options *s)
{
    char folder[LS_PATH_MAX];
    const ls_import import = make_import(s);
    ls_status status = ls_path(folder, s->emnist, NULL, NULL);
    if (status != LS_OK)
        return status;
    char *comma = strrchr(folder, ',');
    const char *split = comma != NULL ? comma + 1 : "";
    if (comma != NULL)
        *comma = '\0';
    return ls_import_emnist(&import, folder, split, s->out);
}

static ls_status import_png(const ls_import_options *s)
{
    long long height = 0, width = 0;
    int used = 0;
    const ls_import import = make_import(s);
    if (*s->resize != '\0' && (sscanf(s->resize, "%7lldx%7lld%n", &height, &width, &used) != 2 ||
                               s->resize[used] != '\0' || height < 1 || width < 1))
        return ls_fail(LS_ERR_USAGE, "--resize: '%s' is not HxW, for example 32x32", s->resize);
    return ls_import_pictures(&import, s->png, height, width, s->out);
}

static ls_status import_csv(const ls_import_options *s)
{
    const ls_import import = make_import(s);
    const bool has_test = *s->csv_test != '\0';
    if (s->limit_test > 0 && !has_test)
        return fail_no_test(s);
    const ls_csv_source source = {.train = s->csv,
                                  .test = has_test ? s->csv_test : NULL,
                                  .target = s->target,
                                  .values = s->values};
    return ls_import_csv(&import, &source, s->out);
}

/* Cuts X,Y at its comma. */
static ls_status split_pair(const char *option, const char *text, char x[LS_PATH_MAX],
                            const char **y)
{
    ls_status status = ls_path(x, text, NULL, NULL);
    char *comma = status == LS_OK ? strchr(x, ',') : NULL;
    if (status != LS_OK || (comma != NULL && strchr(comma + 1, ',') == NULL)) {
        if (comma != NULL)
            *comma = '\0';
        *y = comma != NULL ? comma + 1 : "";
        return status;
    }
    return ls_fail(LS_ERR_USAGE,
                   "--%s: '%.80s' is not X,Y, two files without commas in their names", option,
                   text);
}

static ls_status import_npy(const ls_import_options *s)
{
    char train[LS_PATH_MAX], test[LS_PATH_MAX];
    const ls_import import = make_import(s);
    ls_npy_source source = {.train_x = train, .values = s->values};
    ls_status status = split_pair("npy", s->npy, train, &source.train_y);
    if (status == LS_OK && *s->npy_test != '\0') {
        source.test_x = test;
        status = split_pair("npy-test", s->npy_test, test, &source.test_y);
    }
    if (status == LS_OK && s->limit_test > 0 && source.test_x == NULL)
        return fail_no_test(s);
    return status == LS_OK ? ls_import_npy(&import, &source, s->out) : status;
}

static ls_status import_npz(const ls_import_options *s)
{
    const ls_import import = make_import(s);
    const ls_npz_source source = {.file = s->npz, .members = s->members, .values = s->values};
    return ls_import_npz(&import, &source, s->out);
}

static ls_status import_text(const ls_import_options *s)
{
    const ls_import import = make_import(s);
    const ls_text_source documents = {.path = s->text,
                                      .test = *s->text_test != '\0' ? s->text_test : NULL,
                                      .target = s->target,
                                      .column = s->text_column,
                                      .vocabulary = s->vocabulary,
                                      .steps = s->steps};
    const ls_character_source characters = {
        .path = s->text, .steps = s->steps, .test_fraction = s->test_fraction};
    return s->characters ? ls_import_characters(&import, &characters, s->out)
                         : ls_import_text(&import, &documents, s->out);
}

static ls_status import_synthetic(const ls_import_options *s)
{
    long long rows, channels, height, width, classes;
    int used = 0;
    const int got = sscanf(s->synthetic, "%15lld,%9lld,%9lld,%9lld,%9lld%n", &rows, &channels,
                           &height, &width, &classes, &used);
    if (got != 5 || s->synthetic[used] != '\0')
        return ls_fail(LS_ERR_USAGE,
                       "--synthetic: '%s' is not N,C,H,W,CLASSES, for example 60000,1,28,28,10",
                       s->synthetic);
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

/* Each source: the option that names it, and its import. */
static const struct source {
    const char *option;
    size_t at; /* offset of its value */
    ls_status (*import)(const ls_import_options *options);
} sources[] = {
#define AT(field) offsetof(ls_import_options, field)
    {"idx", AT(idx), import_idx},       {"train-images", AT(train_images), import_idx},
    {"cifar", AT(cifar), import_cifar}, {"emnist", AT(emnist), import_emnist},
    {"png", AT(png), import_png},       {"csv", AT(csv), import_csv},
    {"npy", AT(npy), import_npy},       {"npz", AT(npz), import_npz},
    {"text", AT(text), import_text},    {"synthetic", AT(synthetic), import_synthetic},
};

enum { OWNERS = 3 };

/* Options of some sources. */
static const struct {
    const char *option, *sources[OWNERS];
} parts[] = {
    {"train-labels", {"idx", "train-images"}},
    {"test-images", {"idx", "train-images"}},
    {"test-labels", {"idx", "train-images"}},
    {"coarse", {"cifar"}},
    {"resize", {"png"}},
    {"csv-test", {"csv"}},
    {"target", {"csv", "text"}},
    {"npy-test", {"npy"}},
    {"members", {"npz"}},
    {"values", {"csv", "npy", "npz"}},
    {"text-test", {"text"}},
    {"text-column", {"text"}},
    {"vocabulary", {"text"}},
    {"steps", {"text"}},
    {"characters", {"text"}},
    {"test-fraction", {"text"}},
#undef AT
};

static bool is_named(const ls_import_options *s, const struct source *source)
{
    return **(const char *const *)((const char *)s + source->at) != '\0';
}

/* Finds the only source that is given. */
static ls_status find_source(const ls_import_options *s, const struct source **out)
{
    const struct source *found = NULL;
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        if (!is_named(s, &sources[i]))
            continue;
        if (found != NULL && found->import != sources[i].import)
            return ls_fail(LS_ERR_USAGE, "--%s and --%s: give one source", found->option,
                           sources[i].option);
        found = &sources[i];
    }
    if (found == NULL)
        return ls_fail(LS_ERR_USAGE,
                       "give --idx DIR, or --train-images and --train-labels (and the same for "
                       "test), or another source: `lockstep import --help` lists them");
    *out = found;
    return LS_OK;
}

/* Refuses options of other sources. */
static ls_status check_parts(const ls_options *options, const struct source *source)
{
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        bool owned = !ls_options_given(options, parts[i].option);
        for (int k = 0; k < OWNERS && parts[i].sources[k] != NULL; k++)
            owned = owned || strcmp(parts[i].sources[k], source->option) == 0;
        if (!owned)
            return ls_fail(LS_ERR_USAGE, "--%s belongs to --%s, not to --%s", parts[i].option,
                           parts[i].sources[0], source->option);
    }
    return LS_OK;
}

/* Refuses options of documents for characters, and the reverse. */
static ls_status check_text(const ls_options *options, bool characters)
{
    static const char *const documents[] = {"target", "text-column", "text-test", "vocabulary"};
    if (!characters && ls_options_given(options, "test-fraction"))
        return ls_fail(LS_ERR_USAGE, "--test-fraction belongs to --characters: documents are "
                                     "divided by folders, --text-test, or --split of train");
    for (size_t i = 0; characters && i < sizeof documents / sizeof *documents; i++)
        if (ls_options_given(options, documents[i]))
            return ls_fail(LS_ERR_USAGE, "--%s belongs to documents, not to --characters",
                           documents[i]);
    return LS_OK;
}

ls_status ls_import_from(const ls_options *given, const ls_import_options *s)
{
    const struct source *source = NULL;
    ls_status status = find_source(s, &source);
    if (status == LS_OK)
        status = check_parts(given, source);
    if (status == LS_OK)
        status = check_text(given, s->characters);
    if (status == LS_OK && s->classes == 1)
        status = ls_fail(LS_ERR_USAGE, "--classes 1: a classifier needs 2 classes or more");
    return status == LS_OK ? source->import(s) : status;
}
