#include "nn/gan_preset.h"

#include <lockstep/objective.h>

#include "base/memory.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *help;
    int divisor; /* of the pictures' height and width */
} presets[] = {
    {"gan", "dense layers", 1},
    /* Radford, Metz, Chintala: Unsupervised representation learning with deep convolutional
       generative adversarial networks, 2016, for small pictures; without batch normalisation in
       the discriminator, but with dropout. */
    {"dcgan", "transposed and strided convolutions, for pictures", 4},
};
enum { PRESETS = sizeof presets / sizeof *presets };

int ls_gan_preset(int at, const char **name, const char **help)
{
    if (at < 0 || at >= PRESETS)
        return 0;
    *name = presets[at].name;
    *help = presets[at].help;
    return 1;
}

static int find(const char *model)
{
    int at = 0;
    while (at < PRESETS && strcmp(model, presets[at].name) != 0)
        at++;
    return at;
}

bool ls_gan_is_preset(const char *model)
{
    return find(model) < PRESETS;
}

static void write_generator(char *out, size_t size, int at, const ls_gan_data *d)
{
    const long long h = d->picture.height, w = d->picture.width, c = d->picture.channels;
    if (at == 0)
        snprintf(out, size,
                 "dense:256 leaky-relu:0.2 dense:512 batchnorm leaky-relu:0.2 dense:1024 batchnorm "
                 "leaky-relu:0.2 dense:%lld %s",
                 c * h * w, d->range);
    else
        snprintf(out, size,
                 "dense:%lld batchnorm relu reshape:128x%lldx%lld deconv:64x4,2,1 batchnorm relu "
                 "deconv:%lldx4,2,1 %s",
                 128 * (h / 4) * (w / 4), h / 4, w / 4, c, d->range);
}

static void write_discriminator(char *out, size_t size, int at, const ls_gan_data *d)
{
    if (at == 0)
        snprintf(out, size,
                 "flatten dense:512 leaky-relu:0.2 dropout:0.3 dense:256 leaky-relu:0.2 "
                 "dropout:0.3 dense:%d",
                 d->judgements);
    else
        snprintf(out, size,
                 "conv:64x4,2,1 leaky-relu:0.2 dropout:0.3 conv:128x4,2,1 leaky-relu:0.2 "
                 "dropout:0.3 flatten dense:%d",
                 d->judgements);
}

ls_status ls_gan_expand(char **out, const char *model, bool discriminator, const ls_gan_data *d)
{
    char text[512];
    const int at = find(model);
    if (at == PRESETS)
        return (*out = ls_strdup(model)) != NULL ? LS_OK : LS_ERR_FAILURE;
    if (d->picture.height % presets[at].divisor != 0 || d->picture.width % presets[at].divisor != 0)
        return ls_fail(LS_ERR_USAGE,
                       "'%s' is for pictures whose height and width are multiples of %d, these are "
                       "%lldx%lld: give the layers",
                       model, presets[at].divisor, (long long)d->picture.height,
                       (long long)d->picture.width);
    (discriminator ? write_discriminator : write_generator)(text, sizeof text, at, d);
    *out = ls_strdup(text);
    return *out != NULL ? LS_OK : LS_ERR_FAILURE;
}
