/* Groups: the ranks of a node that compute the large products of one replica together. The link
 * between a network, which computes, and a reducer, which knows where memory can be shared.
 *
 * The matrix W [D][U] of a dense layer is split by its rows; rank k has W[k], its ls_shard() of
 * them. For the batch rows of the whole group it computes W[k]'s contribution to the outputs, and all
 * of W[k]'s gradient:
 *
 *     y = sum over k of x[:, k] W[k]        dW[k] = x[:, k]^T dy        dx[:, k] = dy W[k]^T
 *
 * so that no gradient of W has to be added up within the node and W[k] never leaves k's cache. What
 * travels is x, dy and parts of y: less than weights and gradients, where the group has fewer rows
 * than the matrix. Shoeybi et al., Megatron-LM, 2019, call this row-parallel. Rows are
 * data-parallel as ever in all other layers, and between nodes. */
#ifndef LOCKSTEP_GROUP_H
#define LOCKSTEP_GROUP_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/range.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A matrix of weights in the arena of parameters. */
typedef struct ls_matrix {
    int64_t offset;
    int64_t rows, columns; /* D, U */
} ls_matrix;

/* An arena of parameters, as far as those need to know it who reduce its gradients. */
typedef struct ls_layout {
    int64_t count;           /* parameters */
    int matrices;            /* that a group may split */
    const ls_matrix *matrix; /* [matrices], in the order of their offsets */
} ls_layout;

/* Products with a matrix are cut into slices of its rows, so that communication can hide behind the
 * next slice's product: forward because some weights may not be here yet, backward so that some
 * gradients can leave already. Rows in a slice; slices are counted from the matrix's beginning and
 * worked on from its end. Local. */
int64_t ls_matrix_slice(const ls_matrix *matrix);

typedef struct ls_group {
    int size, rank;
    int64_t rows;  /* batch rows that each rank has room for */
    float *shared; /* [ls_group_floats()] seen by all of the group */

    /* Returns when all of the group have called it: what was written before, all see after.
     * Collective on the group. */
    void (*barrier)(void *user);
    void *user;
} ls_group;

/* What a group shares for one matrix. B: rows of the group, size * rows; those of rank r begin at row
 * r * rows, and rows that it has not got are zeros. */
typedef struct ls_group_buffers {
    float *x;    /* [B][D], kept from the forward to the backward pass */
    float *dy;   /* [B][U] */
    float *part; /* [size][B][U] what each rank adds to y; [B][D] dx */
} ls_group_buffers;

/* Whether a group of `size` ranks with so many batch rows each splits a matrix: where its rows, in
 * and out, are fewer floats than the matrix, and there is a row of the matrix for each rank.
 * Local. */
bool ls_group_splits(int size, int64_t rows, const ls_matrix *matrix);

/* Floats that a group shares, one for each rank at least. Local. */
int64_t ls_group_floats(int size, int64_t rows, const ls_layout *layout);

/* Where in it matrix `at` has its place. Local. */
ls_group_buffers ls_group_buffers_of(const ls_group *group, const ls_layout *layout, int at);

#ifdef __cplusplus
}
#endif

#endif
