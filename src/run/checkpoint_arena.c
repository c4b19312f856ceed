#include "run/checkpoint_arena.h"

#include <stdio.h>

static ls_h5_shape param_shape(const ls_param *param)
{
    ls_h5_shape shape = {.type = LS_H5_F32, .rank = param->rank};
    for (int i = 0; i < param->rank; i++)
        shape.dims[i] = param->shape[i];
    return shape;
}

ls_status ls_arena_write(ls_h5 *file, const char *group, const ls_network *network,
                         const float *arena)
{
    int rows;
    const ls_param *table = ls_network_params(network, &rows);
    ls_status status = LS_OK;
    for (int i = 0; status == LS_OK && i < rows; i++) {
        char name[LS_ARENA_NAME];
        snprintf(name, sizeof name, "%s/%s", group, table[i].name);
        ls_h5_shape shape = param_shape(&table[i]);
        status = ls_h5_create_dataset(file, name, &shape, false);
        if (status == LS_OK)
            status = ls_h5_write(file, name, LS_H5_F32, 0, shape.dims[0], arena + table[i].offset);
    }
    return status;
}

/* Checks that a dataset has the parameter's shape. */
static ls_status check_param(const ls_h5 *file, const char *name, const ls_param *param)
{
    ls_h5_shape found, wanted = param_shape(param);
    ls_status status = ls_h5_describe(file, name, &found);
    if (status != LS_OK)
        return status;
    bool same = found.type == wanted.type && found.rank == wanted.rank;
    for (int d = 0; same && d < wanted.rank; d++)
        same = found.dims[d] == wanted.dims[d];
    return same ? LS_OK
                : ls_fail(LS_ERR_DATA, "%s: '/%s' does not have the shape that the model gives it",
                          ls_h5_path(file), name);
}

ls_status ls_arena_read(const ls_h5 *file, const char *group, const ls_network *network,
                        float *arena)
{
    int rows;
    const ls_param *table = ls_network_params(network, &rows);
    ls_status status = LS_OK;
    for (int i = 0; status == LS_OK && i < rows; i++) {
        char name[LS_ARENA_NAME];
        snprintf(name, sizeof name, "%s/%s", group, table[i].name);
        status = check_param(file, name, &table[i]);
        if (status == LS_OK && arena != NULL)
            status =
                ls_h5_read(file, name, LS_H5_F32, 0, table[i].shape[0], arena + table[i].offset);
    }
    return status;
}

bool ls_arena_is_average(ls_optimizer *optimizer, int slot)
{
    return ls_optimizer_slot(optimizer, slot) == ls_optimizer_average(optimizer);
}

void ls_arena_group(char out[LS_ARENA_NAME], ls_player player, const char *arena)
{
    static const char *const prefixes[LS_PLAYERS] = {
        [LS_MODEL] = "", [LS_DISCRIMINATOR] = "discriminator/"};
    snprintf(out, LS_ARENA_NAME, "%s%s", prefixes[player], arena);
}

void ls_arena_slot_group(char out[LS_ARENA_NAME], ls_player player, ls_optimizer *optimizer,
                         int slot)
{
    char arena[LS_ARENA_NAME] = LS_ARENA_AVERAGE;
    if (!ls_arena_is_average(optimizer, slot))
        snprintf(arena, sizeof arena, "optimizer/%s", ls_optimizer_slot_name(optimizer, slot));
    ls_arena_group(out, player, arena);
}
