#include "test.h"

#include <lockstep/network.h>

#include "base/memory.h"
#include "nn/network_state.h"
#include "nn/pass.h"
#include "nn/words.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const ls_shape input = {1, 28, 28};

static void a_model_string_gives_layers_and_parameters(void **state)
{
    (void)state;
    ls_network *network;
    assert_ok(ls_network_create(&network, " dense:512\trelu  dense:10 softmax ", input, 10,
                                LS_CROSS_ENTROPY, 4));
    assert_int_equal(ls_network_size(network), 784 * 512 + 512 + 512 * 10 + 10);
    assert_int_equal(ls_network_layers(network), 4);
    assert_string_equal(ls_network_layer(network, 2).name, "dense2");
    assert_string_equal(ls_network_layer(network, 2).word, "dense:10");
    assert_int_equal(ls_network_layer(network, 2).parameters, 5130);
    int rows;
    const ls_param *param = ls_network_params(network, &rows);
    assert_int_equal(rows, 4);
    const char *const names[] = {"dense1/weight", "dense1/bias", "dense2/weight", "dense2/bias"};
    int64_t offset = 0;
    for (int i = 0; i < rows; i++) {
        assert_string_equal(param[i].name, names[i]);
        assert_int_equal(param[i].offset, offset);
        offset += param[i].count;
    }
    assert_int_equal(param[0].shape[0], 784);
    assert_int_equal(param[0].shape[1], 512);
    ls_network_destroy(&network);
    assert_null(network);
    ls_network_destroy(&network);
}

