#include "cli/import_source.h"

#include <lockstep/import.h>

#include "base/file.h"

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

/* Returns the settings that all importers share. */
static ls_import make_import(const ls_import_options *s)
{
    return (ls_import){.name = s->name,
                       .limit = s->limit,
                       .limit_test = s->limit_test,
                       .classes = s->classes,
                       .compress = s->compress,
                       .force = s->force};
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
static const struct {
    const char *option;
    size_t at; /* offset of its value */
    ls_status (*import)(const ls_import_options *options);
} sources[] = {
#define AT(field) offsetof(ls_import_options, field)
    {"idx", AT(idx), import_idx},
    {"train-images", AT(train_images), import_idx},
    {"cifar", AT(cifar), import_cifar},
    {"emnist", AT(emnist), import_emnist},
    {"png", AT(png), import_png},
    {"csv", AT(csv), import_csv},
    {"synthetic", AT(synthetic), import_synthetic},
};

/* Options of one source. */
static const struct {
    const char *option;
    size_t at;
    bool flag;
    const char *source;
} parts[] = {
    {"train-labels", AT(train_labels), false, "idx"},
    {"test-images", AT(test_images), false, "idx"},
    {"test-labels", AT(test_labels), false, "idx"},
    {"coarse", AT(coarse), true, "cifar"},
    {"resize", AT(resize), false, "png"},
    {"csv-test", AT(csv_test), false, "csv"},
    {"target", AT(target), false, "csv"},
    {"values", AT(values), true, "csv"},
#undef AT
};

static bool is_given(const ls_import_options *s, size_t at, bool flag)
{
    const char *field = (const char *)s + at;
    if (flag)
        return *(const bool *)field;
    return **(const char *const *)field != '\0';
}

/* Finds the only source that is given. */
static ls_status find_source(const ls_import_options *s, int *out)
{
    const int count = (int)(sizeof sources / sizeof *sources);
    int found = -1;
    for (int i = 0; i < count; i++) {
        if (!is_given(s, sources[i].at, false))
            continue;
        if (found >= 0 && sources[found].import != sources[i].import)
            return ls_fail(LS_ERR_USAGE, "--%s and --%s: give one source", sources[found].option,
                           sources[i].option);
        found = i;
    }
    if (found < 0)
        return ls_fail(LS_ERR_USAGE,
                       "give --idx DIR, or --train-images and --train-labels (and the same for "
                       "test), or another source: `lockstep import --help` lists them");
    *out = found;
    return LS_OK;
}

ls_status ls_import_from(const ls_import_options *s)
{
    int source = 0;
    ls_status status = find_source(s, &source);
    for (size_t i = 0; status == LS_OK && i < sizeof parts / sizeof *parts; i++) {
        const bool idx = strcmp(parts[i].source, "idx") == 0;
        if (is_given(s, parts[i].at, parts[i].flag) &&
            (idx ? sources[source].import != import_idx
                 : strcmp(parts[i].source, sources[source].option) != 0))
            status = ls_fail(LS_ERR_USAGE, "--%s belongs to --%s, not to --%s", parts[i].option,
                             parts[i].source, sources[source].option);
    }
    if (status == LS_OK && s->classes == 1)
        status = ls_fail(LS_ERR_USAGE, "--classes 1: a classifier needs 2 classes or more");
    return status == LS_OK ? sources[source].import(s) : status;
}
