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
enum { PANEL = WIDEST * LANES, DEPTH = 320, MOST_ROWS = 12 };

/* Rows from which on it pays to transpose M instead of x and y. */
enum { MOST_SWAPPED = 192 };

/* A panel is packed if so many tiles of rows read it. */
enum { WORTH_PACKING = 8 };

/* Number i of a selection; NULL: i. */
INLINE int64_t number(const int32_t *of, int64_t i)
{
    return of != NULL ? of[i] : i;
}

/* The sums of a tile of rows and `vectors` vectors of columns. */
typedef struct tile {
    const float *row[MOST_ROWS]; /* of x */
    int64_t column;              /* distance of x's columns */
    const int32_t *selected;     /* [K] columns of x; NULL: all */
    const float *M;              /* [K] the selected rows only, at a distance of M_row */
    int64_t M_row, K;
    bool add;
    float *y[MOST_ROWS]; /* where whole vectors of sums belong */
} tile;

/* Computes the sums of a tile, in the order of k. */
INLINE void sum_products(int rows, int vectors, int64_t column, const int32_t *selected, tile *t)
{
    const int64_t K = t->K, M_row = t->M_row;
    const float *M = t->M, *row[MOST_ROWS];
    vector sum[MOST_ROWS][4];
    for (int i = 0; i < rows; i++) {
        row[i] = t->row[i];
        for (int v = 0; v < vectors; v++)
            sum[i][v] = t->add ? load(t->y[i] + v * LANES) : splat(0);
    }
    for (int64_t k = 0; k < K; k++, M += M_row) {
        const int64_t at = number(selected, k) * column;
        vector factor[4];
        for (int v = 0; v < vectors; v++)
            factor[v] = load(M + v * LANES);
        for (int i = 0; i < rows; i++)
            for (int v = 0; v < vectors; v++)
                sum[i][v] += row[i][at] * factor[v];
    }
    for (int i = 0; i < rows; i++)
        for (int v = 0; v < vectors; v++)
            store(t->y[i] + v * LANES, sum[i][v]);
}

/* Rows of a tile whose sums stay in registers. */
INLINE int rows_of(int vectors)
{
    return SUMS / vectors < MOST_ROWS ? SUMS / vectors : MOST_ROWS;
}

/* The sums by number of vectors and by where x's columns are. Not inlined, so that the compiler has
 * all registers for the loop. */
#define SUM(name, vectors, column, selected)                                                       \
    NOINLINE void name(tile *t)                                                                    \
    {                                                                                              \
        sum_products(rows_of(vectors), vectors, column, selected, t);                              \
    }
SUM(sum_adjacent_1, 1, 1, NULL)
SUM(sum_adjacent_2, 2, 1, NULL)
SUM(sum_adjacent_widest, WIDEST, 1, NULL)
SUM(sum_selected_1, 1, 1, t->selected)
SUM(sum_selected_2, 2, 1, t->selected)
SUM(sum_selected_widest, WIDEST, 1, t->selected)
SUM(sum_distant_1, 1, t->column, NULL)
SUM(sum_distant_2, 2, t->column, NULL)
SUM(sum_distant_widest, WIDEST, t->column, NULL)
#undef SUM

/* Vectors of a tile for so many columns. */
INLINE int vectors_of(int64_t columns)
{
    return columns <= LANES ? 1 : columns <= 2 * LANES ? 2 : WIDEST;
}

/* Returns the sums for tiles of a number of vectors, and an x. */
static void (*sums_of(int vectors, const int32_t *selected, int64_t column))(tile *)
{
    const int at = vectors == 1 ? 0 : vectors == 2 ? 1 : 2;
    static void (*const adjacent[])(tile *) = {sum_adjacent_1, sum_adjacent_2, sum_adjacent_widest};
    static void (*const of_selected[])(tile *) = {sum_selected_1, sum_selected_2,
                                                  sum_selected_widest};
    static void (*const distant[])(tile *) = {sum_distant_1, sum_distant_2, sum_distant_widest};
    return selected != NULL ? of_selected[at] : column == 1 ? adjacent[at] : distant[at];
}

/* y [rows][columns] (+)= x M, with the columns of a tile. M has the selected rows only; columns of
 * x that are selected are adjacent numbers. */