static void an_error_names_the_wrong_word(void **state)
{
    (void)state;
    const struct {
        const char *model, *part;
        ls_loss loss;
    } cases[] = {
        {"dense:512 rleu dense:10", "word 2, 'rleu': unknown layer; did you mean 'relu'", 0},
        {"dense:512 relu dense:11",
         "word 3, 'dense:11': the last layer has 11 outputs but the "
         "data set has 10 classes",
         0},
        {"dense:512 relu dense:11 softmax", "word 3, 'dense:11'", 0},
        {"lenet", "word 1, 'lenet': unknown layer; did you mean 'lenet5'", 0},
        {"conv:3 dense:10", "word 1, 'conv:3': write it as conv:FILTERSxK[,STRIDE[,PAD]]", 0},
        {"conv:3x dense:10", "word 1, 'conv:3x': write it as conv:", 0},
        {"conv:3x3,1,1,1 dense:10", "word 1, 'conv:3x3,1,1,1': write it as conv:", 0},
        {"conv:0x3 dense:10", "word 1, 'conv:0x3': FILTERS must be from 1", 0},
        {"conv:4x3,0 dense:10", "word 1, 'conv:4x3,0': STRIDE must be from 1 to 1024", 0},
        {"conv:4x3,1025 dense:10", "word 1, 'conv:4x3,1025': STRIDE must be from 1 to 1024", 0},
        {"conv:4x3,1,3 dense:10", "word 1, 'conv:4x3,1,3': STRIDE must be from 1 to 1024, PAD", 0},
        {"conv:4x29 dense:10", "a kernel of 29 x 29 does not fit into an image of 28 x 28", 0},
        {"maxpool:2 conv:4x5 dense:50 conv:4x3 dense:10",
         "word 4, 'conv:4x3': needs an image, but 'dense' before it flattens the image", 0},
        {"conv:4x28 conv:4x2 dense:10",
         "word 2, 'conv:4x2': a kernel of 2 x 2 does not fit into an image of 1 x 1", 0},
        {"conv:65536x1024,1,1000 dense:10", "the layer has more than 2^31 weights", 0},
        {"maxpool:0 dense:10", "word 1, 'maxpool:0': the size of the window must be from 1", 0},
        {"flatten maxpool:2 dense:10",
         "word 2, 'maxpool:2': needs an image, but 'flatten' before it flattens the image", 0},
        {"dropout:1 dense:10", "word 1, 'dropout:1': the probability must be from 0 to below 1", 0},
        {"dropout:x dense:10", "word 1, 'dropout:x': the probability must be", 0},
        {"dropout:nan dense:10", "word 1, 'dropout:nan': the probability must be", 0},
        {"noise:-1 dense:10", "the standard deviation must be from 0 to 1000, not '-1'", 0},
        {"noise:nan dense:10", "the standard deviation must be from 0 to 1000, not 'nan'", 0},
        {"noise dense:10", "word 1, 'noise': write it as noise:SIGMA", 0},
        {"flatten:2 dense:10", "word 1, 'flatten:2': this layer takes no argument", 0},
        {"dense:11 batchnorm dropout:0.5",
         "word 1, 'dense:11': the last layer has 11 outputs but the data set has 10", 0},
        {"dense:40 flatten dropout:0.1", "word 1, 'dense:40': the last layer has 40", 0},
        {"dense:0 dense:10", "word 1, 'dense:0': the number of units must be from 1", 0},
        {"dense:-4 dense:10", "word 1, 'dense:-4': the number of units must be a whole", 0},
        {"dense:4x dense:10", "word 1, 'dense:4x': the number of units must be a whole", 0},
        {"dense:99999999999 dense:10", "word 1, 'dense:99999999999'", 0},
        {"dense relu dense:10", "word 1, 'dense': write it as dense:UNITS", 0},
        {"dense: dense:10", "word 1, 'dense:': write it as dense:UNITS", 0},
        {"dense:5 relu:3 dense:10", "word 2, 'relu:3': this layer takes no argument", 0},
        {"dense:10 softmax dense:10", "word 2, 'softmax': must be the last layer", 0},
        {"dense:10 relu", "word 2, 'relu': cross-entropy takes logits", 0},
        {"dense:10 sigmoid", "word 2, 'sigmoid': cross-entropy takes logits", 0},
        {"dense:10 sigmoid dropout:0.1", "word 2, 'sigmoid': cross-entropy takes logits", 0},
        {"dense:10 :a sigmoid :b @a tanh +b", "word 6, 'tanh': cross-entropy takes logits", 0},
        {":a dense:10 @a", "ends with the network's input, not with a layer", 0},
        {"lenet5 relu", "word 1, 'lenet5': a preset network must be the only word", 0},
        {"mlp:3", "word 1, 'mlp:3': a preset network must be the only word", 0},
        {"vgg16", "; the preset networks are mlp, lenet5, cnn, resnet", 0},
        {"dense:10 +a",
         "word 2, '+a': no earlier value has this name; :a after a layer gives its output this "
         "name",
         0},
        {"dense:10 :a :b dense:10 +c",
         "word 5, '+c': no earlier value has this name; the names are a, b", 0},
        {"dense:10 :a dense:10 :a +a", "word 4, ':a': this name is already in use", 0},
        {"dense:10 :a dense:10", "word 2, ':a': this name is never used", 0},
        {"dense:10 :a dense:12 +a dense:10",
         "word 4, '+a': can't add 10x1x1 to 12x1x1: the shapes must be equal", 0},
        {"conv:4x3 :a maxpool:2 &a dense:10",
         "word 4, '&a': can't concatenate the channels of 13x13 and 26x26 pixels", 0},
        {"dense:10 :a dense:5 relu @a",
         "word 4, 'relu': no layer reads its output: name the output with :b, then use it with +b "
         "or &b",
         0},
        {"dense:10 :a dense:10 :b @b @a", "word 3, 'dense:10': no layer reads its output", 0},
        {"dense:10 :a dense:5 :b @a", "word 4, ':b': this name is never used", 0},
        {"dense:10 :a*b", "word 2, ':a*b': the sign must be followed by a name of up to 15 letters",
         0},
        {"dense:10 :", "word 2, ':': the sign must be followed by a name", 0},
        {"dense:10 @a234567890123456",
         "word 2, '@a234567890123456': the sign must be followed by a name", 0},
        {":a dense:10 relu :b @a conv:4x3 &b dense:10",
         "word 7, '&b': can't concatenate the channels of 26x26 and 1x1 pixels", 0},
        {"dense:12 reshape:2x2x2 dense:10",
         "word 2, 'reshape:2x2x2': 2x2x2 are not the 12 values before it", 0},
        {"dense:12 reshape:12 dense:10",
         "word 2, 'reshape:12': write it as reshape:CHANNELSxHEIGHTxWIDTH", 0},
        {"dense:12 reshape dense:10", "word 2, 'reshape': write it as reshape:CHANNELSx", 0},
        {"dense:12 reshape:3x4x0 dense:10", "channels, height and width must be from 1", 0},
        {"dense:12 reshape:3x16777216x16777216 dense:10", "are not the 12 values before it", 0},
        {"reshape:4x14x14 dense:10",
         "word 1, 'reshape:4x14x14': needs a vector, as the output of dense", 0},
        {"conv:4x3 relu flatten relu dropout:0.1 reshape:4x26x26 dense:10",
         "word 6, 'reshape:4x26x26': the values before it are those of an image", 0},
        {"lstm:8,all reshape:8x28x1 dense:10", "word 2, 'reshape:8x28x1': needs a vector", 0},
        {"dense:12 reshape:3x2x2 dense:5 conv:1x1 dense:10",
         "word 4, 'conv:1x1': needs an image, but 'dense' before it flattens the image", 0},
        {"dense:12 upsample:2 dense:10",
         "word 2, 'upsample:2': needs an image, but 'dense' before it flattens", 0},
        {"dense:12 deconv:4x3 dense:10", "needs an image, but 'dense' before it flattens", 0},
        {"deconv:4 dense:10", "write it as deconv:FILTERSxK[,STRIDE[,PAD]]", 0},
        {"deconv:4x3,1,3 dense:10", "STRIDE must be from 1 to 1024, PAD from 0 to K-1", 0},
        {"dense:4 reshape:4x1x1 deconv:4x3,1,2 dense:10",
         "word 3, 'deconv:4x3,1,2': PAD 2 leaves nothing of an image of 3 x 3", 0},
        {"deconv:65536x1024 dense:10", "the layer has more than 2^31 weights", 0},
        {"deconv:512x2,1024 dense:10", "the image would have more than 2^31 values", 0},
        {"upsample:0 dense:10", "word 1, 'upsample:0': the factor must be from 1", 0},
        {"upsample:1025 dense:10", "word 1, 'upsample:1025': the factor must be from 1 to 1024", 0},
        {"upsample:1024 upsample:1024 dense:10",
         "word 2, 'upsample:1024': the image would have more than 2^31 values", 0},
        {"leaky-relu:1 dense:10", "the slope must be above 0 and below 1, not '1'", 0},
        {"leaky-relu:nan dense:10", "the slope must be above 0 and below 1, not 'nan'", 0},
        {"leakyrelu dense:10", "'leakyrelu': unknown layer; did you mean 'leaky-relu'", 0},
        {"globalpool conv:4x1 dense:10",
         "word 2, 'conv:4x1': needs an image, but 'globalpool' before it flattens the image", 0},
        {"dense:10 :a softmax +a", "word 3, 'softmax': must be the last layer", 0},
        {":a", "word 1, ':a': this name is never used", 0},
        {":a @a", "contains no layer", 0},
        {"dense:16777216 dense:10", "weights are more than 2^31", 0},
        {"", "contains no layer", 0},
        {"  ", "contains no layer", 0},
        {"softmax", "word 1, 'softmax'", LS_MSE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ls_network *network = NULL;
        assert_fails(ls_network_create(&network, cases[i].model, input, 10, cases[i].loss, 1),
                     LS_ERR_USAGE, cases[i].part);
        assert_null(network);
    }
}

/* In either order of the summands. */
static void a_sum_with_an_unbounded_summand_gives_logits(void **state)
{
    (void)state;
    static const char *const models[] = {"dense:10 :a sigmoid +a", "dense:10 :a sigmoid :s @a +s"};
    for (int i = 0; i < 2; i++) {
        ls_network *network;
        assert_ok(ls_network_create(&network, models[i], input, 10, LS_CROSS_ENTROPY, 1));
        ls_network_destroy(&network);
    }
}

static void networks_without_parameters_or_beyond_the_limits_are_refused(void **state)
{
    (void)state;
    ls_network *network = NULL;
    assert_fails(ls_network_create(&network, "relu", (ls_shape){10, 1, 1}, 10, LS_MSE, 1),
                 LS_ERR_USAGE, "nothing to train");
    char many[4096] = "";
    for (int i = 0; i < 300; i++)
        strcat(many, "relu ");
    assert_fails(ls_network_create(&network, many, input, 10, LS_MSE, 1), LS_ERR_USAGE,
                 "too many layers");
    strcpy(many, "dense:10 ");
    for (int i = 1; i < 256; i++)
        strcat(many, "tanh ");
    assert_ok(ls_network_create(&network, strcat(many, ":a @a"), input, 10, LS_MSE, 1));
    ls_network_destroy(&network);
    assert_fails(ls_network_create(&network, "dense:10", input, 10, LS_MSE, INT64_MAX / 16),
                 LS_ERR_FAILURE, "out of memory");
}

static void an_unknown_word_lists_all_layers(void **state)
{
    (void)state;
    ls_network *network = NULL;
    assert_fails(
        ls_network_create(&network, "dense:512 elman:3 dense:10", input, 10, LS_CROSS_ENTROPY, 1),
        LS_ERR_USAGE, "word 2, 'elman:3': unknown layer; the layers are dense, conv,");
    const ls_layer_word *word;
    for (int i = 0; (word = ls_layer_word_at(i)) != NULL; i++)
        assert_non_null(strstr(ls_error_text(), word->name));
}

static void preset_networks_have_the_known_sizes(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int64_t size; /* counted by hand */
    } cases[] = {
        {"mlp", 784 * 512 + 512 + 512 * 10 + 10},
        {"lenet5", 156 + 2416 + 48120 + 10164 + 850},
        {"resnet", (9 * 16 + 64) + 2 * (9 * 16 * 16 + 64) + (16 * 32 + 128) + (9 * 16 * 32 + 128) +
                       (9 * 32 * 32 + 128) + (32 * 64 + 256) + (9 * 32 * 64 + 256) +
                       (9 * 64 * 64 + 256) + 650},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ls_network *network, *again;
        assert_ok(ls_network_create(&network, cases[i].name, input, 10, LS_CROSS_ENTROPY, 0));
        assert_int_equal(ls_network_size(network), cases[i].size);
        assert_ok(
            ls_network_create(&again, ls_network_model(network), input, 10, LS_CROSS_ENTROPY, 0));
        assert_int_equal(ls_network_layers(again), ls_network_layers(network));
        ls_network_destroy(&network);
        ls_network_destroy(&again);
    }
}

