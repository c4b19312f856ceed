/* The parts of a GAN's objective, shared by adversarial.c, adversarial_step.c and
 * adversarial_measure.c. */
#ifndef LS_TRAIN_ADVERSARIAL_STATE_H
#define LS_TRAIN_ADVERSARIAL_STATE_H

#include "train/adversarial.h"

#include "nn/adversarial_loss.h"
#include "train/sampler.h"
#include "train/trainer_state.h"

/* Gradients of two backward passes, added for the reducer. */
typedef struct ls_adding {
    ls_grad_hook hook; /* of the reducer */
    float *grads;      /* of the second pass; on return of the hook the sums */
    const float *earlier;
    int64_t from; /* gradients from here on are sums */
} ls_adding;

struct ls_adversarial {
    ls_replica *generator, *discriminator; /* borrowed */
    ls_network *judge;  /* the discriminator for generated rows: its layers, other values */
    ls_batch generated; /* the generator's outputs as inputs of the judge; borrows its arrays */
    float *dx;          /* [rows][picture] gradient with respect to generated rows */
    float *earlier;     /* [discriminator's size] gradients of the pass over the data's rows */
    ls_adversarial_terms of_data, of_generated, of_generator;
    ls_adding adding;         /* of the discriminator's step in progress */
    ls_standardization units; /* of generated rows: their targets are in the data set's units */
};

/* Gives a generator's batch as many rows as another batch has, of the same ids and classes. Local.
 */
void ls_adversarial_follow(ls_batch *noise, const ls_batch *rows, int classes);

/* Returns generated rows as inputs of the discriminator; it borrows their arrays. Local.
 * noise  the generator's inputs
 * x      [rows][features] its outputs */
ls_batch ls_adversarial_as_inputs(const ls_batch *noise, const float *x, int64_t features);

#endif
