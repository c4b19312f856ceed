/* Compiles the model string to operations.
 *
 * The words are read from left to right. There is always a current value: first the batch's rows,
 * then the output of the operation that the latest word added. A layer reads the current value;
 * `:a` names it, `@a`, `+a` and `&a` read the named value. So operations are created in topological
 * order. */
#include "base/memory.h"
#include "base/text.h"
#include "nn/network_state.h"
#include "nn/preset.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MAX_NAMES = 64, NAME = 16, REASON = 512 };

/* A value of the network: the output of an operation in some shape. */
typedef struct value {
    int op;    /* LS_OP_BATCH: the batch's rows */
    int layer; /* row in the layer table of its layer; -1: none */
    ls_shape shape;
    bool sequence;            /* of `height` steps with `channels` features, `width` 1 */
    const char *flattened_by; /* the first layer that flattened the image; NULL: an image */
    ls_shape features;        /* of a vector: the image [H][W][C] whose values its features are, in
                                 this order; else of size 0 */
    bool direct; /* the unchanged output of its own layer, without a name: has one reader */
} value;

typedef struct named {
    char name[NAME];
    value value;
    int number;       /* of the word that defines the name */
    const char *word; /* that word */
    bool used;
} named;

/* State of the compiler. */
typedef struct compiler {
    ls_network *network;
    int number;       /* of the current word, from 1 */
    const char *word; /* the current word */
    value now;        /* the current value */
    named name[MAX_NAMES];
    int names;
} compiler;

static ls_status word_error(const compiler *c, const char *reason)
{
    return ls_wrong_word(c->number, c->word, reason);
}

/* Returns the word for a name of another program that resembles no word, or the wrong one; else the
 * name. */
