#include "nn/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Parses an argument that is a positive whole number. */
static ls_status word_parse_count(const char *argument, const char *name, int64_t *out)
{
    char *end;
    long long value = strtoll(argument, &end, 10);
    if (*end != '\0' || argument[0] < '0' || argument[0] > '9')
        return ls_fail(LS_ERR_USAGE, "the %s must be a whole number, not '%s'", name, argument);
    if (value < 1 || value > 1 << 24)
        return ls_fail(LS_ERR_USAGE, "the %s must be from 1 to %d", name, 1 << 24);
    *out = value;
    return LS_OK;
}

static ls_status word_parse_units(const char *argument, ls_attributes *out)
{
    return word_parse_count(argument, "number of units", &out->units);
}

static ls_status word_parse_window(const char *argument, ls_attributes *out)
{
    const ls_status status = word_parse_count(argument, "size of the window", &out->window);
    out->stride = out->window;
    return status;
}

static ls_status word_parse_factor(const char *argument, ls_attributes *out)
{
    enum { MOST = 1 << 10 };
    const ls_status status = word_parse_count(argument, "factor", &out->window);
    return status != LS_OK || out->window <= MOST
               ? status
               : ls_fail(LS_ERR_USAGE, "the factor must be from 1 to %d", MOST);
}

static ls_status word_parse_shape(const char *argument, ls_attributes *out)
{
    enum { MOST = 1 << 24 };
    int used = 0;
    long long C = 0, H = 0, W = 0;
    if (sscanf(argument, "%9lldx%9lldx%9lld%n", &C, &H, &W, &used) < 3 || argument[used] != '\0')
        return ls_fail(LS_ERR_USAGE, "write it as reshape:CHANNELSxHEIGHTxWIDTH, whole numbers");
    if (C < 1 || C > MOST || H < 1 || H > MOST || W < 1 || W > MOST)
        return ls_fail(LS_ERR_USAGE, "channels, height and width must be from 1 to %d", MOST);
    out->shape = (ls_shape){C, H, W};
    return LS_OK;
}

static ls_status word_parse_slope(const char *argument, ls_attributes *out)
{
    char *end = NULL;
    out->slope = argument != NULL ? strtod(argument, &end) : 0.01;
    if ((end != NULL && *end != '\0') || !(out->slope > 0 && out->slope < 1))
        return ls_fail(LS_ERR_USAGE, "the slope must be above 0 and below 1, not '%s'", argument);
    return LS_OK;
}

static ls_status parse_filters(const char *name, const char *argument, ls_attributes *out)
{
    enum { MOST_FILTERS = 1 << 16, MOST_PIXELS = 1 << 10 /* also of a stride */ };
    int used = 0;
    long long F = 0, K = 0, stride = 1, pad = 0;
    const int got = sscanf(argument, "%9lldx%9lld%n,%9lld%n,%9lld%n", &F, &K, &used, &stride, &used,
                           &pad, &used);
    if (got < 2 || argument[used] != '\0')
        return ls_fail(LS_ERR_USAGE, "write it as %s:FILTERSxK[,STRIDE[,PAD]], all whole numbers",
                       name);
    if (F < 1 || F > MOST_FILTERS || K < 1 || K > MOST_PIXELS)
        return ls_fail(LS_ERR_USAGE, "FILTERS must be from 1 to %d, K from 1 to %d", MOST_FILTERS,
                       MOST_PIXELS);
    if (stride < 1 || stride > MOST_PIXELS || pad < 0 || pad >= K)
        return ls_fail(LS_ERR_USAGE, "STRIDE must be from 1 to %d, PAD from 0 to K-1", MOST_PIXELS);
    *out = (ls_attributes){.units = F, .window = K, .stride = stride, .pad = pad};
    return LS_OK;
}

static ls_status word_parse_filters(const char *argument, ls_attributes *out)
{
    return parse_filters("conv", argument, out);
}

static ls_status word_parse_transposed(const char *argument, ls_attributes *out)
{
    return parse_filters("deconv", argument, out);
}

