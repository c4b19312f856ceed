/* Writes HDF5 data sets: from IDX files, CIFAR's and EMNIST's files, pictures, tables in
 * text, NumPy's arrays, documents, or synthetic.
 *
 * All importers write the file in the same way: it appears at its path only when complete, it is
 * replaced by the rules of ls_import_idx(), and its errors are those of ls_import_idx(). Rows are
 * read as they are written, so that memory does not depend on the number of rows, except for
 * targets. */
#ifndef LOCKSTEP_IMPORT_H
#define LOCKSTEP_IMPORT_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Settings of an import. */
typedef struct ls_import {
    /* Of ls_import_idx() only: paths of IDX files, gzip or plain; borrowed. */
    const char *train_images;
    const char *train_labels;
    const char *test_images; /* NULL, as test_labels, for a data set without a test split */
    const char *test_labels;
    const char *name;   /* the data set's name, "" for none */
    int64_t limit;      /* maximum number of training rows; 0 for all */
    int64_t limit_test; /* maximum number of test rows; 0 for all */
    int64_t classes;    /* 0: one more than the largest label */
    bool compress;      /* chunked, deflated, checksummed; else contiguous */
    bool force;         /* replace an existing data set of different content */
    void (*note)(void *user, const char *text); /* a line for the user, after the import;
                                                   NULL: none is wanted */
    void *user;                                 /* for `note` */
} ls_import;

/* Writes a data set from IDX files. Local. The file appears at `path` only when complete: it is
 * written to a temporary file in the same folder, sealed, synchronised and renamed.
 * Errors: LS_ERR_DATA if an IDX file is missing, malformed or doesn't match the others;
 * LS_ERR_USAGE if `path` is a file of another kind, or, without `force`, a data set of different
 * rows, classes, name or sources; LS_ERR_FAILURE if the file can't be written. An existing file at
 * `path` is then left alone. */
ls_status ls_import_idx(const ls_import *import, const char *path) LS_MUST_CHECK;

/* Writes a data set from CIFAR-10 (data_batch_*.bin, test_batch.bin) or CIFAR-100 (train.bin,
 * test.bin) in their binary versions. The names of classes are read from batches.meta.txt,
 * fine_label_names.txt or coarse_label_names.txt, if they are there. Local.
 * coarse  the 20 superclasses of CIFAR-100 instead of its 100 classes
 * Errors: as ls_import_idx(); LS_ERR_USAGE for `coarse` with CIFAR-10, or `classes` other than
 * 0. */
ls_status ls_import_cifar(const ls_import *import, const char *folder, bool coarse,
                          const char *path) LS_MUST_CHECK;

/* Writes a data set from EMNIST's IDX files, emnist-SPLIT-train-images-idx3-ubyte and so on, gzip
 * or not. Their images are transposed: they are set upright. The labels of the split `letters`
 * count from 1. The names of classes are the characters of emnist-SPLIT-mapping.txt, if it is
 * there. Local.
 * split   "balanced", "letters", ...; "": the only one in the folder
 * Errors: as ls_import_idx(); LS_ERR_USAGE if the split must be given. */
ls_status ls_import_emnist(const ls_import *import, const char *folder, const char *split,
                           const char *path) LS_MUST_CHECK;

/* Writes a data set from a folder of PNG files, FOLDER/train/CLASS/FILE.png, also in
 * FOLDER/validation (or val) and FOLDER/test, or FOLDER/CLASS/FILE.png. Folders are the classes,
 * sorted by their bytes; rows are sorted by class and file name. Images have 3 channels if any file
 * is coloured, else 1. Files of other kinds are left out; import->note tells their number. Local.
 * height, width  size to which pictures are brought by ls_picture_resize(); 0: all files must have
 *                the same size
 * Errors: as ls_import_idx(). */
ls_status ls_import_pictures(const ls_import *import, const char *folder, int64_t height,
                             int64_t width, const char *path) LS_MUST_CHECK;

/* A table in text. */
typedef struct ls_csv_source {
    const char *train;  /* path of a file, plain or gzip */
    const char *test;   /* the same, with the same columns; NULL: none */
    const char *target; /* columns to predict, by name or by number from 1, between commas */
    bool values;        /* integers of the target column are values, not classes */
} ls_csv_source;

/* Writes a data set from tables in text: fields between commas, semicolons or tabs, which may be
 * quoted. The first record is a header if a target is given by name, or if no field of it is a
 * number. All other columns are inputs, float32, in their order.
 * A single target column of texts has classes, numbered in the order of their names, which are
 * kept; one of integers has classes from 0; other numbers, and several columns, are values. With
 * `classes` whole numbers with a fraction or an exponent, such as 1.0, are classes, too. Local.
 * Errors: as ls_import_idx(); LS_ERR_DATA, with line and column, if a field has no number or none
 * that is finite; LS_ERR_USAGE if there is no such column. */
ls_status ls_import_csv(const ls_import *import, const ls_csv_source *source,
                        const char *path) LS_MUST_CHECK;

/* NumPy's arrays, a file for each: inputs [N], [N,F], [N,H,W] or [N,C,H,W], and targets. */
typedef struct ls_npy_source {
    const char *train_x, *train_y; /* paths */
    const char *test_x, *test_y;   /* the same; NULL: none */
    bool values;                   /* integer targets are values, not classes */
} ls_npy_source;