static const char *own_name(const char *name)
{
    static const char *const names[][2] = {{"linear", "Dense"},
                                           {"fc", "Dense"},
                                           {"Conv2d", "Conv"},
                                           {"MultiheadAttention", "Attention"},
                                           {"GlobalMaxPooling1D", "Maxpool"},
                                           {"GlobalMaxPool1D", "Maxpool"},
                                           {"GlobalMaxPool", "Maxpool"},
                                           {"AdaptiveMaxPool1d", "Maxpool"},
                                           {"GlobalAveragePooling1D", "Meanpool"},
                                           {"Mean", "Meanpool"},
                                           {"PositionalEncoding", "Position"},
                                           {"TransformerEncoderLayer", "Attention"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcasecmp(name, names[i][0]) == 0)
            return names[i][1];
    return name;
}

static ls_status unknown_word(const compiler *c, const char *name)
{
    char reason[REASON];
    const char *near = NULL;
    size_t distance = SIZE_MAX;
    const ls_layer_word *known;
    name = own_name(name);
    if (strncasecmp(name, "bi", 2) == 0 &&
        (strcasecmp(name, "bidirectional") == 0 || ls_layer_word_find(name + 2) != NULL))
        return word_error(c, "unknown layer; a recurrent layer in both directions is lstm:64,both");
    for (int i = 0; (known = ls_layer_word_at(i)) != NULL; i++)
        if (ls_text_resembles(name, known->name, &distance))
            near = known->name;
    const char *preset, *layers;
    for (int i = 0; c->number == 1 && ls_network_preset(i, &preset, &layers); i++)
        if (ls_text_nearer(name, preset, &distance))
            near = preset;
    if (near != NULL && distance == 0)
        return word_error(c, "a preset network must be the only word");
    int used = snprintf(reason, sizeof reason, "unknown layer; ");
    if (near != NULL) {
        snprintf(reason + used, sizeof reason - (size_t)used, "did you mean '%s'?", near);
        return word_error(c, reason);
    }
    used += snprintf(reason + used, sizeof reason - (size_t)used, "the layers are");
    for (int i = 0; (known = ls_layer_word_at(i)) != NULL; i++)
        if (ls_layer_word_is_first(i))
            used += snprintf(reason + used, sizeof reason - (size_t)used, "%s %s", i > 0 ? "," : "",
                             known->name);
    for (int i = 0; c->number == 1 && ls_network_preset(i, &preset, &layers); i++)
        used += snprintf(reason + used, sizeof reason - (size_t)used, "%s %s",
                         i > 0 ? "," : "; the preset networks are", preset);
    return word_error(c, reason);
}

/* Names a layer by its kind and its number among the layers of this kind: "dense2". */
static void name_layer(const ls_network *network, ls_layer *layer)
{
    int same = 1;
    for (const ls_layer *l = network->layer; l < layer; l++)
        same += strcmp(l->kind, layer->kind) == 0;
    snprintf(layer->name, sizeof layer->name, "%.20s%d", layer->kind, same);
}

ls_param *ls_op_add_param(ls_op *op, const char *name, int rank, const int64_t *shape)
{
    assert(op->params < LS_OP_PARAMS && rank <= LS_PARAM_MAX_RANK);
    ls_param *param = &op->param[op->params++];
    *param = (ls_param){.rank = rank, .count = 1};
    snprintf(param->name, sizeof param->name, "%s/%s", op->name, name);
    for (int i = 0; i < rank; i++) {
        param->shape[i] = shape[i];
        param->count *= shape[i];
    }
    return param;
}

/* Fills the next row of the layer table: a layer that reads `inputs` values. */
static ls_layer *add_layer(compiler *c, const char *kind, int inputs, const value *input)
{
    ls_network *network = c->network;
    ls_layer *layer = &network->layer[network->layers];
    *layer = (ls_layer){.kind = kind,
                        .word = c->word,
                        .number = c->number,
                        .op = input[0].op,
                        .inputs = inputs,
                        .out = input[0].shape};
    for (int k = 0; k < inputs; k++) {
        layer->input[k] = input[k].layer;
        layer->in[k] = input[k].shape;
        layer->in_sequence[k] = input[k].sequence;
    }
    name_layer(network, layer);
    return layer;
}

/* Appends the operation of a layer; a view only gets its shape. */
static ls_status add_op(compiler *c, ls_layer *layer, const value *input)
{
    ls_network *network = c->network;
    ls_op *op = &network->op[network->ops];
    *op = (ls_op){.kind = layer->computes,
                  .inputs = layer->inputs,
                  .out = layer->out,
                  .attributes = layer->attributes,
                  .flattens = layer->computes->flattens,
                  .sequence = input[0].sequence || layer->computes->makes_sequence,
                  .number = (uint64_t)network->layers,
                  .name = layer->name,
                  .matrix = -1};
    for (int k = 0; k < op->inputs; k++) {
        op->input[k] = input[k].op;
        op->in[k] = input[k].shape;
    }
    if (op->kind->configure != NULL && op->kind->configure(op) != LS_OK)
        return word_error(c, ls_error_text());
    layer->out = op->out;
    layer->computes = op->kind;
    layer->owns = op->kind->forward != NULL;
    if (layer->owns)
        layer->op = network->ops++;
    return LS_OK;
}

/* Returns the image whose values the features of a layer's output are, see value: a vector made of
 * an image by another view, or from such a vector value by value. */
static ls_shape features_after(const compiler *c, const ls_layer *layer, bool flattens)
{
    const ls_shape in = layer->in[0];
    if (layer->owns)
        return flattens || ls_shape_size(in) != layer->out.channels ? (ls_shape){0}
                                                                    : c->now.features;
    return in.channels > 1 && in.height * in.width > 1 ? in : c->now.features;
}

/* Makes a layer's output the current value. */
static void set_current_value(compiler *c, const ls_layer *layer, bool direct)
{
    const ls_op *op = layer->owns ? &c->network->op[layer->op] : NULL;
    const bool flattens = op != NULL ? op->flattens : layer->computes->flattens;
    c->now.sequence =
        !flattens &&
        (op != NULL ? op->sequence : c->now.sequence || layer->computes->makes_sequence);
    c->now.features = features_after(c, layer, flattens);
    c->now.op = layer->op;
    c->now.layer = c->network->layers++;
    c->network->layer[c->now.layer].out_sequence = c->now.sequence;
    c->now.shape = layer->out;
    c->now.direct = direct;
    if (flattens && c->now.flattened_by == NULL)
        c->now.flattened_by = layer->kind;
    if (layer->computes->needs_vector)
        c->now.flattened_by = NULL;
}

/* Fuses a relu into the previous operation if possible. Returns true if fused. */
static bool fuse_relu(compiler *c, ls_layer *layer)
{
    if (layer->computes != &ls_op_relu || !c->now.direct)
        return false;
    ls_op *before = &c->network->op[c->now.op];
    if (!before->kind->fuses_relu || before->fused_relu)
        return false;
    before->fused_relu = true;
    return true;
}

/* Removes the bias of an operation before a batch normalisation. The normalisation cancels a bias,
 * so the bias's gradient would be rounding errors only. */
static void drop_bias(compiler *c, const ls_layer *layer)
{
    if (layer->computes != &ls_op_batchnorm || !c->now.direct)
        return;
    ls_op *before = &c->network->op[c->now.op];
    if (before->kind->has_bias && !before->fused_relu)
        before->params--;
}

/* Finds the row of the current word, and its argument; NULL if there is none. */
static ls_status find_word(const compiler *c, const ls_layer_word **known, const char **argument)
{
    char name[LS_LAYER_NAME], reason[64 + LS_LAYER_NAME];
    const char *word = c->word, *colon = strchr(word, ':');
    const size_t length = colon != NULL ? (size_t)(colon - word) : strlen(word);
    for (const char *comma = strpbrk(word, ",;"); comma != NULL; comma = strpbrk(comma + 1, ",;"))
        if (comma[1] == '\0' || ls_layer_word_find(comma + 1) != NULL)
            return word_error(c, "separate layers by blanks, not commas");
    snprintf(name, sizeof name, "%.*s", (int)length, word);
    *known = ls_layer_word_find(word);
    *argument = colon != NULL ? colon + 1 : NULL;
    if (*known == NULL)
        return unknown_word(c, name);
    if ((*known)->argument == NULL && *argument != NULL)
        return word_error(c, "this layer takes no argument");
    if ((*known)->argument != NULL && (*argument == NULL || **argument == '\0')) {
        snprintf(reason, sizeof reason, "write it as %s:%s", name, (*known)->argument);
        return word_error(c, reason);
    }
    return LS_OK;
}

/* Returns an error if a layer needs an image, or a sequence, and the current value is none. */
static ls_status check_image(const compiler *c, const ls_layer_word *known)
{
    char reason[64 + LS_LAYER_NAME];
    const char *needs = known->op->needs_image      ? "an image"
                        : known->op->needs_sequence ? "a sequence"
                                                    : NULL;
    if (needs == NULL)
        return LS_OK;
    if (c->now.sequence && known->op->needs_image && known->op->of_steps == NULL)
        return word_error(c,
                          "needs an image, but the value before it is a sequence, for which there "
                          "are conv1d:FILTERSxK, and maxpool or meanpool over all steps");
    if (c->now.flattened_by == NULL)
        return LS_OK;
    snprintf(reason, sizeof reason, "needs %s, but '%s' before it flattens the %s", needs,
             c->now.flattened_by, strchr(needs, ' ') + 1);
    return word_error(c, reason);
}

/* Returns an error if a layer needs a vector, and the current value is none, or its features are in
 * the order of an image's values here, which is not that of other programs. */
static ls_status check_vector(const compiler *c, const ls_layer_word *known)
{
    if (!known->op->needs_vector)
        return LS_OK;
    if (c->now.sequence || c->now.shape.height * c->now.shape.width > 1)
        return word_error(c, "needs a vector, as the output of dense");
    return ls_shape_size(c->now.features) == 0
               ? LS_OK
               : word_error(c, "the values before it are those of an image: dense between them");
}

/* Makes the current value, an image, the sequence of its rows: with channels last the memory layout
 * is the same. */
static void read_as_sequence(value *now)
{
    if (now->sequence)
        return;
    now->shape = (ls_shape){now->shape.width * now->shape.channels, now->shape.height, 1};
    now->sequence = true;
}

/* Adds a layer and, unless it is fused with the layer before it, its operation. */
static ls_status append_layer(compiler *c, const ls_layer_word *known, const char *argument)
{
    if (known->op->needs_sequence)
        read_as_sequence(&c->now);
    ls_layer *layer = add_layer(c, known->name, 1, &c->now);
    const bool steps = c->now.sequence && known->op->of_steps != NULL;
    layer->computes = steps ? known->op->of_steps : known->op;
    if (known->parse != NULL && known->parse(argument, &layer->attributes) != LS_OK)
        return word_error(c, ls_error_text());
    const bool fused = fuse_relu(c, layer);
    drop_bias(c, layer);
    const ls_status status = fused ? LS_OK : add_op(c, layer, &c->now);
    if (status == LS_OK)
        set_current_value(c, layer, layer->owns);
    return status;
}

/* Compiles the word of a layer. */
static ls_status compile_layer(compiler *c)
{
    const ls_layer_word *known = NULL;
    const char *argument = NULL;
    ls_status status = find_word(c, &known, &argument);
    if (status == LS_OK)
        status = check_image(c, known);
    if (status == LS_OK)
        status = check_vector(c, known);
    return status == LS_OK ? append_layer(c, known, argument) : status;
}

/* Returns the named value; NULL if the name is unknown. */
static named *find_name(compiler *c, const char *name)
{
    for (int i = 0; i < c->names; i++)
        if (strcmp(c->name[i].name, name) == 0)
            return &c->name[i];
    return NULL;
}

/* Returns true if a text is 1 .. NAME-1 letters, digits, - or _. */
static bool is_name(const char *text)
{
    size_t length = 0;
    while (isalnum((unsigned char)text[length]) || text[length] == '_' || text[length] == '-')
        length++;
    return length > 0 && length < NAME && text[length] == '\0';
}

static ls_status compile_name(compiler *c, const char *name)
{
    if (find_name(c, name) != NULL)
        return word_error(c, "this name is already in use");
    if (c->names == MAX_NAMES)
        return word_error(c, "too many names");
    c->now.direct = false;
    named *new = &c->name[c->names++];
    *new = (named){.value = c->now, .number = c->number, .word = c->word};
    snprintf(new->name, sizeof new->name, "%s", name);
    return LS_OK;
}

/* Compiles +NAME or &NAME: joins the current value and a named value. */
static ls_status compile_join(compiler *c, const ls_op_kind *kind, const named *with)
{
    const value input[LS_OP_INPUTS] = {c->now, with->value};
    ls_layer *layer = add_layer(c, kind->name, LS_OP_INPUTS, input);
    layer->computes = kind;
    const ls_status status = add_op(c, layer, input);
    if (status != LS_OK)
        return status;
    if (c->now.flattened_by == NULL)
        c->now.flattened_by = with->value.flattened_by;
    set_current_value(c, layer, true);
    return LS_OK;
}

/* The error for a name that no earlier word defines. */
static ls_status unknown_name(const compiler *c)
{
    char reason[REASON];
    int used = snprintf(reason, sizeof reason, "no earlier value has this name");
    for (int i = 0; i < c->names && used < REASON - 2 * NAME; i++)
        used += snprintf(reason + used, sizeof reason - (size_t)used, "%s %s",
                         i > 0 ? "," : "; the names are", c->name[i].name);
    if (c->names == 0)
        snprintf(reason + used, sizeof reason - (size_t)used,
                 "; :%s after a layer gives its output this name", c->word + 1);
    return word_error(c, reason);
}

/* Compiles a word of the graph: a sign and a name. */
static ls_status compile_graph_word(compiler *c)
{
    const char *name = c->word + 1;
    if (!is_name(name))
        return word_error(
            c, "the sign must be followed by a name of up to 15 letters, digits, - and _");
    if (*c->word == LS_WORD_NAME)
        return compile_name(c, name);
    named *known = find_name(c, name);
    if (known == NULL)
        return unknown_name(c);
    known->used = true;
    if (*c->word != LS_WORD_GO)
        return compile_join(c, *c->word == LS_WORD_ADD ? &ls_op_add : &ls_op_concat, known);
    c->now = known->value;
    return LS_OK;
}

static bool is_graph_word(const char *word)
{
    return *word == LS_WORD_NAME || *word == LS_WORD_GO || *word == LS_WORD_ADD ||
           *word == LS_WORD_CONCAT;
}

static ls_status compile_words(compiler *c)
{
    static const char blanks[] = " \t\r\n";
    char *rest = NULL;
    ls_status status = LS_OK;
    for (char *word = strtok_r(c->network->text, blanks, &rest); status == LS_OK && word != NULL;
         word = strtok_r(NULL, blanks, &rest)) {
        c->number++;
        c->word = word;
        const bool adds = !is_graph_word(word) || *word == LS_WORD_ADD || *word == LS_WORD_CONCAT;
        if (adds && c->network->layers == LS_MAX_LAYERS)
            return word_error(c, "too many layers");
        status = is_graph_word(word) ? compile_graph_word(c) : compile_layer(c);
    }
    return status;
}

/* Returns an error if a name is never used. */
static ls_status check_names(const compiler *c)
{
    for (int i = 0; i < c->names; i++)
        if (!c->name[i].used)
            return ls_wrong_word(c->name[i].number, c->name[i].word, "this name is never used");
    return LS_OK;
}

ls_status ls_network_compile(ls_network *network, const char *model)
{
    network->model = ls_preset_expand(model, (ls_preset_data){.outputs = network->outputs});
    network->text = network->model == NULL ? NULL : ls_strdup(network->model);
    network->layer = network->text == NULL ? NULL : ls_alloc(LS_MAX_LAYERS, sizeof(ls_layer));
    network->op = network->layer == NULL ? NULL : ls_alloc(LS_MAX_LAYERS, sizeof(ls_op));
    if (network->op == NULL)
        return LS_ERR_FAILURE;
    compiler c = {.network = network,
                  .now = {.op = LS_OP_BATCH, .layer = -1, .shape = network->input}};
    ls_status status = compile_words(&c);
    if (status == LS_OK)
        status = check_names(&c);
    return status == LS_OK ? ls_network_check_graph(network, c.now.layer) : status;
}
