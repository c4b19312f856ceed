#include "nn/preset.h"

#include <lockstep/network.h>

#include "base/memory.h"

#include <stdio.h>
#include <string.h>

/* Dropout between the layers, not between the steps (Zaremba, Sutskever and Vinyals, Recurrent
 * neural network regularization, 2014). */
#define LSTM(first, option) first "lstm:128,all dropout:0.2 lstm:128" option " dropout:0.2"

/* Two blocks (Vaswani et al., Attention is all you need, 2017), normalised before attention and
 * before the dense layers (Xiong et al., On layer normalization in the transformer architecture,
 * 2020). */
#define BLOCK(a, b, option)                                                                        \
    ":" a " layernorm attention:4" option " dropout:0.1 +" a " :" b                                \
    " layernorm dense:256 gelu dense:64 dropout:0.1 +" b " "
#define TRANSFORMER(first, option, pool)                                                           \
    first "position " BLOCK("a", "b", option) BLOCK("c", "d", option) "layernorm" pool

enum { OF_TOKENS = 1, BY_STEP = 2, VARIANTS = 4 };

/* Layers without the last one, which has a unit for each class. Of some networks there are
 * variants, at index OF_TOKENS, BY_STEP or their sum. */
static const struct {
    const char *name, *layers[VARIANTS];
} presets[] = {
    {"mlp", {"dense:512 relu"}},
    /* LeCun, Bottou, Bengio, Haffner: Gradient-based learning applied to document recognition,
       1998; with relu instead of tanh and maximum instead of sums. */
    {"lenet5",
     {"conv:6x5,1,2 relu maxpool:2 conv:16x5 relu maxpool:2 flatten dense:120 relu dense:84 relu"}},
    {"cnn",
     {"conv:32x5 batchnorm relu maxpool:2 conv:64x3 batchnorm relu conv:64x3 batchnorm relu "
      "maxpool:2 flatten dropout:0.3 dense:256 batchnorm relu dropout:0.3"}},
    /* He, Zhang, Ren, Sun: Deep residual learning for image recognition, 2016, with one block for
       each image size; where size and channels change, the shortcut is a 1 x 1 convolution. */
    {"resnet",
     {"conv:16x3,1,1 batchnorm relu :a conv:16x3,1,1 batchnorm relu conv:16x3,1,1 batchnorm +a "
      "relu :b conv:32x1,2 batchnorm :c @b conv:32x3,2,1 batchnorm relu conv:32x3,1,1 batchnorm +c "
      "relu :d conv:64x1,2 batchnorm :e @d conv:64x3,2,1 batchnorm relu conv:64x3,1,1 batchnorm +e "
      "relu globalpool"}},
    {"lstm",
     {LSTM("", ""), [OF_TOKENS] = LSTM("embedding:64 ", ""), [BY_STEP] = LSTM("", ",all"),
      [OF_TOKENS + BY_STEP] = LSTM("embedding:64 ", ",all")}},
    {"transformer",
     {TRANSFORMER("sequence dense:64 ", "", " meanpool"),
      [OF_TOKENS] = TRANSFORMER("embedding:64 layernorm ", "", " meanpool"),
      [BY_STEP] = TRANSFORMER("sequence dense:64 ", ",causal", ""),
      [OF_TOKENS + BY_STEP] = TRANSFORMER("embedding:64 layernorm ", ",causal", "")}},
    /* Kingma, Welling: Auto-encoding variational Bayes, 2013; with relu instead of tanh. */
    {"vae", {"dense:400 relu dense:40 gaussian dense:400 relu"}},
};
enum { PRESETS = sizeof presets / sizeof *presets };

int ls_network_preset(int at, const char **name, const char **layers)
{
    if (at < 0 || at >= PRESETS)
        return 0;
    *name = presets[at].name;
    *layers = presets[at].layers[0];
    return 1;
}

char *ls_preset_expand(const char *model, ls_preset_data data)
{
    char text[1024];
    const int variant = (data.vocabulary > 0 ? OF_TOKENS : 0) + (data.by_step ? BY_STEP : 0);
    for (int i = 0; i < PRESETS; i++)
        if (strcmp(model, presets[i].name) == 0) {
            const char *layers = presets[i].layers[variant];
            snprintf(text, sizeof text, "%s dense:%d",
                     layers != NULL ? layers : presets[i].layers[0], data.outputs);
            return ls_strdup(text);
        }
    return ls_strdup(model);
}
