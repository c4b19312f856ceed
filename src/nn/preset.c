#include "nn/preset.h"

#include <lockstep/network.h>

#include "base/memory.h"

#include <stdio.h>
#include <string.h>

/* Layers without the last one, which has a unit for each class. */
static const struct {
    const char *name, *layers;
} presets[] = {
    {"mlp", "dense:512 relu"},
    /* LeCun, Bottou, Bengio, Haffner: Gradient-based learning applied to document recognition,
       1998; with relu instead of tanh and maximum instead of sums. */
    {"lenet5", "conv:6x5,1,2 relu maxpool:2 conv:16x5 relu maxpool:2 flatten dense:120 relu "
               "dense:84 relu"},
    {"cnn", "conv:32x5 batchnorm relu maxpool:2 conv:64x3 batchnorm relu conv:64x3 batchnorm relu "
            "maxpool:2 flatten dropout:0.3 dense:256 batchnorm relu dropout:0.3"},
    /* He, Zhang, Ren, Sun: Deep residual learning for image recognition, 2016, with one block for
       each image size; where size and channels change, the shortcut is a 1 x 1 convolution. */
    {"resnet", "conv:16x3,1,1 batchnorm relu :a conv:16x3,1,1 batchnorm relu conv:16x3,1,1 "
               "batchnorm +a relu :b conv:32x1,2 batchnorm :c @b conv:32x3,2,1 batchnorm relu "
               "conv:32x3,1,1 batchnorm +c relu :d conv:64x1,2 batchnorm :e @d conv:64x3,2,1 "
               "batchnorm relu conv:64x3,1,1 batchnorm +e relu globalpool"},
};
enum { PRESETS = sizeof presets / sizeof *presets };

int ls_network_preset(int at, const char **name, const char **layers)
{
    if (at < 0 || at >= PRESETS)
        return 0;
    *name = presets[at].name;
    *layers = presets[at].layers;
    return 1;
}

char *ls_preset_expand(const char *model, int classes)
{
    char text[1024];
    for (int i = 0; i < PRESETS; i++)
        if (strcmp(model, presets[i].name) == 0) {
            snprintf(text, sizeof text, "%s dense:%d", presets[i].layers, classes);
            return ls_strdup(text);
        }
    return ls_strdup(model);
}
