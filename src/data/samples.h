/* Samples in memory: rows of a data set, each with its label and its row number. Ranks
 * hold and exchange samples, and convert them to batches of floats. */
#ifndef LS_DATA_SAMPLES_H
#define LS_DATA_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lockstep/batch.h>
#include <lockstep/dataset.h>
#include <lockstep/status.h>

typedef struct ls_sample {
    int64_t row;      /* number in its split of the data set, from 0 */
    int32_t label;    /* class, from 0 */
    uint8_t inputs[]; /* [features] numbers */
} ls_sample;

struct ls_samples {
    int64_t rows;     /* samples held, 0 .. capacity */
    int64_t capacity; /* samples allocated */
    int64_t features; /* numbers in a sample */
    ls_element element;
    size_t stride;  /* bytes from one sample to the next */
    uint8_t *bytes; /* [capacity][stride], owned */
};

/* Normalization of inputs to floats: scale * input + shift. */
typedef struct ls_normalization {
    float byte_scale; /* of uint8, whose range becomes 0 to 1 first */
    float scale;      /* of other types */
    float shift;
} ls_normalization;

/* Makes the normalization (input - mean) / std, of uint8 (input / 255 - mean) / std. Local.
 * Errors: LS_ERR_USAGE if std is not above 0 or the factors overflow or underflow a float. */
ls_status ls_normalization_make(ls_normalization *out, double mean, double std) LS_MUST_CHECK;

/* Returns true if indices into images of this shape are exact: below 2^20 in each direction, and
 * below 2^31 pixels. Local. */
bool ls_image_is_sane(int64_t channels, int64_t height, int64_t width);

/* Returns the bytes from one sample to the next, with `features` numbers in each. Local. */
size_t ls_sample_stride(ls_element element, int64_t features);

/* Allocates `capacity` samples (0 or more) of `features` numbers. Local.
 * Errors: LS_ERR_FAILURE if memory is short; *out is left alone. */
ls_status ls_samples_create(ls_samples **out, int64_t capacity, ls_element element,
                            int64_t features) LS_MUST_CHECK;

/* Returns sample `at`, 0 .. capacity-1; borrowed. Local. */
static inline ls_sample *ls_sample_at(const ls_samples *samples, int64_t at)
{
    return (ls_sample *)(void *)(samples->bytes + (size_t)at * samples->stride);
}

/* Converts `count` samples to the rows of a batch. Local.
 * order  [count] sample indices in the batch's order; NULL: first, first+1, ...
 * first  with order NULL, the first sample */
void ls_samples_gather(const ls_samples *samples, const int64_t *order, int64_t first,
                       int64_t count, ls_normalization normalization, ls_batch *batch);

/* Returns a hash of the samples that does not depend on their order: the sum, modulo 2^64, of the
 * hashes of (row, label, inputs). The fingerprints of all shards add up to that of the whole split.
 * Local. */
uint64_t ls_samples_fingerprint(const ls_samples *samples);

#endif
