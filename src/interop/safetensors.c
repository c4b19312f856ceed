/* safetensors: the length of a JSON header, the header, and the values of the tensors, all without
 * holes; names and layouts as in the state dictionary of PyTorch's nn.Sequential. */
#include "interop/format.h"

#include "base/file.h"
#include "base/memory.h"
#include "interop/layout.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGN = 8, PREFIX = 8 };

/* Tensors in the order of the file. */
typedef struct content {
    const ls_export_graph *graph;
    json_t *header;
    int64_t bytes; /* of the tensors so far */
} content;

/* Adds a tensor to the header. */
static bool add_tensor(content *c, int module, const char *name, const char *type, json_t *shape,
                       int64_t bytes)
{
    char key[64];
    snprintf(key, sizeof key, "%d.%s", module, name);
    json_t *tensor = json_pack("{s:s, s:o, s:[I,I]}", "dtype", type, "shape", shape, "data_offsets",
                               (json_int_t)c->bytes, (json_int_t)(c->bytes + bytes));
    c->bytes += bytes;
    return json_object_set_new(c->header, key, tensor) == 0;
}

static json_t *shape_of(const ls_array *a)
{
    json_t *shape = json_array();
    for (int i = 0; i < a->rank; i++)
        json_array_append_new(shape, json_integer(a->dims[i]));
    return shape;
}

/* Adds the integers of the header: the counters of batch normalisations, first for the sake of
 * their alignment. */
static bool add_counters(content *c)
{
    int module = 0;
    bool done = true;
    for (int i = 0; i < c->graph->nodes; i++) {
        if (c->graph->node[i].kind == LS_NODE_BATCHNORM)
            done = done && add_tensor(c, module, "num_batches_tracked", "I64", json_array(),
                                      sizeof(int64_t));
        module += ls_torch_has_module(&c->graph->node[i]);
    }
    return done;
}

/* The names of a module's tensors. */
static const char *const *names_of(const ls_node *node)
{
    static const char *const statistics[] = {"weight", "bias", "running_mean", "running_var"};
    static const char *const steps[] = {"shift", "scale", "order"};
    static const char *const attention[] = {"in_proj_weight", "in_proj_bias", "out_proj.weight",
                                            "out_proj.bias"};
    static const char *const recurrent[] = {
        "weight_ih_l0",         "weight_hh_l0",         "bias_ih_l0",         "bias_hh_l0",
        "weight_ih_l0_reverse", "weight_hh_l0_reverse", "bias_ih_l0_reverse", "bias_hh_l0_reverse"};
    switch (node->kind) {
    case LS_NODE_SHIFT:
        return &steps[0];
    case LS_NODE_SCALE:
        return &steps[1];
    case LS_NODE_PERMUTE:
        return &steps[2];
    case LS_NODE_ATTENTION:
        return attention;
    default:
        return ls_node_is_recurrent(node) ? recurrent : statistics;
    }
}

static bool add_params(content *c)
{
    int module = 0;
    bool done = true;
    for (int i = 0; i < c->graph->nodes; i++) {
        const ls_node *node = &c->graph->node[i];
        for (int k = 0; done && k < node->params; k++)
            done = add_tensor(c, module, names_of(node)[k], "F32", shape_of(&node->param[k]),
                              node->param[k].count * (int64_t)sizeof(float));
        module += ls_torch_has_module(node);
    }
    return done;
}

/* Writes the values of the tensors behind the header. */
static void copy_values(const content *c, char *to)
{
    for (int i = 0; i < c->graph->nodes; i++)
        if (c->graph->node[i].kind == LS_NODE_BATCHNORM) {
            memset(to, 0, sizeof(int64_t));
            to += sizeof(int64_t);
        }
    for (int i = 0; i < c->graph->nodes; i++)
        for (int k = 0; k < c->graph->node[i].params; k++) {
            const ls_array *a = &c->graph->node[i].param[k];
            memcpy(to, a->values, (size_t)a->count * sizeof *a->values);
            to += (size_t)a->count * sizeof *a->values;
        }
}

/* Writes length, header, padded with blanks, and values. */
static ls_status write_content(const content *c, const char *header, size_t used, const char *path)
{
    const size_t length = (used + ALIGN - 1) / ALIGN * ALIGN;
    const size_t bytes = PREFIX + length + (size_t)c->bytes;
    const uint64_t prefix = htole64(length);
    char *file = ls_alloc((int64_t)bytes, 1);
    if (file == NULL)
        return LS_ERR_FAILURE;
    memcpy(file, &prefix, PREFIX);
    memset(file + PREFIX, ' ', length);
    memcpy(file + PREFIX, header, used);
    copy_values(c, file + PREFIX + length);
    const ls_status status = ls_write_file(path, file, bytes);
    ls_free(file);
    return status;
}

/* Adds the code that builds the module. */
static bool add_code(json_t *metadata, const ls_export_graph *graph)
{
    char *text = NULL;
    size_t length = 0;
    FILE *memory = open_memstream(&text, &length);
    if (memory == NULL)
        return false;
    ls_torch_print(graph, memory);
    const bool done =
        fclose(memory) == 0 && json_object_set_new(metadata, "pytorch", json_string(text)) == 0;
    free(text);
    return done;
}

static ls_status write_graph(const ls_export_graph *graph, json_t *metadata, const char *path)
{
    content c = {.graph = graph, .header = json_object()};
    ls_status status = LS_ERR_FAILURE;
    char *header = NULL;
    if (json_object_set(c.header, "__metadata__", metadata) == 0 && add_counters(&c) &&
        add_params(&c))
        header = json_dumps(c.header, JSON_COMPACT);
    status = header != NULL ? write_content(&c, header, strlen(header), path)
                            : ls_fail(LS_ERR_FAILURE, "%s: out of memory for the header", path);
    free(header);
    json_decref(c.header);
    return status;
}

static bool is_safetensors(const unsigned char *begin, size_t length)
{
    static const unsigned char zeros[4]; /* a header is below 4 GiB */
    return length > PREFIX && memcmp(begin + 4, zeros, sizeof zeros) == 0 && begin[PREFIX] == '{';
}

ls_status ls_safetensors_write(const ls_export_source *source, const ls_export_options *options,
                               const char *path)
{
    ls_export_graph *graph = NULL;
    ls_status status = ls_refuse_other_kind(path, is_safetensors, "safetensors");
    if (status == LS_OK)
        status =
            ls_export_graph_create(&graph, source, options, ls_export_style(LS_EXPORT_SAFETENSORS));
    if (status != LS_OK)
        return status;
    json_t *metadata = ls_export_metadata(source, options);
    if (metadata != NULL && add_code(metadata, graph)) {
        ls_layout_little_endian(graph->used, graph->values);
        status = write_graph(graph, metadata, path);
    } else
        status = ls_fail(LS_ERR_FAILURE, "%s: out of memory for the metadata", path);
    json_decref(metadata);
    ls_export_graph_destroy(&graph);
    return status;
}
