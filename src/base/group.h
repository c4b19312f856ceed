/* Tensor-parallel groups: ranks of a node that compute large products together. A group is the
 * interface between a network, which computes, and a reducer, which knows the shared memory.
 *
 * The matrix W [D][U] of a dense layer is split by its rows; rank k has W[k], its ls_shard() of the
 * rows. For the batch rows of the whole group, rank k computes W[k]'s contribution to the outputs,
 * and the whole gradient of W[k]:
 *
 *     y = sum over k of x[:, k] W[k]        dW[k] = x[:, k]^T dy        dx[:, k] = dy W[k]^T
 *
 * so that no gradient of W is summed within the node and W[k] stays in rank k's cache. The ranks
 * exchange x, dy and parts of y: less than weights and gradients if the group has fewer rows than
 * the matrix. Shoeybi et al., Megatron-LM, 2019, call this row-parallel. All other layers, and all
 * layers between nodes, are data-parallel. */
#ifndef LS_BASE_GROUP_H
#define LS_BASE_GROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/range.h"

/* A weight matrix in the parameter arena. */
typedef struct ls_matrix {
    int64_t offset;
    int64_t rows, columns; /* D, U */
} ls_matrix;

/* Layout of a parameter arena, as the reduction of its gradients needs it. */
typedef struct ls_layout {
    int64_t count;           /* parameters */
    int matrices;            /* matrices that a group may split */
    const ls_matrix *matrix; /* [matrices], in the order of their offsets */
} ls_layout;

/* Returns the number of rows in a slice of a matrix. Local. Products with a matrix are cut into
 * slices of its rows, so that communication overlaps with the next slice's product: in the forward
 * pass weights may still be in transit, in the backward pass finished gradients can be sent. Slices
 * are counted from the matrix's first row and computed last to first. */
int64_t ls_matrix_slice(const ls_matrix *matrix);

typedef struct ls_group {
    int size, rank;
    int64_t rows;  /* capacity of each rank, in batch rows */
    int passes;    /* whose inputs are kept at the same time, 1 or more, see ls_pass.slot */
    float *shared; /* [ls_group_floats()] memory shared by the group's ranks */

    /* Barrier: returns when all ranks of the group have called it; writes before the barrier are
     * visible to all of them after it. Collective on the group. */
    void (*barrier)(void *user);
    void *user;
} ls_group;

/* Shared buffers of a group for one matrix. B: rows of the group, size * rows; the rows of rank r
 * begin at row r * rows, and its unused rows are zeros. */
typedef struct ls_group_buffers {
    float *x;    /* [B][D], kept from the forward to the backward pass of a slot */
    float *dy;   /* [B][U] */
    float *part; /* [size][B][U] each rank's contribution to y; or [B][D] dx */
} ls_group_buffers;

/* Returns true if a group of `size` ranks with `rows` batch rows each splits a matrix: its inputs
 * and outputs are fewer floats than the matrix, and the matrix has at least one row per rank.
 * Local. */
bool ls_group_splits(int size, int64_t rows, const ls_matrix *matrix);

/* Returns the number of floats that a group of this size, these rows and passes shares, at least
 * one per rank. Local. */
int64_t ls_group_floats(const ls_group *group, const ls_layout *layout);

/* Returns the buffers of matrix `at` in the group's shared memory, for the pass of a slot. Local.
 * slot  0 .. group->passes-1 */
ls_group_buffers ls_group_buffers_of(const ls_group *group, const ls_layout *layout, int at,
                                     int slot);

#endif
