/* A data set: inputs and targets in an HDF5 file. A target is a class or a row of values.
 *
 *     /train/images       [N,H,W] or [N,C,H,W]; [N,H,W,C] with LS_LAYOUT_NHWC; [N,F] or [N] for
 *     or /train/inputs    rows that are no images; any type of ls_element
 *     /train/labels       classes: integers [N] or [N,1], of 8 to 64 bits, signed or not, or h5py's
 *                         bool; of inputs of T steps [N,T] are the classes of the steps
 *     or /train/targets   values: [N] or [N,K], any type of ls_element
 *     /train/lengths      optional: steps of each row's sequence, 0 to T, [N] or [N,1]
 *     /test/...           the same, optional
 *     /validation/...     the same, optional
 *     /train/NAME         with ls_dataset_options.weights = "NAME": weights of the training rows,
 *                         [N] or [N,1], of any type of ls_element
 *     attributes          format = "lockstep-dataset", version = 1, classes (with labels);
 *                         optional: name, source_sha256, class_names (strings [classes]);
 *                         vocabulary (number of tokens)
 *     /vocabulary         optional: the texts of tokens, strings [vocabulary]; inputs are then
 *                         integers [N,T] of 0 to vocabulary-1
 *
 * With ls_dataset_options.inputs and targets any other HDF5 file is a data set, too. */
#ifndef LOCKSTEP_DATASET_H
#define LOCKSTEP_DATASET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lockstep/choice.h>
#include <lockstep/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A dataset of an HDF5 file of any layout. */
typedef struct ls_file_entry {
    char path[257];   /* "/group/name" */
    char shape[128];  /* "[1500,12]", of a readable one */
    const char *type; /* "float64", "strings"; NULL: it can't be read */
} ls_file_entry;

/* Lists the datasets of an HDF5 file, by name, group by group; soft and external links are not
 * followed. Local.
 * most   datasets to describe, the first
 * out    [most]
 * count  on return the number of datasets, which may be above `most`
 * Errors: LS_ERR_DATA if the file is missing, unreadable or damaged. */
ls_status ls_file_list(const char *path, int most, ls_file_entry *out, int *count) LS_MUST_CHECK;

typedef struct ls_dataset ls_dataset; /* an open data file */
typedef struct ls_samples ls_samples; /* rows of a data set in memory */

/* Types of the numbers of a data set. In memory numbers have the type that they have in the file,
 * in the machine's byte order; but float64 becomes float32, uint32 becomes int64, and h5py's bool
 * uint8.
 *    enumerator  name  bytes */
#define LS_ELEMENT_LIST(X)                                                                         \
    X(LS_U8, "uint8", 1)                                                                           \
    X(LS_I8, "int8", 1)                                                                            \
    X(LS_I16, "int16", 2)                                                                          \
    X(LS_U16, "uint16", 2)                                                                         \
    X(LS_I32, "int32", 4)                                                                          \
    X(LS_I64, "int64", 8)                                                                          \
    X(LS_F16, "float16", 2)                                                                        \
    X(LS_F32, "float32", 4)

typedef enum ls_element {
#define LS_ELEMENT_VALUE(value, name, bytes) value,
    LS_ELEMENT_LIST(LS_ELEMENT_VALUE)
#undef LS_ELEMENT_VALUE
        LS_ELEMENTS /* their number */
} ls_element;

/* Return the name of a type, "uint8", and the bytes of a number. Local. */
const char *ls_element_name(ls_element element);
size_t ls_element_bytes(ls_element element);

/* Standardisation of columns, (x - mean) / std: a column is a channel of the inputs, or a value of
 * the target. */
typedef struct ls_column_scale {
    int64_t count;      /* 0: none */
    const double *mean; /* [count] borrowed */
    const double *std;  /* [count] above 0, borrowed */
} ls_column_scale;

