#include "nn/latent.h"

#include "base/memory.h"
#include "nn/network_state.h"

#include <ctype.h>
#include <string.h>

/* Finds word `number`, from 1, of a model string.
 * length  on return that of the word */
static const char *find_word(const char *model, int number, size_t *length)
{
    const char *at = model;
    for (*length = 0; number > 0; number--) {
        at += *length;
        while (isspace((unsigned char)*at))
            at++;
        for (*length = 0; at[*length] != '\0' && !isspace((unsigned char)at[*length]);)
            ++*length;
    }
    return at;
}

/* Returns the number of the word that makes the latent variables. */
static int find_latent(const ls_network *network)
{
    int at = 0;
    while (network->layer[at].computes->divergence == NULL)
        at++;
    return network->layer[at].number;
}

/* Returns the offset of the decoder's first parameter: that of the first operation after the latent
 * variables that has any. */
static int64_t find_decoder(const ls_network *network)
{
    const ls_op *op = ls_network_latent_op(network), *end = network->op + network->ops;
    while (++op < end && op->params == 0)
        continue;
    return op < end ? op->param[0].offset : network->size;
}

ls_status ls_latent_cut(ls_latent_part *out, const ls_network *network, ls_network_part part)
{
    const ls_op *latent = ls_network_latent_op(network);
    const int64_t end = find_decoder(network);
    const bool decoder = part == LS_PART_DECODER;
    const char *sigmoid = ls_loss_takes_sigmoid(network->loss) ? " sigmoid" : "";
    size_t length;
    const char *word = find_word(network->model, find_latent(network), &length);
    char *model = ls_alloc((int64_t)(strlen(network->model) + sizeof " sigmoid"), 1);
    if (model == NULL)
        return LS_ERR_FAILURE;
    if (decoder)
        strcat(strcpy(model, word + length + strspn(word + length, " ")), sigmoid);
    else
        memcpy(model, network->model, (size_t)(word - network->model));
    *out = (ls_latent_part){
        .model = model,
        .input = decoder ? latent->out : network->input,
        .outputs = decoder ? network->outputs : (int)ls_shape_size(latent->in[0]),
        .params = decoder ? (ls_range){end, network->size - end} : (ls_range){0, end}};
    return LS_OK;
}

void ls_latent_part_destroy(ls_latent_part *part)
{
    ls_free(part->model);
    *part = (ls_latent_part){0};
}
