/* A trained generator makes rows: row i is a function of the seed and i only, the same on any
 * number of ranks. All functions are Local. */
#ifndef LS_TRAIN_GENERATOR_H
#define LS_TRAIN_GENERATOR_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/batch.h>
#include <lockstep/network.h>

#include "data/standardize.h"

/* All borrowed. */
typedef struct ls_generator {
    ls_network *network;
    const float *params; /* [ls_network_size] */
    ls_batch *batch;     /* scratch */
    uint64_t seed;       /* of the noise */
    int64_t steps;       /* see ls_making */
    int classes;         /* that the rows are told; 0: none */
    int32_t condition;   /* class of all rows; -1: classes in turn */
    ls_shape picture;    /* shape of a row */
    /* [picture] a number x of the network is mean + std x in the units of the data set; of no
     * columns: x */
    const ls_columns *units;
} ls_generator;

/* Fills the inputs of a generator: noise, normally distributed, and behind it the class of each row
 * as a one-hot vector.
 * batch    its rows, their ids and, with classes, their labels are given
 * key      of the noise, which depends on it and on a row's id
 * classes  0: rows have no class */
void ls_generator_fill_noise(ls_batch *batch, uint64_t key, int classes);

/* Converts rows from the numbers of a network to the units of the data set.
 * channels_last  the rows are [height][width][channels]
 * x              [rows][picture]
 * out            [rows][channels][height][width] */
void ls_generator_restore(const ls_columns *units, ls_shape picture, bool channels_last,
                          int64_t rows, const float *x, float *out);

/* Sets rows, ids and classes of the batch for rows first .. first+rows-1, at most its
 * capacity. */
void ls_generator_number(const ls_generator *generator, int64_t first, int64_t rows);

/* Makes the rows of the batch, whose ids and classes are set, with noise by the seed. Returns them
 * as numbers of the network [rows][picture], borrowed until the next pass. */
const float *ls_generator_forward(const ls_generator *generator);

/* Makes rows first .. first+rows-1, at most the batch's capacity.
 * out  [rows][channels][height][width] in the units of the data set */
void ls_generator_make(const ls_generator *generator, int64_t first, int64_t rows, float *out);

#endif
