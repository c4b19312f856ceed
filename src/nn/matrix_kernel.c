/* Compiled once for each kind of processor: defines ls_matrix_KIND with vectors of LS_LANES floats.
 *
 * A tile of rows times one, two or four vectors of columns stays in registers. M is multiplied in
 * panels of DEPTH rows and PANEL columns, so that a panel stays in the cache while all rows of x
 * are multiplied with it. */
#include "nn/matrix_kernel.h"

#include <math.h>

#include "nn/ops/lanes_math.h"

/* SUMS vectors of sums stay in registers, of 32 (AVX-512) or 16; and beside them WIDEST vectors of
 * a row of M. */
enum { SUMS = LANES == 16 ? 24 : 12, WIDEST = LANES == 16 ? 4 : 2 };
enum { PANEL = WIDEST * LANES, DEPTH = 256, MOST_ROWS = 12 };

/* A panel is packed if so many tiles of rows read it. */
enum { WORTH_PACKING = 8 };

/* A tile: y [rows][columns] (+)= x M; `vectors` vectors of M's rows, at a distance of M_row. */
INLINE void product_tile(int vectors, int tile, int64_t rows, int64_t K, int64_t columns,
                         ls_operand x, const float *M, int64_t M_row, bool add, float *y,
                         int64_t y_row)
{
    const float *row[MOST_ROWS];
    vector sum[MOST_ROWS][4];
    for (int i = 0; i < tile; i++) {
        row[i] = x.at + smaller(i, rows - 1) * x.row;
        for (int v = 0; v < vectors; v++)
            sum[i][v] = splat(0);
    }
    for (int64_t k = 0; k < K; k++, M += M_row) {
        vector factor[4];
        for (int v = 0; v < vectors; v++)
            factor[v] = load(M + v * LANES);
        for (int i = 0; i < tile; i++)
            for (int v = 0; v < vectors; v++)
                sum[i][v] += row[i][k * x.column] * factor[v];
    }
    for (int i = 0; i < tile && i < rows; i++)
        for (int v = 0; v < vectors && v * LANES < columns; v++) {
            float *to = y + i * y_row + v * LANES;
            const int64_t count = columns - v * LANES;
            store_some(to, add ? load_some(to, count) + sum[i][v] : sum[i][v], count);
        }
}

/* All rows with `vectors` vectors of columns. */
INLINE void product_rows(int vectors, int64_t rows, int64_t K, int64_t columns, ls_operand x,
                         const float *M, int64_t M_row, bool add, float *y, int64_t y_row)
{
    const int tile = SUMS / vectors < MOST_ROWS ? SUMS / vectors : MOST_ROWS;
    for (int64_t r = 0; r < rows; r += tile, y += tile * y_row, x.at += tile * x.row)
        product_tile(vectors, tile, rows - r, K, columns, x, M, M_row, add, y, y_row);
}

/* The same; rows of x of adjacent numbers, which most are, have a loop of their own. */
INLINE void product_operand(int vectors, int64_t rows, int64_t K, int64_t columns, ls_operand x,
                            const float *M, int64_t M_row, bool add, float *y, int64_t y_row)
{
    if (x.column == 1)
        product_rows(vectors, rows, K, columns, (ls_operand){x.at, x.row, 1}, M, M_row, add, y,
                     y_row);
    else
        product_rows(vectors, rows, K, columns, x, M, M_row, add, y, y_row);
}

/* Copies K rows of `columns` columns of M to a panel, zero-padded to `width`. */
static void pack(int64_t K, int64_t columns, int64_t width, ls_operand M, float *panel)
{
    for (int64_t k = 0; k < K; k++, panel += width) {
        const float *from = M.at + k * M.row;
        if (M.column == 1)
            memcpy(panel, from, (size_t)columns * sizeof *panel);
        else
            for (int64_t c = 0; c < columns; c++)
                panel[c] = from[c * M.column];
        for (int64_t c = columns; c < width; c++)
            panel[c] = 0;
    }
}

/* The product with DEPTH rows and PANEL columns of M at most. */
static void product_panel(int64_t rows, int64_t K, int64_t columns, ls_operand x, ls_operand M,
                          bool add, float *y, int64_t y_row)
{
    float panel[DEPTH * PANEL];
    const int64_t vectors = columns <= LANES ? 1 : columns <= 2 * LANES ? 2 : WIDEST;
    const int64_t width = vectors * LANES;
    if (M.column != 1 || columns < width || rows >= WORTH_PACKING * SUMS / vectors) {
        pack(K, columns, width, M, panel);
        M = (ls_operand){panel, width, 1};
    }
    if (vectors == 1)
        product_operand(1, rows, K, columns, x, M.at, M.row, add, y, y_row);
    else if (vectors == 2)
        product_operand(2, rows, K, columns, x, M.at, M.row, add, y, y_row);
    else
        product_operand(WIDEST, rows, K, columns, x, M.at, M.row, add, y, y_row);
}

