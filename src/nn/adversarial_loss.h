/* The losses of a GAN: of the discriminator's outputs for a row of the data or a generated row.
 * Without classes an output is the judgement y of the row; with K classes it is [1 + K]: a
 * judgement and one more for each class, of which that of the row's class is added (Miyato and
 * Koyama, cGANs with projection discriminator, 2018). A row is so judged as one of its class, and a
 * generated row that is none of its class is not taken for the data's.
 * All functions are Local.
 *
 * Sources: non-saturating and saturating: Goodfellow et al., Generative adversarial nets, 2014;
 * hinge: Lim and Ye, Geometric GAN, 2017; least squares: Mao et al., Least squares generative
 * adversarial networks, 2017; one-sided smoothing: Salimans et al., Improved techniques for
 * training GANs, 2016. */
#ifndef LS_NN_ADVERSARIAL_LOSS_H
#define LS_NN_ADVERSARIAL_LOSS_H

#include <stdint.h>

#include <lockstep/batch.h>
#include <lockstep/metrics.h>
#include <lockstep/objective.h>

/* Who is to be trained, and on which rows. */
typedef enum ls_side {
    LS_SIDE_DATA,      /* the discriminator, on rows of the data set */
    LS_SIDE_GENERATED, /* the discriminator, on generated rows */
    LS_SIDE_GENERATOR  /* the generator, on its rows */
} ls_side;

typedef struct ls_adversarial_terms {
    ls_adversarial_loss loss;
    ls_side side;
    int classes;      /* K; 0: rows have no class */
    double smoothing; /* e: with a log-likelihood the data's rows have the target 1 - e */
} ls_adversarial_terms;

/* Returns the loss of a judgement.
 * dy  on return its derivative */
double ls_adversarial_judge(const ls_adversarial_terms *terms, double y, double *dy);

/* Returns the score of rows first .. first+rows-1 of a batch: the sum of their losses, and how many
 * judgements are right. The rows of LS_SIDE_GENERATED are not counted: the discriminator's score is
 * of pairs of a data row and a generated one.
 * terms  const ls_adversarial_terms *, as ls_pass.loss passes it
 * y      [rows][1 + K] the discriminator's outputs
 * dy     the same: on return the gradient of the sum of the losses with respect to y */
ls_score ls_adversarial_score(const void *terms, const ls_batch *batch, int64_t first, int64_t rows,
                              const float *y, float *dy);

#endif