static void every_preset_fits_the_number_of_classes(void **state)
{
    (void)state;
    const char *name, *layers;
    for (int i = 0; ls_network_preset(i, &name, &layers); i++) {
        ls_network *network;
        assert_ok(ls_network_create(&network, name, input, 7, LS_CROSS_ENTROPY, 2));
        assert_int_equal(
            ls_shape_size(ls_network_layer(network, ls_network_layers(network) - 1).out), 7);
        ls_network_destroy(&network);
    }
}

/* Attributes, inputs, shapes and parameters of each layer, in a network with a branch. */
static void layers_are_described(void **state)
{
    (void)state;
    ls_network *network;
    assert_ok(ls_network_create(&network,
                                "conv:8x3,2,1 batchnorm relu :a conv:8x1 +a relu :b @a &b flatten "
                                "dropout:0.25 dense:10 softmax",
                                (ls_shape){3, 9, 9}, 10, LS_CROSS_ENTROPY, 1));
    static const struct {
        const char *name, *kind, *word;
        int inputs, input[LS_LAYER_INPUTS], first_param, params;
        ls_attributes attributes;
        int64_t channels, height;
    } rows[] = {
        {"conv1",
         "conv",
         "conv:8x3,2,1",
         1,
         {-1},
         0,
         1,
         {.units = 8, .window = 3, .stride = 2, .pad = 1, .rate = 0},
         8,
         5},
        {"batchnorm1", "batchnorm", "batchnorm", 1, {0}, 1, 4, {0}, 8, 5},
        {"relu1", "relu", "relu", 1, {1}, 0, 0, {0}, 8, 5},
        {"conv2",
         "conv",
         "conv:8x1",
         1,
         {2},
         5,
         2,
         {.units = 8, .window = 1, .stride = 1, .pad = 0, .rate = 0},
         8,
         5},
        {"add1", "add", "+a", 2, {3, 2}, 0, 0, {0}, 8, 5},
        {"relu2", "relu", "relu", 1, {4}, 0, 0, {0}, 8, 5},
        {"concat1", "concat", "&b", 2, {2, 5}, 0, 0, {0}, 16, 5},
        {"flatten1", "flatten", "flatten", 1, {6}, 0, 0, {0}, 400, 1},
        {"dropout1",
         "dropout",
         "dropout:0.25",
         1,
         {7},
         0,
         0,
         {.units = 0, .window = 0, .stride = 0, .pad = 0, .rate = 0.25},
         400,
         1},
        {"dense1",
         "dense",
         "dense:10",
         1,
         {8},
         7,
         2,
         {.units = 10, .window = 0, .stride = 0, .pad = 0, .rate = 0},
         10,
         1},
        {"softmax1", "softmax", "softmax", 1, {9}, 0, 0, {0}, 10, 1},
    };
    assert_int_equal(ls_network_layers(network), sizeof rows / sizeof *rows);
    for (int i = 0; i < ls_network_layers(network); i++) {
        const ls_layer_info layer = ls_network_layer(network, i);
        assert_string_equal(layer.name, rows[i].name);
        assert_string_equal(layer.kind, rows[i].kind);
        assert_string_equal(layer.word, rows[i].word);
        assert_int_equal(layer.inputs, rows[i].inputs);
        for (int k = 0; k < layer.inputs; k++)
            assert_int_equal(layer.input[k], rows[i].input[k]);
        assert_int_equal(layer.params, rows[i].params);
        if (layer.params > 0)
            assert_int_equal(layer.first_param, rows[i].first_param);
        assert_memory_equal(&layer.attributes, &rows[i].attributes, sizeof layer.attributes);
        assert_int_equal(layer.out.channels, rows[i].channels);
        assert_int_equal(layer.out.height, rows[i].height);
    }
    ls_network_destroy(&network);
}

