/* Preset networks of GANs. All functions are Local. */
#ifndef LS_NN_GAN_PRESET_H
#define LS_NN_GAN_PRESET_H

#include <stdbool.h>

#include <lockstep/network.h>

/* The rows that a preset is for. */
typedef struct ls_gan_data {
    ls_shape picture;
    int judgements; /* outputs of the discriminator */
    /* The last layer of the generator, whose range is that of the rows: "sigmoid", "tanh"; "": any
     * number. */
    const char *range;
} ls_gan_data;

/* Returns true if a model string is the name of a preset. */
bool ls_gan_is_preset(const char *model);

/* Returns the layers of a generator, or a discriminator: those of a preset if the string is its
 * name, else a copy of the string. Owned by the caller.
 * Errors: LS_ERR_USAGE if the preset does not fit the rows; LS_ERR_FAILURE. *out is left alone. */
ls_status ls_gan_expand(char **out, const char *model, bool discriminator,
                        const ls_gan_data *data) LS_MUST_CHECK;

#endif
