/* Arenas in a checkpoint file: a network's parameters, their average, and its optimizer's slots,
 * each in an HDF5 group of its own, with one dataset for each parameter. All functions are Local.
 */
#ifndef LS_RUN_CHECKPOINT_ARENA_H
#define LS_RUN_CHECKPOINT_ARENA_H

#include <stdbool.h>

#include <lockstep/network.h>
#include <lockstep/optimizer.h>
#include <lockstep/status.h>

#include "nn/optimizer.h"
#include "data/h5.h"
#include "run/checkpoint.h"

#define LS_ARENA_PARAMETERS "parameters"
/* The average's group lies next to the parameters, as other programs use it, too. */
#define LS_ARENA_AVERAGE "average"

enum { LS_ARENA_NAME = LS_PARAM_NAME + 64 };

/* Writes an arena into a group. Errors: LS_ERR_FAILURE. */
ls_status ls_arena_write(ls_h5 *file, const char *group, const ls_network *network,
                         const float *arena) LS_MUST_CHECK;

/* Checks the arena in a group and reads it.
 * arena  [ls_network_size]; NULL: only check
 * Errors: LS_ERR_DATA if a name or a shape differs from the network's. */
ls_status ls_arena_read(const ls_h5 *file, const char *group, const ls_network *network,
                        float *arena) LS_MUST_CHECK;

/* Returns true if a slot of the optimizer is the average of the parameters. */
bool ls_arena_is_average(ls_optimizer *optimizer, int slot);

/* Writes the name of the group of a network's arena.
 * arena  LS_ARENA_PARAMETERS, LS_ARENA_AVERAGE, or "optimizer/<slot>" */
void ls_arena_group(char out[LS_ARENA_NAME], ls_player player, const char *arena);

/* Writes the name of the group of a slot of a network's optimizer. */
void ls_arena_slot_group(char out[LS_ARENA_NAME], ls_player player, ls_optimizer *optimizer,
                         int slot);

#endif
