#include "damaged_files.h"

#include "base/memory.h"
#include "data/h5.h"
#include "data/seal.h"
#include "small_dataset.h"
#include "test.h"

#include <hdf5.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A valid file is written, then one object in it is replaced. */
typedef struct craft {
    damaged_file public;

    /* Either a dataset with another type (one of those below), shape and layout. Small datasets are
     * written, with `value` in every element. */
    const char *object;
    int type, rank;
    hsize_t dims[5];
    void (*layout)(hid_t list, int rank);
    int64_t value;

    /* Or an attribute of the root group with another value: an integer, a real or a text. */
    const char *attribute, *text;
    int64_t integer;
    double real;

    /* Or a function that changes the file. */
    void (*change)(hid_t file);
} craft;

enum { U8, I8, I32, I32_BE, I64, F32, F64, ODD, TEXT, VARIABLE };

static hid_t make_type(int type)
{
    const hid_t same[] = {H5T_STD_U8LE,  H5T_STD_I8LE,   H5T_STD_I32LE, H5T_STD_I32BE,
                          H5T_STD_I64LE, H5T_IEEE_F32LE, H5T_IEEE_F64LE};
    if (type == VARIABLE)
        return H5Tvlen_create(H5T_STD_U8LE);
    const hid_t made = H5Tcopy(type < ODD ? same[type] : type == ODD ? same[I32] : H5T_C_S1);
    if (type == ODD)
        H5Tset_precision(made, 3);
    return made;
}

static void set_compact(hid_t list, int rank)
{
    (void)rank;
    H5Pset_layout(list, H5D_COMPACT);
}

static void set_chunks(hid_t list, int rank)
{
    const hsize_t one[] = {4, 2, 2, 2, 2};
    H5Pset_chunk(list, rank, one);
}

static void set_deflated(hid_t list, int rank)
{
    set_chunks(list, rank);
    H5Pset_shuffle(list);
    H5Pset_deflate(list, 9);
    H5Pset_fletcher32(list);
}

static void set_huge_chunk(hid_t list, int rank)
{
    const hsize_t one[] = {1 << 21, 1 << 10, 1};
    H5Pset_chunk(list, rank, one);
}

static void set_scaled(hid_t list, int rank)
{
    set_chunks(list, rank);
    H5Pset_scaleoffset(list, H5Z_SO_INT, H5Z_SO_INT_MINBITS_DEFAULT);
}

/* A filter registered with the HDF Group, whose plugin is not installed. */
static void set_unknown_filter(hid_t list, int rank)
{
    set_chunks(list, rank);
    H5Pset_filter(list, 32001, H5Z_FLAG_OPTIONAL, 0, NULL);
}

static void set_external(hid_t list, int rank)
{
    (void)rank;
    H5Pset_external(list, "elsewhere", 0, 203 * 30);
}

static void set_virtual(hid_t list, int rank)
{
    (void)rank;
    const hsize_t dims[] = {203, 6, 5};
    const hid_t space = H5Screate_simple(3, dims, NULL);
    H5Pset_virtual(list, space, "other.h5", "train/images", space);
    H5Sclose(space);
}

static void link_images(hid_t file)
{
    H5Ldelete(file, "train/images", H5P_DEFAULT);
    H5Lcreate_soft("/test/images", file, "train/images", H5P_DEFAULT, H5P_DEFAULT);
}

static void link_group(hid_t file)
{
    H5Ldelete(file, "test", H5P_DEFAULT);
    H5Lcreate_soft("/train", file, "test", H5P_DEFAULT, H5P_DEFAULT);
}

static void link_to_nowhere(hid_t file)
{
    H5Ldelete(file, "test", H5P_DEFAULT);
    H5Lcreate_soft("/nowhere", file, "test", H5P_DEFAULT, H5P_DEFAULT);
}

static void link_to_other_file(hid_t file)
{
    H5Ldelete(file, "train", H5P_DEFAULT);
    H5Lcreate_external("other.h5", "/train", file, "train", H5P_DEFAULT, H5P_DEFAULT);
}

static void link_hard(hid_t file)
{
    H5Ldelete(file, "test", H5P_DEFAULT);
    H5Lcreate_hard(file, "train", file, "test", H5P_DEFAULT, H5P_DEFAULT);
}

static void link_bias(hid_t file)
{
    H5Lcreate_soft("/optimizer/m/dense1/bias", file, "link", H5P_DEFAULT, H5P_DEFAULT);
    H5Ldelete(file, "parameters/dense1/bias", H5P_DEFAULT);
    H5Lmove(file, "link", file, "parameters/dense1/bias", H5P_DEFAULT, H5P_DEFAULT);
}