static ls_status word_parse_conv1d(const char *argument, ls_attributes *out)
{
    enum { MOST_FILTERS = 1 << 16, MOST_STEPS = 1 << 16 };
    int used = 0;
    long long F = 0, K = 0;
    if (sscanf(argument, "%9lldx%9lld%n", &F, &K, &used) < 2 ||
        (argument[used] != '\0' && strcmp(argument + used, ",causal") != 0))
        return ls_fail(LS_ERR_USAGE, "write it as conv1d:FILTERSxK[,causal]");
    if (F < 1 || F > MOST_FILTERS || K < 1 || K > MOST_STEPS)
        return ls_fail(LS_ERR_USAGE, "FILTERS and K must be from 1 to %d", MOST_FILTERS);
    *out = (ls_attributes){.units = F, .window = K, .stride = 1, .causal = argument[used] != '\0'};
    return LS_OK;
}

static ls_status wrong_sequence(void)
{
    return ls_fail(LS_ERR_USAGE,
                   "write it as sequence, sequence:pixels or sequence:permuted,SEED, where SEED is "
                   "a whole number");
}

static ls_status word_parse_pixels(const char *argument, ls_attributes *out)
{
    out->pixels = true;
    return strcmp(argument, "pixels") == 0 ? LS_OK : wrong_sequence();
}

static ls_status word_parse_permuted(const char *argument, ls_attributes *out)
{
    int used = 0;
    unsigned long long seed;
    if (sscanf(argument, "permuted,%*18[0-9]%n", &used) != 0 || used == 0 ||
        argument[used] != '\0' || sscanf(argument, "permuted,%19llu", &seed) != 1)
        return wrong_sequence();
    *out = (ls_attributes){.pixels = true, .permuted = true, .seed = seed};
    return LS_OK;
}

static ls_status word_parse_probability(const char *argument, ls_attributes *out)
{
    char *end;
    out->rate = strtod(argument, &end);
    if (*end != '\0' || !(out->rate >= 0 && out->rate < 1))
        return ls_fail(LS_ERR_USAGE, "the probability must be from 0 to below 1, not '%s'",
                       argument);
    return LS_OK;
}

static ls_status word_parse_deviation(const char *argument, ls_attributes *out)
{
    char *end;
    out->sigma = strtod(argument, &end);
    if (*end != '\0' || !(out->sigma >= 0 && out->sigma <= 1000))
        return ls_fail(LS_ERR_USAGE, "the standard deviation must be from 0 to 1000, not '%s'",
                       argument);
    return LS_OK;
}

static ls_status word_parse_beta(const char *argument, ls_attributes *out)
{
    char *end = NULL;
    out->beta = argument != NULL ? strtod(argument, &end) : 1;
    if ((end != NULL && *end != '\0') || !(out->beta >= 0 && out->beta <= 1e6))
        return ls_fail(LS_ERR_USAGE, "the factor of the divergence must be from 0 to 1e6, not '%s'",
                       argument);
    return LS_OK;
}

static bool *recurrent_option(const char *name, size_t length, ls_attributes *out)
{
    const struct {
        const char *name;
        bool *flag;
    } options[] = {{"all", &out->all},
                   {"both", &out->both},
                   {"reverse", &out->reverse},
                   {"chrono", &out->chrono}};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (strlen(options[i].name) == length && memcmp(name, options[i].name, length) == 0)
            return options[i].flag;
    return NULL;
}

static ls_status refuse_options(bool gates)
{
    return ls_fail(LS_ERR_USAGE,
                   "the options are all (outputs in each step), and both (directions) or "
                   "reverse%s",
                   gates ? ", and chrono (initial biases for memories of all lengths)" : "");
}

/* Parses UNITS and options, each at most once. `gates`: the layer has them. */
static ls_status parse_recurrent(const char *argument, bool gates, ls_attributes *out)
{
    char number[16];
    const size_t length = strcspn(argument, ",");
    snprintf(number, sizeof number, "%.*s", (int)(length < 15 ? length : 15), argument);
    ls_status status = word_parse_count(number, "number of units", &out->units);
    for (const char *at = argument + length; status == LS_OK && *at != '\0';) {
        const size_t option = strcspn(++at, ",");
        bool *flag = recurrent_option(at, option, out);
        if (flag == NULL || *flag)
            return refuse_options(gates);
        *flag = true;
        at += option;
    }
    if (status == LS_OK && ((out->both && out->reverse) || (out->chrono && !gates)))
        return refuse_options(gates);
    return status;
}