/* The weights before an addition or a normalisation are scaled for the relu after it. */
static void initialisation_scales_for_a_relu_after_a_branch(void **state)
{
    (void)state;
    ls_network *network;
    assert_ok(ls_network_create(&network, "dense:300 :a dense:300 batchnorm +a relu dense:10",
                                input, 10, LS_CROSS_ENTROPY, 0));
    float *params = ls_alloc(ls_network_size(network), sizeof *params);
    ls_network_initialise(network, 3, params);
    int rows;
    const ls_param *param = ls_network_params(network, &rows);
    const double fans[] = {784, 0, 300};
    for (int i = 0; i <= 2; i += 2) {
        double largest = 0;
        for (int64_t j = 0; j < param[i].count; j++)
            largest = fmax(largest, fabs((double)params[param[i].offset + j]));
        assert_near(largest, sqrt(6 / fans[i]), 0.01, 0);
    }
    ls_free(params);
    ls_network_destroy(&network);
}

/* Checks that parameter i is uniform in [-bound[i], bound[i]]. */
static void check_uniform(const char *model, ls_shape in, const double *bound)
{
    ls_network *network;
    assert_ok(ls_network_create(&network, model, in, 10, LS_CROSS_ENTROPY, 0));
    int rows;
    const ls_param *param = ls_network_params(network, &rows);
    float *params = ls_alloc(ls_network_size(network), sizeof *params);
    ls_network_initialise(network, 3, params);
    for (int i = 0; i < rows; i++) {
        double squares = 0, largest = 0;
        for (int64_t j = 0; j < param[i].count; j++) {
            double value = (double)params[param[i].offset + j];
            squares += value * value;
            largest = fmax(largest, fabs(value));
        }
        assert_true(largest <= bound[i] * 1.000001);
        assert_near(squares / (double)param[i].count, bound[i] * bound[i] / 3, 0.05, 0);
    }
    ls_free(params);
    ls_network_destroy(&network);
}

