/* Compiled once for each kind of processor: defines ls_recurrent_KIND with vectors of LS_LANES
 * floats.
 *
 * Packed weights: for each block of columns [K][vectors][LANES], zero-padded to whole vectors. A
 * block of lstm and gru has LANES units with a vector for each gate, so that all gates of a unit
 * are summed at the same time; a block of rnn, and of products, has VECTORS vectors of columns. */
#include "nn/ops/recurrent_kernel.h"

#include "nn/ops/lanes_math.h"

/* TILE rows x VECTORS vectors of sums stay in registers. */
enum { VECTORS = 4, TILE = LANES == 16 ? 6 : 3, PANEL = VECTORS * LANES };

/* Adds the products of TILE rows x with K rows of packed weights to sums; vector v of the weights
 * to sum to[v]. */
INLINE void add_products(int vectors, const int to[], int64_t K, const float *const x[TILE],
                         const float *w, vector sum[TILE][VECTORS])
{
    for (int64_t k = 0; k < K; k++, w += vectors * LANES) {
        vector factor[VECTORS];
        for (int v = 0; v < vectors; v++)
            factor[v] = load(w + v * LANES);
        for (int i = 0; i < TILE; i++)
            for (int v = 0; v < vectors; v++)
                sum[i][to[v]] += x[i][k] * factor[v];
    }
}

/* Pointers to TILE rows; the last row again, if there are fewer. */
INLINE void find_rows(int64_t rows, const float *x, int64_t distance, const float *row[TILE])
{
    for (int64_t i = 0; i < TILE; i++)
        row[i] = x + smaller(i, rows - 1) * distance;
}

/* y [rows][columns] = x [rows][K] times packed weights, or += if `add`. */
NOINLINE void product_panel(int64_t rows, int64_t K, const float *x, int64_t x_row, const float *w,
                            int64_t columns, bool add, float *y, int64_t y_row)
{
    static const int in_order[VECTORS] = {0, 1, 2, 3};
    for (int64_t r = 0; r < rows; r += TILE) {
        const float *row[TILE];
        vector sum[TILE][VECTORS] = {0};
        find_rows(rows - r, x + r * x_row, x_row, row);
        add_products(VECTORS, in_order, K, row, w, sum);
        for (int i = 0; i < TILE && r + i < rows; i++)
            for (int v = 0; v < VECTORS && v * LANES < columns; v++) {
                float *to = y + (r + i) * y_row + v * LANES;
                const int64_t count = columns - v * LANES;
                store_some(to, add ? load_some(to, count) + sum[i][v] : sum[i][v], count);
            }
    }
}

/* Gates of a block of units in one row, from their sums. */
INLINE void finish_lstm(const ls_recurrent_step *s, int64_t row, int64_t unit,
                        const vector sum[VECTORS])
{
    const int64_t H = s->units, count = H - unit, at = row * H + unit;
    const vector i = lanes_sigmoid(sum[0]), f = lanes_sigmoid(sum[1]);
    const vector g = lanes_tanh(sum[2]), o = lanes_sigmoid(sum[3]);
    const vector c = f * load_some(s->c + at, count) + i * g;
    float *gates = s->gates + row * 4 * H + unit;
    store_some(gates, i, count);
    store_some(gates + H, f, count);
    store_some(gates + 2 * H, g, count);
    store_some(gates + 3 * H, o, count);
    store_some(s->c_next + at, c, count);
    store_some(s->h + row * (s->inputs + H) + unit, o * lanes_tanh(c), count);
}

INLINE void finish_gru(const ls_recurrent_step *s, int64_t row, int64_t unit,
                       const vector sum[VECTORS])
{
    const int64_t H = s->units, count = H - unit, Z = s->inputs + H;
    const vector z = lanes_sigmoid(sum[0]), r = lanes_sigmoid(sum[1]);
    const vector n = lanes_tanh(sum[2] + r * sum[3]);
    const vector h = load_some(s->z + row * Z + s->inputs + unit, count);
    float *gates = s->gates + row * 4 * H + unit;
    store_some(gates, z, count);
    store_some(gates + H, r, count);
    store_some(gates + 2 * H, n, count);
    store_some(gates + 3 * H, sum[3], count);
    store_some(s->h + row * Z + unit, n + z * (h - n), count);
}

INLINE void finish_rnn(const ls_recurrent_step *s, int64_t row, int64_t unit,
                       const vector sum[VECTORS])
{
    float *h = s->h + row * (s->inputs + s->units) + unit;
    for (int v = 0; v < VECTORS && unit + v * LANES < s->units; v++)
        store_some(h + v * LANES, lanes_tanh(sum[v]), s->units - unit - v * LANES);
}