/* A row of a data set in memory. */
typedef struct ls_row {
    int64_t number;       /* in its split of the data set, from 0 */
    int32_t label;        /* class, from 0; 0 if the target is values */
    const void *inputs;   /* [features] numbers of the data set's type, at any address; borrowed */
    const float *targets; /* [values] of the target; borrowed */
    int64_t length;       /* steps of the row's sequence; -1: the rows have no lengths */
} ls_row;

#define LS_SPLIT_LIST(X)                                                                           \
    X(LS_TRAIN, "train", "training rows")                                                          \
    X(LS_VALIDATION, "validation", "validation rows: /validation, or held-out training rows")      \
    X(LS_TEST, "test", "test rows")

typedef enum ls_split { LS_SPLIT_LIST(LS_CHOICE_ENUM) LS_SPLITS } ls_split;

enum { LS_MAX_CLASSES = 1 << 20, LS_MAX_VALUES = 1 << 20, LS_MAX_VOCABULARY = 1 << 20 };
#define LS_MAX_TOKEN  ((int64_t)1 << 24) /* integers up to it are exact as floats */
#define LS_MAX_WEIGHT 1e20f              /* of a row */

/* Selection of the training rows that are held out for validation. */
#define LS_HOLD_OUT_LIST(X)                                                                        \
    X(LS_HOLD_OUT_LAST, "last", "the last rows")                                                   \
    X(LS_HOLD_OUT_RANDOM, "random", "random rows, drawn with --seed")                              \
    X(LS_HOLD_OUT_STRATIFIED, "stratified", "rows of each class in proportion, drawn with --seed")

typedef enum ls_hold_out { LS_HOLD_OUT_LIST(LS_CHOICE_ENUM) } ls_hold_out;

/* Order of the dimensions of images in a file. In memory images are [C,H,W]. With auto, a file
 * whose shape looks like [N,H,W,C] (last dimension 1, 3 or 4, second dimension larger) is refused,
 * with an error that asks for the layout. */
#define LS_LAYOUT_LIST(X)                                                                          \
    X(LS_LAYOUT_AUTO, "auto", "nchw; an error if the shape looks like nhwc")                       \
    X(LS_LAYOUT_NCHW, "nchw", "[N,C,H,W]")                                                         \
    X(LS_LAYOUT_NHWC, "nhwc", "[N,H,W,C]")

typedef enum ls_layout_order { LS_LAYOUT_LIST(LS_CHOICE_ENUM) } ls_layout_order;

/* Order of the dimensions of all datasets in a file. Column-major arrays are in a file with their
 * dimensions reversed: [N,F] in MATLAB or R is [F,N]. Selections name the dimensions rows first. */
#define LS_ORDER_LIST(X)                                                                           \
    X(LS_ORDER_AUTO, "auto",                                                                       \
      "column-major if not the first, but the last dimensions of inputs and targets agree")        \
    X(LS_ORDER_ROW_MAJOR, "row-major", "rows first, as Python and C write them")                   \
    X(LS_ORDER_COLUMN_MAJOR, "column-major",                                                       \
      "rows last, as MATLAB, R, Julia and Fortran write them")

typedef enum ls_order { LS_ORDER_LIST(LS_CHOICE_ENUM) } ls_order;

/* Order of the training rows in an epoch. */
#define LS_SHUFFLE_LIST(X)                                                                         \
    X(LS_SHUFFLE_GLOBAL, "global", "a permutation of all rows in each epoch")                      \
    X(LS_SHUFFLE_LOCAL, "local", "each rank permutes its own shard")                               \
    X(LS_SHUFFLE_NONE, "none", "the order of the file, in every epoch")

typedef enum ls_shuffle { LS_SHUFFLE_LIST(LS_CHOICE_ENUM) } ls_shuffle;

/* Ranks of a job that read the data set. */
#define LS_READ_LIST(X)                                                                            \
    X(LS_READ_EACH, "each", "every rank reads its rows")                                           \
    X(LS_READ_ROOT, "root", "rank 0 reads the rows of all ranks, one rank's after the other's")    \
    X(LS_READ_NODE, "node", "the lowest rank of each node reads the rows of the node's ranks")