static void product(int64_t rows, int64_t K, int64_t columns, ls_operand x, ls_operand M, bool add,
                    float *y, int64_t y_row)
{
    for (int64_t c = 0; K == 0 && !add && c < rows; c++)
        memset(y + c * y_row, 0, (size_t)columns * sizeof *y);
    for (int64_t k = 0; k < K; k += DEPTH)
        for (int64_t c = 0; c < columns; c += PANEL)
            product_panel(rows, smaller(K - k, DEPTH), smaller(columns - c, PANEL),
                          (ls_operand){x.at + k * x.column, x.row, x.column},
                          (ls_operand){M.at + k * M.row + c * M.column, M.row, M.column},
                          add || k > 0, y + c, y_row);
}

/* Vectors of LS_SCORES floats: sums have LS_SCORES partial sums with any vectors. */
enum { PARTS = LS_SCORES / LANES };

/* The vector at float `at` of a row, with `fill` from its end on. */
INLINE vector within(vector v, int64_t at, int64_t end, float fill)
{
    lanes_mask index;
    for (int lane = 0; lane < LANES; lane++)
        index[lane] = lane;
    return at + LANES <= end ? v : choose(index < (int32_t)(end - at), v, splat(fill));
}

static float largest_of(int64_t keys, const float *s)
{
    vector most = splat(-INFINITY);
    float lanes[LANES];
    for (int64_t j = 0; j < keys; j += LANES) {
        const vector v = within(load(s + j), j, keys, -INFINITY);
        most = choose(v > most, v, most);
    }
    store(lanes, most);
    for (int lane = 1; lane < LANES; lane++)
        lanes[0] = lanes[lane] > lanes[0] ? lanes[lane] : lanes[0];
    return lanes[0];
}

static float total(const vector sum[PARTS])
{
    float lanes[LS_SCORES], all = 0;
    for (int p = 0; p < PARTS; p++)
        store(lanes + p * LANES, sum[p]);
    for (int lane = 0; lane < LS_SCORES; lane++)
        all += lanes[lane];
    return all;
}

static float softmax(int64_t keys, float scale, float *s)
{
    const float most = largest_of(keys, s);
    vector sum[PARTS] = {0};
    for (int64_t j = 0; j < keys; j += LS_SCORES)
        for (int p = 0; p < PARTS; p++) {
            const int64_t at = j + p * LANES;
            const vector e = within(lanes_exp((load(s + at) - most) * scale), at, keys, 0);
            store(s + at, e);
            sum[p] += e;
        }
    const float all = total(sum), inverse = 1 / all;
    for (int64_t j = 0; j < keys; j += LANES)
        store(s + j, load(s + j) * inverse);
    return most * scale + logf(all);
}

static void softmax_again(int64_t keys, float scale, float log, float *s)
{
    for (int64_t j = 0; j < keys; j += LS_SCORES)
        for (int64_t at = j; at < j + LS_SCORES; at += LANES)
            store(s + at, within(lanes_exp(load(s + at) * scale - log), at, keys, 0));
}

static float dot(int64_t E, const float *a, const float *b)
{
    vector sum[PARTS] = {0};
    for (int64_t e = 0; e < E; e += LS_SCORES)
        for (int p = 0; p < PARTS; p++)
            if (e + p * LANES < E)
                sum[p] += load_some(a + e + p * LANES, E - e - p * LANES) *
                          load_some(b + e + p * LANES, E - e - p * LANES);
    return total(sum);
}

static void softmax_gradient(int64_t keys, float scale, const float *p, int64_t E, const float *o,
                             const float *d_o, float *ds)
{
    const float D = dot(E, o, d_o);
    for (int64_t j = 0; j < keys; j += LS_SCORES)
        for (int64_t at = j; at < j + LS_SCORES; at += LANES) {
            const vector d = load(p + at) * (load(ds + at) - D) * scale;
            store(ds + at, within(d, at, keys, 0));
        }
}

const ls_matrix_kernel LS_OF_KIND(ls_matrix) = {.product = product,
                                                .softmax = softmax,
                                                .softmax_again = softmax_again,
                                                .softmax_gradient = softmax_gradient};
