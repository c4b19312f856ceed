#include "train/reconstruction.h"

#include "base/integer.h"
#include "base/text.h"
#include "data/element.h"

ls_status ls_reconstruction_columns(ls_columns *out, const ls_dataset_info *d, double mean,
                                    double std, const ls_columns *inputs)
{
    const double unit = d->element == LS_U8 ? UINT8_MAX : 1;
    const int64_t pixels = d->height * d->width;
    if (unit == 1 && mean == 0 && std == 1 && inputs->count == 0)
        return LS_OK;
    ls_columns_destroy(out); /* statistics of no targets */
    const ls_status status = ls_columns_create(out, d->features);
    for (int64_t k = 0; status == LS_OK && k < d->features; k++) {
        const int64_t c = k / pixels;
        out->mean[k] = unit * (mean + std * (inputs->count > 0 ? inputs->mean[c] : 0));
        out->std[k] = unit * std * (inputs->count > 0 ? inputs->std[c] : 1);
    }
    if (status != LS_OK)
        return status;
    (void)ls_columns_complete(out);
    const int64_t bad = ls_columns_find_impossible(out);
    return bad < 0 ? LS_OK
                   : ls_fail(LS_ERR_USAGE,
                             "--targets inputs: a unit of %g for number %lld of the outputs: give "
                             "another --normalize or --standardize",
                             ls_plain_number(out->std[bad]), (long long)bad);
}

/* Finds a number of a sample that is not from 0 to 1, normalised. Returns its index, -1 if there is
 * none. */
static int64_t find_beyond(const ls_sample_format *f, const uint8_t *inputs, float scale,
                           float shift, float *value)
{
    enum { PIECE = 256 };
    float piece[PIECE];
    for (int64_t i = 0; i < f->features; i += PIECE) {
        const int64_t count = ls_min(f->features - i, PIECE);
        ls_element_convert(f->element, count, inputs + (size_t)i * ls_element_bytes(f->element),
                           scale, shift, piece);
        for (int64_t k = 0; k < count; k++) {
            *value = piece[k];
            if (!(piece[k] >= 0 && piece[k] <= 1))
                return i + k;
        }
    }
    return -1;
}

ls_status ls_reconstruction_check_range(const ls_samples *samples, const char *name,
                                        ls_normalization n)
{
    const ls_sample_format *f = &samples->format;
    const float scale = f->element == LS_U8 ? n.byte_scale : n.scale;
    float value = 0;
    if (f->element == LS_U8 && n.scale == 1 && n.shift == 0)
        return LS_OK;
    for (int64_t i = 0; i < samples->rows; i++) {
        const ls_sample *sample = ls_sample_at(samples, i);
        const int64_t at = find_beyond(f, sample->inputs, scale, n.shift, &value);
        if (at >= 0)
            return ls_fail(LS_ERR_USAGE,
                           "--loss bce needs inputs from 0 to 1, but number %lld of %s row %lld is "
                           "%g: give --normalize, or --loss mse",
                           (long long)at, name, (long long)sample->row, (double)value);
    }
    return LS_OK;
}

/* Returns the layer that makes the outputs: before those that keep their number and order. */
static ls_layer_info find_maker(const ls_network *network)
{
    ls_layer_info layer = ls_network_layer(network, ls_network_layers(network) - 1);
    while (layer.out.height * layer.out.width == 1 && layer.params == 0 && layer.input[0] >= 0 &&
           ls_shape_size(layer.in[0]) == ls_shape_size(layer.out))
        layer = ls_network_layer(network, layer.input[0]);
    return layer;
}

ls_status ls_reconstruction_check_network(const ls_network *network)
{
    const ls_layer_info last = find_maker(network);
    if (!ls_network_channels_last(network) || last.out.channels == 1 ||
        last.out.height * last.out.width == 1)
        return LS_OK;
    return ls_fail(LS_ERR_USAGE,
                   "--targets inputs: the outputs are an image of %lld channels made by '%s': end "
                   "the network with dense:%lld",
                   (long long)last.out.channels, last.word, (long long)ls_shape_size(last.out));
}
