/* A batch: rows as floats, filled by the data layer and read by a network. */
#ifndef LOCKSTEP_BATCH_H
#define LOCKSTEP_BATCH_H

#include <stdint.h>

#include <lockstep/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ls_batch {
    int64_t rows;     /* rows in use, 0 .. capacity */
    int64_t capacity; /* rows allocated */
    int64_t features; /* floats in a row */
    int64_t values;   /* floats in a row's target; 0: its target is a class. Of a classification by
                         step they are the class of each step */
    float *x;         /* [capacity][features] inputs, owned; one spare row follows them */
    int32_t *labels;  /* [capacity] class of each row, owned; 0 if the targets are values */
    float *targets;   /* [capacity][values] values that the outputs should have, owned */
    /* [capacity] weight of each row in the loss, 0 or more, owned; NULL: all weights are 1.
     * Around 1 on average: sums of losses are rounded to a fixed quantum where they must not depend
     * on the order of addition. Multiples of one power of two: then their own sums don't, either */
    float *weights;
    int32_t *lengths; /* [capacity] steps of each row's sequence, owned; NULL: all steps of x */
    int64_t *ids;     /* [capacity] the row's number in its split of the data set, owned */
} ls_batch;

/* Creates a batch with room for `capacity` rows (0 or more). Local.
 * features  floats in a row's inputs
 * values    floats in a row's target; 0: the targets are classes
 * Errors: LS_ERR_FAILURE if memory is short; *out is left alone. */
ls_status ls_batch_create(ls_batch **out, int64_t capacity, int64_t features,
                          int64_t values) LS_MUST_CHECK;

/* Gives a batch weights of its rows, all 1; does nothing if it has them. Local.
 * Errors: LS_ERR_FAILURE if memory is short. */
ls_status ls_batch_add_weights(ls_batch *batch) LS_MUST_CHECK;

/* Gives a batch lengths of its rows' sequences, all 0; does nothing if it has them. Local.
 * Errors: LS_ERR_FAILURE if memory is short. */
ls_status ls_batch_add_lengths(ls_batch *batch) LS_MUST_CHECK;

/* Frees the lengths of a batch, if it has them: all rows have all steps. Local. */
void ls_batch_drop_lengths(ls_batch *batch);

/* Reorders the images of a batch in place: [channels][pixels] becomes [pixels][channels]. Local. */
void ls_batch_to_channels_last(ls_batch *batch, int64_t channels, int64_t pixels);

/* Frees a batch and sets *batch to NULL; accepts NULL. Local. */
void ls_batch_destroy(ls_batch **batch);

#ifdef __cplusplus
}
#endif

#endif
