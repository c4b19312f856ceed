#include "train/generator.h"

#include "base/rng.h"

#include <assert.h>
#include <math.h>

void ls_generator_fill_noise(ls_batch *batch, uint64_t key, int classes)
{
    const int64_t latent = batch->features - classes;
    for (int64_t r = 0; r < batch->rows; r++) {
        float *x = batch->x + r * batch->features;
        for (int64_t i = 0; i < latent; i++)
            x[i] = (float)ls_rng_normal(ls_rng_at(key, (uint64_t)batch->ids[r]), (uint64_t)i);
        for (int k = 0; k < classes; k++)
            x[latent + k] = batch->labels[r] == k;
    }
}

void ls_generator_restore(const ls_columns *units, ls_shape picture, bool channels_last,
                          int64_t rows, const float *x, float *out)
{
    const int64_t size = ls_shape_size(picture), pixels = picture.height * picture.width;
    for (int64_t r = 0; r < rows; r++, x += size, out += size)
        for (int64_t k = 0; k < size; k++) {
            const float number =
                channels_last ? x[k % pixels * picture.channels + k / pixels] : x[k];
            out[k] = units->count > 0 ? (float)(units->mean[k] + units->std[k] * (double)number)
                                      : number;
        }
}

/* Returns true if the outputs are [height][width][channels]: those of an image. */
static bool makes_images(const ls_network *network)
{
    const ls_layer_info last = ls_network_layer(network, ls_network_layers(network) - 1);
    return last.out.height * last.out.width > 1;
}

void ls_generator_number(const ls_generator *g, int64_t first, int64_t rows)
{
    assert(rows <= g->batch->capacity);
    g->batch->rows = rows;
    for (int64_t r = 0; r < rows; r++) {
        const int64_t id = first + r, way = g->steps > 1 ? id / g->steps : id;
        g->batch->ids[r] = id;
        if (g->classes > 0)
            g->batch->labels[r] = g->condition >= 0 ? g->condition : (int32_t)(way % g->classes);
    }
}

/* Fills the noise of rows on the way from one noise to another. */
static void fill_ways(const ls_generator *g, uint64_t key)
{
    const int64_t latent = g->batch->features - g->classes;
    for (int64_t r = 0; r < g->batch->rows; r++) {
        const int64_t id = g->batch->ids[r], way = id / g->steps, step = id % g->steps;
        const double angle = 1.57079632679489661923 * (double)step / (double)(g->steps - 1);
        const uint64_t from = ls_rng_at(key, 2 * (uint64_t)way);
        const uint64_t to = ls_rng_at(key, 2 * (uint64_t)way + 1);
        for (int64_t i = 0; i < latent; i++)
            g->batch->x[r * g->batch->features + i] =
                (float)(cos(angle) * ls_rng_normal(from, (uint64_t)i) +
                        sin(angle) * ls_rng_normal(to, (uint64_t)i));
    }
}

const float *ls_generator_forward(const ls_generator *g)
{
    const uint64_t key = ls_rng_key(g->seed, LS_RNG_SAMPLES, 0);
    ls_generator_fill_noise(g->batch, key, g->classes);
    if (g->steps > 1)
        fill_ways(g, key);
    return ls_network_forward(g->network, g->params, g->batch);
}

void ls_generator_make(const ls_generator *g, int64_t first, int64_t rows, float *out)
{
    ls_generator_number(g, first, rows);
    ls_generator_restore(g->units, g->picture, makes_images(g->network), rows,
                         ls_generator_forward(g), out);
}
