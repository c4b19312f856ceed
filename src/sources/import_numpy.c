/* NumPy's arrays: inputs and targets of each split are an array of their own. */
#include <lockstep/dataset.h>
#include <lockstep/import.h>

#include "base/integer.h"
#include "base/memory.h"
#include "base/show.h"
#include "base/text.h"
#include "sources/import_common.h"
#include "sources/npy.h"
#include "data/samples.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SPLITS = 3, MEMBER = 128 };

/* The arrays of a split. */
typedef struct pair {
    const char *group;
    ls_npy x, y;
    int64_t rows;   /* to import, after the limit */
    int32_t *label; /* [rows of the arrays] of classes */
    float *targets; /* [rows of the arrays][values] of values */
} pair;

static void pair_close(pair *p)
{
    ls_npy_close(&p->x);
    ls_npy_close(&p->y);
    ls_free(p->label);
    ls_free(p->targets);
}

/* Checks the inputs, and that both arrays have as many rows. */
static ls_status check_pair(const pair *p)
{
    const ls_npy *x = &p->x;
    const char *name = ls_member_name(x->member);
    const int64_t *last = x->dims + x->rank - 1;
    if (x->dims[0] != p->y.dims[0])
        return ls_fail(LS_ERR_DATA, "%s has %s, but %s has %s", name,
                       ls_counted(x->dims[0], "row").text, ls_member_name(p->y.member),
                       ls_counted(p->y.dims[0], "row").text);
    if (!ls_image_is_sane(x->rank == 4   ? last[-2]
                          : x->rank == 2 ? last[0]
                                         : 1,
                          x->rank > 2 ? last[-1] : 1, x->rank > 2 ? last[0] : 1))
        return ls_fail(LS_ERR_DATA, "%s: rows of an unsupported size", name);
    return LS_OK;
}

/* Checks that the arrays of a split are like those of the training rows. */
static ls_status check_alike(const ls_npy *a, const ls_npy *b)
{
    bool same = a->rank == b->rank && a->type == b->type;
    for (int d = 1; same && d < a->rank; d++)
        same = a->dims[d] == b->dims[d];
    return same ? LS_OK
                : ls_fail(LS_ERR_DATA, "%s and %s differ in type or shape",
                          ls_member_name(a->member), ls_member_name(b->member));
}

static bool is_integer(const ls_npy *npy)
{
    return npy->type != LS_H5_F16 && npy->type != LS_H5_F32 && npy->type != LS_H5_F64;
}

/* Stores the numbers of a piece of targets. */
static ls_status take_numbers(pair *p, int64_t first, int64_t count, const unsigned char *numbers)
{
    for (int64_t i = 0; i < count; i++, numbers += p->y.bytes) {
        const double value = ls_npy_number(&p->y, numbers);
        if (p->targets != NULL) {
            p->targets[first + i] = (float)value;
            continue;
        }
        if (!(value >= INT32_MIN && value <= INT32_MAX) || value != floor(value))
            return ls_fail(LS_ERR_DATA, "%s: %.15g in row %lld is no class",
                           ls_member_name(p->y.member), ls_plain_number(value),
                           (long long)(first + i));
        p->label[first + i] = (int32_t)value;
    }
    return LS_OK;
}

/* Reads all targets, as labels or as values. */
static ls_status read_targets(pair *p, bool labels)
{
    enum { PIECE_BYTES = 1 << 20 };
    ls_npy *y = &p->y;
    const int64_t row = y->row * y->bytes, all = y->dims[0];
    const int64_t piece = ls_min(ls_max(PIECE_BYTES / row, 1), all);
    unsigned char *numbers = ls_alloc(piece, (size_t)row);
    if (labels)
        p->label = ls_alloc(all, sizeof *p->label);
    else
        p->targets = ls_alloc(all * y->row, sizeof *p->targets);
    ls_status status =
        numbers == NULL || (p->label == NULL && p->targets == NULL) ? LS_ERR_FAILURE : LS_OK;
    for (int64_t done = 0; status == LS_OK && done < all; done += piece) {
        const int64_t some = ls_min(piece, all - done);
        status = ls_npy_read(y, some, numbers);
        if (status == LS_OK)
            status = ls_npy_check_finite(y, done, some, numbers);
        if (status == LS_OK)
            status = take_numbers(p, done * y->row, some * y->row, numbers);
    }
    ls_free(numbers);
    return status;
}

