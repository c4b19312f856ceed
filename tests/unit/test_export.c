/* Exported networks: the graph that a format gets, parameters in its layout, and the files, read
 * back independently of the writers. tests/cli/test_export.sh compares outputs in other tools. */
#include "test.h"

#include "base/memory.h"
#include "data/h5.h"
#include "interop/format.h"
#include "interop/layout.h"

#include <math.h>
#include <string.h>
#include <sys/stat.h>

#ifdef LS_HAVE_PROTOBUF_C
#include "onnx.pb-c.h"
#endif

static float params[1 << 16];

/* A network with parameters 0, 1, 2, ... */
static ls_export_source make_source(const char *model, ls_shape input, int classes, ls_loss loss)
{
    ls_export_source source = {.params = params, .mean = 0, .std = 1};
    assert_ok(
        ls_network_create(&source.network, model, input, classes, loss, LS_EXPORT_CHECK_ROWS));
    assert_true(ls_network_size(source.network) <= (int64_t)(sizeof params / sizeof *params));
    for (size_t i = 0; i < sizeof params / sizeof *params; i++)
        params[i] = (float)i;
    return source;
}

static void filters_are_reordered_by_their_indices(void **state)
{
    (void)state;
    enum { K = 3, C = 4, F = 5 };
    float to[F * C * K * K];
    for (int i = 0; i < F * C * K * K; i++)
        params[i] = (float)i;
    ls_layout_filters((int64_t)K * K, C, F, params, to);
    for (int f = 0; f < F; f++)
        for (int c = 0; c < C; c++)
            for (int i = 0; i < K; i++)
                for (int j = 0; j < K; j++)
                    assert_true(to[((f * C + c) * K + i) * K + j] ==
                                params[((i * K + j) * C + c) * F + f]);
}

static void a_matrix_is_transposed_across_the_borders_of_its_tiles(void **state)
{
    (void)state;
    enum { ROWS = 70, COLUMNS = 33 };
    static float to[ROWS * COLUMNS];
    for (int i = 0; i < ROWS * COLUMNS; i++)
        params[i] = (float)i;
    ls_layout_transpose(ROWS, COLUMNS, params, to);
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < COLUMNS; j++)
            assert_true(to[j * ROWS + i] == params[i * COLUMNS + j]);
}

static void features_are_reordered_and_back(void **state)
{
    (void)state;
    enum { C = 3, H = 2, W = 4, WIDTH = 2, ALL = C * H * W * WIDTH };
    const ls_shape image = {C, H, W};
    float planar[ALL], back[ALL];
    for (int i = 0; i < ALL; i++)
        params[i] = (float)i;
    ls_layout_features(image, false, WIDTH, params, planar);
    for (int c = 0; c < C; c++)
        for (int p = 0; p < H * W; p++)
            for (int k = 0; k < WIDTH; k++)
                assert_true(planar[(c * H * W + p) * WIDTH + k] == params[(p * C + c) * WIDTH + k]);
    ls_layout_features(image, true, WIDTH, planar, back);
    assert_memory_equal(back, params, sizeof back);
}

/* Lists the names of a graph's nodes; a * marks features in the format's order. */
static void list_nodes(const ls_export_graph *graph, char nodes[512])
{
    nodes[0] = '\0';
    for (int n = 0; n < graph->nodes; n++) {
        const size_t used = strlen(nodes);
        snprintf(nodes + used, 512 - used, "%s%s%s", n > 0 ? " " : "", graph->node[n].name,
                 graph->node[n].permuted ? "*" : "");
    }
}

