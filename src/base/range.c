#include "base/range.h"

#include "base/integer.h"

ls_range ls_shard(int64_t total, int parts, int part)
{
    int64_t first = ls_part_start(total, parts, part);
    return (ls_range){first, ls_part_start(total, parts, part + 1) - first};
}

ls_range ls_shard_blocks(int64_t total, int64_t block, int parts, int part)
{
    const int64_t blocks = total / block + (total % block != 0);
    const ls_range mine = ls_shard(blocks, parts, part);
    const int64_t first = mine.first * block, end = (mine.first + mine.count) * block;
    /* The last block may be short; ranges after it are empty. */
    const int64_t begin = ls_min(first, total);
    return (ls_range){begin, ls_min(end, total) - begin};
}
