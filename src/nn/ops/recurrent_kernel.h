/* The inner loops of recurrent layers (recurrent.c), compiled for several processors.
 *
 * A step of a layer multiplies rows z = [x, h], the step's input and the state before it, by the
 * weights of the inputs and of the state at once. The sums of a unit's gates stay in registers
 * until the gates are computed: they are never written.
 *
 * B: rows; I: inputs; H: units; G: gates, 4 (lstm), 3 (gru), 1 (rnn); Z = I + H; S: floats that a
 * step saves for a row's gates, 4 H (lstm, gru), H (rnn). */
#ifndef LS_NN_RECURRENT_KERNEL_H
#define LS_NN_RECURRENT_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

/* Kinds of recurrent layers. Weights have a block of H columns for each gate, in this order:
 *
 *     rnn    h' = tanh(a)                           a = x W + h U + b
 *     lstm   i, f, g, o: c' = s(f) c + s(i) tanh(g),    h' = s(o) tanh(c')
 *            (Hochreiter and Schmidhuber, Long short-term memory, 1997; Gers, Schmidhuber and
 *            Cummins, Learning to forget, 2000)
 *     gru    z, r, n: h' = s(z) h + (1 - s(z)) tanh(x W_n + b_n + s(r) (h U_n + b'_n))
 *            (Cho et al., Learning phrase representations using RNN encoder-decoder, 2014; the
 *            reset gate after the product, as in cuDNN and Keras)
 *
 * where s is the logistic function. */
typedef enum ls_recurrent { LS_RNN, LS_LSTM, LS_GRU, LS_RECURRENTS } ls_recurrent;

/* Arrays of one step of a layer. Rows of z and of gates are at these distances; the others [B][H]
 * follow each other without a gap. */
typedef struct ls_recurrent_step {
    ls_recurrent kind;
    int64_t rows;          /* B */
    int64_t inputs, units; /* I, H */
    const float *z;        /* [B][Z] input and state before the step */
    float *h;              /* [B] rows at a distance of Z: state after the step */
    const float *c;        /* lstm: [B][H] cell before the step */
    float *c_next;         /* lstm: [B][H] cell after the step */
    float *gates;   /* [B][S] saved: lstm i, f, g, o; gru z, r, n and h U_n + b'_n, all but the
                              last after their functions; rnn: unused, as h is all */
    float *dh, *dc; /* backward: [B][H] gradients of the state and the cell after the step, then
                              of those before it, without what goes through the products */
} ls_recurrent_step;

typedef struct ls_recurrent_kernel {
    /* Returns the floats of packed weights, and packs them. W [I][G H], U [H][G H],
     * b [G H], for gru [2][G H]. */
    int64_t (*packed)(ls_recurrent kind, int64_t inputs, int64_t units);
    void (*pack)(ls_recurrent kind, int64_t inputs, int64_t units, const float *W, const float *U,
                 const float *b, float *packed);

    /* Computes a step: h, c_next and gates. */
    void (*forward)(const ls_recurrent_step *step, const float *packed);

    /* Replaces a step's gates by the gradients of their sums [B][S], and dh and dc by what reaches
     * the state and cell before the step through other ways than the sums. For rnn gates are
     * written from h. */
    void (*backward)(const ls_recurrent_step *step);

    /* y [B][columns] = x [B][K] M^T, or += if `add`, for a matrix M [columns][K] that
     * product_pack() has packed. Rows of x, y and M are at the stated distances. */
    int64_t (*product_packed)(int64_t K, int64_t columns);
    void (*product_pack)(int64_t K, int64_t columns, const float *M, int64_t M_row, float *packed);
    void (*product)(int64_t rows, int64_t K, int64_t columns, const float *x, int64_t x_row,
                    const float *packed, bool add, float *y, int64_t y_row);
} ls_recurrent_kernel;

extern const ls_recurrent_kernel ls_recurrent_any;
#if defined(__x86_64__)
extern const ls_recurrent_kernel ls_recurrent_avx2;
extern const ls_recurrent_kernel ls_recurrent_avx512;
#endif

#endif
