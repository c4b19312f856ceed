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

/* A sample: the inputs are followed, at an address for floats, by the target's values, the length
 * of the row's sequence and the row's weight, if there are any. Samples begin at addresses for
 * floats, too: a larger alignment would waste memory. */
typedef struct __attribute__((packed, aligned(4))) ls_sample {
    int64_t row;      /* number in its split of the data set, from 0 */
    int32_t label;    /* class, from 0; 0 if the target is values */
    uint8_t inputs[]; /* [features] numbers */
} ls_sample;

/* The numbers of a sample. */
typedef struct ls_sample_format {
    ls_element element; /* type of the inputs */
    int64_t features;   /* inputs */
    int64_t values;     /* floats in the target; 0: the target is the label, or the inputs */
    bool ragged;        /* samples have a length */
    bool weighted;      /* samples have a weight */
} ls_sample_format;

struct ls_samples {
    int64_t rows;     /* samples held, 0 .. capacity */
    int64_t capacity; /* samples allocated */
    ls_sample_format format;
    size_t targets; /* bytes from the begin of a sample to its target's values */
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

/* Returns the format of a data set's samples. Local. */
static inline ls_sample_format ls_dataset_format(const ls_dataset_info *info)
{
    return (ls_sample_format){.element = info->element,
                              .features = info->features,
                              .values = info->reconstructs ? 0 : info->values,
                              .ragged = info->ragged,
                              .weighted = info->weighted};
}

/* Returns the bytes from one sample to the next. Local. */
size_t ls_sample_stride(ls_sample_format format);

/* Allocates `capacity` samples, 0 or more. Local.
 * Errors: LS_ERR_USAGE if their indices do not fit in int32; LS_ERR_FAILURE if memory is short;
 * *out is left alone. */
ls_status ls_samples_create(ls_samples **out, int64_t capacity,
                            ls_sample_format format) LS_MUST_CHECK;

/* Returns sample `at`, 0 .. capacity-1; borrowed. Local. */
static inline ls_sample *ls_sample_at(const ls_samples *samples, int64_t at)
{
    return (ls_sample *)(void *)(samples->bytes + (size_t)at * samples->stride);
}

/* Returns the target's values of a sample, [values]; borrowed. Local. */
static inline float *ls_sample_targets(const ls_samples *samples, const ls_sample *sample)
{
    return (float *)(void *)((uint8_t *)(uintptr_t)sample + samples->targets);
}

/* Returns the length of a sample of a ragged format, in steps, a whole number; borrowed. Local. */
static inline float *ls_sample_length(const ls_samples *samples, const ls_sample *sample)
{
    return ls_sample_targets(samples, sample) + samples->format.values;
}

/* Returns the weight of a sample of a weighted format; borrowed. Local. */
static inline float *ls_sample_weight(const ls_samples *samples, const ls_sample *sample)
{
    return ls_sample_length(samples, sample) + samples->format.ragged;
}

/* Converts `count` samples to the rows of a batch of the same features and values; targets that
 * samples do not hold are left alone. If the batch has weights, they become those of the samples;
 * of samples without weights 1. A batch of samples with lengths has lengths. Local.
 * order  [count] sample indices in the batch's order; NULL: first, first+1, ...
 * first  with order NULL, the first sample */
void ls_samples_gather(const ls_samples *samples, const int32_t *order, int64_t first,
                       int64_t count, ls_normalization normalization, ls_batch *batch);

/* Returns a hash of the samples that does not depend on their order: the sum, modulo 2^64, of the
 * hashes of (row, label, inputs, target, length, weight). The fingerprints of all shards add up to
 * that of the whole split. Local. */
uint64_t ls_samples_fingerprint(const ls_samples *samples);

/* The same for rows of a split: weights of others than training rows have no effect, and are left
 * out. Without weights, and for LS_TRAIN, equal to ls_samples_fingerprint(). Local. */
uint64_t ls_samples_split_fingerprint(const ls_samples *samples, ls_split split);

/* Computes ls_samples_split_fingerprint() of all rows of a split, piece by piece. Local.
 * Errors: those of reading; LS_ERR_FAILURE. */
ls_status ls_dataset_fingerprint(const ls_dataset *dataset, ls_split split,
                                 uint64_t *out) LS_MUST_CHECK;

#endif
