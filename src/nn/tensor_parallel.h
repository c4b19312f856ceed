/* Dense operations whose matrix the ranks of a group multiply together, see lockstep/group.h. */
#ifndef LS_NN_TENSOR_PARALLEL_H
#define LS_NN_TENSOR_PARALLEL_H

#include <lockstep/group.h>

#include "nn/op.h"

/* True if a group splits the matrix of an operation. The same on all ranks of the group. Local. */
bool ls_is_split(const ls_op *op, const ls_layout *layout, const ls_group *group);

/* As forward() and backward() of the operation's kind, for this rank's rows, which may be none. Of
 * the matrix's gradient this rank gets its rows, summed over the group's batch rows.
 * Collective on the group. */
void ls_split_forward(const ls_op *op, const ls_op_data *d, const ls_layout *layout,
                      const ls_group *group);
void ls_split_backward(const ls_op *op, const ls_op_data *d, const ls_layout *layout,
                       const ls_group *group);

#endif
