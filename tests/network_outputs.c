/* Writes rows of a data set and a network's own outputs for them, to compare exported networks
 * with.
 *
 *     network_outputs CHECKPOINT DATA.h5 ROWS NAME [raw | normalized | logits ...]
 *
 * NAME.x: float32 [rows][channels][height][width], the numbers of the data set; NAME.y: float32
 * [rows][outputs], those of all steps if the task is by step, probabilities if the loss is
 * cross-entropy or bce, values in the targets' units.
 * Prints the number of rows and the shape of both.
 *
 *     lengths     rows have lengths, NAME.lengths: float32 [rows]
 *     raw         not the averaged parameters
 *     normalized  NAME.x has the normalised inputs
 *     logits      NAME.y has the values before the softmax or sigmoid
 *     encoder     that part of a variational autoencoder
 *     decoder     likewise: the data set's rows are latent variables */
#include "data/element.h"

#include <lockstep/batch.h>
#include <lockstep/dataset.h>
#include <lockstep/model.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Ends the program after an error. */
static void check(ls_status status)
{
    if (status == LS_OK)
        return;
    fprintf(stderr, "network_outputs: %s\n", ls_error_text());
    exit((int)status);
}

static FILE *create(const char *name, const char *ending)
{
    char path[4096];
    snprintf(path, sizeof path, "%s%s", name, ending);
    FILE *file = fopen(path, "wb");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    return file;
}

static void softmax(int outputs, const float *z, float *p)
{
    double sum = 0, most = z[0];
    for (int k = 1; k < outputs; k++)
        most = z[k] > most ? z[k] : most;
    for (int k = 0; k < outputs; k++)
        sum += exp(z[k] - most);
    for (int k = 0; k < outputs; k++)
        p[k] = (float)(exp(z[k] - most) / sum);
}

static void sigmoid(int outputs, const float *z, float *p)
{
    for (int k = 0; k < outputs; k++)
        p[k] = (float)(1 / (1 + exp(-(double)z[k])));
}

/* Returns standardised values to the targets' units; z and y may be the same. */
static void restore(const ls_column_scale *targets, const float *z, float *y)
{
    for (int64_t k = 0; k < targets->count; k++)
        y[k] = (float)(targets->mean[k] + targets->std[k] * (double)z[k]);
}

/* Converts the network's outputs to those that the exported network has. */
static const float *convert(const ls_model_facts *facts, int outputs, const float *z, float *y)
{
    memcpy(y, z, (size_t)outputs * sizeof *y);
    if (ls_loss_takes_logits(facts->loss))
        softmax(outputs, z, y);
    else if (ls_loss_takes_sigmoid(facts->loss))
        sigmoid(outputs, z, y);
    restore(&facts->targets, y, y);
    return y;
}

/* Returns true if a word was given. */
static bool given(char **words, const char *word)
{
    for (; *words != NULL; words++)
        if (strcmp(*words, word) == 0)
            return true;
    return false;
}

/* Makes a row a batch of one row, in the order of the data set. */
static void normalise(const ls_model *model, const float *raw, ls_batch *batch)
{
    const ls_model_facts *facts = ls_model_describe(model);
    const bool tokens = facts->vocabulary > 0;
    const double range = facts->element == LS_U8 ? 255 : 1;
    const float scale = tokens ? 1 : (float)(1 / (range * facts->std));
    const float shift = tokens ? 0 : (float)(-facts->mean / facts->std);
    for (int64_t i = 0; i < batch->features; i++)
        batch->x[i] = scale * raw[i] + shift;
    const int64_t pixels = facts->input.height * facts->input.width;
    for (int64_t i = 0; facts->inputs.count > 0 && i < batch->features; i++)
        batch->x[i] = (batch->x[i] - (float)facts->inputs.mean[i / pixels]) /
                      (float)facts->inputs.std[i / pixels];
    batch->rows = 1;
}

/* Brings the batch into the network's order. */
static void arrange(const ls_model *model, ls_batch *batch)
{
    const ls_model_facts *facts = ls_model_describe(model);
    if (ls_network_channels_last(ls_model_network(model)))
        ls_batch_to_channels_last(batch, facts->input.channels,
                                  facts->input.height * facts->input.width);
}

int main(int argc, char **argv)
{
    if (argc < 5)
        return 2;
    ls_model *model = NULL;
    ls_dataset *dataset = NULL;
    ls_samples *samples = NULL;
    ls_batch *batch = NULL;
    char **words = argv + 5;
    check(ls_model_open(&model, NULL, argv[1],
                        given(words, "raw") ? LS_MODEL_RAW : LS_MODEL_EVALUATED));
    check(ls_model_take_part(model, given(words, "encoder")   ? LS_PART_ENCODER
                                    : given(words, "decoder") ? LS_PART_DECODER
                                                              : LS_PART_WHOLE));
    const ls_model_facts *facts = ls_model_describe(model);
    check(ls_dataset_open(&dataset, argv[2], &facts->reading));
    const ls_dataset_info *info = ls_dataset_describe(dataset);
    const ls_split split = info->rows[LS_TEST] > 0 ? LS_TEST : LS_TRAIN;
    const int64_t held = info->rows[split], most = atoll(argv[3]);
    const int64_t rows = held < most ? held : most, features = ls_shape_size(facts->input);
    check(ls_dataset_read(dataset, split, 0, rows, rows, &samples));
    check(ls_batch_create(&batch, 1, features, 0));
    FILE *x = create(argv[4], ".x"), *y = create(argv[4], ".y");
    FILE *lengths = given(words, "lengths") ? create(argv[4], ".lengths") : NULL;
    if (lengths != NULL)
        check(ls_batch_add_lengths(batch));
    const int K = ls_network_outputs(ls_model_network(model));
    const int64_t steps = ls_network_steps(ls_model_network(model));
    float *raw = malloc((size_t)features * sizeof *raw);
    float *p = malloc((size_t)K * sizeof *p);
    for (int64_t row = 0; row < rows; row++) {
        ls_element_convert(info->element, features, ls_samples_row(samples, row).inputs, 1, 0, raw);
        normalise(model, raw, batch);
        fwrite(given(words, "normalized") ? batch->x : raw, sizeof *raw, (size_t)features, x);
        arrange(model, batch);
        if (lengths != NULL) {
            const float length = (float)ls_samples_row(samples, row).length;
            batch->lengths[0] = (int32_t)length;
            fwrite(&length, sizeof length, 1, lengths);
        }
        const float *outputs =
            ls_network_forward(ls_model_network(model), ls_model_params(model), batch);
        for (int64_t t = 0; t < steps; t++, outputs += K)
            fwrite(given(words, "logits") ? outputs : convert(facts, K, outputs, p), sizeof *p,
                   (size_t)K, y);
    }
    printf("%lld %lld %lld %lld %lld\n", (long long)rows, (long long)facts->input.channels,
           (long long)facts->input.height, (long long)facts->input.width, (long long)steps * K);
    const int failed =
        fclose(x) != 0 || fclose(y) != 0 || (lengths != NULL && fclose(lengths) != 0);
    free(raw);
    free(p);
    ls_batch_destroy(&batch);
    ls_samples_destroy(&samples);
    ls_dataset_close(&dataset);
    ls_model_destroy(&model);
    return failed;
}