/* Nodes that a format gets. */
static void a_format_gets_these_nodes(void **state)
{
    (void)state;
    const struct {
        const char *model;
        ls_shape input;
        int classes;
        ls_export_format format;
        const char *nodes;
    } cases[] = {
        {"dense:4 relu dense:3 softmax",
         {1, 2, 3},
         3,
         LS_EXPORT_ONNX,
         "normalise dense1_flatten dense1 relu1 dense2 softmax1"},
        {"dense:3", {5, 1, 1}, 3, LS_EXPORT_ONNX, "normalise dense1 softmax"},
        /* One channel is flattened in the same order everywhere. */
        {"conv:1x2 flatten batchnorm dense:3",
         {1, 4, 5},
         3,
         LS_EXPORT_ONNX,
         "normalise conv1 flatten1 batchnorm1 dense1 softmax"},
        {"conv:2x2 flatten batchnorm dropout:0.5 dense:3",
         {1, 4, 5},
         3,
         LS_EXPORT_ONNX,
         "normalise conv1 flatten1* batchnorm1* dense1 softmax"},
        {"conv:2x2 flatten batchnorm dropout:0.5 dense:3",
         {1, 4, 5},
         3,
         LS_EXPORT_SAFETENSORS,
         "normalise conv1 flatten1* batchnorm1* dropout1* dense1 softmax"},
        {"conv:2x2 flatten batchnorm dropout:0.5 dense:3",
         {1, 4, 5},
         3,
         LS_EXPORT_KERAS,
         "normalise conv1 flatten1 batchnorm1 dropout1 dense1 softmax"},
        /* Rows in the order of the file. */
        {"dense:3", {3, 2, 2}, 3, LS_EXPORT_ONNX, "normalise dense1_flatten dense1 softmax"},
        {"dense:3", {3, 2, 2}, 3, LS_EXPORT_KERAS, "normalise dense1_flatten* dense1 softmax"},
        /* One pixel that becomes an image by its margin. */
        {"conv:2x3,1,2 dense:3",
         {3, 1, 1},
         3,
         LS_EXPORT_ONNX,
         "normalise conv1 dense1_flatten* dense1 softmax"},
        /* Outputs and sums need the order of Lockstep. */
        {"conv:2x2",
         {3, 2, 3},
         4,
         LS_EXPORT_ONNX,
         "normalise conv1 output_transpose output_flatten softmax"},
        {"conv:2x2 flatten dropout:0.5",
         {3, 2, 3},
         4,
         LS_EXPORT_KERAS,
         "normalise conv1 flatten1 dropout1 softmax"},
        {"conv:2x2 flatten :a dense:4 +a dense:3",
         {3, 2, 3},
         3,
         LS_EXPORT_ONNX,
         "normalise conv1 flatten1_transpose flatten1 dense1 add1 dense2 softmax"},
        {"conv:3x1 globalpool",
         {3, 2, 3},
         3,
         LS_EXPORT_ONNX,
         "normalise conv1 globalpool1 globalpool1_flatten softmax"},
        {"conv:3x1 globalpool",
         {3, 2, 3},
         3,
         LS_EXPORT_KERAS,
         "normalise conv1 globalpool1 softmax"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ls_export_graph *graph = NULL;
        char nodes[512];
        ls_export_source source =
            make_source(cases[i].model, cases[i].input, cases[i].classes, LS_CROSS_ENTROPY);
        assert_ok(ls_export_graph_create(&graph, &source, &(ls_export_options){0},
                                         ls_export_style(cases[i].format)));
        list_nodes(graph, nodes);
        assert_string_equal(nodes, cases[i].nodes);
        ls_export_graph_destroy(&graph);
        ls_network_destroy(&source.network);
    }
}

/* Computes the shifts and scales before the first layer, for a number of channel c. */
static float normalise(const ls_export_graph *graph, int64_t c, float x)
{
    for (int n = 0; graph->node[n].params == 1; n++) {
        const ls_array *a = &graph->node[n].param[0];
        const float number = a->values[a->count > 1 ? c : 0];
        x = graph->node[n].kind == LS_NODE_SHIFT ? x + number : x * number;
        assert_int_equal(a->rank, a->count > 1 ? 3 : 1);
    }
    return x;
}

static void inputs_are_normalised_by_the_operations_of_training(void **state)
{
    (void)state;
    static const double mean[] = {2000.1, 300, -5}, same[] = {2000.1, 2000.1, 2000.1},
                        std[] = {3, 4, 5};
    const struct {
        ls_element element;
        double mean, std; /* of --normalize */
        ls_column_scale inputs;
        const char *nodes;
        int64_t numbers; /* of the first node */
    } cases[] = {
        {LS_U8, 0, 1, {0}, "normalise", 1},
        {LS_F32, 0, 1, {0}, "", 0},
        {LS_U8, 0.5, 0.25, {0}, "normalise normalise_shift", 1},
        {LS_F32, 2000.1, 1, {0}, "normalise_shift", 1},
        {LS_F32, 0, 1, {3, mean, std}, "standardise_centre standardise", 3},
        {LS_F32, 0, 1, {3, same, std}, "standardise_centre standardise", 1},
        {LS_U8, 0, 1, {3, mean, std}, "normalise standardise_centre standardise", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ls_export_graph *graph = NULL;
        char nodes[512], expected[512];
        ls_export_source source =
            make_source("conv:2x2 flatten dense:4", (ls_shape){3, 2, 3}, 4, LS_MSE);
        source.element = cases[i].element;
        source.mean = cases[i].mean;
        source.std = cases[i].std;
        source.inputs = cases[i].inputs;
        assert_ok(ls_export_graph_create(&graph, &source, &(ls_export_options){0},
                                         ls_export_style(LS_EXPORT_ONNX)));
        list_nodes(graph, nodes);
        snprintf(expected, sizeof expected, "%s%sconv1 flatten1* dense1", cases[i].nodes,
                 *cases[i].nodes != '\0' ? " " : "");
        assert_string_equal(nodes, expected);
        assert_true(*cases[i].nodes == '\0' || graph->node[0].param[0].count == cases[i].numbers);
        for (int64_t c = 0; c < 3; c++) {
            const float raw = 2001.5f, unit = source.element == LS_U8 ? 1 / 255.f : 1;
            float x = raw * (unit / (float)source.std) - (float)(source.mean / source.std);
            if (source.inputs.count > 0)
                x = (x - (float)source.inputs.mean[c]) * (float)(1 / source.inputs.std[c]);
            assert_near(normalise(graph, c, raw), x, 1e-6, 0);
        }
        ls_export_graph_destroy(&graph);
        ls_network_destroy(&source.network);
    }
}

static void an_autoencoder_gives_its_outputs_in_the_order_of_the_input(void **state)
{
    (void)state;
    enum { C = 2, H = 1, W = 3, OUTPUTS = C * H * W };
    static const double mean[OUTPUTS] = {7, 7, 7, 9, 9, 9}, std[OUTPUTS] = {2, 2, 2, 3, 3, 3};
    static const char *const expected[LS_EXPORT_FORMATS] = {
        [LS_EXPORT_ONNX] = "normalise dense1_flatten dense1 values_scale values",
        [LS_EXPORT_KERAS] = "normalise dense1_flatten* dense1 image values_scale values outputs",
        [LS_EXPORT_SAFETENSORS] = "normalise dense1_flatten dense1 values_scale values"};
    ls_export_source source = make_source("dense:6", (ls_shape){C, H, W}, OUTPUTS, LS_MSE);
    ls_network_set_reconstructs(source.network);
    source.targets = (ls_column_scale){OUTPUTS, mean, std};
    for (int format = LS_EXPORT_ONNX; format < LS_EXPORT_FORMATS; format++) {
        ls_export_graph *graph = NULL;
        char nodes[512];
        assert_ok(ls_export_graph_create(&graph, &source, &(ls_export_options){0},
                                         ls_export_style((ls_export_format)format)));
        list_nodes(graph, nodes);
        assert_string_equal(nodes, expected[format]);
        const ls_node *scale = &graph->node[format == LS_EXPORT_KERAS ? 4 : 3];
        assert_int_equal(scale->param[0].count, format == LS_EXPORT_KERAS ? C : OUTPUTS);
        assert_true(scale->param[0].values[0] == 2);
        assert_true(scale->param[0].values[scale->param[0].count - 1] == 3);
        ls_export_graph_destroy(&graph);
    }
    ls_network_destroy(&source.network);
}

static void parameters_behind_a_flattening_are_permuted(void **state)
{
    (void)state;
    enum { C = 2, H = 2, W = 3, U = 3 };
    ls_export_graph *graph = NULL;
    ls_export_source source =
        make_source("conv:2x1 flatten batchnorm dense:3", (ls_shape){1, H, W}, U, LS_CROSS_ENTROPY);
    assert_ok(ls_export_graph_create(&graph, &source, &(ls_export_options){0},
                                     ls_export_style(LS_EXPORT_ONNX)));
    int rows;
    const ls_param *param = ls_network_params(source.network, &rows);
    assert_int_equal(rows, 8); /* conv: weight, bias; batchnorm: 4; dense: weight, bias */
    for (int c = 0; c < C; c++)
        for (int p = 0; p < H * W; p++) {
            const int ours = p * C + c, theirs = c * H * W + p;
            assert_true(graph->node[3].param[LS_BN_MEAN].values[theirs] ==
                        params[param[4].offset + ours]);
            for (int u = 0; u < U; u++)
                assert_true(graph->node[4].param[0].values[u * C * H * W + theirs] ==
                            params[param[6].offset + ours * U + u]);
        }
    assert_int_equal(graph->node[4].param[0].dims[0], U);
    ls_export_graph_destroy(&graph);
    ls_network_destroy(&source.network);
}

/* Compares a Keras configuration with the expected text. */
static void assert_config(const char *model, const char *expected)
{
    ls_export_graph *graph = NULL;
    ls_export_source source = make_source(model, (ls_shape){1, 6, 7}, 3, LS_CROSS_ENTROPY);
    const ls_export_options options = {.normalized = true};
    assert_ok(ls_export_graph_create(&graph, &source, &options, ls_export_style(LS_EXPORT_KERAS)));
    json_t *config = ls_keras_config(graph);
    char *text = json_dumps(config, LS_KERAS_JSON);
    assert_string_equal(text, expected);
    free(text);
    json_decref(config);
    ls_export_graph_destroy(&graph);
    ls_network_destroy(&source.network);
}
/* Checks the first numbers of a recurrent layer's biases in a format: those of the gates. The layer
 * has one unit, and its parameters are 0, 1, 2, ... */
static void expect_gates(const char *model, ls_export_format format, int count,
                         const float *expected)
{
    ls_export_graph *graph = NULL;
    ls_export_source source = make_source(model, (ls_shape){1, 3, 1}, 1, LS_MSE);
    assert_ok(ls_export_graph_create(&graph, &source, &(ls_export_options){.normalized = true},
                                     ls_export_style(format)));
    const ls_node *node = &graph->node[1]; /* behind the sequence of rows */
    const ls_array *bias = &node->param[2];
    for (int i = 0; i < count; i++)
        assert_true(bias->values[i] == expected[i]);
    if (format == LS_EXPORT_SAFETENSORS)
        assert_int_equal(node->params, 4);
    ls_export_graph_destroy(&graph);
    ls_network_destroy(&source.network);
}

/* Parameters: W [1][G], U [1][G], b [G] or [2][G]. */
static void gates_are_in_the_order_of_the_format(void **state)
{
    (void)state;
    /* i, f, g, o are 8, 9, 10, 11. */
    expect_gates("lstm:1", LS_EXPORT_KERAS, 4, (float[]){8, 9, 10, 11});
    expect_gates("lstm:1", LS_EXPORT_SAFETENSORS, 4, (float[]){8, 9, 10, 11});
    expect_gates("lstm:1", LS_EXPORT_ONNX, 8, (float[]){8, 11, 9, 10, 0, 0, 0, 0});
    /* z, r, n are 6, 7, 8, of the state 9, 10, 11. */
    expect_gates("gru:1", LS_EXPORT_KERAS, 6, (float[]){6, 7, 8, 9, 10, 11});
    expect_gates("gru:1", LS_EXPORT_SAFETENSORS, 3, (float[]){7, 6, 8});
    expect_gates("gru:1", LS_EXPORT_ONNX, 6, (float[]){6, 7, 8, 9, 10, 11});
}

static void keras_gets_a_sequential_or_a_functional_model(void **state)
{
    (void)state;
    assert_config(
        "conv:2x3,2,1 batchnorm leaky-relu dense:3 softmax",
        "{\"class_name\":\"Sequential\",\"config\":{\"name\":\"lockstep\",\"layers\":["
        "{\"class_name\":\"ZeroPadding2D\",\"config\":{\"padding\":[[1,1],[1,1]],"
        "\"data_format\":\"channels_last\",\"name\":\"conv1_pad\",\"dtype\":\"float32\","
        "\"batch_input_shape\":[null,6,7,1]}},"
        "{\"class_name\":\"Conv2D\",\"config\":{\"filters\":2,\"kernel_size\":[3,3],"
        "\"strides\":[2,2],\"padding\":\"valid\",\"data_format\":\"channels_last\","
        "\"activation\":\"linear\",\"use_bias\":false,\"name\":\"conv1\",\"dtype\":\"float32\"}},"
        "{\"class_name\":\"BatchNormalization\",\"config\":{\"axis\":-1,"
        "\"epsilon\":1e-5,\"name\":\"batchnorm1\",\"dtype\":\"float32\"}},"
        "{\"class_name\":\"LeakyReLU\",\"config\":{\"alpha\":0.01,"
        "\"name\":\"leaky-relu1\",\"dtype\":\"float32\"}},"
        "{\"class_name\":\"Flatten\",\"config\":{\"data_format\":\"channels_last\","
        "\"name\":\"dense1_flatten\",\"dtype\":\"float32\"}},"
        "{\"class_name\":\"Dense\",\"config\":{\"units\":3,\"activation\":\"linear\","
        "\"use_bias\":true,\"name\":\"dense1\",\"dtype\":\"float32\"}},"
        "{\"class_name\":\"Activation\",\"config\":{\"activation\":\"softmax\","
        "\"name\":\"softmax1\",\"dtype\":\"float32\"}}]}}");
    assert_config(
        "flatten :a dense:42 +a dense:3",
        "{\"class_name\":\"Functional\",\"config\":{\"name\":\"lockstep\",\"layers\":["
        "{\"class_name\":\"InputLayer\",\"config\":{\"batch_input_shape\":[null,6,7,1],"
        "\"name\":\"input\",\"dtype\":\"float32\"},\"name\":\"input\",\"inbound_nodes\":[]},"
        "{\"class_name\":\"Flatten\",\"config\":{\"data_format\":\"channels_last\","
        "\"name\":\"flatten1\",\"dtype\":\"float32\"},\"name\":\"flatten1\","
        "\"inbound_nodes\":[[[\"input\",0,0,{}]]]},"
        "{\"class_name\":\"Dense\",\"config\":{\"units\":42,\"activation\":\"linear\","
        "\"use_bias\":true,\"name\":\"dense1\",\"dtype\":\"float32\"},\"name\":\"dense1\","
        "\"inbound_nodes\":[[[\"flatten1\",0,0,{}]]]},"
        "{\"class_name\":\"Add\",\"config\":{\"name\":\"add1\",\"dtype\":\"float32\"},"
        "\"name\":\"add1\",\"inbound_nodes\":[[[\"dense1\",0,0,{}],[\"flatten1\",0,0,{}]]]},"
        "{\"class_name\":\"Dense\",\"config\":{\"units\":3,\"activation\":\"linear\","
        "\"use_bias\":true,\"name\":\"dense2\",\"dtype\":\"float32\"},\"name\":\"dense2\","
        "\"inbound_nodes\":[[[\"add1\",0,0,{}]]]},"
        "{\"class_name\":\"Activation\",\"config\":{\"activation\":\"softmax\","
        "\"name\":\"softmax\",\"dtype\":\"float32\"},\"name\":\"softmax\","
        "\"inbound_nodes\":[[[\"dense2\",0,0,{}]]]}],"
        "\"input_layers\":[[\"input\",0,0]],\"output_layers\":[[\"softmax\",0,0]]}}");
}

static void a_keras_file_holds_the_weights_in_the_order_of_its_layers(void **state)
{
    (void)state;
    ls_export_source source =
        make_source("conv:4x3 batchnorm dense:3", (ls_shape){2, 5, 4}, 3, LS_CROSS_ENTROPY);
    assert_ok(ls_export(&source, &(ls_export_options){0}, "net.h5"));
    static const char *const names[] = {"conv1/conv1/kernel:0",
                                        "batchnorm1/batchnorm1/gamma:0",
                                        "batchnorm1/batchnorm1/beta:0",
                                        "batchnorm1/batchnorm1/moving_mean:0",
                                        "batchnorm1/batchnorm1/moving_variance:0",
                                        "dense1/dense1/kernel:0",
                                        "dense1/dense1/bias:0"};
    ls_h5 *file = NULL;
    char *text = NULL;
    assert_ok(ls_h5_open(&file, "net.h5"));
    for (size_t i = 0, at = 0; i < sizeof names / sizeof *names; i++) {
        char name[128];
        float values[256];
        ls_h5_shape shape;
        snprintf(name, sizeof name, "model_weights/%s", names[i]);
        assert_ok(ls_h5_describe(file, name, &shape));
        int64_t count = 1;
        for (int d = 0; d < shape.rank; d++)
            count *= shape.dims[d];
        assert_ok(ls_h5_read(file, name, LS_H5_F32, 0, shape.dims[0], values));
        assert_memory_equal(values, params + at, (size_t)count * sizeof *values);
        at += (size_t)count;
    }
    assert_ok(ls_h5_get_text(file, "lockstep_model", &text));
    assert_string_equal(text, "conv:4x3 batchnorm dense:3");
    ls_free(text);
    assert_ok(ls_h5_close(&file));
    ls_network_destroy(&source.network);
}

/* Reads a whole file. */
static char *read_file(const char *path, size_t *length)
{
    struct stat about;
    assert_int_equal(stat(path, &about), 0);
    *length = (size_t)about.st_size;
    char *bytes = malloc(*length);
    FILE *file = fopen(path, "rb");
    assert_int_equal(fread(bytes, 1, *length, file), *length);
    fclose(file);
    return bytes;
}

static void safetensors_have_no_holes_and_aligned_values(void **state)
{
    (void)state;
    ls_export_source source =
        make_source("conv:4x3 batchnorm dense:3", (ls_shape){2, 5, 4}, 3, LS_CROSS_ENTROPY);
    source.run = "a \xff run";
    assert_ok(ls_export(&source, &(ls_export_options){0}, "net.safetensors"));
    size_t length;
    uint64_t header;
    char *bytes = read_file("net.safetensors", &length);
    memcpy(&header, bytes, sizeof header);
    assert_int_equal(header % 8, 0);
    json_t *object = json_loadb(bytes + 8, header, 0, NULL);
    assert_non_null(object);
    static const char *const names[] = {
        "2.num_batches_tracked", "0.scale",       "1.weight", "2.weight", "2.bias",
        "2.running_mean",        "2.running_var", "4.weight", "4.bias"};
    int64_t end = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        json_t *tensor = json_object_get(object, names[i]);
        json_int_t begin, after;
        assert_non_null(tensor);
        assert_int_equal(json_unpack(tensor, "{s:[I,I]}", "data_offsets", &begin, &after), 0);
        assert_int_equal(begin, end);
        end = after;
    }
    assert_int_equal(json_object_size(object), sizeof names / sizeof *names + 1);
    assert_int_equal(8 + header + (uint64_t)end, length);
    json_t *metadata = json_object_get(object, "__metadata__");
    assert_string_equal(json_string_value(json_object_get(metadata, "run")), "a ? run");
    assert_non_null(strstr(json_string_value(json_object_get(metadata, "pytorch")),
                           "nn.Conv2d(2, 4, 3, stride=1, padding=0, bias=False)"));
    json_decref(object);
    free(bytes);
    ls_network_destroy(&source.network);
}

static void pytorch_code_names_values_by_their_nodes(void **state)
{
    (void)state;
    ls_export_source source = make_source("dense:4 :a gelu &a dense:4 +a dense:3",
                                          (ls_shape){5, 1, 1}, 3, LS_CROSS_ENTROPY);
    char *code = NULL;
    assert_ok(ls_export_torch(&source, &(ls_export_options){.normalized = true, .logits = true},
                              "a\"b\\\n.safetensors", &code));
    assert_string_equal(code,
                        "import torch\nfrom torch import nn\n\n\n"
                        "class Net(nn.Sequential):\n"
                        "    def forward(self, x):\n"
                        "        v0 = self[0](x)\n"
                        "        v1 = self[1](v0)\n"
                        "        v2 = torch.cat((v1, v0), 1)\n"
                        "        v3 = self[2](v2)\n"
                        "        v4 = v3 + v0\n"
                        "        v5 = self[3](v4)\n"
                        "        return v5\n\n\n"
                        "net = Net(\n"
                        "    nn.Linear(5, 4),\n"
                        "    nn.GELU(),\n"
                        "    nn.Linear(8, 4),\n"
                        "    nn.Linear(4, 3),\n"
                        ")\nnet.eval()\n"
                        "if __name__ == \"__main__\":\n"
                        "    from safetensors.torch import load_file\n\n"
                        "    net.load_state_dict(load_file(\"a\\\"b\\\\\\x0a.safetensors\"))\n");
    ls_export_free(code);
    ls_network_destroy(&source.network);
}

#ifdef LS_HAVE_PROTOBUF_C
/* Returns true if an earlier node, the input or a tensor has the name. */
static bool is_known(const Onnx__GraphProto *graph, size_t node, const char *name)
{
    bool known = strcmp(name, "input") == 0;
    for (size_t i = 0; i < node; i++)
        known = known || strcmp(graph->node[i]->output[0], name) == 0;
    for (size_t i = 0; i < graph->n_initializer; i++)
        known = known || strcmp(graph->initializer[i]->name, name) == 0;
    return known;
}

static void onnx_nodes_read_earlier_values_and_write_new_ones(void **state)
{
    (void)state;
    ls_export_source source = make_source("conv:4x3,1,1 :a gelu &a silu flatten gelu dense:3",
                                          (ls_shape){2, 5, 4}, 3, LS_CROSS_ENTROPY);
    assert_ok(ls_export(&source, &(ls_export_options){0}, "net.onnx"));
    size_t length;
    char *bytes = read_file("net.onnx", &length);
    Onnx__ModelProto *model = onnx__model_proto__unpack(NULL, length, (uint8_t *)bytes);
    assert_non_null(model);
    assert_int_equal(model->ir_version, 7);
    assert_int_equal(model->opset_import[0]->version, 13);
    const Onnx__GraphProto *graph = model->graph;
    for (size_t i = 0; i < graph->n_node; i++) {
        assert_false(is_known(graph, i, graph->node[i]->output[0]));
        for (size_t k = 0; k < graph->node[i]->n_input; k++)
            assert_true(is_known(graph, i, graph->node[i]->input[k]));
    }
    assert_true(is_known(graph, graph->n_node, "output"));
    for (size_t i = 0; i < graph->n_initializer; i++) {
        const Onnx__TensorProto *t = graph->initializer[i];
        int64_t count = 1;
        for (size_t d = 0; d < t->n_dims; d++)
            count *= t->dims[d];
        assert_int_equal(t->raw_data.len, (size_t)count * sizeof(float));
    }
    onnx__model_proto__free_unpacked(model, NULL);
    free(bytes);
    ls_network_destroy(&source.network);
}
#else
static void onnx_is_refused_without_protobuf_c(void **state)
{
    (void)state;
    ls_export_source source = make_source("dense:3", (ls_shape){1, 2, 2}, 3, LS_CROSS_ENTROPY);
    assert_fails(ls_export(&source, &(ls_export_options){0}, "net.onnx"), LS_ERR_FAILURE,
                 "this build can't write ONNX");
    ls_network_destroy(&source.network);
}
#endif

static void what_cannot_be_exported_is_refused(void **state)
{
    (void)state;
    ls_export_source source = make_source("dense:3", (ls_shape){1, 2, 2}, 3, LS_MSE);
    const ls_export_options none = {0}, logits = {.logits = true};
    assert_fails(ls_export(&source, &logits, "a.h5"), LS_ERR_USAGE, "its loss is mse");
    assert_fails(ls_export(&source, &none, "a"), LS_ERR_USAGE, "the extension must be");
    assert_fails(ls_export(&source, &none, "a.keras"), LS_ERR_USAGE, "NAME.h5");
    source.std = 0;
    assert_fails(ls_export(&source, &none, "a.h5"), LS_ERR_USAGE, "would not be finite");
    ls_network_destroy(&source.network);
}

static void layers_that_a_format_does_not_have_are_refused_by_their_word(void **state)
{
    (void)state;
    const struct {
        const char *model, *name, *error;
    } cases[] = {
        {"attention:2 last dense:3", "a.h5", "'attention:2': this layer can't be exported to .h5"},
        {"gru:2,all,reverse last dense:3", "a.h5", "'gru:2,all,reverse'"},
        {"sequence:permuted,1 last dense:3", "a.h5", "'sequence:permuted,1'"},
        {"relu embedding:2,9 last dense:3", "a.safetensors", "'embedding:2,9'"},
        {":a embedding:2,9 last dense:3 :b @a dense:3 +b", "a.safetensors", "'dense:3'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ls_export_source source =
            make_source(cases[i].model, (ls_shape){1, 4, 4}, 3, LS_CROSS_ENTROPY);
        assert_fails(ls_export(&source, &(ls_export_options){0}, cases[i].name), LS_ERR_USAGE,
                     cases[i].error);
        ls_network_destroy(&source.network);
    }
}

static void checked_rows_are_the_same_for_all_formats(void **state)
{
    (void)state;
    ls_export_source source = make_source("dense:3", (ls_shape){2, 2, 3}, 3, LS_MSE);
    ls_network_initialise(source.network, 1, params);
    for (int format = LS_EXPORT_ONNX; format < LS_EXPORT_FORMATS; format++) {
        double value[15], outputs[3] = {0};
        const ls_export_options options = {.format = (ls_export_format)format};
        assert_ok(ls_export_check(&source, &options, "check.csv"));
        FILE *file = fopen("check.csv", "r");
        char line[4096];
        int rows = 0;
        assert_non_null(fgets(line, sizeof line, file));
        assert_int_equal(strncmp(line, "x0,x1,", 6), 0);
        for (; fgets(line, sizeof line, file) != NULL; rows++) {
            char *rest = line;
            for (int i = 0; i < 15; i++, rest++)
                value[i] = strtod(rest, &rest);
            for (int k = 0; k < 3; k++) { /* rows of the file are [channels][pixels] */
                outputs[k] = 0;
                for (int i = 0; i < 12; i++) {
                    const int at = format == LS_EXPORT_KERAS ? i % 6 * 2 + i / 6 : i;
                    assert_true(value[at] >= 0 && value[at] <= 255);
                    outputs[k] += value[at] / 255 * (double)params[i * 3 + k];
                }
                assert_near(value[12 + k], outputs[k], 1e-5, 1e-5);
            }
        }
        fclose(file);
        assert_int_equal(rows, LS_EXPORT_CHECK_ROWS);
    }
    ls_network_destroy(&source.network);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filters_are_reordered_by_their_indices),
        cmocka_unit_test(a_matrix_is_transposed_across_the_borders_of_its_tiles),
        cmocka_unit_test(features_are_reordered_and_back),
        cmocka_unit_test(a_format_gets_these_nodes),
        cmocka_unit_test(inputs_are_normalised_by_the_operations_of_training),
        cmocka_unit_test(an_autoencoder_gives_its_outputs_in_the_order_of_the_input),
        cmocka_unit_test(parameters_behind_a_flattening_are_permuted),
        cmocka_unit_test(gates_are_in_the_order_of_the_format),
        cmocka_unit_test(keras_gets_a_sequential_or_a_functional_model),
        cmocka_unit_test(a_keras_file_holds_the_weights_in_the_order_of_its_layers),
        cmocka_unit_test(safetensors_have_no_holes_and_aligned_values),
        cmocka_unit_test(pytorch_code_names_values_by_their_nodes),
#ifdef LS_HAVE_PROTOBUF_C
        cmocka_unit_test(onnx_nodes_read_earlier_values_and_write_new_ones),
#else
        cmocka_unit_test(onnx_is_refused_without_protobuf_c),
#endif
        cmocka_unit_test(what_cannot_be_exported_is_refused),
        cmocka_unit_test(layers_that_a_format_does_not_have_are_refused_by_their_word),
        cmocka_unit_test(checked_rows_are_the_same_for_all_formats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
