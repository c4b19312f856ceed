/* The choice of the format, and what the formats share. */
#include "interop/format.h"

#include "base/json.h"

#include <lockstep/version.h>

#include <string.h>

static const ls_choice formats[] = {LS_EXPORT_LIST(LS_CHOICE_ROW){NULL, NULL}};

static const struct {
    const char *extension;
    ls_export_format format;
} extensions[] = {
    {".onnx", LS_EXPORT_ONNX},
    {".h5", LS_EXPORT_KERAS},
    {".hdf5", LS_EXPORT_KERAS},
    {".safetensors", LS_EXPORT_SAFETENSORS},
};

ls_status ls_export_find_format(const char *path, ls_export_format *format)
{
    const char *dot = strrchr(path, '.');
    if (*format != LS_EXPORT_AUTO)
        return LS_OK;
    for (size_t i = 0; dot != NULL && i < sizeof extensions / sizeof *extensions; i++)
        if (strcmp(dot, extensions[i].extension) == 0) {
            *format = extensions[i].format;
            return LS_OK;
        }
    if (dot != NULL && strcmp(dot, ".keras") == 0)
        return ls_fail(LS_ERR_USAGE,
                       "%s: this is the extension of Keras' zip format; Keras also reads its HDF5 "
                       "format, which is written: NAME.h5",
                       path);
    return ls_fail(
        LS_ERR_USAGE,
        "%s: the extension must be .onnx, .h5 or .safetensors; or give --format %s|%s|%s", path,
        formats[LS_EXPORT_ONNX].name, formats[LS_EXPORT_KERAS].name,
        formats[LS_EXPORT_SAFETENSORS].name);
}

ls_graph_style ls_export_style(ls_export_format format)
{
    return (ls_graph_style){.channels_first = format != LS_EXPORT_KERAS,
                            .dropout = format != LS_EXPORT_ONNX};
}

ls_status ls_export(const ls_export_source *source, const ls_export_options *options,
                    const char *path)
{
    ls_export_format format = options->format;
    const ls_status status = ls_export_find_format(path, &format);
    if (status != LS_OK)
        return status;
    if (format == LS_EXPORT_KERAS)
        return ls_keras_write(source, options, path);
    if (format == LS_EXPORT_SAFETENSORS)
        return ls_safetensors_write(source, options, path);
#ifdef LS_HAVE_PROTOBUF_C
    return ls_onnx_write(source, options, path);
#else
    return ls_fail(LS_ERR_FAILURE,
                   "%s: this build can't write ONNX: protobuf-c was not found; export to .h5 or "
                   ".safetensors, or install libprotobuf-c-dev and protobuf-c-compiler and build "
                   "again",
                   path);
#endif
}

const char *ls_export_outputs(const ls_export_source *source, const ls_export_options *options)
{
    if (options->logits)
        return "logits";
    return ls_loss_takes_logits(ls_network_loss_kind(source->network)) ? "probabilities"
                                                                       : "outputs";
}

json_t *ls_export_metadata(const ls_export_source *source, const ls_export_options *options)
{
    char outputs[16];
    snprintf(outputs, sizeof outputs, "%d", ls_network_classes(source->network));
    const struct {
        const char *key, *value;
    } facts[] = {
        {"lockstep", LS_VERSION},
        {"model", ls_network_model(source->network)},
        {"loss", ls_loss_name(ls_network_loss_kind(source->network))},
        {"classes", outputs},
        {"input", options->normalized ? "normalized" : ls_element_name(source->element)},
        {"output", ls_export_outputs(source, options)},
        {"parameters", source->averaged ? "averaged" : "latest"},
        {"dataset", source->dataset},
        {"run", source->run},
        {"checkpoint", source->digest},
    };
    json_t *object = json_object();
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        if (facts[i].value != NULL && *facts[i].value != '\0' &&
            json_object_set_new(object, facts[i].key, ls_json_text(facts[i].value)) != 0) {
            json_decref(object);
            return NULL;
        }
    return object;
}

bool ls_graph_is_chain(const ls_export_graph *graph)
{
    for (int i = 0; i < graph->nodes; i++)
        if (graph->node[i].inputs != 1 || graph->node[i].input[0] != i - 1)
            return false;
    return true;
}
