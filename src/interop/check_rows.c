/* The CSV file of inputs and outputs with which a reader checks an exported network. */
#include "interop/format.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/rng.h"
#include "interop/layout.h"

#include <lockstep/batch.h>

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Inputs and outputs of all rows. */
typedef struct check {
    const ls_export_graph *graph;
    int64_t features, outputs;
    int64_t classes; /* outputs, or those of a step of a sequence */
    float *x;        /* [rows][features] in the order of the format */
    ls_batch *batch;
    const float *y; /* [rows][outputs] */
    float *result;  /* [rows][outputs] as the exported network gives them */
} check;

/* A random input: a token, a pixel, or for other types a number within two standard deviations.
 * channel  of the input */
static float random_input(const ls_export_source *source, int64_t channel, double uniform)
{
    const ls_column_scale *c = &source->inputs;
    const int64_t vocabulary = ls_export_vocabulary(source->network);
    if (vocabulary > 0)
        return floorf((float)((double)vocabulary * uniform));
    if (source->element == LS_U8)
        return floorf((float)(256 * uniform));
    return (float)(c->count > 0 ? c->mean[channel] + c->std[channel] * (4 * uniform - 2)
                                : source->mean + source->std * (4 * uniform - 2));
}

static float normalise(const ls_export_graph *g, const ls_column_scale *c, int64_t channel,
                       float raw)
{
    const float x = g->scale * raw + g->shift;
    return c->count > 0 ? (float)((x - (float)c->mean[channel]) / c->std[channel]) : x;
}

/* Makes random inputs, and converts them to Lockstep's batch. */
static void make_inputs(check *c, const ls_export_source *source, const ls_export_options *options,
                        bool channels_first)
{
    const uint64_t key = ls_rng_key(0, LS_RNG_EXPORT, 0);
    const ls_export_graph *g = c->graph;
    const int64_t values = LS_EXPORT_CHECK_ROWS * c->features;
    const int64_t pixels = g->input.height * g->input.width;
    for (int64_t i = 0; i < values; i++) {
        const int64_t at = i % c->features;
        const int64_t channel = channels_first ? at / pixels : at % g->input.channels;
        const float raw = random_input(source, channel, ls_rng_uniform(key, (uint64_t)i));
        const float normalised =
            g->form == LS_FORM_TOKENS ? raw : normalise(g, &source->inputs, channel, raw);
        c->x[i] = options->normalized ? normalised : raw;
        c->batch->x[i] = normalised;
    }
    c->batch->rows = LS_EXPORT_CHECK_ROWS;
    if (channels_first && !g->planar && g->form == LS_FORM_IMAGE)
        ls_batch_to_channels_last(c->batch, g->input.channels, g->input.height * g->input.width);
    for (int64_t row = 0; !channels_first && g->planar && row < LS_EXPORT_CHECK_ROWS; row++) {
        float *to = c->batch->x + row * c->features;
        float *from = c->batch->x + values; /* room for one row follows */
        memcpy(from, to, (size_t)c->features * sizeof *to);
        ls_layout_features(g->input, false, 1, from, to);
    }
}

/* Gives the rows random lengths, 1 or more. */
static ls_status make_lengths(check *c)
{
    const uint64_t key = ls_rng_key(0, LS_RNG_EXPORT, 1);
    const ls_status status = ls_batch_add_lengths(c->batch);
    for (int64_t row = 0; status == LS_OK && row < LS_EXPORT_CHECK_ROWS; row++)
        c->batch->lengths[row] =
            1 + (int32_t)((double)c->graph->steps * ls_rng_uniform(key, (uint64_t)row));
    return status;
}

/* Brings an autoencoder's outputs into the order of the format's inputs. */
static void rearrange(const check *c, float *room)
{
    for (int64_t row = 0; c->graph->rearranged && row < LS_EXPORT_CHECK_ROWS; row++) {
        float *y = c->result + row * c->outputs;
        memcpy(room, y, (size_t)c->outputs * sizeof *y);
        ls_layout_features(c->graph->input, true, 1, room, y);
    }
}

/* p = exp(y) / sum exp(y), for each row, or each step of a row. */
static void softmax(const check *c)
{
    for (int64_t first = 0; first < LS_EXPORT_CHECK_ROWS * c->outputs; first += c->classes) {
        const float *y = c->y + first;
        float *p = c->result + first;
        double sum = 0, most = y[0];
        for (int64_t k = 1; k < c->classes; k++)
            most = y[k] > most ? y[k] : most;
        for (int64_t k = 0; k < c->classes; k++)
            sum += exp(y[k] - most);
        for (int64_t k = 0; k < c->classes; k++)
            p[k] = (float)(exp(y[k] - most) / sum);
    }
}

