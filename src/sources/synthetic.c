/* Synthetic images: each class has a smooth pattern, a sum of a few waves, and a sample is its
 * class's pattern, shifted by some pixels, with noise added. Images are a function of seed, split
 * and row.
 *
 * C, H, W: channels, height, width; S: the maximum shift of a pattern in pixels. */
#include <lockstep/import.h>

#include "base/memory.h"
#include "base/rng.h"
#include "data/samples.h"
#include "sources/writer.h"

#include <math.h>
#include <string.h>

enum { SPLITS = 2, TRAIN_PER_TEST = 6, WAVES = 4 };

/* Grey values: the pattern is within SWING of MIDDLE, the noise within NOISE of the pattern. */
enum { MIDDLE = 128, SWING = 60, NOISE = 64 };

/* Memory limit of all patterns. */
static const int64_t MOST_BYTES = INT64_C(1) << 30;

typedef struct pattern_shape {
    int64_t C, H, W, S;
    int64_t height, width; /* of the pattern: H and W plus a margin of S on all sides */
} pattern_shape;

/* A split that is read row by row. */
typedef struct stream {
    pattern_shape shape;
    const uint8_t *patterns; /* [classes][C][height][width] */
    int32_t *label;          /* [rows], owned */
    int64_t rows;
    uint64_t key;
    int64_t next; /* row */
} stream;

static int64_t pattern_size(const pattern_shape *p)
{
    return p->C * p->height * p->width;
}

static void make_pattern(const pattern_shape *p, uint64_t key, uint8_t *out)
{
    const double turn = 6.283185307179586;
    for (int64_t c = 0; c < p->C; c++) {
        double wave[WAVES][3]; /* cycles down and across, phase */
        for (uint64_t i = 0; i < WAVES * 3; i++) {
            const double u = ls_rng_uniform(key, (uint64_t)c * WAVES * 3 + i);
            wave[i / 3][i % 3] = i % 3 < 2 ? floor(7 * u) - 3 : u;
        }
        for (int64_t y = -p->S; y < p->H + p->S; y++)
            for (int64_t x = -p->S; x < p->W + p->S; x++) {
                double sum = 0;
                for (int i = 0; i < WAVES; i++)
                    sum += cos(turn * (wave[i][0] * (double)y / (double)p->H +
                                       wave[i][1] * (double)x / (double)p->W + wave[i][2]));
                *out++ = (uint8_t)lround(MIDDLE + SWING * fmax(-1, fmin(1, 2 * sum / WAVES)));
            }
    }
}

/* Makes one sample: a crop of its class's pattern, plus noise, eight pixels per random number. */
static void make_sample(const stream *s, int64_t row, uint8_t *pixels)
{
    const pattern_shape *p = &s->shape;
    const uint64_t key = ls_rng_at(s->key, (uint64_t)row), where = ls_rng_at(key, 0);
    const uint64_t places = (uint64_t)(2 * p->S + 1);
    const int64_t down = (int64_t)((where & UINT32_MAX) % places);
    const int64_t right = (int64_t)((where >> 32) % places);
    const uint8_t *from = s->patterns + s->label[row] * pattern_size(p) + down * p->width + right;
    uint8_t *to = pixels;
    for (int64_t c = 0; c < p->C; c++, from += p->height * p->width)
        for (int64_t y = 0; y < p->H; y++, to += p->W)
            memcpy(to, from + y * p->width, (size_t)p->W);
    const int64_t count = p->C * p->H * p->W;
    for (int64_t i = 0; i < count; i += 8) {
        const uint64_t random = ls_rng_at(key, 1 + (uint64_t)i);
        for (int64_t k = 0; k < 8 && i + k < count; k++)
            pixels[i + k] =
                (uint8_t)(pixels[i + k] + ((random >> 8 * k) & (2 * NOISE - 1)) - NOISE);
    }
}

static ls_status synthetic_read_images(void *user, int64_t rows, void *inputs)
{
    stream *s = user;
    uint8_t *pixels = inputs;
    for (int64_t i = 0; i < rows; i++, pixels += s->shape.C * s->shape.H * s->shape.W)
        make_sample(s, s->next++, pixels);
    return LS_OK;
}

