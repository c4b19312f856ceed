/* What a training minimises. All functions are Local. */
#ifndef LOCKSTEP_OBJECTIVE_H
#define LOCKSTEP_OBJECTIVE_H

#include <lockstep/choice.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Objectives.
 *    enumerator     name          one line of help */
#define LS_OBJECTIVE_LIST(X)                                                                       \
    X(LS_SUPERVISED, "supervised", "the loss of a network's outputs and the targets")              \
    X(LS_GAN, "gan",                                                                               \
      "a generator makes rows from noise, a discriminator tells them from the data's")             \
    X(LS_VAE, "vae",                                                                               \
      "a variational autoencoder: rows from latent variables, which are normally distributed")

typedef enum ls_objective { LS_OBJECTIVE_LIST(LS_CHOICE_ENUM) } ls_objective;

/* Losses of a GAN; y is the discriminator's judgement of a row, above 0 for the data's (with
 * least-squares above 1/2). Each has three functions: of the data's rows, of generated rows, and
 * of generated rows for the generator.
 *    enumerator           name              one line of help */
#define LS_ADVERSARIAL_LOSS_LIST(X)                                                                \
    X(LS_NON_SATURATING, "non-saturating",                                                         \
      "log-likelihood of being right; the generator's: of the discriminator being wrong")          \
    X(LS_SATURATING, "saturating", "the same; the generator's loss is minus the discriminator's")  \
    X(LS_HINGE, "hinge", "max(0, 1 - y) and max(0, 1 + y); the generator's -y")                    \
    X(LS_LEAST_SQUARES, "least-squares", "(y - 1)^2 / 2 and y^2 / 2; the generator's (y - 1)^2 / 2")

typedef enum ls_adversarial_loss { LS_ADVERSARIAL_LOSS_LIST(LS_CHOICE_ENUM) } ls_adversarial_loss;

/* Gets preset `at`, from 0, of the networks of a GAN. Returns 0 after the last.
 * help  one line */
int ls_gan_preset(int at, const char **name, const char **help);

#ifdef __cplusplus
}
#endif

#endif