/* Writes a data set from .npy files, in either byte order and in C's or Fortran's order; an array
 * in Fortran's order is read as a whole. Inputs keep their type. Integer targets [N] or [N,1] are
 * classes, others are values, float32. With `classes` whole floats are classes, too. Local.
 * Errors: as ls_import_idx(); LS_ERR_DATA for Python objects, strings, records, complex numbers and
 * uint64. */
ls_status ls_import_npy(const ls_import *import, const ls_npy_source *source,
                        const char *path) LS_MUST_CHECK;

/* NumPy's arrays in one file. */
typedef struct ls_npz_source {
    const char *file;
    const char *members; /* names between commas: x and y of training, then of test rows; "": the
                            usual ones, x_train, y_train, x_test, y_test, and some others */
    bool values;         /* as in ls_npy_source */
} ls_npz_source;

/* Writes a data set from an .npz file, compressed or not, as ls_import_npy() does. Local. */
ls_status ls_import_npz(const ls_import *import, const ls_npz_source *source,
                        const char *path) LS_MUST_CHECK;

/* Documents of classes. */
typedef struct ls_text_source {
    const char *path; /* a folder as of ls_import_pictures(), each of whose files is a document, or
                            a table as of ls_import_csv(), each of whose rows has one */
    const char *test; /* of a table: path of another, of the test rows; NULL: none */
    const char *target; /* of a table: the column of the classes, by name or by number from 1 */
    const char *column; /* of a table: that of the documents; "": the only one beside the target */
    int64_t vocabulary; /* most words that have tokens of their own; 0: LS_TEXT_VOCABULARY */
    int64_t steps;      /* most tokens of a row; 0: LS_TEXT_STEPS */
} ls_text_source;

enum { LS_TEXT_VOCABULARY = 20000, LS_TEXT_STEPS = 256 };

/* Writes a data set of token sequences from documents with classes: inputs [N,T], T the tokens of
 * the longest document, at most `steps`; lengths [N]; the texts of the tokens in /vocabulary. A
 * word is a run of letters, in any script, and digits, also with an apostrophe within; Latin,
 * Greek and Cyrillic letters become small. A punctuation character, or a run of the same, is a
 * word. Token 0 is padding, 1 any word that is not among the `vocabulary` commonest of the
 * training documents, of equally common ones the first by their bytes, or has more than 64 bytes.
 * Documents that are longer keep their first `steps` tokens. Bytes that are not UTF-8 become
 * U+FFFD. import->note tells of documents that were cut, of those without words, which have the
 * length 0, and of such bytes. The documents are read twice, one at a time. Local.
 * Errors: as ls_import_csv() and ls_import_pictures(); LS_ERR_DATA for a document with a zero byte
 * or of more than 64 MiB, and if no training document has a word. */
ls_status ls_import_text(const ls_import *import, const ls_text_source *source,
                         const char *path) LS_MUST_CHECK;

/* A text whose characters are predicted. */
typedef struct ls_character_source {
    const char *path;
    int64_t steps;        /* characters of a row; 0: LS_TEXT_STEPS */
    double test_fraction; /* of the text, its end, that becomes the test rows; below 1; 0: none */
} ls_character_source;

/* Writes a data set for predicting the next character from a text in UTF-8: inputs [N,T] are
 * consecutive parts of the text, labels [N,T] the character that follows each of theirs. Tokens
 * and classes are the characters that occur, in the order of their code points; their texts are in
 * /vocabulary, and are the names of the classes where these fit. What is left of the training and
 * of the test part is dropped. A byte order mark is skipped; bytes that are not UTF-8 become
 * U+FFFD, and import->note tells their number. The text is kept in memory. Local.
 * Errors: as ls_import_idx(); LS_ERR_DATA for an empty file, a zero byte, more than 1 GiB, and
 * fewer than 2 different characters or `steps` + 1 in a part. */
ls_status ls_import_characters(const ls_import *import, const ls_character_source *source,
                               const char *path) LS_MUST_CHECK;

/* Settings of a synthetic data set, for benchmarks and for learning the program. Each class is a
 * pattern of waves, shifted by a few pixels and with noise added, so that classes can be
 * distinguished. The same settings give the same images on every machine. */
typedef struct ls_synthetic {
    int64_t rows; /* of the training split, 1 or more; the test split has a sixth, rounded up */
    int64_t channels, height, width;
    int64_t classes; /* 2 or more */
    uint64_t seed;
    const char *name; /* the data set's name, "" for none */
    bool compress;    /* as in ls_import */
    bool force;       /* as in ls_import */
} ls_synthetic;

/* Writes a synthetic data set, as ls_import_idx() does. Local.
 * Errors: LS_ERR_USAGE if the shape is not possible, and as ls_import_idx(); LS_ERR_FAILURE if the
 * file can't be written. */
ls_status ls_import_synthetic(const ls_synthetic *wanted, const char *path) LS_MUST_CHECK;

/* Finds one of the four IDX files in a folder, by its usual names: train-images-idx3-ubyte or
 * train-images.idx3-ubyte, with or without .gz. Local.
 * stem  "train-images", "train-labels", "t10k-images" or "t10k-labels"
 * out   [size] bytes, the path found
 * Errors: LS_ERR_DATA if there is no such file, LS_ERR_USAGE if the path does not fit into
 * `out`. */
ls_status ls_import_find(const char *folder, const char *stem, char *out, int size) LS_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