static void product_columns(ls_selection of, int64_t rows, int64_t K, int64_t columns, ls_operand x,
                            const float *M, int64_t M_row, bool add, float *y, int64_t y_row)
{
    const int vectors = vectors_of(columns), height = rows_of(vectors);
    const size_t bytes = (size_t)columns * sizeof *y;
    const bool whole = columns >= vectors * LANES;
    void (*const sum)(tile *) = sums_of(vectors, of.k, x.column);
    tile t = {.column = x.column, .selected = of.k, .M = M, .M_row = M_row, .K = K, .add = add};
    float part[MOST_ROWS * 4 * LANES] = {0};
    for (int64_t r = 0; r < rows; r += height) {
        for (int i = 0; i < height; i++) { /* rows beyond the last are that one again */
            const int64_t row = number(of.row, smaller(r + i, rows - 1));
            t.row[i] = x.at + row * x.row;
            t.y[i] = whole ? y + row * y_row : part + i * vectors * LANES;
            if (!whole && add)
                memcpy(t.y[i], y + row * y_row, bytes);
        }
        sum(&t);
        for (int i = 0; !whole && i < height && r + i < rows; i++)
            memcpy(y + number(of.row, r + i) * y_row, t.y[i], bytes);
    }
}

/* to [.][i] = from [i][.], LANES rows and columns of each. */
INLINE void transpose_block(const float *from, int64_t from_row, float *to, int64_t to_row)
{
    vector v[LANES];
    for (int i = 0; i < LANES; i++)
        v[i] = load(from + i * from_row);
    transpose(v);
    for (int i = 0; i < LANES; i++)
        store(to + i * to_row, v[i]);
}

/* to [columns][rows] = from [rows][columns], transposed. */
static void transpose_matrix(int64_t rows, int64_t columns, const float *from, int64_t from_row,
                             float *to, int64_t to_row)
{
    for (int64_t r = 0; r < rows; r += LANES)
        for (int64_t c = 0; c < columns; c += LANES) {
            const float *block = from + r * from_row + c;
            float *out = to + c * to_row + r;
            if (r + LANES <= rows && c + LANES <= columns) {
                transpose_block(block, from_row, out, to_row);
                continue;
            }
            for (int64_t j = 0; j < LANES && c + j < columns; j++)
                for (int64_t i = 0; i < LANES && r + i < rows; i++)
                    out[j * to_row + i] = block[i * from_row + j];
        }
}

/* Copies K rows of `columns` columns of M to a panel, zero-padded to `width`. */
static void pack(const int32_t *of, int64_t K, int64_t columns, int64_t width, ls_operand M,
                 float *panel)
{
    const bool transposed = of == NULL && M.row == 1;
    if (transposed)
        transpose_matrix(columns, K, M.at, M.column, panel, width);
    for (int64_t k = 0; k < K; k++, panel += width) {
        const float *from = M.at + number(of, k) * M.row;
        if (M.column == 1)
            memcpy(panel, from, (size_t)columns * sizeof *panel);
        else if (!transposed)
            for (int64_t c = 0; c < columns; c++)
                panel[c] = from[c * M.column];
        for (int64_t c = columns; c < width; c++)
            panel[c] = 0;
    }
}

/* The same with DEPTH rows of M at most, of M as it is or packed. */
static void product_panel(ls_selection of, int64_t rows, int64_t K, int64_t columns, ls_operand x,
                          ls_operand M, bool add, float *y, int64_t y_row)
{
    float panel[DEPTH * PANEL];
    const int vectors = vectors_of(columns), width = vectors * LANES;
    if (M.column != 1 || columns < width || of.k != NULL ||
        rows >= WORTH_PACKING * SUMS / vectors) {
        pack(of.k, K, columns, width, M, panel);
        M = (ls_operand){panel, width, 1};
    }
    product_columns(of, rows, K, columns, x, M.at, M.row, add, y, y_row);
}

/* Returns true if it is faster to compute y^T = M^T x^T: if M has few columns, which would fill few
 * lanes, and x is transposed already; or if M is transposed and has more numbers than x. */
