/* What the writers of all formats share. */
#include "interop/format.h"

#include "base/json.h"

#include <lockstep/version.h>

#include <stdlib.h>
#include <string.h>

ls_graph_style ls_export_style(ls_export_format format)
{
    return (ls_graph_style){.format = format,
                            .channels_first = format != LS_EXPORT_KERAS,
                            .dropout = format != LS_EXPORT_ONNX};
}

int64_t ls_export_vocabulary(const ls_network *network)
{
    for (int i = 0; i < ls_network_layers(network); i++) {
        const ls_layer_info layer = ls_network_layer(network, i);
        if (strcmp(layer.kind, "embedding") == 0 && layer.input[0] < 0)
            return layer.attributes.vocabulary;
    }
    return 0;
}

const char *ls_export_outputs(const ls_export_source *source, const ls_export_options *options)
{
    if (options->logits)
        return "logits";
    const ls_loss loss = ls_network_loss_kind(source->network);
    const bool scaled = source->targets.count > 0; /* to the units of the data set */
    return !scaled && (ls_loss_takes_logits(loss) || ls_loss_takes_sigmoid(loss)) ? "probabilities"
                                                                                  : "outputs";
}

/* Adds texts, unless they are NULL, as the text of a JSON array. Returns false if memory is
 * short. */
static bool add_texts(json_t *object, const char *key, const char *const *texts, int count)
{
    if (texts == NULL)
        return true;
    json_t *names = ls_json_texts(texts, count);
    char *text = names != NULL ? json_dumps(names, JSON_COMPACT) : NULL;
    const bool whole = text != NULL && json_object_set_new(object, key, json_string(text)) == 0;
    free(text);
    json_decref(names);
    return whole;
}

json_t *ls_export_metadata(const ls_export_source *source, const ls_export_options *options)
{
    char outputs[16], vocabulary[24] = "";
    const int64_t tokens = ls_export_vocabulary(source->network);
    snprintf(outputs, sizeof outputs, "%d", ls_network_outputs(source->network));
    if (tokens > 0)
        snprintf(vocabulary, sizeof vocabulary, "%lld", (long long)tokens);
    const struct {
        const char *key, *value;
    } facts[] = {
        {"lockstep", LS_VERSION},
        {"model", ls_network_model(source->network)},
        {"loss", ls_loss_name(ls_network_loss_kind(source->network))},
        {"classes", outputs},
        {"input", tokens > 0            ? "tokens"
                  : options->normalized ? "normalized"
                                        : ls_element_name(source->element)},
        {"vocabulary", vocabulary},
        {"output", ls_export_outputs(source, options)},
        {"parameters", source->averaged ? "averaged" : "latest"},
        {"dataset", source->dataset},
        {"run", source->run},
        {"checkpoint", source->digest},
    };
    json_t *object = json_object();
    bool whole = add_texts(object, "class_names", source->class_names, source->classes) &&
                 add_texts(object, "tokens", source->tokens, (int)tokens);
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        if (facts[i].value != NULL && *facts[i].value != '\0')
            whole = json_object_set_new(object, facts[i].key, ls_json_text(facts[i].value)) == 0 &&
                    whole;
    if (whole)
        return object;
    json_decref(object);
    return NULL;
}
