#include "data/samples.h"
#include "base/integer.h"
#include "base/memory.h"
#include "base/text.h"
#include "data/element.h"

#include <assert.h>
#include <math.h>
#include <string.h>
#include <xxhash.h>

int64_t ls_samples_count(const ls_samples *samples)
{
    return samples->rows;
}

ls_row ls_samples_row(const ls_samples *samples, int64_t at)
{
    const ls_sample *sample = ls_sample_at(samples, at);
    return (ls_row){.number = sample->row,
                    .label = sample->label,
                    .inputs = sample->inputs,
                    .targets = ls_sample_targets(samples, sample),
                    .length =
                        samples->format.ragged ? (int64_t)*ls_sample_length(samples, sample) : -1};
}

/* Scales numbers to 0..255. */
static uint8_t shade_of(float x, float least, float most)
{
    return most > least && x >= least ? (uint8_t)lrintf(255 * (x - least) / (most - least)) : 0;
}

void ls_samples_picture(const ls_samples *samples, int64_t at, uint8_t *picture)
{
    enum { PIECE = 256 };
    const uint8_t *inputs = ls_sample_at(samples, at)->inputs;
    const size_t bytes = ls_element_bytes(samples->format.element);
    float piece[PIECE], least = INFINITY, most = -INFINITY;
    if (samples->format.element == LS_U8) {
        memcpy(picture, inputs, (size_t)samples->format.features);
        return;
    }
    for (int pass = 0; pass < 2; pass++)
        for (int64_t i = 0; i < samples->format.features; i += PIECE) {
            const int64_t count = ls_min(samples->format.features - i, PIECE);
            ls_element_convert(samples->format.element, count, inputs + (size_t)i * bytes, 1, 0,
                               piece);
            for (int64_t k = 0; k < count && pass == 0; k++) {
                least = fminf(least, piece[k]);
                most = fmaxf(most, piece[k]);
            }
            for (int64_t k = 0; k < count && pass == 1; k++)
                picture[i + k] = shade_of(piece[k], least, most);
        }
}

ls_status ls_normalization_make(ls_normalization *out, double mean, double std)
{
    *out = (ls_normalization){.byte_scale = (float)(1.0 / (255.0 * std)),
                              .scale = (float)(1.0 / std),
                              .shift = (float)(-mean / std)};
    if (std > 0 && isfinite(out->scale) && out->byte_scale > 0 && isfinite(out->shift))
        return LS_OK;
    return ls_fail(LS_ERR_USAGE, "--normalize %g,%g: normalized inputs would not be finite",
                   ls_plain_number(mean), ls_plain_number(std));
}

bool ls_image_is_sane(int64_t channels, int64_t height, int64_t width)
{
    const int64_t limit = INT64_C(1) << 20;
    return channels >= 1 && height >= 1 && width >= 1 && channels <= limit && height <= limit &&
           width <= limit && channels * height <= INT32_MAX / width;
}

static size_t round_up(size_t bytes, size_t align)
{
    return (bytes + align - 1) / align * align;
}

/* Returns the bytes of a sample without the floats behind its inputs. */
static size_t input_bytes(ls_sample_format format)
{
    return offsetof(ls_sample, inputs) + (size_t)format.features * ls_element_bytes(format.element);
}

/* Returns the floats behind a sample's inputs. */
static int64_t floats_behind(ls_sample_format format)
{
    return format.values + format.ragged + format.weighted;
}

size_t ls_sample_stride(ls_sample_format format)
{
    const size_t targets = round_up(input_bytes(format), _Alignof(float));
    return round_up(targets + (size_t)floats_behind(format) * sizeof(float), _Alignof(ls_sample));
}