static bool is_swapped(ls_selection of, int64_t rows, int64_t K, int64_t columns, ls_operand x,
                       ls_operand M)
{
    if (of.k != NULL || of.row != NULL || K < 2 * LANES)
        return false;
    if (columns < LANES)
        return x.row == 1 && rows >= 2 * LANES;
    return M.row == 1 && M.column != 1 && K >= PANEL && rows >= LANES && rows < MOST_SWAPPED &&
           rows < columns;
}

/* The product with DEPTH rows of M, and PANEL rows of x: as y^T = M^T x^T, with x in a panel. M is
 * read in place. */
static void product_swapped(int64_t rows, int64_t K, int64_t columns, ls_operand x, ls_operand M,
                            bool add, float *y, int64_t y_row)
{
    enum { BLOCK = 48 }; /* columns of y, whole tiles and vectors */
    float panel[DEPTH * PANEL], part[BLOCK * PANEL];
    const int width = vectors_of(rows) * LANES;
    pack(NULL, K, rows, width, (ls_operand){x.at, x.column, x.row}, panel);
    for (int64_t c = 0; c < columns; c += BLOCK) {
        const int64_t count = smaller(columns - c, BLOCK);
        if (add)
            transpose_matrix(rows, count, y + c, y_row, part, width);
        product_columns((ls_selection){NULL, NULL}, count, K, width,
                        (ls_operand){M.at + c * M.column, M.column, M.row}, panel, width, add, part,
                        width);
        transpose_matrix(count, rows, part, width, y + c, y_row);
    }
}

static void product_of(ls_selection of, int64_t rows, int64_t K, int64_t columns, ls_operand x,
                       ls_operand M, bool add, float *y, int64_t y_row)
{
    const bool swapped = is_swapped(of, rows, K, columns, x, M);
    for (int64_t r = 0; K == 0 && !add && r < rows; r++)
        memset(y + number(of.row, r) * y_row, 0, (size_t)columns * sizeof *y);
    const int64_t parts = (K + DEPTH - 1) / DEPTH, deepest = K > 0 ? (K + parts - 1) / parts : 1;
    for (int64_t k = 0; k < K; k += deepest) {
        const ls_selection now = {of.k != NULL ? of.k + k : NULL, of.row};
        const int64_t from = of.k != NULL ? 0 : k, depth = smaller(K - k, deepest);
        const ls_operand x_part = {x.at + from * x.column, x.row, x.column};
        const ls_operand M_part = {M.at + from * M.row, M.row, M.column};
        for (int64_t r = 0; swapped && r < rows; r += PANEL)
            product_swapped(smaller(rows - r, PANEL), depth, columns,
                            (ls_operand){x_part.at + r * x.row, x.row, x.column}, M_part,
                            add || k > 0, y + r * y_row, y_row);
        for (int64_t c = 0; !swapped && c < columns; c += PANEL)
            product_panel(now, rows, depth, smaller(columns - c, PANEL), x_part,
                          (ls_operand){M_part.at + c * M.column, M.row, M.column}, add || k > 0,
                          y + c, y_row);
    }
}

static void product(int64_t rows, int64_t K, int64_t columns, ls_operand x, ls_operand M, bool add,
                    float *y, int64_t y_row)
{
    product_of((ls_selection){NULL, NULL}, rows, K, columns, x, M, add, y, y_row);
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

static double spin(int times)
{
    enum { CHAINS = 12 }; /* independent sums: more than the latency of an operation */
    static volatile float kept;
    vector sum[CHAINS], factor = splat(kept + 0.5f), term = splat(kept + 0.25f);
    float lanes[LANES];
    for (int i = 0; i < CHAINS; i++)
        sum[i] = splat((float)i);
    for (int t = 0; t < times; t++)
        for (int i = 0; i < CHAINS; i++)
            sum[i] = sum[i] * factor + term;
    for (int i = 1; i < CHAINS; i++)
        sum[0] += sum[i];
    store(lanes, sum[0]);
    kept = 0 * lanes[0];
    return 2.0 * LANES * CHAINS * times;
}

const ls_matrix_kernel LS_OF_KIND(ls_matrix) = {.product = product,
                                                .spin = spin,
                                                .product_of = product_of,
                                                .softmax = softmax,
                                                .softmax_again = softmax_again,
                                                .softmax_gradient = softmax_gradient};