typedef enum ls_read { LS_READ_LIST(LS_CHOICE_ENUM) } ls_read;

/* What selected targets are. Values of Lockstep's own layout, too, may be LS_TARGET_FRACTIONS. */
typedef enum ls_target_kind {
    /* An integer is a class, and integers [N,T] may be those of steps, as with LS_TARGET_CLASSES;
     * other numbers are values. */
    LS_TARGET_AUTO,
    /* A whole number, or a one-hot row: one number is 1, the others are 0. Integers [N,T] for
     * inputs of T > 1 steps are the class of each step, if the inputs are integers [N,T] or have
     * more dimensions, and not all of the first 100 rows of targets are one-hot. */
    LS_TARGET_CLASSES,
    LS_TARGET_VALUES,
    LS_TARGET_FRACTIONS, /* values of 0 to 1 */
    LS_TARGET_STEPS      /* the class of each step */
} ls_target_kind;

/* Options for opening a data file. Zeroed: nothing is held out. */
typedef struct ls_dataset_options {
    /* 0 <= validation < 1: if the file has no /validation, this fraction of the training rows is
     * held out. The count is rounded down. */
    double validation;
    ls_hold_out hold_out;
    uint64_t seed; /* of the draw; unused with LS_HOLD_OUT_LAST */
    /* Texts, borrowed; NULL or "": not given. Test rows of a file without /test: "last:N",
     * "first:N", or "all", which leaves no rows for training. Or fractions of all rows
     * "TRAIN,VALIDATION,TEST", chosen as hold_out says. Fold "K/N": of N nearly equal folds of the
     * rows that are no test rows, the K-th is the validation rows, instead of a fraction. */
    const char *test_rows, *split, *fold;
    ls_layout_order layout;
    ls_order order; /* of several files, the first decides */
    /* Datasets of a file of any layout whose rows are the inputs and targets, "/a[:,3:],/b[:,0]":
     * parts of datasets in the notation of NumPy, joined along their features; the first dimension
     * of each is the rows. Joined inputs of several types become float32. Borrowed. NULL or "",
     * both alike: the layout above. Targets "inputs", with or without selected inputs: the targets
     * are the inputs, as for an autoencoder; labels and targets of the file are not read.
     * "none": the rows have no targets, for predictions. */
    const char *inputs, *targets;
    /* The dataset that has the weights of the training rows, in the same notation: numbers of 0 to
     * LS_MAX_WEIGHT; in Lockstep's own layout its name in /train. Borrowed. NULL or "": none. */
    const char *weights;
    /* The dataset that has the number of steps of each row's sequence, of all splits, in the same
     * notation: whole numbers of 0 to ls_dataset_steps(); in Lockstep's own layout its name in the
     * groups. Borrowed. NULL or "": in Lockstep's own layout lengths in the groups, if they exist;
     * else none. */
    const char *lengths;
    /* With `padded`, without lengths, the number that only fills rows up, up to LS_MAX_TOKEN: a
     * row's length is the steps up to its last step with another number. */
    int64_t padding;
    bool padded;
    const char *test_data; /* with inputs: other files, whose rows are the test rows */
    ls_target_kind kind;   /* of selected targets */
    int classes;           /* of selected targets that are an integer; 0: largest label + 1 */
} ls_dataset_options;