static ls_status word_parse_recurrent(const char *argument, ls_attributes *out)
{
    return parse_recurrent(argument, false, out);
}

static ls_status word_parse_gates(const char *argument, ls_attributes *out)
{
    return parse_recurrent(argument, true, out);
}

static ls_status word_parse_embedding(const char *argument, ls_attributes *out)
{
    int used = 0;
    long long width = 0, vocabulary = 0;
    const int got = sscanf(argument, "%9lld%n,%9lld%n", &width, &used, &vocabulary, &used);
    if (got < 1 || argument[used] != '\0' || width < 1 || (got == 2 && vocabulary < 1))
        return ls_fail(LS_ERR_USAGE, "write it as embedding:WIDTH[,VOCABULARY], whole numbers");
    *out = (ls_attributes){.units = width, .vocabulary = vocabulary};
    return LS_OK;
}

static ls_status word_parse_attention(const char *argument, ls_attributes *out)
{
    int used = 0;
    long long heads = 0;
    if (sscanf(argument, "%9lld%n", &heads, &used) < 1 || heads < 1 ||
        (argument[used] != '\0' && strcmp(argument + used, ",causal") != 0))
        return ls_fail(LS_ERR_USAGE, "write it as attention:HEADS[,causal]");
    *out = (ls_attributes){.units = heads, .causal = argument[used] != '\0'};
    return LS_OK;
}

#define RECURRENT "UNITS[,all][,both|,reverse]"
#define GATES     RECURRENT "[,chrono]"

static const ls_layer_word words[] = {
    {"dense", "UNITS", "fully connected, with bias unless batchnorm follows", &ls_op_dense,
     word_parse_units},
    {"conv", "FILTERSxK[,STRIDE[,PAD]]",
     "convolution with filters of K x K pixels; STRIDE 1, PAD 0; bias as in dense", &ls_op_conv,
     word_parse_filters},
    {"deconv", "FILTERSxK[,STRIDE[,PAD]]",
     "transposed convolution: with STRIDE 2 and K 4, PAD 1 twice the size; bias as in dense",
     &ls_op_deconv, word_parse_transposed},
    {"conv1d", "FILTERSxK[,causal]", "convolution over K steps of a sequence; as many steps",
     &ls_op_conv1d, word_parse_conv1d},
    {"embedding", "WIDTH[,VOCABULARY]", "vector of each token", &ls_op_embedding,
     word_parse_embedding},
    {"position", NULL, "adds sines of the place of each step of a sequence", &ls_op_position, NULL},
    {"attention", "HEADS[,causal]", "self-attention of the steps of a sequence", &ls_op_attention,
     word_parse_attention},
    {"rnn", RECURRENT, "recurrent layer over the rows of an image, or the steps of a sequence",
     &ls_op_rnn, word_parse_recurrent},
    {"lstm", GATES, "long short-term memory, as rnn", &ls_op_lstm, word_parse_gates},
    {"gru", GATES, "gated recurrent unit, as rnn", &ls_op_gru, word_parse_gates},
    {"maxpool", "K", "maximum of each K x K window", &ls_op_maxpool, word_parse_window},
    {"avgpool", "K", "mean of each K x K window", &ls_op_avgpool, word_parse_window},
    {"last", NULL, "last step of a sequence", &ls_op_last, NULL},
    {"meanpool", NULL, "mean of the steps of a sequence", &ls_op_meanpool, NULL},
    {"maxpool", NULL, "maximum of the steps of a sequence", &ls_op_maxpool_steps, NULL},
    {"globalpool", NULL, "mean of each channel over all pixels", &ls_op_globalpool, NULL},
    {"flatten", NULL, "reshapes an image to one row; dense flattens, too", &ls_op_flatten, NULL},
    {"reshape", "CHANNELSxHEIGHTxWIDTH", "a vector as an image, the reverse of flatten",
     &ls_op_reshape, word_parse_shape},
    {"upsample", "K", "each pixel K times in height and width (nearest neighbour)", &ls_op_upsample,
     word_parse_factor},
    {"sequence", NULL, "an image as the sequence of its rows", &ls_op_sequence, NULL},
    {"sequence", "pixels", "an image as the sequence of its pixels", &ls_op_pixels,
     word_parse_pixels},
    {"sequence", "permuted,SEED", "its pixels in a random order, always the same", &ls_op_permuted,
     word_parse_permuted},
    {"batchnorm", NULL, "normalises each channel over the global batch, then scales and shifts",
     &ls_op_batchnorm, NULL},
    {"layernorm", NULL, "normalises the features of each row or step, then scales and shifts",
     &ls_op_layernorm, NULL},
    {"dropout", "P", "in training, sets values to 0 with probability P", &ls_op_dropout,
     word_parse_probability},
    {"noise", "SIGMA", "in training, adds normal numbers of standard deviation SIGMA", &ls_op_noise,
     word_parse_deviation},
    {"gaussian", NULL,
     "latent variables of a variational autoencoder, from means and log variances", &ls_op_gaussian,
     word_parse_beta},
    {"gaussian", "BETA", "the same; their divergence counts BETA times in the loss",
     &ls_op_gaussian, word_parse_beta},
    {"relu", NULL, "max(x, 0)", &ls_op_relu, NULL},
    {"leaky-relu", NULL, "max(x, 0.01 x)", &ls_op_leaky_relu, word_parse_slope},
    {"leaky-relu", "SLOPE", "max(x, SLOPE x)", &ls_op_leaky_relu, word_parse_slope},
    {"gelu", NULL, "x Phi(x), Phi: cumulative normal distribution", &ls_op_gelu, NULL},
    {"silu", NULL, "x / (1 + exp(-x))", &ls_op_silu, NULL},
    {"sigmoid", NULL, "1 / (1 + exp(-x))", &ls_op_sigmoid, NULL},
    {"tanh", NULL, "hyperbolic tangent", &ls_op_tanh, NULL},
    {"softmax", NULL, "exp(x) / sum exp(x); last layer only, fused with cross-entropy",
     &ls_op_softmax, NULL},
};
enum { WORDS = sizeof words / sizeof *words };