/* Sums of the gates of a block of units in TILE rows. */
INLINE void sum_gates(const ls_recurrent_step *s, const float *const z[TILE], const float *w,
                      const float *bias, vector sum[TILE][VECTORS])
{
    static const int all[VECTORS] = {0, 1, 2, 3}, of_state[VECTORS] = {0, 1, 3};
    const float *h[TILE];
    for (int i = 0; i < TILE; i++)
        for (int v = 0; v < VECTORS; v++)
            sum[i][v] = load(bias + v * LANES);
    if (s->kind != LS_GRU) {
        add_products(VECTORS, all, s->inputs + s->units, z, w, sum);
        return;
    }
    for (int i = 0; i < TILE; i++)
        h[i] = z[i] + s->inputs;
    add_products(3, all, s->inputs, z, w, sum);
    add_products(3, of_state, s->units, h, w + s->inputs * 3 * LANES, sum);
}

/* All rows of a block of units. */
INLINE void forward_block(ls_recurrent kind, const ls_recurrent_step *step, int64_t unit,
                          const float *w, const float *bias)
{
    ls_recurrent_step s = *step;
    s.kind = kind; /* a constant for the compiler */
    const int64_t Z = s.inputs + s.units;
    for (int64_t r = 0; r < s.rows; r += TILE) {
        const float *row[TILE];
        vector sum[TILE][VECTORS];
        find_rows(s.rows - r, s.z + r * Z, Z, row);
        sum_gates(&s, row, w, bias, sum);
        for (int i = 0; i < TILE && r + i < s.rows; i++)
            if (kind == LS_LSTM)
                finish_lstm(&s, r + i, unit, sum[i]);
            else if (kind == LS_GRU)
                finish_gru(&s, r + i, unit, sum[i]);
            else
                finish_rnn(&s, r + i, unit, sum[i]);
    }
}

NOINLINE void forward_lstm(const ls_recurrent_step *s, int64_t unit, const float *w, const float *b)
{
    forward_block(LS_LSTM, s, unit, w, b);
}

NOINLINE void forward_gru(const ls_recurrent_step *s, int64_t unit, const float *w, const float *b)
{
    forward_block(LS_GRU, s, unit, w, b);
}

NOINLINE void forward_rnn(const ls_recurrent_step *s, int64_t unit, const float *w, const float *b)
{
    forward_block(LS_RNN, s, unit, w, b);
}

/* Units of a block; vectors of weights in it. */
INLINE int64_t block_units(ls_recurrent kind)
{
    return kind == LS_RNN ? PANEL : LANES;
}

INLINE int64_t block_vectors(ls_recurrent kind)
{
    return kind == LS_GRU ? 3 : VECTORS;
}

static int64_t block_count(int64_t columns, int64_t block)
{
    return (columns + block - 1) / block;
}

static void recurrent_forward(const ls_recurrent_step *s, const float *packed)
{
    void (*const forward[LS_RECURRENTS])(const ls_recurrent_step *, int64_t, const float *,
                                         const float *) = {
        [LS_RNN] = forward_rnn, [LS_LSTM] = forward_lstm, [LS_GRU] = forward_gru};
    const int64_t units = block_units(s->kind);
    const int64_t block = (s->inputs + s->units) * block_vectors(s->kind) * LANES;
    const float *bias = packed + block_count(s->units, units) * block;
    for (int64_t unit = 0; unit < s->units; unit += units, packed += block, bias += PANEL)
        forward[s->kind](s, unit, packed, bias);
}

static int64_t recurrent_packed(ls_recurrent kind, int64_t inputs, int64_t units)
{
    return block_count(units, block_units(kind)) *
           ((inputs + units) * block_vectors(kind) * LANES + PANEL);
}

/* Copies columns first .. first+count-1 of a row, zero-padded to `room`. */
static void pack_row(const float *row, int64_t first, int64_t count, int64_t room, float *to)
{
    for (int64_t i = 0; i < room; i++)
        to[i] = i < count ? row[first + i] : 0;
}

/* Packs `rows` rows of a matrix [rows][columns] whose blocks of H columns belong to the vectors of
 * a block. Returns the end. */
static float *pack_rows(ls_recurrent kind, int64_t rows, int64_t H, int64_t unit, const float *from,
                        float *to)
{
    const int64_t gates = kind == LS_RNN ? 1 : block_vectors(kind), room = block_units(kind);
    for (int64_t k = 0; k < rows; k++)
        for (int64_t g = 0; g < gates; g++, to += room)
            pack_row(from + k * gates * H, g * H + unit, smaller(H - unit, room), room, to);
    return to;
}