static void delete_parameters(hid_t file)
{
    H5Ldelete(file, "parameters", H5P_DEFAULT);
}

static void replace_dataset_by_group(hid_t file)
{
    H5Ldelete(file, "train/labels", H5P_DEFAULT);
    H5Gclose(H5Gcreate2(file, "train/labels", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
}

static void replace_by_unwritten(hid_t file)
{
    const hsize_t dims[] = {203, 6, 5};
    H5Ldelete(file, "train/images", H5P_DEFAULT);
    const hid_t space = H5Screate_simple(3, dims, NULL);
    H5Dclose(H5Dcreate2(file, "train/images", H5T_STD_U8LE, space, H5P_DEFAULT, H5P_DEFAULT,
                        H5P_DEFAULT));
    H5Sclose(space);
}

static void replace_by_null_space(hid_t file)
{
    H5Ldelete(file, "train/labels", H5P_DEFAULT);
    const hid_t space = H5Screate(H5S_NULL);
    H5Dclose(H5Dcreate2(file, "train/labels", H5T_STD_U8LE, space, H5P_DEFAULT, H5P_DEFAULT,
                        H5P_DEFAULT));
    H5Sclose(space);
}

static void put_attribute(hid_t file, const char *name, hid_t type, hid_t space, const void *value)
{
    if (H5Aexists(file, name) > 0)
        H5Adelete(file, name);
    const hid_t attribute = H5Acreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    if (value != NULL)
        H5Awrite(attribute, type, value);
    H5Aclose(attribute);
    H5Sclose(space);
}

static void put_huge_text(hid_t file)
{
    char *text = malloc((5 << 20) + 1);
    memset(text, 'x', 5 << 20);
    text[5 << 20] = '\0';
    const hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, H5T_VARIABLE);
    put_attribute(file, "format", type, H5Screate(H5S_SCALAR), &text);
    H5Tclose(type);
    free(text);
}

static void put_fixed_text(hid_t file)
{
    const hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, 16);
    put_attribute(file, "format", type, H5Screate(H5S_SCALAR), "lockstep-dataset");
    H5Tclose(type);
}

/* As written by HDF5's Fortran interface. */
static void put_padded_text(hid_t file)
{
    const hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, 24);
    H5Tset_strpad(type, H5T_STR_SPACEPAD);
    put_attribute(file, "format", type, H5Screate(H5S_SCALAR), "lockstep-dataset        ");
    H5Tclose(type);
}

/* Writes an attribute without a value, which counts as missing. */
static void put_empty(hid_t file, const char *name)
{
    const hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, 10);
    put_attribute(file, name, type, H5Screate(H5S_NULL), NULL);
    H5Tclose(type);
}

static void put_empty_name(hid_t file)
{
    put_empty(file, "name");
    put_empty(file, "source_sha256");
}

static void put_empty_format(hid_t file)
{
    put_empty(file, "format");
}

static void put_two_versions(hid_t file)
{
    const hsize_t two = 2;
    put_attribute(file, "version", H5T_NATIVE_INT, H5Screate_simple(1, &two, NULL), (int[]){1, 1});
}

/* Writes the first element of a large dataset in chunks, so that it has some storage. */
static void write_one(hid_t dataset, hid_t space, int rank)
{
    const hsize_t first[H5S_MAX_RANK] = {0}, one[] = {1, 1, 1, 1, 1};
    const hid_t memory = H5Screate_simple(rank, one, NULL);
    H5Sselect_hyperslab(space, H5S_SELECT_SET, first, NULL, one, NULL);
    assert_true(H5Dwrite(dataset, H5T_NATIVE_INT64, memory, space, H5P_DEFAULT, &(int64_t){1}) >=
                0);
    H5Sclose(memory);
}

static void put_two_names(hid_t file)
{
    const hsize_t two = 2;
    const hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, 4);
    put_attribute(file, "class_names", type, H5Screate_simple(1, &two, NULL), "cat\0dog");
    H5Tclose(type);
}