static void initialisation_follows_the_activation(void **state)
{
    (void)state;
    check_uniform("dense:300 relu dense:200 tanh dense:10", input,
                  (double[]){sqrt(6.0 / 784), 0, sqrt(6.0 / (300 + 200)), 0, sqrt(6.0 / 210), 0});
}

static void vectors_of_tokens_begin_with_squared_length_one(void **state)
{
    (void)state;
    check_uniform("embedding:12,500 meanpool dense:10", (ls_shape){1, 7, 1},
                  (double[]){sqrt(3.0 / 12), sqrt(6.0 / 22), 0});
}

static void initialisation_depends_on_the_seed(void **state)
{
    (void)state;
    ls_network *network;
    assert_ok(ls_network_create(&network, "dense:300 relu dense:200 tanh dense:10", input, 10,
                                LS_CROSS_ENTROPY, 0));
    float *params = ls_alloc(ls_network_size(network), sizeof *params);
    float *again = ls_alloc(ls_network_size(network), sizeof *again);
    ls_network_initialise(network, 3, params);
    ls_network_initialise(network, 3, again);
    assert_memory_equal(params, again, (size_t)ls_network_size(network) * sizeof *params);
    ls_network_initialise(network, 4, again);
    assert_true(memcmp(params, again, 1000) != 0);
    ls_free(params);
    ls_free(again);
    ls_network_destroy(&network);
}

