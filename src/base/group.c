/* Layout of a group's shared memory:
 *
 *     dy, part      for one matrix at a time, sized for the largest
 *     x, x, ...     one for each matrix that is split; and again for each further pass */
#include "base/group.h"

#include "base/integer.h"

#include <assert.h>

/* Floats between arrays, so that they begin at different cache sets and do not evict each other. */
enum { GAP = 5 * 16 };

static int64_t pad_array(int64_t floats)
{
    return (floats + 15) / 16 * 16 + GAP;
}

/* A slice has about SLICE floats, and a matrix at most SLICES slices: each slice packs the other
 * factor of its product again, and each message costs latency. */
enum { SLICE = 1 << 16, SLICES = 4 };

int64_t ls_matrix_slice(const ls_matrix *m)
{
    const int64_t wanted = (m->rows * m->columns + SLICE - 1) / SLICE;
    const int64_t slices = ls_min(wanted, SLICES);
    return (m->rows + slices - 1) / slices;
}

bool ls_group_splits(int size, int64_t rows, const ls_matrix *m)
{
    /* In double, to avoid overflow. */
    return size > 1 && m->rows >= size &&
           (double)size * (double)rows * ((double)m->rows + (double)m->columns) <
               (double)m->rows * (double)m->columns;
}

/* Offsets of dy, part and x of matrix `at` in a slot; with at = layout->matrices, out[2] is the end
 * of the slot. */
static void compute_offsets(const ls_group *group, const ls_layout *layout, int at, int slot,
                            int64_t out[3])
{
    const int size = group->size;
    const int64_t B = size * group->rows;
    int64_t dy = 0, part = 0, x = 0, all = 0;
    for (int i = 0; i < layout->matrices; i++) {
        const ls_matrix *m = &layout->matrix[i];
        if (!ls_group_splits(size, group->rows, m))
            continue;
        dy = ls_max(dy, B * m->columns);
        part = ls_max(part, B * ls_max(size * m->columns, m->rows));
        all += pad_array(B * m->rows);
        if (i < at)
            x = all;
    }
    out[0] = 0;
    out[1] = pad_array(dy);
    out[2] = out[1] + pad_array(part) + slot * all + x;
}

int64_t ls_group_floats(const ls_group *group, const ls_layout *layout)
{
    int64_t offset[3];
    compute_offsets(group, layout, layout->matrices, group->passes - 1, offset);
    return ls_max(offset[2], group->size);
}

ls_group_buffers ls_group_buffers_of(const ls_group *group, const ls_layout *layout, int at,
                                     int slot)
{
    int64_t offset[3];
    assert(slot >= 0 && slot < group->passes);
    compute_offsets(group, layout, at, slot, offset);
    return (ls_group_buffers){.dy = group->shared + offset[0],
                              .part = group->shared + offset[1],
                              .x = group->shared + offset[2]};
}