typedef struct ls_dataset_info {
    char name[64];          /* "" if the file has none */
    char source_sha256[65]; /* "" if the file has none */
    int classes;            /* 2 .. LS_MAX_CLASSES; labels are 0 .. classes-1; 0: no classes */
    int values; /* floats in a target, 1 .. LS_MAX_VALUES; 0: the target is a class; with classes
                   they are the class of each step of a sequence */
    bool reconstructs;  /* the targets are the inputs, values = features; samples hold them once */
    ls_element element; /* type of the inputs in memory */
    bool rounded;       /* the inputs in the file are float64 */
    bool weighted;      /* the training rows have weights; all others have the weight 1 */
    bool ragged;        /* the rows of all splits have lengths, 0 .. ls_dataset_steps() */
    int vocabulary;     /* the inputs are tokens 0 .. vocabulary-1; 0: the file does not say so */
    int64_t channels, height, width;
    int64_t features;        /* channels * height * width */
    int64_t rows[LS_SPLITS]; /* 0 if there is no such split */
    bool held_out;     /* the validation rows, if any, are some of the rows that might train */
    bool doubtful;     /* the images are read as [N,C,H,W] but look like [N,H,W,C] */
    bool column_major; /* the datasets' dimensions are read in reverse order */
} ls_dataset_info;

/* Returns true if the rows have targets. Local. */
static inline bool ls_dataset_has_targets(const ls_dataset_info *info)
{
    return info->classes > 0 || info->values > 0;
}

/* Returns true if the targets are the classes of the steps of a sequence. Local. */
static inline bool ls_dataset_by_step(const ls_dataset_info *info)
{
    return info->classes > 0 && info->values > 0;
}

/* Returns the outputs that a network for the data set has: one for each class or value; of a
 * classification by step one for each class in each step. Local. */
static inline int ls_dataset_outputs(const ls_dataset_info *info)
{
    return info->classes > 0 ? info->classes : info->values;
}

/* Returns the steps of a row that is read as a sequence: [T] tokens, [T,F] rows of features. Local.
 */
static inline int64_t ls_dataset_steps(const ls_dataset_info *info)
{
    return info->height * info->width > 1 ? info->height : info->channels;
}

/* Return true if options say that the targets are the inputs; that there are none. Local. */
bool ls_dataset_targets_are_inputs(const ls_dataset_options *options);
bool ls_dataset_targets_are_none(const ls_dataset_options *options);

/* Checks the texts of options: what can be said of them without a file. Local.
 * Errors: LS_ERR_USAGE. */
ls_status ls_dataset_check_options(const ls_dataset_options *options) LS_MUST_CHECK;

/* Opens a data file for reading and checks its layout: names, shapes, types. Local.
 * path     or several files, whose rows are concatenated: "a.h5,b.h5", or a pattern, "run*.h5"
 * options  NULL: zeroed options
 * Errors: LS_ERR_DATA; LS_ERR_FAILURE if memory is short; LS_ERR_USAGE if the layout is ambiguous
 * and must be given. *out is left alone. */
ls_status ls_dataset_open(ls_dataset **out, const char *path,
                          const ls_dataset_options *options) LS_MUST_CHECK;

/* Returns the description of the file's content; borrowed, valid as long as the data set. Local. */
const ls_dataset_info *ls_dataset_describe(const ls_dataset *dataset);

/* Returns the path of file `at` of the data set, from 0; NULL after the last. Borrowed, valid as
 * long as the data set. Local. */
const char *ls_dataset_file(const ls_dataset *dataset, int at);

/* Returns the name of a class, from 0; NULL if the file has no names. Borrowed, valid as long as
 * the data set. Names come from the file: clean them before they are shown. Local. */
const char *ls_dataset_class_name(const ls_dataset *dataset, int64_t label);

/* Returns the text of a token, from 0; NULL if the file has no vocabulary of texts. Borrowed, valid
 * as long as the data set. Texts come from the file: clean them before they are shown. Local. */
const char *ls_dataset_token(const ls_dataset *dataset, int64_t id);

/* Returns the name of a split: "train", "validation", "test". Local. */
const char *ls_split_name(ls_split split);

/* Reads rows first .. first+count-1 of a split and checks their labels. Local.
 * capacity  rows that *out has room for, at least count
 * Errors: LS_ERR_DATA if the rows can't be read or a label is out of range; *out is left alone. */