static void recurrent_pack(ls_recurrent kind, int64_t inputs, int64_t H, const float *W,
                           const float *U, const float *b, float *packed)
{
    const int64_t room = block_units(kind), gates = kind == LS_RNN ? 1 : block_vectors(kind);
    for (int64_t unit = 0; unit < H; unit += room) {
        packed = pack_rows(kind, inputs, H, unit, W, packed);
        packed = pack_rows(kind, H, H, unit, U, packed);
    }
    for (int64_t unit = 0; unit < H; unit += room, packed += PANEL) {
        const int64_t count = smaller(H - unit, room);
        for (int64_t g = 0; g < gates; g++)
            pack_row(b, g * H + unit, count, room, packed + g * LANES);
        if (kind != LS_GRU)
            continue;
        for (int64_t g = 0; g < 2; g++) /* z and r: both biases */
            for (int64_t i = 0; i < count; i++)
                packed[g * LANES + i] += b[(3 + g) * H + unit + i];
        pack_row(b, 5 * H + unit, count, room, packed + 3 * LANES);
    }
}

/* Gradients of the sums of a vector of units. */
INLINE void backward_lstm(const ls_recurrent_step *s, int64_t row, int64_t unit)
{
    const int64_t H = s->units, count = H - unit, at = row * H + unit;
    float *gates = s->gates + row * 4 * H + unit;
    const vector i = load_some(gates, count), f = load_some(gates + H, count);
    const vector g = load_some(gates + 2 * H, count), o = load_some(gates + 3 * H, count);
    const vector tanh_c = lanes_tanh(load_some(s->c_next + at, count));
    const vector dh = load_some(s->dh + at, count);
    const vector dc = load_some(s->dc + at, count) + dh * o * (1 - tanh_c * tanh_c);
    store_some(gates, dc * g * i * (1 - i), count);
    store_some(gates + H, dc * load_some(s->c + at, count) * f * (1 - f), count);
    store_some(gates + 2 * H, dc * i * (1 - g * g), count);
    store_some(gates + 3 * H, dh * tanh_c * o * (1 - o), count);
    store_some(s->dc + at, dc * f, count);
    store_some(s->dh + at, splat(0), count);
}

INLINE void backward_gru(const ls_recurrent_step *s, int64_t row, int64_t unit)
{
    const int64_t H = s->units, count = H - unit, at = row * H + unit;
    float *gates = s->gates + row * 4 * H + unit;
    const vector z = load_some(gates, count), r = load_some(gates + H, count);
    const vector n = load_some(gates + 2 * H, count), hn = load_some(gates + 3 * H, count);
    const vector h = load_some(s->z + row * (s->inputs + H) + s->inputs + unit, count);
    const vector dh = load_some(s->dh + at, count);
    const vector dn = dh * (1 - z) * (1 - n * n);
    store_some(gates, dh * (h - n) * z * (1 - z), count);
    store_some(gates + H, dn * hn * r * (1 - r), count);
    store_some(gates + 2 * H, dn, count);
    store_some(gates + 3 * H, dn * r, count);
    store_some(s->dh + at, dh * z, count);
}

INLINE void backward_rnn(const ls_recurrent_step *s, int64_t row, int64_t unit)
{
    const int64_t H = s->units, count = H - unit, at = row * H + unit;
    const vector h = load_some(s->h + row * (s->inputs + H) + unit, count);
    store_some(s->gates + at, load_some(s->dh + at, count) * (1 - h * h), count);
    store_some(s->dh + at, splat(0), count);
}

static void recurrent_backward(const ls_recurrent_step *s)
{
    for (int64_t row = 0; row < s->rows; row++)
        for (int64_t unit = 0; unit < s->units; unit += LANES)
            if (s->kind == LS_LSTM)
                backward_lstm(s, row, unit);
            else if (s->kind == LS_GRU)
                backward_gru(s, row, unit);
            else
                backward_rnn(s, row, unit);
}

static int64_t product_packed(int64_t K, int64_t columns)
{
    return block_count(columns, PANEL) * K * PANEL;
}

static void product_pack(int64_t K, int64_t columns, const float *M, int64_t M_row, float *packed)
{
    for (int64_t first = 0; first < columns; first += PANEL)
        for (int64_t k = 0; k < K; k++)
            for (int64_t i = 0; i < PANEL; i++)
                *packed++ = first + i < columns ? M[(first + i) * M_row + k] : 0;
}

static void product_compute(int64_t rows, int64_t K, int64_t columns, const float *x, int64_t x_row,
                            const float *packed, bool add, float *y, int64_t y_row)
{
    for (int64_t first = 0; first < columns; first += PANEL, packed += K * PANEL)
        product_panel(rows, K, x, x_row, packed, columns - first, add, y + first, y_row);
}

const ls_recurrent_kernel LS_OF_KIND(ls_recurrent) = {.packed = recurrent_packed,
                                                      .pack = recurrent_pack,
                                                      .forward = recurrent_forward,
                                                      .backward = recurrent_backward,
                                                      .product_packed = product_packed,
                                                      .product_pack = product_pack,
                                                      .product = product_compute};
