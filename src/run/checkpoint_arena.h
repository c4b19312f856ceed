/* Arenas of the parameters' layout in a checkpoint file: the parameters, their average, and what
 * the optimizer keeps, each below a group of its own. All functions are Local. */
#ifndef LS_RUN_CHECKPOINT_ARENA_H
#define LS_RUN_CHECKPOINT_ARENA_H

#include <stdbool.h>

#include <lockstep/network.h>
#include <lockstep/optimizer.h>
#include <lockstep/status.h>

#include "data/h5.h"

/* The average is of use to others, and lies beside the parameters. */
#define LS_ARENA_AVERAGE "average"

enum { LS_ARENA_NAME = LS_PARAM_NAME + 64 };

/* Writes an arena below a group. Errors: LS_ERR_FAILURE. */
ls_status ls_arena_write(ls_h5 *file, const char *group, const ls_network *network,
                         const float *arena) LS_MUST_CHECK;

/* Checks an arena that lies below a group and reads it. arena  NULL: it is checked only
 * Errors: LS_ERR_DATA if a name or a shape is not the network's. */
ls_status ls_arena_read(const ls_h5 *file, const char *group, const ls_network *network,
                        float *arena) LS_MUST_CHECK;

/* Whether a slot of the optimizer is the average of the parameters, and the group of a slot. */
bool ls_arena_is_average(ls_optimizer *optimizer, int slot);
void ls_arena_slot_group(char out[LS_ARENA_NAME], ls_optimizer *optimizer, int slot);

#endif