const ls_layer_word *ls_layer_word_at(int at)
{
    return at >= 0 && at < WORDS ? &words[at] : NULL;
}

bool ls_layer_word_is_first(int at)
{
    for (int i = 0; i < at; i++)
        if (strcmp(words[i].name, words[at].name) == 0)
            return false;
    return true;
}

/* How well a text after the name fits the form of the argument: a literal's letters, an argument or
 * none where one is wanted, or not. */
static int fit(const char *argument, const char *text)
{
    const size_t letters = argument != NULL ? strspn(argument, "abcdefghijklmnopqrstuvwxyz") : 0;
    if (letters > 0 && *text == ':' && strncmp(text + 1, argument, letters) == 0)
        return 2;
    return (argument != NULL) == (*text == ':');
}

const ls_layer_word *ls_layer_word_find(const char *text)
{
    const size_t length = strcspn(text, ":,;");
    const ls_layer_word *found = NULL;
    for (int i = 0; i < WORDS; i++)
        if (strlen(words[i].name) == length && memcmp(words[i].name, text, length) == 0 &&
            (found == NULL ||
             fit(words[i].argument, text + length) > fit(found->argument, text + length)))
            found = &words[i];
    return found;
}

/* The words of the graph, for help texts. */
static const struct {
    const char *form, *help;
} graph_words[] = {
    {":NAME", "names the value here"},
    {"@NAME", "continues from the value of this name"},
    {"+NAME", "adds the value of this name, of the same shape"},
    {"&NAME", "appends the channels of the value of this name"},
};
enum { GRAPH_WORDS = sizeof graph_words / sizeof *graph_words };

int ls_network_layer_word(int at, const char **form, const char **help)
{
    static char forms[WORDS][48];
    if (at < 0 || at >= WORDS + GRAPH_WORDS)
        return 0;
    if (at >= WORDS) {
        *form = graph_words[at - WORDS].form;
        *help = graph_words[at - WORDS].help;
        return 1;
    }
    const char *argument = words[at].argument;
    snprintf(forms[at], sizeof *forms, "%s%s%s", words[at].name, argument != NULL ? ":" : "",
             argument != NULL ? argument : "");
    *form = forms[at];
    *help = words[at].help;
    return 1;
}