static void the_gradient_of_no_rows_is_zero(void **state)
{
    (void)state;
    ls_network *network;
    ls_batch *batch;
    const ls_shape two = {2, 1, 1};
    assert_ok(ls_network_create(&network, "dense:3", two, 3, LS_CROSS_ENTROPY, 2));
    assert_ok(ls_batch_create(&batch, 2, 2, 0));
    float params[9] = {1e20f, 0, 0, 0, 0, 0, 0, 0, 0}, grads[9];
    memset(grads, 1, sizeof grads);
    ls_score score = ls_network_gradient(network, params, batch, grads, NULL);
    assert_int_equal(score.rows, 0);
    for (int i = 0; i < 9; i++)
        assert_true(grads[i] == 0);
    ls_batch_destroy(&batch);
    ls_network_destroy(&network);
}

static void the_loss_is_finite_for_large_logits_and_nan_for_nan(void **state)
{
    (void)state;
    ls_network *network;
    ls_batch *batch;
    const ls_shape two = {2, 1, 1};
    assert_ok(ls_network_create(&network, "dense:3", two, 3, LS_CROSS_ENTROPY, 2));
    assert_ok(ls_batch_create(&batch, 2, 2, 0));
    float params[9] = {1e20f, 0, 0, 0, 0, 0, 0, 0, 0}, grads[9];
    batch->rows = 2;
    batch->x[0] = batch->x[2] = 1;
    batch->labels[0] = 0;
    batch->labels[1] = 1;
    ls_score score = ls_network_gradient(network, params, batch, grads, NULL);
    assert_true(isfinite(score.loss));
    assert_near(score.loss, 1e20, 1e-6, 0);
    assert_true(score.correct == 1);
    params[0] = NAN;
    score = ls_network_gradient(network, params, batch, grads, NULL);
    assert_true(isnan(score.loss));
    ls_batch_destroy(&batch);
    ls_network_destroy(&network);
}

static void passes_allocate_no_memory(void **state)
{
    (void)state;
    ls_network *network;
    ls_batch *batch;
    const ls_shape small = {1, 4, 4};
    assert_ok(ls_network_create(&network,
                                "conv:4x3,1,1 batchnorm :a gelu conv:4x1 +a &a dense:8 tanh "
                                "dense:4 relu dense:3 softmax",
                                small, 3, LS_CROSS_ENTROPY, 5));
    assert_ok(ls_batch_create(&batch, 5, 16, 0));
    float *params = ls_alloc(2 * ls_network_size(network), sizeof *params);
    ls_network_initialise(network, 1, params);
    batch->rows = 5;
    int64_t before = ls_alloc_calls();
    (void)ls_network_gradient(network, params, batch, params + ls_network_size(network), NULL);
    (void)ls_network_evaluate(network, params, batch, NULL);
    assert_int_equal(ls_alloc_calls(), before);
    ls_free(params);
    ls_batch_destroy(&batch);
    ls_network_destroy(&network);
}

