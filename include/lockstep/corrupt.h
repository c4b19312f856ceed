/* Corruption of inputs: random noise and missing numbers, which a denoising autoencoder learns to
 * undo, and which regularises any network.
 *
 * The specification is a string, "noise:0.3 mask:0.5": words in any order, each at most once.
 *
 * - noise:S  a random number is added to each input, of the normal distribution with mean 0 and
 *   standard deviation S, in the units of the network's inputs: after normalisation and
 *   standardisation
 * - mask:P  each input is set to 0 with probability P; the others are not scaled by 1/(1-P)
 *
 * Both after Vincent et al., Stacked Denoising Autoencoders, 2010. Numbers are masked after noise
 * was added. The corruption of a row is a function of seed, draw and row number only.
 *
 * All functions are Local. */
#ifndef LOCKSTEP_CORRUPT_H
#define LOCKSTEP_CORRUPT_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ls_corruption {
    double noise; /* standard deviation */
    double mask;  /* probability */
    uint64_t seed;
} ls_corruption; /* zeros: none */

/* The draw of evaluations, in which a row is always corrupted alike. Training in epoch e, from 0,
 * is draw e + 1. */
enum { LS_CORRUPTION_EVALUATED = 0 };

/* Makes a corruption of a text, see above; "" or "none": none.
 * Errors: LS_ERR_USAGE if the text is wrong, with the wrong word; LS_ERR_FAILURE when memory is
 * short. *out is left alone. */
ls_status ls_corruption_make(ls_corruption *out, const char *text, uint64_t seed) LS_MUST_CHECK;

/* Returns true if inputs are changed at all. */
bool ls_corruption_is_some(const ls_corruption *corruption);

/* Corrupts rows in place, each as a function of (seed, draw, ids[row]).
 * ids  [rows] numbers of the rows in their split
 * x    [rows][features] */
void ls_corruption_apply(const ls_corruption *corruption, int64_t draw, int64_t rows,
                         int64_t features, const int64_t *ids, float *x);

/* Gets word `at`, from 0, for help texts. Returns 0 after the last.
 * form     the word with its argument
 * meaning  one line */
int ls_corruption_word(int at, const char **form, const char **meaning);

#ifdef __cplusplus
}
#endif

#endif