static ls_status check_settings(const ls_synthetic *wanted)
{
    if (wanted->rows < 1 || !ls_image_is_sane(wanted->channels, wanted->height, wanted->width) ||
        wanted->rows > INT64_MAX / (wanted->channels * wanted->height * wanted->width))
        return ls_fail(LS_ERR_USAGE, "--synthetic: rows, channels, height and width must be 1 or "
                                     "more, and of a supported size");
    if (wanted->classes < 2 || wanted->classes > LS_MAX_CLASSES)
        return ls_fail(LS_ERR_USAGE, "--synthetic: the number of classes must be 2 to %d",
                       LS_MAX_CLASSES);
    return LS_OK;
}

static pattern_shape make_shape(const ls_synthetic *wanted)
{
    pattern_shape p = {.C = wanted->channels, .H = wanted->height, .W = wanted->width};
    p.S = (p.H < p.W ? p.H : p.W) / 14;
    p.height = p.H + 2 * p.S;
    p.width = p.W + 2 * p.S;
    return p;
}

/* Returns the random key of a split, or, with split SPLITS, of a class's pattern. */
static uint64_t make_key(const ls_synthetic *wanted, int64_t split, int64_t class)
{
    return ls_rng_key(wanted->seed, LS_RNG_SYNTHETIC,
                      (uint64_t)(split < SPLITS ? split : SPLITS + class));
}

/* Makes the patterns of all classes, owned by the caller. */
static ls_status make_patterns(const ls_synthetic *wanted, const pattern_shape *p, uint8_t **out)
{
    const int64_t size = pattern_size(p);
    if (size > MOST_BYTES / wanted->classes)
        return ls_fail(LS_ERR_USAGE, "--synthetic: the patterns of %lld classes exceed 1 GiB",
                       (long long)wanted->classes);
    *out = ls_alloc(wanted->classes * size, 1);
    if (*out == NULL)
        return LS_ERR_FAILURE;
    for (int64_t k = 0; k < wanted->classes; k++)
        make_pattern(p, make_key(wanted, SPLITS, k), *out + k * size);
    return LS_OK;
}

static ls_status open_stream(stream *s, const ls_synthetic *wanted, const pattern_shape *p,
                             const uint8_t *patterns, int split)
{
    const int64_t rows = split == 0 ? wanted->rows : (wanted->rows - 1) / TRAIN_PER_TEST + 1;
    *s = (stream){
        .shape = *p, .patterns = patterns, .rows = rows, .key = make_key(wanted, split, 0)};
    s->label = ls_alloc(rows, sizeof *s->label);
    if (s->label == NULL)
        return LS_ERR_FAILURE;
    const uint64_t key = ls_mix64(s->key);
    for (int64_t i = 0; i < rows; i++)
        s->label[i] = (int32_t)(ls_rng_at(key, (uint64_t)i) % (uint64_t)wanted->classes);
    return LS_OK;
}

static ls_status write_streams(const ls_synthetic *wanted, stream *s, const char *path)
{
    static const char *const groups[SPLITS] = {"train", "test"};
    ls_split_source split[SPLITS];
    for (int k = 0; k < SPLITS; k++) {
        const pattern_shape *p = &s[k].shape;
        split[k] = (ls_split_source){.group = groups[k],
                                     .rows = s[k].rows,
                                     .label = s[k].label,
                                     .source = &s[k],
                                     .read = synthetic_read_images};
        if (p->C > 1)
            split[k].image[split[k].dims++] = p->C;
        split[k].image[split[k].dims++] = p->H;
        split[k].image[split[k].dims++] = p->W;
    }
    const ls_dataset_content content = {.split = split,
                                        .splits = SPLITS,
                                        .classes = wanted->classes,
                                        .name = wanted->name,
                                        .compress = wanted->compress,
                                        .force = wanted->force};
    return ls_dataset_write(&content, path);
}

ls_status ls_import_synthetic(const ls_synthetic *wanted, const char *path)
{
    ls_status status = check_settings(wanted);
    if (status != LS_OK)
        return status;
    const pattern_shape p = make_shape(wanted);
    stream s[SPLITS] = {{.label = NULL}};
    uint8_t *patterns = NULL;
    status = make_patterns(wanted, &p, &patterns);
    for (int k = 0; status == LS_OK && k < SPLITS; k++)
        status = open_stream(&s[k], wanted, &p, patterns, k);
    if (status == LS_OK)
        status = write_streams(wanted, s, path);
    for (int k = 0; k < SPLITS; k++)
        ls_free(s[k].label);
    ls_free(patterns);
    return status;
}