/* Reads the targets of all splits and determines the number of classes, 0 of values. */
static ls_status read_all_targets(const ls_import *import, pair *pairs, int splits, bool values,
                                  int64_t *classes)
{
    ls_label_list lists[SPLITS];
    const ls_npy *y = &pairs->y;
    const bool labels =
        !values && y->row == 1 && y->rank <= 2 && (is_integer(y) || import->classes > 0);
    ls_status status = LS_OK;
    *classes = 0;
    if (!labels && import->classes > 0)
        return ls_fail(LS_ERR_USAGE, "--classes %lld: the targets are values",
                       (long long)import->classes);
    if (!labels && y->row > LS_MAX_VALUES)
        return ls_fail(LS_ERR_DATA, "%s: the maximum is %d values in a row",
                       ls_member_name(y->member), LS_MAX_VALUES);
    for (int k = 0; status == LS_OK && k < splits; k++) {
        status = read_targets(&pairs[k], labels);
        lists[k] =
            (ls_label_list){ls_member_name(pairs[k].y.member), pairs[k].label, pairs[k].y.dims[0]};
    }
    return status == LS_OK && labels ? ls_import_classes(lists, splits, import->classes, classes)
                                     : status;
}

static ls_status numpy_read_rows(void *user, int64_t rows, void *inputs)
{
    pair *p = user;
    const int64_t first = p->x.next;
    const ls_status status = ls_npy_read(&p->x, rows, inputs);
    return status == LS_OK ? ls_npy_check_finite(&p->x, first, rows, inputs) : status;
}

static ls_split_source describe_split(pair *p)
{
    ls_split_source split = {.group = p->group,
                             .rows = p->rows,
                             .type = p->x.type,
                             .dims = p->x.rank > 1 ? p->x.rank - 1 : 1,
                             .image = {1},
                             .label = p->label,
                             .targets = p->targets,
                             .values = p->y.row,
                             .source = p,
                             .read = numpy_read_rows};
    for (int d = 1; d < p->x.rank; d++)
        split.image[d - 1] = p->x.dims[d];
    return split;
}

/* Imports open arrays.
 * files  in the order of the digest */
static ls_status import_pairs(const ls_import *import, pair *pairs, int splits, bool values,
                              ls_text_list *files, const char *path)
{
    ls_split_source split[SPLITS];
    int64_t classes = 0;
    ls_status status = LS_OK;
    for (int k = 0; status == LS_OK && k < splits; k++) {
        const bool test = strcmp(pairs[k].group, "test") == 0;
        status = check_pair(&pairs[k]);
        if (status == LS_OK)
            status = check_alike(&pairs[0].x, &pairs[k].x);
        if (status == LS_OK)
            status = check_alike(&pairs[0].y, &pairs[k].y);
        pairs[k].rows = ls_import_rows(pairs[k].x.dims[0], test     ? import->limit_test
                                                           : k == 0 ? import->limit
                                                                    : 0);
    }
    if (status == LS_OK)
        status = read_all_targets(import, pairs, splits, values, &classes);
    for (int k = 0; k < splits; k++)
        split[k] = describe_split(&pairs[k]);
    ls_dataset_content content = ls_import_content(import, split, splits);
    content.classes = classes;
    content.user = files;
    content.digest = ls_import_digest;
    return status == LS_OK ? ls_dataset_write(&content, path) : status;
}

static ls_status open_file(ls_npy *out, const char *path, ls_text_list *files)
{
    ls_member *member = NULL;
    ls_status status = ls_text_list_add(files, path);
    if (status == LS_OK)
        status = ls_member_open_file(&member, path);
    return status == LS_OK ? ls_npy_open(out, member) : status;
}

ls_status ls_import_npy(const ls_import *import, const ls_npy_source *source, const char *path)
{
    pair pairs[SPLITS] = {{.group = "train"}, {.group = "test"}};
    ls_text_list files = {0};
    const int splits = source->test_x != NULL ? 2 : 1;
    ls_status status = open_file(&pairs[0].x, source->train_x, &files);
    if (status == LS_OK)
        status = open_file(&pairs[0].y, source->train_y, &files);
    if (status == LS_OK && splits > 1)
        status = open_file(&pairs[1].x, source->test_x, &files);
    if (status == LS_OK && splits > 1)
        status = open_file(&pairs[1].y, source->test_y, &files);
    if (status == LS_OK)
        status = import_pairs(import, pairs, splits, source->values, &files, path);
    for (int k = 0; k < splits; k++)
        pair_close(&pairs[k]);
    ls_text_list_free(&files);
    return status;
}