/* Writes statistics of the inputs, which have one channel. */
static void put_statistics(hid_t file, const char *name, hsize_t count, double value)
{
    const double values[] = {value, value};
    const hid_t space = H5Screate_simple(1, &count, NULL), list = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(list, 1);
    const hid_t numbers =
        H5Dcreate2(file, name, H5T_IEEE_F64LE, space, list, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Dwrite(numbers, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    H5Dclose(numbers);
    H5Pclose(list);
    H5Sclose(space);
}

static void put_two_means(hid_t file)
{
    put_statistics(file, "standardization/inputs/mean", 2, 0.5);
}

static void put_tiny_std(hid_t file)
{
    put_statistics(file, "standardization/inputs/mean", 1, 0.5);
    put_statistics(file, "standardization/inputs/std", 1, 1e-300);
}

/* The rows of the metrics match the number of epochs, but are more than a file can hold. */
static void put_endless_history(hid_t file)
{
    static const char *const names[] = {"epoch", "optimizer_steps"};
    const int64_t rows = INT64_C(1) << 40;
    const hsize_t dims[] = {(hsize_t)rows, LS_METRICS_COLUMNS},
                  chunk[] = {1024, LS_METRICS_COLUMNS};
    for (int i = 0; i < 2; i++)
        put_attribute(file, names[i], H5T_NATIVE_INT64, H5Screate(H5S_SCALAR), &rows);
    H5Ldelete(file, "metrics", H5P_DEFAULT);
    const hid_t list = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(2, dims, NULL);
    H5Pset_chunk(list, 2, chunk);
    H5Pset_deflate(list, 1);
    const hid_t metrics =
        H5Dcreate2(file, "metrics", H5T_IEEE_F64LE, space, H5P_DEFAULT, list, H5P_DEFAULT);
    write_one(metrics, space, 2);
    H5Dclose(metrics);
    H5Sclose(space);
    H5Pclose(list);
}

#define DATASET(name, part, ...)                                                                   \
    {                                                                                              \
        {name, part, false}, __VA_ARGS__                                                           \
    }
#define CHECKPOINT(name, part, ...)                                                                \
    {                                                                                              \
        {name, part, true}, __VA_ARGS__                                                            \
    }
#define IMAGES .object = "train/images", .type = U8, .rank = 3
#define LABELS .object = "train/labels", .rank = 1, .dims = {203}
#define MANY   (UINT64_C(1) << 40)

static const craft crafts[] = {
    /* Valid but unusual. */
    DATASET("untouched", NULL, .change = NULL),
    DATASET("compact", NULL, LABELS, .layout = set_compact),
    DATASET("chunks", NULL, IMAGES, .dims = {203, 6, 5}, .layout = set_chunks),
    DATASET("deflated", NULL, IMAGES, .dims = {203, 6, 5}, .layout = set_deflated),
    DATASET("big-endian", NULL, LABELS, .type = I32_BE, .value = 3),
    DATASET("int64", NULL, LABELS, .type = I64, .value = 3),
    DATASET("hard-link", NULL, .change = link_hard),
    DATASET("fixed-text", NULL, .change = put_fixed_text),
    DATASET("padded-text", NULL, .change = put_padded_text),
    DATASET("empty-name", NULL, .change = put_empty_name),
    DATASET("label-column", NULL, .object = "train/labels", .rank = 2, .dims = {203, 1}),
    DATASET("real-classes", NULL, .attribute = "classes", .real = 4),
    CHECKPOINT("checkpoint", NULL, .change = NULL),

    /* References to other files. */
    DATASET("soft-link", "'/train/images' is a soft or external link", .change = link_images),
    DATASET("soft-group", "'/test' is a soft or external link", .change = link_group),
    DATASET("dangling-link", "'/test' is a soft or external link", .change = link_to_nowhere),
    DATASET("external-link", "'/train' is a soft or external link", .change = link_to_other_file),
    DATASET("external", "stores its content in other files", IMAGES, .dims = {203, 6, 5},
            .layout = set_external),
    DATASET("virtual", "stores its content in other files", IMAGES, .dims = {203, 6, 5},
            .layout = set_virtual),
    DATASET("scaled", "the filter scale-offset (6), but only", IMAGES, .dims = {203, 6, 5},
            .layout = set_scaled),
    DATASET("plugged", "the filter blosc (32001), but only", IMAGES, .dims = {203, 6, 5},
            .layout = set_unknown_filter),

    /* Shapes and types. */
    DATASET("endless", "nothing was ever written", IMAGES, .dims = {MANY, 6, 5}),
    DATASET("endless-chunks", "more elements than", IMAGES, .dims = {1 << 30, 6, 5},
            .layout = set_chunks),
    DATASET("endless-deflated", "more elements than", IMAGES, .dims = {1 << 30, 6, 5},
            .layout = set_deflated),
    DATASET("overflow", "impossibly large shape", IMAGES, .dims = {MANY << 20, 1 << 10, 1 << 10},
            .layout = set_chunks),
    DATASET("huge-chunk", "chunks above 1 GiB", IMAGES, .dims = {1 << 22, 1 << 10, 1},
            .layout = set_huge_chunk),
    DATASET("empty-overflow", "impossibly large shape", IMAGES, .dims = {0, MANY, MANY}),
    DATASET("empty-huge-rows", "is [0,1048576,1048576]: rows of an unsupported size", IMAGES,
            .dims = {0, 1 << 20, 1 << 20}),
    DATASET("empty-rows", "its rows hold no numbers", IMAGES, .dims = {203, 0, 5}),
    DATASET("empty-chunks", "its rows hold no numbers", IMAGES, .dims = {203, 0, 5},
            .layout = set_chunks),
    DATASET("no-rows", "'/train/images' has 0 rows but '/train/labels' has 203", IMAGES,
            .dims = {0, 6, 5}),
    DATASET("rows-last", "give --order row-major", IMAGES, .dims = {6, 5, 203}),
    DATASET("never-written", "nothing was ever written", .change = replace_by_unwritten),
    DATASET("five-dimensions", "has 5 dimensions", .object = "train/images", .type = U8, .rank = 5,
            .dims = {203, 1, 1, 6, 5}),
    DATASET("scalar", "has 0 dimensions", .object = "train/labels", .type = U8, .rank = 0),
    DATASET("null-space", "null dataspace", .change = replace_by_null_space),
    DATASET("group", "is not a dataset", .change = replace_dataset_by_group),
    DATASET("signed-pixels", "differs in type", .object = "train/images", .type = I8, .rank = 3,
            .dims = {203, 6, 5}),
    DATASET("text-images", "holds strings", .object = "train/images", .type = TEXT, .rank = 1,
            .dims = {203}, .layout = set_compact),
    DATASET("real-labels", "not of an integer type", LABELS, .type = F64),
    DATASET("odd-labels", "not of an integer type", LABELS, .type = ODD),
    DATASET("text-labels", "not of an integer type", LABELS, .type = TEXT, .layout = set_compact),
    DATASET("variable-labels", "not of an integer type", LABELS, .type = VARIABLE,
            .layout = set_compact),

    /* Values. */
    DATASET("label-beyond", "row 0 is 4, expected a class of 0 to 3", LABELS, .type = U8,
            .value = 4),
    DATASET("label-negative", "row 0 is -1, expected a class of 0 to 3", LABELS, .type = I32,
            .value = -1),
    DATASET("label-huge", "row 0 is 1099511627776, expected", LABELS, .type = I64, .value = MANY),
    DATASET("classes-many", "classes is 1099511627776", .attribute = "classes", .integer = MANY),
    DATASET("classes-fraction", "'classes' is 4.5, not an integer", .attribute = "classes",
            .real = 4.5),
    DATASET("version-fraction", "'version' is 1.9, not an integer; `lockstep import --help`",
            .attribute = "version", .real = 1.9),
    DATASET("empty-format", "format is missing or empty", .change = put_empty_format),
    DATASET("classes-negative", "classes is -5", .attribute = "classes", .integer = -5),
    DATASET("classes-text", "not one number", .attribute = "classes", .text = "four"),
    DATASET("classes-nan", "'classes' is nan, not an integer", .attribute = "classes", .real = NAN),
    DATASET("format-number", "'format' is not a string", .attribute = "format", .integer = 1),
    DATASET("several-versions", "not one number", .change = put_two_versions),
    DATASET("version", "data set version 2", .attribute = "version", .integer = 2),
    DATASET("huge-text", "'format' is not a string of up to", .change = put_huge_text),

    /* Checkpoints. */
    CHECKPOINT("model-none", "impossible model: --model: contains no layer", .attribute = "model",
               .text = ""),
    CHECKPOINT("model-unknown", "word 1, 'dens:5': unknown layer", .attribute = "model",
               .text = "dens:5"),
    CHECKPOINT("model-other", "has no dataset '/parameters/dense3/weight'", .attribute = "model",
               .text = "dense:5 relu dense:4 dense:4"),
    CHECKPOINT("model-huge", "does not have the shape", .attribute = "model",
               .text = "dense:16777216 relu dense:4"),
    CHECKPOINT("model-endless", "more than 2^31", .attribute = "model",
               .text = "dense:16777216 dense:100 dense:16777216 dense:4"),
    CHECKPOINT("checkpoint-classes", "absurd size", .attribute = "classes", .integer = MANY),
    CHECKPOINT("checkpoint-class", "4 outputs but the data set has 5", .attribute = "classes",
               .integer = 5),
    CHECKPOINT("height", "absurd size", .attribute = "height", .integer = MANY),
    CHECKPOINT("channels", "absurd size", .attribute = "channels", .integer = -1),
    CHECKPOINT("width", "does not have the shape", .attribute = "width", .integer = 1 << 19),
    CHECKPOINT("std", "absurd", .attribute = "std", .real = NAN),
    CHECKPOINT("mean", "absurd", .attribute = "mean", .real = 1e300),
    CHECKPOINT("border", "absurd", .attribute = "border", .real = 1.5),
    CHECKPOINT("loss-bce", "a loss of bce for targets of 4 classes and 0 values",
               .attribute = "loss", .text = "bce"),
    CHECKPOINT("values", "the targets are a class for each of 4 steps", .attribute = "values",
               .integer = 4),
    CHECKPOINT("vocabulary", "attribute vocabulary is -1", .attribute = "vocabulary",
               .integer = -1),
    CHECKPOINT("reconstruction", "its targets are its inputs, but 6 numbers against 0 values",
               .attribute = "config", .text = "seed = 1\ntargets = inputs\n"),
    CHECKPOINT("class-names", "'class_names' has 2 names, but there are 4 classes",
               .change = put_two_names),
    CHECKPOINT("statistics", "'/standardization/inputs/mean' does not hold 1 numbers",
               .change = put_two_means),
    CHECKPOINT("statistics-tiny", "'/standardization/inputs' has an impossible mean or std in",
               .change = put_tiny_std),
    CHECKPOINT("partial-rows", "contradict each other", .attribute = "partial_rows", .integer = -1),
    CHECKPOINT("loss", "an unknown loss", .attribute = "loss", .text = "hinge"),
    CHECKPOINT("epochs", "contradict each other", .attribute = "epoch", .integer = MANY),
    CHECKPOINT("epochs-negative", "contradict each other", .attribute = "epoch", .integer = -1),
    CHECKPOINT("step", "contradict each other", .attribute = "step", .integer = INT64_MAX),
    CHECKPOINT("columns-few", "contradict each other", .attribute = "columns",
               .text = "epoch,loss,accuracy"),
    CHECKPOINT("columns-number", "'columns' is not a string", .attribute = "columns",
               .integer = 14),
    CHECKPOINT("waited", "contradict each other", .attribute = "waited", .integer = INT64_MIN),
    CHECKPOINT("checkpoint-version", "checkpoint version 1", .attribute = "version", .integer = 1),
    CHECKPOINT("history", "more elements than", .change = put_endless_history),
    CHECKPOINT("metrics", "contradict each other", .object = "metrics", .type = F32, .rank = 2,
               .dims = {2, LS_METRICS_COLUMNS}),
    CHECKPOINT("linked-bias", "'/parameters/dense1/bias' is a soft or", .change = link_bias),
    CHECKPOINT("no-parameters", "no dataset '/parameters/dense1/weight'",
               .change = delete_parameters),
    CHECKPOINT("bias-shape", "does not have the shape", .object = "parameters/dense1/bias",
               .type = F32, .rank = 1, .dims = {6}),
    CHECKPOINT("bias-type", "does not have the shape", .object = "parameters/dense1/bias",
               .type = F64, .rank = 1, .dims = {5}),
    CHECKPOINT("bias-unwritten", "nothing was ever written", .object = "parameters/dense1/bias",
               .type = F32, .rank = 1, .dims = {MANY}),
    CHECKPOINT("checkpoint-huge-text", "is not a string of up to", .change = put_huge_text),
};

bool damaged_file_case(int at, damaged_file *out)
{
    if (at < 0 || at >= (int)(sizeof crafts / sizeof *crafts))
        return false;
    *out = crafts[at].public;
    return true;
}

static void replace_object(hid_t file, const craft *c)
{
    enum { SMALL = 100000 };
    static int64_t values[SMALL];
    const hid_t list = H5Pcreate(H5P_DATASET_CREATE), type = make_type(c->type);
    const hid_t space = H5Screate_simple(c->rank, c->dims, NULL);
    double elements = 1;
    for (int i = 0; i < c->rank; i++)
        elements *= (double)c->dims[i];
    for (int i = 0; i < SMALL; i++)
        values[i] = c->value;
    if (c->layout != NULL)
        c->layout(list, c->rank);
    H5Ldelete(file, c->object, H5P_DEFAULT);
    const hid_t dataset = H5Dcreate2(file, c->object, type, space, H5P_DEFAULT, list, H5P_DEFAULT);
    if (dataset < 0)
        fail_msg("%s can't be made", c->public.name);
    /* An external file must not be written, and the sources of a virtual one don't exist. */
    if (elements <= SMALL && c->type < TEXT && c->layout != set_external &&
        c->layout != set_virtual)
        assert_true(H5Dwrite(dataset, H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >=
                    0);
    else if (elements < 1e15 && (c->layout == set_chunks || c->layout == set_deflated))
        write_one(dataset, space, c->rank);
    H5Dclose(dataset);
    H5Sclose(space);
    H5Tclose(type);
    H5Pclose(list);
}

static void replace_attribute(hid_t file, const craft *c)
{
    const hid_t space = H5Screate(H5S_SCALAR), text = H5Tcopy(H5T_C_S1);
    H5Tset_size(text, H5T_VARIABLE);
    if (c->text != NULL)
        put_attribute(file, c->attribute, text, space, &c->text);
    else if (c->real != 0)
        put_attribute(file, c->attribute, H5T_NATIVE_DOUBLE, space, &c->real);
    else
        put_attribute(file, c->attribute, H5T_NATIVE_INT64, space, &c->integer);
    H5Tclose(text);
}

void damaged_file_write(int at, const char *path)
{
    const craft *c = &crafts[at];
    if (c->public.checkpoint)
        write_small_checkpoint(path);
    else
        small_dataset_write(&small_dataset_default, path);
    const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    assert_true(file >= 0);
    if (c->object != NULL)
        replace_object(file, c);
    if (c->attribute != NULL)
        replace_attribute(file, c);
    if (c->change != NULL)
        c->change(file);
    assert_true(H5Fclose(file) >= 0);
    assert_ok(ls_seal_write(path));
}

void damaged_file_history(const char *path, const char *columns, const double *values,
                          int64_t epochs)
{
    const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT), text = H5Tcopy(H5T_C_S1);
    hsize_t dims[2] = {(hsize_t)epochs, 1};
    for (const char *at = columns; (at = strchr(at, ',')) != NULL; at++)
        dims[1]++;
    const hid_t space = H5Screate_simple(2, dims, NULL);
    assert_true(H5Ldelete(file, "metrics", H5P_DEFAULT) >= 0);
    const hid_t dataset = H5Dcreate2(file, "metrics", H5T_NATIVE_DOUBLE, space, H5P_DEFAULT,
                                     H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    H5Tset_size(text, H5T_VARIABLE);
    put_attribute(file, "columns", text, H5Screate(H5S_SCALAR), &columns);
    H5Tclose(text);
    H5Dclose(dataset);
    H5Sclose(space);
    assert_true(H5Fclose(file) >= 0);
    assert_ok(ls_seal_write(path));
}

void damaged_file_forget(const char *path, const char *attribute)
{
    const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    assert_true(H5Adelete(file, attribute) >= 0);
    assert_true(H5Fclose(file) >= 0);
    assert_ok(ls_seal_write(path));
}

void damaged_file_forget_setting(const char *path, const char *name)
{
    char key[64], *text;
    ls_h5 *h5;
    assert_ok(ls_h5_open(&h5, path));
    assert_ok(ls_h5_get_text(h5, "config", &text));
    assert_ok(ls_h5_close(&h5));
    snprintf(key, sizeof key, "\n%s = ", name);
    char *line = strstr(text, key);
    assert_non_null(line);
    const char *next = strchr(line + 1, '\n');
    memmove(line, next, strlen(next) + 1);
    const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT), type = H5Tcopy(H5T_C_S1);
    const hid_t space = H5Screate(H5S_SCALAR);
    assert_true(H5Tset_size(type, strlen(text)) >= 0);
    assert_true(H5Adelete(file, "config") >= 0);
    const hid_t attribute = H5Acreate2(file, "config", type, space, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Awrite(attribute, type, text) >= 0);
    assert_true(H5Aclose(attribute) >= 0 && H5Sclose(space) >= 0 && H5Tclose(type) >= 0);
    assert_true(H5Fclose(file) >= 0);
    assert_ok(ls_seal_write(path));
    ls_free(text);
}