/* Makes values in the units of the targets.
 * sigmoid  the value of an output is its sigmoid, before */
static void scale_values(const check *c, bool sigmoid, const ls_column_scale *targets)
{
    for (int64_t i = 0; i < LS_EXPORT_CHECK_ROWS * c->outputs; i++) {
        const int64_t k = i % c->outputs;
        const double y = sigmoid ? 1 / (1 + exp(-(double)c->y[i])) : (double)c->y[i];
        c->result[i] = (float)(targets->count > 0 ? y * targets->std[k] + targets->mean[k] : y);
    }
}

/* Computes the outputs of the rows as the exported network gives them. */
static void compute(check *c, const ls_export_source *source, const ls_export_options *options)
{
    const bool probabilities = strcmp(ls_export_outputs(source, options), "probabilities") == 0;
    const bool sigmoid = ls_loss_takes_sigmoid(ls_network_loss_kind(source->network));
    const ls_column_scale unscaled = {0};
    c->y = ls_network_forward(source->network, source->params, c->batch);
    if (probabilities && !sigmoid)
        softmax(c);
    else
        scale_values(c, sigmoid && !options->logits,
                     options->logits ? &unscaled : &source->targets);
    rearrange(c, c->batch->x + LS_EXPORT_CHECK_ROWS * c->features);
}

static void print_values(FILE *out, const char *before, int64_t count, const float *values)
{
    for (int64_t i = 0; i < count; i++)
        fprintf(out, "%s%.9g", i > 0 ? "," : before, (double)values[i]);
}

static void print_rows(const check *c, const float *y, FILE *out)
{
    for (int64_t i = 0; i < c->features; i++)
        fprintf(out, "%sx%lld", i > 0 ? "," : "", (long long)i);
    fprintf(out, "%s", c->graph->lengths ? ",length" : "");
    for (int64_t i = 0; i < c->outputs; i++)
        fprintf(out, ",y%lld", (long long)i);
    for (int64_t row = 0; row < LS_EXPORT_CHECK_ROWS; row++) {
        print_values(out, "\n", c->features, c->x + row * c->features);
        if (c->graph->lengths)
            fprintf(out, ",%d", c->batch->lengths[row]);
        print_values(out, ",", c->outputs, y + row * c->outputs);
    }
    fprintf(out, "\n");
}

/* Writes the rows as CSV. */
static ls_status write_rows(const check *c, const float *y, const char *path)
{
    char *text = NULL;
    size_t length = 0;
    FILE *memory = open_memstream(&text, &length);
    if (memory != NULL)
        print_rows(c, y, memory);
    ls_status status = memory == NULL || fclose(memory) != 0
                           ? ls_fail(LS_ERR_FAILURE, "%s: out of memory for the rows", path)
                           : ls_write_file(path, text, length);
    free(text);
    return status;
}

static ls_status make_room(check *c)
{
    const int64_t rows = LS_EXPORT_CHECK_ROWS;
    c->x = ls_alloc(rows * c->features, sizeof *c->x);
    c->result = ls_alloc(rows * c->outputs, sizeof *c->result);
    if (c->x == NULL || c->result == NULL)
        return LS_ERR_FAILURE;
    return ls_batch_create(&c->batch, rows, c->features, 0);
}

static bool is_csv(const unsigned char *begin, size_t length)
{
    return length >= 3 && memcmp(begin, "x0,", 3) == 0;
}

ls_status ls_export_check(const ls_export_source *source, const ls_export_options *options,
                          const char *path)
{
    assert(options->format != LS_EXPORT_AUTO);
    check c = {.graph = NULL};
    ls_export_graph *graph = NULL;
    const ls_graph_style style = ls_export_style(options->format);
    ls_status status = ls_refuse_other_kind(path, is_csv, "CSV with the columns x0, x1, ...");
    if (status == LS_OK)
        status = ls_export_graph_create(&graph, source, options, style);
    if (status == LS_OK) {
        c.graph = graph;
        c.features = ls_shape_size(graph->input);
        c.outputs = ls_shape_size(ls_graph_shape(graph, graph->nodes - 1));
        c.classes = ls_graph_shape(graph, graph->nodes - 1).channels;
        status = make_room(&c);
    }
    if (status == LS_OK && options->lengths)
        status = make_lengths(&c);
    if (status == LS_OK) {
        make_inputs(&c, source, options, style.channels_first);
        compute(&c, source, options);
        status = write_rows(&c, c.result, path);
    }
    ls_batch_destroy(&c.batch);
    ls_free(c.x);
    ls_free(c.result);
    ls_export_graph_destroy(&graph);
    return status;
}
