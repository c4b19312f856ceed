/* K: classes; v of n rows are held out. */
#include "data/hold_out.h"

#include "base/memory.h"
#include "base/rng.h"

enum { WORD = 64, BLOCK = 8 * WORD, PIECE = 1 << 16 };

struct ls_held {
    int64_t rows, count; /* rows of the group; held-out rows */
    uint64_t *bits;      /* [rows / WORD, rounded up to blocks] 1: held out */
    int64_t *before;     /* [blocks + 1] held-out rows in all blocks before */
};

/* Number of rows not drawn yet, and how many of them must be held out. */
typedef struct quota {
    int64_t left, wanted;
} quota;

static int64_t count_all_blocks(const ls_held *h)
{
    return h->rows / BLOCK + (h->rows % BLOCK != 0);
}

static ls_status create_held(ls_held **out, int64_t rows)
{
    ls_held *h = ls_alloc(1, sizeof *h);
    if (h == NULL)
        return LS_ERR_FAILURE;
    h->rows = rows;
    h->bits = ls_alloc(count_all_blocks(h) * (BLOCK / WORD), sizeof *h->bits);
    h->before = ls_alloc(count_all_blocks(h) + 1, sizeof *h->before);
    if (h->bits == NULL || h->before == NULL) {
        ls_held_destroy(&h);
        return LS_ERR_FAILURE;
    }
    *out = h;
    return LS_OK;
}

/* Decides if a row is held out. */
static void draw_row(ls_held *h, uint64_t key, int64_t row, quota *q)
{
    if (ls_rng_uniform(key, (uint64_t)row) * (double)q->left < (double)q->wanted) {
        h->bits[row / WORD] |= UINT64_C(1) << row % WORD;
        h->count++;
        q->wanted--;
    }
    q->left--;
}

/* Computes `before`, after all rows are drawn. */
static void sum_blocks(ls_held *h)
{
    for (int64_t b = 0; b < count_all_blocks(h); b++) {
        h->before[b + 1] = h->before[b];
        for (int64_t w = b * (BLOCK / WORD); w < (b + 1) * (BLOCK / WORD); w++)
            h->before[b + 1] += __builtin_popcountll(h->bits[w]);
    }
}

/* Computes each class's share of v: the share of classes 0 .. k together, rounded down, minus the
 * share of classes 0 .. k-1. */
static void divide_quota(quota *q, int classes, int64_t rows, int64_t wanted)
{
    __extension__ typedef unsigned __int128 wide; /* the product of two counts of rows */
    int64_t before = 0, given = 0;
    for (int k = 0; k < classes; k++) {
        before += q[k].left;
        const int64_t due = (int64_t)((wide)before * (wide)wanted / (wide)rows);
        const int64_t most = q[k].left > 0 ? q[k].left - 1 : 0;
        q[k].wanted = due - given < most ? due - given : most;
        given = due;
    }
}

/* Reads all labels, and counts them in `q`, or draws the rows by `q`. */
static ls_status scan_labels(ls_held *h, bool drawing, uint64_t key, ls_label_reader labels,
                             quota *q)
{
    int32_t *label = ls_alloc(PIECE, sizeof *label);
    ls_status status = label == NULL ? LS_ERR_FAILURE : LS_OK;
    for (int64_t done = 0; status == LS_OK && done < h->rows; done += PIECE) {
        const int64_t left = h->rows - done, some = left < PIECE ? left : PIECE;
        status = labels.read(labels.user, done, some, label);
        for (int64_t i = 0; status == LS_OK && i < some; i++)
            if (drawing)
                draw_row(h, key, done + i, &q[label[i]]);
            else
                q[label[i]].left++;
    }
    ls_free(label);
    return status;
}

static ls_status draw_stratified(ls_held *h, uint64_t key, int64_t wanted, int classes,
                                 ls_label_reader labels)
{
    quota *q = ls_alloc(classes, sizeof *q);
    ls_status status = q == NULL ? LS_ERR_FAILURE : scan_labels(h, false, key, labels, q);
    if (status == LS_OK) {
        divide_quota(q, classes, h->rows, wanted);
        status = scan_labels(h, true, key, labels, q);
    }
    ls_free(q);
    return status;
}

ls_status ls_held_draw(ls_held **out, ls_hold_out how, uint64_t seed, int64_t rows, int64_t wanted,
                       int classes, ls_label_reader labels)
{
    ls_held *h = NULL;
    const uint64_t key = ls_rng_key(seed, LS_RNG_HOLD_OUT, 0);
    quota all = {rows, wanted};
    ls_status status = create_held(&h, rows);
    if (status == LS_OK && how == LS_HOLD_OUT_STRATIFIED)
        status = draw_stratified(h, key, wanted, classes, labels);
    for (int64_t row = 0; status == LS_OK && how == LS_HOLD_OUT_RANDOM && row < rows; row++)
        draw_row(h, key, row, &all);
    if (status != LS_OK) {
        ls_held_destroy(&h);
        return status;
    }
    sum_blocks(h);
    *out = h;
    return LS_OK;
}

int64_t ls_held_count(const ls_held *held)
{
    return held->count;
}

bool ls_held_has(const ls_held *held, int64_t row)
{
    return (held->bits[row / WORD] >> row % WORD & 1) != 0;
}

/* Members of a split in the blocks before this one. */
static int64_t count_before_block(const ls_held *h, bool out, int64_t block)
{
    return out ? h->before[block] : block * BLOCK - h->before[block];
}

/* Finds the block by bisection, then the word, then the bit. */
int64_t ls_held_row(const ls_held *h, bool out, int64_t index)
{
    int64_t low = 0, high = count_all_blocks(h);
    while (high - low > 1) {
        const int64_t middle = low + (high - low) / 2;
        if (count_before_block(h, out, middle) <= index)
            low = middle;
        else
            high = middle;
    }
    int64_t row = low * BLOCK, left = index - count_before_block(h, out, low);
    for (;; row += WORD) {
        const int held = __builtin_popcountll(h->bits[row / WORD]);
        const int members = out ? held : WORD - held;
        if (left < members)
            break;
        left -= members;
    }
    while (ls_held_has(h, row) != out || left-- > 0)
        row++;
    return row;
}

int64_t ls_held_before(const ls_held *h, bool out, int64_t row)
{
    const int64_t block = row / BLOCK;
    int64_t held = h->before[block];
    for (int64_t at = block * BLOCK; at < row; at += WORD) {
        const uint64_t word = h->bits[at / WORD];
        const int64_t left = row - at;
        held += __builtin_popcountll(left < WORD ? word & ((UINT64_C(1) << left) - 1) : word);
    }
    return out ? held : row - held;
}

void ls_held_destroy(ls_held **held)
{
    if (held == NULL || *held == NULL)
        return;
    ls_free((*held)->bits);
    ls_free((*held)->before);
    ls_free(*held);
    *held = NULL;
}
