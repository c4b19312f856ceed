/* What is shared, in this order:
 *
 *     dy, part      for one matrix at a time, as large as the largest needs
 *     x, x, ...     for each matrix that is split */
#include <lockstep/group.h>

#include "base/integer.h"

/* Arrays begin on different cache lines of a page, so as not to compete for the same cache sets. */
enum { GAP = 5 * 16 };

static int64_t aligned(int64_t floats)
{
    return (floats + 15) / 16 * 16 + GAP;
}

/* Of about so many floats, but not more than so many: each slice packs the other factor of its
 * product anew, and each message has a price. */
enum { SLICE = 1 << 16, SLICES = 4 };

int64_t ls_matrix_slice(const ls_matrix *m)
{
    const int64_t wanted = (m->rows * m->columns + SLICE - 1) / SLICE;
    const int64_t slices = ls_min(wanted, SLICES);
    return (m->rows + slices - 1) / slices;
}

bool ls_group_splits(int size, int64_t rows, const ls_matrix *m)
{
    /* As doubles, so that nothing overflows. */
    return size > 1 && m->rows >= size &&
           (double)size * (double)rows * ((double)m->rows + (double)m->columns) <
               (double)m->rows * (double)m->columns;
}

/* Offsets of dy, part and x of matrix `at`, and behind the last x the end of all. */
static void offsets(int size, int64_t rows, const ls_layout *layout, int at, int64_t out[3])
{
    const int64_t B = size * rows;
    int64_t dy = 0, part = 0, x = 0;
    for (int i = 0; i < layout->matrices; i++) {
        const ls_matrix *m = &layout->matrix[i];
        if (!ls_group_splits(size, rows, m))
            continue;
        dy = ls_max(dy, B * m->columns);
        part = ls_max(part, B * ls_max(size * m->columns, m->rows));
        if (i < at)
            x += aligned(B * m->rows);
    }
    out[0] = 0;
    out[1] = aligned(dy);
    out[2] = out[1] + aligned(part) + x;
}

int64_t ls_group_floats(int size, int64_t rows, const ls_layout *layout)
{
    int64_t offset[3];
    offsets(size, rows, layout, layout->matrices, offset);
    return ls_max(offset[2], size);
}

ls_group_buffers ls_group_buffers_of(const ls_group *group, const ls_layout *layout, int at)
{
    int64_t offset[3];
    offsets(group->size, group->rows, layout, at, offset);
    return (ls_group_buffers){.dy = group->shared + offset[0],
                              .part = group->shared + offset[1],
                              .x = group->shared + offset[2]};
}