/* A chain of layers of any length needs two buffers of gradients. */
static void gradients_need_few_buffers(void **state)
{
    (void)state;
    static const struct {
        const char *model;
        int buffers;
    } cases[] = {
        {"dense:10", 2},
        {"dense:9 relu dense:8 tanh dense:7 gelu dense:10", 2},
        {"dense:9 tanh batchnorm dense:10 batchnorm", 2},
        {"dense:9 :a tanh dense:9 +a dense:10", 3},
        {"dense:9 :a dense:9 tanh :b dense:9 +a +b dense:10", 4},
        {"dense:9 :a tanh &a dense:9 :b tanh &b dense:10", 3},
        {"resnet", 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ls_network *network;
        assert_ok(ls_network_create(&network, cases[i].model, input, 10, LS_CROSS_ENTROPY, 1));
        if (network->gradients != cases[i].buffers)
            fail_msg("%s: %d buffers, not %d", cases[i].model, network->gradients,
                     cases[i].buffers);
        ls_network_destroy(&network);
    }
}

typedef struct hook_calls {
    int calls;
    int64_t from;
    const float *grads, *expected;
    int64_t size;
} hook_calls;

/* Asserts that offsets decrease and that gradients from `from` on are final. */
static void check_final_gradients(void *user, int64_t from)
{
    hook_calls *t = user;
    assert_true(from < t->from);
    t->from = from;
    t->calls++;
    for (int64_t i = from; i < t->size; i++)
        assert_true(fabsf(t->grads[i] - t->expected[i]) <= 1e-5f * fabsf(t->expected[i]) + 1e-7f);
}

static void the_gradient_hook_reports_final_gradients(void **state)
{
    (void)state;
    ls_network *network;
    ls_batch *batch;
    const ls_shape image = {1, 20, 20};
    assert_ok(ls_network_create(&network, "dense:500 relu dense:300 relu dense:3", image, 3,
                                LS_CROSS_ENTROPY, 5));
    assert_ok(ls_batch_create(&batch, 5, 400, 0));
    const int64_t size = ls_network_size(network);
    float *params = ls_alloc(3 * size, sizeof *params);
    float *grads = params + size, *expected = grads + size;
    ls_network_initialise(network, 1, params);
    for (int i = 0; i < 5 * 400; i++)
        batch->x[i] = (float)(i % 7) * 0.1f;
    for (batch->rows = 5; batch->rows >= 0; batch->rows -= 5) {
        hook_calls t = {.from = size, .grads = grads, .expected = expected, .size = size};
        (void)ls_network_gradient(network, params, batch, expected, NULL);
        memset(grads, 1, (size_t)size * sizeof *grads);
        const ls_pass pass = {.grad_hook = {.call = check_final_gradients, .user = &t}};
        (void)ls_network_loss(network, params, batch, &pass);
        ls_network_backward(network, params, batch, &pass, grads);
        assert_int_equal(t.from, 0);
        /* Slices of the two large layers, and the last layer; without rows each layer. */
        assert_true(batch->rows == 0 ? t.calls == 3 : t.calls >= 7);
    }
    ls_free(params);
    ls_batch_destroy(&batch);
    ls_network_destroy(&network);
}

static void flops_are_counted_as_by_hand(void **state)
{
    (void)state;
    ls_network *network;
    assert_ok(ls_network_create(&network, "dense:512 relu dense:10", (ls_shape){1, 28, 28}, 10,
                                LS_CROSS_ENTROPY, 1));
    assert_true(ls_network_flops(network) == 2.0 * (2 * 784 * 512 + 3 * 512 * 10));
    ls_network_destroy(&network);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_string_gives_layers_and_parameters),
        cmocka_unit_test(an_error_names_the_wrong_word),
        cmocka_unit_test(a_sum_with_an_unbounded_summand_gives_logits),
        cmocka_unit_test(networks_without_parameters_or_beyond_the_limits_are_refused),
        cmocka_unit_test(an_unknown_word_lists_all_layers),
        cmocka_unit_test(preset_networks_have_the_known_sizes),
        cmocka_unit_test(every_preset_fits_the_number_of_classes),
        cmocka_unit_test(layers_are_described),
        cmocka_unit_test(initialisation_scales_for_a_relu_after_a_branch),
        cmocka_unit_test(initialisation_follows_the_activation),
        cmocka_unit_test(vectors_of_tokens_begin_with_squared_length_one),
        cmocka_unit_test(initialisation_depends_on_the_seed),
        cmocka_unit_test(the_gradient_of_no_rows_is_zero),
        cmocka_unit_test(the_loss_is_finite_for_large_logits_and_nan_for_nan),
        cmocka_unit_test(passes_allocate_no_memory),
        cmocka_unit_test(gradients_need_few_buffers),
        cmocka_unit_test(the_gradient_hook_reports_final_gradients),
        cmocka_unit_test(flops_are_counted_as_by_hand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
