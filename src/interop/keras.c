/* A whole model in Keras' HDF5 format: the attribute `model_config`, and the weights of all layers
 * in the group model_weights, which has the attribute `layer_names`; each layer is a group with the
 * attribute `weight_names`. The weights have Lockstep's own layout. */
#include "interop/format.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/temporary.h"
#include "data/h5.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define GROUP "model_weights"
enum { PATH = 2 * LS_NODE_NAME + 32 };

/* Whose format it is. */
static const char keras_version[] = "2.15.0", backend[] = "tensorflow";

/* The names of the weights of a layer; those of recurrent layers are of one direction. */
static const char *const *names_of(const ls_node *node)
{
    static const char *const weights[] = {"kernel:0", "bias:0"};
    static const char *const recurrent[] = {"kernel:0", "recurrent_kernel:0", "bias:0"};
    static const char *const statistics[] = {"gamma:0", "beta:0", "moving_mean:0",
                                             "moving_variance:0"};
    static const char *const embeddings[] = {"embeddings:0"};
    switch (node->kind) {
    case LS_NODE_BATCHNORM:
    case LS_NODE_LAYERNORM:
        return statistics;
    case LS_NODE_EMBEDDING:
        return embeddings;
    default:
        return ls_node_is_recurrent(node) ? recurrent : weights;
    }
}

/* Makes the path of weight k below the layer's group: layer/name, or, of two directions,
 * layer/forward_layer/name and layer/backward_layer/name. */
static void path_of(const ls_node *node, int k, char *out)
{
    const int half = node->attributes.both ? node->params / 2 : node->params;
    if (node->attributes.both)
        snprintf(out, PATH, "%s/%s_%s/%s", node->name, k < half ? "forward" : "backward",
                 node->name, names_of(node)[k % half]);
    else
        snprintf(out, PATH, "%s/%s", node->name, names_of(node)[k]);
}

/* Writes one weight, GROUP/layer/layer/name. */
static ls_status write_weight(ls_h5 *file, const char *path, const ls_array *a)
{
    ls_h5_shape shape = {.type = LS_H5_F32, .rank = a->rank};
    for (int i = 0; i < a->rank; i++)
        shape.dims[i] = a->dims[i];
    const ls_status status = ls_h5_create_dataset(file, path, &shape, false);
    return status == LS_OK ? ls_h5_write(file, path, LS_H5_F32, 0, a->dims[0], a->values) : status;
}

/* Writes the group of a layer. */
static ls_status write_layer(ls_h5 *file, const char *name, const ls_node *node)
{
    char group[PATH], path[2 * PATH], relative[LS_NODE_PARAMS][PATH];
    const char *list[LS_NODE_PARAMS];
    const int count = node != NULL && ls_keras_has_weights(node) ? node->params : 0;
    snprintf(group, sizeof group, GROUP "/%s", name);
    ls_status status = ls_h5_create_group(file, group);
    for (int k = 0; status == LS_OK && k < count; k++) {
        path_of(node, k, relative[k]);
        snprintf(path, sizeof path, "%s/%.*s", group, PATH - 1, relative[k]);
        list[k] = relative[k];
        status = write_weight(file, path, &node->param[k]);
    }
    return status == LS_OK ? ls_h5_put_texts_of(file, group, "weight_names", list, count) : status;
}

/* The node of this name; NULL if there is none, as of an inserted layer. */
static const ls_node *find_node(const ls_export_graph *graph, const char *name)
{
    for (int i = 0; i < graph->nodes; i++)
        if (strcmp(graph->node[i].name, name) == 0)
            return &graph->node[i];
    return NULL;
}

/* Writes the weights of all layers of the configuration. */
static ls_status write_layers(ls_h5 *file, const ls_export_graph *graph, const json_t *layers)
{
    const size_t count = json_array_size(layers);
    const char **names = ls_alloc((int64_t)count, sizeof *names);
    ls_status status = names == NULL ? LS_ERR_FAILURE : ls_h5_create_group(file, GROUP);
    for (size_t i = 0; status == LS_OK && i < count; i++) {
        const json_t *config = json_object_get(json_array_get(layers, i), "config");
        names[i] = json_string_value(json_object_get(config, "name"));
        status = write_layer(file, names[i], find_node(graph, names[i]));
    }
    if (status == LS_OK)
        status = ls_h5_put_texts_of(file, GROUP, "layer_names", names, (int)count);
    if (status == LS_OK)
        status = ls_h5_put_text_of(file, GROUP, "keras_version", keras_version);
    if (status == LS_OK)
        status = ls_h5_put_text_of(file, GROUP, "backend", backend);
    ls_free((void *)names);
    return status;
}

