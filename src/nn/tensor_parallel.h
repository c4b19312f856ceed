/* Tensor-parallel dense operations: the ranks of a group split the matrix, see base/group.h. */
#ifndef LS_NN_TENSOR_PARALLEL_H
#define LS_NN_TENSOR_PARALLEL_H

#include "base/group.h"

#include "nn/op.h"

/* Returns true if a group splits the matrix of an operation; the same on all ranks of the group.
 * Local. */
bool ls_is_split(const ls_op *op, const ls_layout *layout, const ls_group *group);

/* Like forward() and backward() of the operation's kind, for this rank's batch rows, 0 or more.
 * This rank gets the gradient of its own rows of the matrix, summed over the batch rows of the
 * group.
 * Collective on the group.
 * slot  of the pass, see ls_pass */
void ls_split_forward(const ls_op *op, const ls_op_data *d, const ls_layout *layout,
                      const ls_group *group, int slot);
void ls_split_backward(const ls_op *op, const ls_op_data *d, const ls_layout *layout,
                       const ls_group *group, int slot);

#endif