/* Returns the number of the member of an array, -1 if there is none. */
static int64_t find_array(const ls_zip *zip, const char *name)
{
    char member[MEMBER];
    const int length = snprintf(member, sizeof member, "%s.npy", name);
    return length > 0 && length < MEMBER ? ls_zip_find(zip, member) : -1;
}

static ls_status open_array(ls_npy *out, const ls_zip *zip, const char *path, const char *name)
{
    ls_member *member = NULL;
    const int64_t at = find_array(zip, name);
    if (at < 0)
        return ls_fail(LS_ERR_DATA, "%s: has no array '%.60s'", path, name);
    ls_status status = ls_member_open(&member, zip, at);
    return status == LS_OK ? ls_npy_open(out, member) : status;
}

/* Names that archives usually have, in the order of the splits. */
static const char *const usual[][SPLITS][2] = {
    {{"x_train", "y_train"}, {"x_val", "y_val"}, {"x_test", "y_test"}},
    {{"X_train", "y_train"}, {"X_val", "y_val"}, {"X_test", "y_test"}},
    {{"train_images", "train_labels"},
     {"val_images", "val_labels"},
     {"test_images", "test_labels"}},
    {{"x", "y"}, {"", ""}, {"", ""}},
    {{"X", "y"}, {"", ""}, {"", ""}},
};

/* Names what an archive has. */
static ls_status fail_without_arrays(const ls_zip *zip, const char *path)
{
    char names[256] = "";
    size_t length = 0;
    for (int64_t i = 0; i < ls_zip_count(zip) && length < sizeof names; i++)
        length += (size_t)snprintf(names + length, sizeof names - length, "%s%.60s",
                                   i > 0 ? ", " : "", ls_zip_name(zip, i));
    return ls_fail(LS_ERR_DATA, "%s: has no arrays x_train and y_train, but %s: give --members",
                   path, *names != '\0' ? names : "nothing");
}

/* Opens the arrays with usual names. */
static ls_status open_usual(pair *pairs, const ls_zip *zip, const char *path, int *splits)
{
    static const char *const groups[SPLITS] = {"train", "validation", "test"};
    const size_t count = sizeof usual / sizeof *usual;
    size_t found = 0;
    while (found < count &&
           (find_array(zip, usual[found][0][0]) < 0 || find_array(zip, usual[found][0][1]) < 0))
        found++;
    if (found == count)
        return fail_without_arrays(zip, path);
    ls_status status = LS_OK;
    for (int k = 0; status == LS_OK && k < SPLITS; k++) {
        const char *const *names = usual[found][k];
        if (find_array(zip, names[0]) < 0)
            continue;
        pair *p = &pairs[(*splits)++];
        p->group = groups[k];
        status = open_array(&p->x, zip, path, names[0]);
        if (status == LS_OK)
            status = open_array(&p->y, zip, path, names[1]);
    }
    return status;
}

/* Opens the arrays that are named: x and y of training, then of test rows. */
static ls_status open_named(pair *pairs, const ls_zip *zip, const ls_npz_source *source,
                            int *splits)
{
    static const char *const groups[] = {"train", "test"};
    ls_text_list names = {0};
    ls_status status = ls_text_list_split(&names, source->members);
    if (status == LS_OK && names.count != 2 && names.count != 4)
        status = ls_fail(LS_ERR_USAGE, "--members: '%.80s' is not X,Y or X,Y,TEST_X,TEST_Y",
                         source->members);
    for (int k = 0; status == LS_OK && k < names.count / 2; k++) {
        pair *p = &pairs[(*splits)++];
        p->group = groups[k];
        status = open_array(&p->x, zip, source->file, names.text[2 * k]);
        if (status == LS_OK)
            status = open_array(&p->y, zip, source->file, names.text[2 * k + 1]);
    }
    ls_text_list_free(&names);
    return status;
}

ls_status ls_import_npz(const ls_import *import, const ls_npz_source *source, const char *path)
{
    pair pairs[SPLITS] = {{.group = "train"}};
    ls_zip *zip = NULL;
    ls_text_list files = {0};
    int splits = 0;
    ls_status status = ls_text_list_add(&files, source->file);
    if (status == LS_OK)
        status = ls_zip_open(&zip, source->file);
    if (status == LS_OK)
        status = *source->members != '\0' ? open_named(pairs, zip, source, &splits)
                                          : open_usual(pairs, zip, source->file, &splits);
    if (status == LS_OK)
        status = import_pairs(import, pairs, splits, source->values, &files, path);
    for (int k = 0; k < splits; k++)
        pair_close(&pairs[k]);
    ls_zip_close(&zip);
    ls_text_list_free(&files);
    return status;
}