/* Writes the attributes of the file. */
static ls_status write_attributes(ls_h5 *file, const json_t *config, json_t *metadata)
{
    const char *key;
    json_t *value;
    char name[64], *text = json_dumps(config, LS_KERAS_JSON);
    ls_status status = text == NULL ? ls_fail(LS_ERR_FAILURE, "out of memory for the configuration")
                                    : ls_h5_put_text(file, "model_config", text);
    free(text);
    if (status == LS_OK)
        status = ls_h5_put_text(file, "keras_version", keras_version);
    if (status == LS_OK)
        status = ls_h5_put_text(file, "backend", backend);
    json_object_foreach(metadata, key, value)
    {
        snprintf(name, sizeof name, "lockstep_%s", key);
        if (status == LS_OK)
            status = ls_h5_put_text(file, strcmp(key, "lockstep") == 0 ? key : name,
                                    json_string_value(value));
    }
    return status;
}

/* The content of a file. */
typedef struct content {
    ls_export_graph *graph;
    json_t *config, *metadata;
} content;

static ls_status write_file(const content *c, const char *path)
{
    ls_h5 *file = NULL;
    ls_status status = ls_h5_create_plain(&file, path);
    if (status != LS_OK)
        return status;
    status = write_attributes(file, c->config, c->metadata);
    if (status == LS_OK)
        status = write_layers(file, c->graph,
                              json_object_get(json_object_get(c->config, "config"), "layers"));
    const ls_status closed = ls_h5_close(&file);
    return status != LS_OK ? status : closed;
}

/* Writes a file atomically. */
static ls_status publish(const content *c, const char *path)
{
    char temporary[LS_PATH_MAX];
    ls_status status = ls_check_folder_of(path);
    if (status == LS_OK)
        status = ls_temporary_name(temporary, path);
    if (status != LS_OK)
        return status;
    status = write_file(c, temporary);
    if (status == LS_OK)
        status = ls_sync_file(temporary);
    if (status == LS_OK)
        return ls_publish(temporary, path);
    ls_temporary_remove(temporary);
    return status;
}

static bool is_hdf5(const unsigned char *begin, size_t length)
{
    return length >= 8 && memcmp(begin, "\x89HDF\r\n\x1a\n", 8) == 0;
}

static bool is_none(const unsigned char *begin, size_t length)
{
    (void)begin, (void)length;
    return false;
}

/* Returns an error unless a file is a Keras model. In a child process. */
static ls_status find_config(const void *path)
{
    ls_h5 *file = NULL;
    ls_status status = ls_h5_open(&file, path);
    if (status == LS_OK && !ls_h5_has_attribute(file, "model_config"))
        status = ls_fail(LS_ERR_DATA, "no model");
    (void)ls_h5_close(&file);
    return status;
}

/* Refuses to replace an existing file that is not a Keras model. */
static ls_status refuse_foreign(const char *path)
{
    static const char kind[] = "Keras model";
    struct stat about;
    const ls_status status = ls_refuse_other_kind(path, is_hdf5, kind);
    if (status != LS_OK || stat(path, &about) != 0 || about.st_size == 0 ||
        ls_h5_try(path, find_config, path) == LS_OK)
        return status;
    return ls_refuse_other_kind(path, is_none, kind);
}

ls_status ls_keras_write(const ls_export_source *source, const ls_export_options *options,
                         const char *path)
{
    content c = {.graph = NULL};
    ls_status status = refuse_foreign(path);
    if (status == LS_OK)
        status =
            ls_export_graph_create(&c.graph, source, options, ls_export_style(LS_EXPORT_KERAS));
    if (status != LS_OK)
        return status;
    c.config = ls_keras_config(c.graph);
    c.metadata = ls_export_metadata(source, options);
    status = c.config != NULL && c.metadata != NULL
                 ? publish(&c, path)
                 : ls_fail(LS_ERR_FAILURE, "%s: out of memory for the configuration", path);
    json_decref(c.config);
    json_decref(c.metadata);
    ls_export_graph_destroy(&c.graph);
    return status;
}
