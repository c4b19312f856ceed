#include "base/range.h"

ls_range ls_shard(int64_t total, int parts, int part)
{
    int64_t first = ls_part_start(total, parts, part);
    return (ls_range){first, ls_part_start(total, parts, part + 1) - first};
}