ls_status ls_samples_create(ls_samples **out, int64_t capacity, ls_sample_format format)
{
    if (capacity > INT32_MAX)
        return ls_fail(LS_ERR_USAGE,
                       "%lld rows on one rank, at most %d are possible: use more ranks or --stream",
                       (long long)capacity, INT32_MAX);
    ls_samples *samples = ls_alloc(1, sizeof *samples);
    if (samples == NULL)
        return LS_ERR_FAILURE;
    samples->capacity = capacity;
    samples->format = format;
    samples->targets = round_up(input_bytes(format), _Alignof(float));
    samples->stride = ls_sample_stride(format);
    samples->bytes = ls_alloc(capacity, samples->stride);
    if (samples->bytes == NULL) {
        ls_samples_destroy(&samples);
        return LS_ERR_FAILURE;
    }
    *out = samples;
    return LS_OK;
}

void ls_samples_destroy(ls_samples **samples)
{
    if (samples == NULL || *samples == NULL)
        return;
    ls_free((*samples)->bytes);
    ls_free(*samples);
    *samples = NULL;
}

/* Prefetches a sample that is read soon: hardware can't predict the random order of samples. */
static void prefetch_sample(const ls_samples *samples, int64_t at)
{
    enum { CACHE_LINE = 64 };
    const uint8_t *sample = samples->bytes + (size_t)at * samples->stride;
    for (size_t i = 0; i < samples->stride; i += CACHE_LINE)
        __builtin_prefetch(sample + i);
}

void ls_samples_gather(const ls_samples *samples, const int32_t *order, int64_t first,
                       int64_t count, ls_normalization normalization, ls_batch *batch)
{
    enum { AHEAD = 4 };
    assert(count <= batch->capacity && samples->format.features == batch->features &&
           (samples->format.values == batch->values || samples->format.values == 0));
    const int64_t features = samples->format.features;
    const float scale =
        samples->format.element == LS_U8 ? normalization.byte_scale : normalization.scale;
    for (int64_t i = 0; i < count; i++) {
        if (order != NULL && i + AHEAD < count)
            prefetch_sample(samples, order[i + AHEAD]);
        const ls_sample *sample = ls_sample_at(samples, order != NULL ? order[i] : first + i);
        ls_element_convert(samples->format.element, features, sample->inputs, scale,
                           normalization.shift, batch->x + i * features);
        batch->labels[i] = sample->label;
        memcpy(batch->targets + i * samples->format.values, ls_sample_targets(samples, sample),
               (size_t)samples->format.values * sizeof(float));
        batch->ids[i] = sample->row;
        if (batch->weights != NULL)
            batch->weights[i] = samples->format.weighted ? *ls_sample_weight(samples, sample) : 1;
        if (samples->format.ragged)
            batch->lengths[i] = (int32_t)*ls_sample_length(samples, sample);
    }
    batch->rows = count;
}

void ls_samples_inputs(const ls_samples *samples, int64_t first, int64_t count, float *out)
{
    const int64_t features = samples->format.features;
    for (int64_t i = 0; i < count; i++)
        ls_element_convert(samples->format.element, features,
                           ls_sample_at(samples, first + i)->inputs, 1, 0, out + i * features);
}

/* Returns the sum of the hashes of the samples.
 * floats  behind the inputs that are hashed, too */
static uint64_t hash_samples(const ls_samples *samples, int64_t floats)
{
    const size_t behind = (size_t)floats * sizeof(float);
    const size_t length = behind > 0 ? samples->targets + behind : input_bytes(samples->format);
    uint64_t sum = 0;
    for (int64_t i = 0; i < samples->rows; i++)
        sum += XXH3_64bits(ls_sample_at(samples, i), length);
    return sum;
}

uint64_t ls_samples_fingerprint(const ls_samples *samples)
{
    return hash_samples(samples, floats_behind(samples->format));
}

uint64_t ls_samples_split_fingerprint(const ls_samples *samples, ls_split split)
{
    return split == LS_TRAIN
               ? ls_samples_fingerprint(samples)
               : hash_samples(samples, samples->format.values + samples->format.ragged);
}