ls_status ls_dataset_read(const ls_dataset *dataset, ls_split split, int64_t first, int64_t count,
                          int64_t capacity, ls_samples **out) LS_MUST_CHECK;

/* As ls_dataset_read(), into existing samples, whose content is replaced. May be called on a thread
 * while other threads use other files. Local.
 * samples  room for at least `count` rows, of the data set's features
 * Errors: as ls_dataset_read(); samples then has no rows. */
ls_status ls_dataset_read_into(const ls_dataset *dataset, ls_split split, int64_t first,
                               int64_t count, ls_samples *samples) LS_MUST_CHECK;

/* Adds the number of a split's rows in each class to `counts`; reads labels only. With a class of
 * each step it reads the rows, and adds the number of steps, within the rows' lengths. Without
 * classes there is nothing to count. Local.
 * counts  [classes]
 * Errors: as ls_dataset_read(); counts may then be incomplete. */
ls_status ls_dataset_count_classes(const ls_dataset *dataset, ls_split split,
                                   int64_t *counts) LS_MUST_CHECK;

enum { LS_CLASS_GAPS_TEXT = 768 };

/* Describes gaps in one line, with a remedy: classes with no or hardly any training rows but with
 * validation or test rows; classes of many rows, none of them held out; classes without rows. Of
 * the classes of steps nothing is said: many texts lack rare words. Local.
 * counts  [LS_SPLITS][info->classes] rows of each class; zeros for a split that was not counted
 * names   [info->classes]; NULL: they have none
 * text    on return the line, "" if there are no gaps */
void ls_class_gaps(const ls_dataset_info *info, const int64_t *counts, const char *const *names,
                   char text[LS_CLASS_GAPS_TEXT]);

/* Checks in a child process that a data file can be opened and, with `content`, that all of it can
 * be read: the HDF5 library crashes on some damaged files. Call before opening the file; one
 * process of a job is enough. Local.
 * path     or several files, as for ls_dataset_open()
 * options  selected inputs and targets; NULL: zeroed options
 * Errors: LS_ERR_DATA. */
ls_status ls_dataset_try(const char *path, const ls_dataset_options *options,
                         bool content) LS_MUST_CHECK;

/* Checks that a data file is unchanged since it was written, by its digest; a file without a digest
 * is read completely, in a child process, as by ls_dataset_try(). Local.
 * options  as for ls_dataset_try()
 * Errors: LS_ERR_DATA. */
ls_status ls_dataset_check(const char *path, const ls_dataset_options *options) LS_MUST_CHECK;

/* Reads all rows of all splits once, in pieces, and keeps none: checks that labels are in range and
 * that chunks match their checksums, if they have any. Local.
 * Errors: as ls_dataset_read(). */
ls_status ls_dataset_verify(const ls_dataset *dataset) LS_MUST_CHECK;

/* Return the number of rows in memory, and one of them, from 0. Local. */
int64_t ls_samples_count(const ls_samples *samples);
ls_row ls_samples_row(const ls_samples *samples, int64_t at);

/* Converts the inputs of rows in memory to floats, without normalization. Local.
 * out  [count][features] */
void ls_samples_inputs(const ls_samples *samples, int64_t first, int64_t count, float *out);

/* Makes an 8-bit picture of a row: uint8 inputs as they are, others scaled so that the row's least
 * and largest number become 0 and 255; NaN becomes 0. Local.
 * picture  [features] */
void ls_samples_picture(const ls_samples *samples, int64_t at, uint8_t *picture);

/* Frees samples and sets *samples to NULL; accepts NULL. Local. */
void ls_samples_destroy(ls_samples **samples);

/* Closes the file, frees, and sets *dataset to NULL; accepts NULL. Local. */
void ls_dataset_close(ls_dataset **dataset);

/* Returns the version of the HDF5 library, "1.10.8". Local. */
const char *ls_dataset_library_version(void);

#ifdef __cplusplus
}
#endif

#endif
