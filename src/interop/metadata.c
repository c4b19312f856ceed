/* What the writers of all formats share. */
#include "interop/format.h"

#include "base/json.h"

#include <lockstep/version.h>

#include <string.h>

ls_graph_style ls_export_style(ls_export_format format)
{
    return (ls_graph_style){.channels_first = format != LS_EXPORT_KERAS,
                            .dropout = format != LS_EXPORT_ONNX};
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

json_t *ls_export_metadata(const ls_export_source *source, const ls_export_options *options)
{
    char outputs[16];
    snprintf(outputs, sizeof outputs, "%d", ls_network_outputs(source->network));
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
