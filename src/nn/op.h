/* Operations: the nodes of a network's graph. compile.c makes the graph from a model string; pass.c
 * computes the operations in topological order.
 *
 * A kind of operation is mathematics over plain arrays, for all rows of a batch or some of them. It
 * is independent of ranks, of the order of operations, and of the communication of parameters and
 * gradients. To add a kind: write its file in ops/, declare it here, and add a word to words.c.
 *
 * B: rows of a call; I, O: floats in a row of an input, of the output. */
#ifndef LS_NN_OP_H
#define LS_NN_OP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/range.h"

#include <lockstep/network.h>

/* Spare floats at the end of outputs and gradients: arrays may be read as vectors that reach beyond
 * their end, and written so if the following floats are overwritten later. */
enum { LS_OP_SLACK = 32 };

enum { LS_OP_INPUTS = 2, LS_OP_PARAMS = 6 };

/* Input of an operation that reads the batch's rows. */
enum { LS_OP_BATCH = -1 };

typedef struct ls_op ls_op;

/* Arguments of one call: B rows of each array. A parameter that the operation does not have is
 * NULL. */
typedef struct ls_op_data {
    int64_t rows;                 /* B, 1 or more; for finish() of statistics 0 or more */
    const float *x[LS_OP_INPUTS]; /* [B][I] */
    float *y;                     /* [B][O] */
    float *dy;                    /* [B][O], may be overwritten */
    float *dx[LS_OP_INPUTS];      /* [B][I]; NULL: not needed */
    const float *w[LS_OP_PARAMS];
    float *dw[LS_OP_PARAMS]; /* overwritten with the sums over the rows; all NULL: not needed */
    ls_range part;           /* rows of the first parameter, a matrix, to multiply; see forward() */
    float *saved;            /* [B][saved] kept from forward to backward, for each row */
    float *state;            /* [state] kept from forward to backward, for the whole batch */
    float *scratch;          /* [scratch] valid during the call only */
    const double *sums; /* [statistics] backward: sums over these B rows, see ls_batch_statistics */
    bool training;      /* training mode: dropout, statistics of the batch */
    bool sampling;      /* latent variables are sampled: in training, and where rows are scored */
    uint64_t key;       /* RNG key of this operation */
    const int64_t *ids; /* [B] ids of the rows, for random numbers */
    const float *weights;   /* [B] of the rows' losses; NULL: all are 1 */
    const int32_t *lengths; /* [B] steps of each row of sequences; NULL: all steps */
} ls_op_data;

/* Subject of the sums over the global batch. */
typedef enum ls_statistics_of {
    LS_STATISTICS_OF_INPUTS,
    LS_STATISTICS_OF_INPUTS_AGAIN, /* second round, if finish() requested it */
    LS_STATISTICS_OF_GRADIENTS
} ls_statistics_of;

/* Statistics over the global batch that an operation needs in training before it can compute any
 * row. pass.c sums them over micro-batches and ranks. */
typedef struct ls_batch_statistics {
    /* Returns the number of sums. */
    int (*count)(const ls_op *op);

    /* Overwrites sums [count] with the sums over these rows. */
    void (*add)(const ls_op *op, const ls_op_data *d, ls_statistics_of of, double *sums);

    /* Updates the state from the sums over the global batch. Returns true if a second round over
     * the inputs is needed. */
    bool (*finish)(const ls_op *op, const ls_op_data *d, ls_statistics_of of, const double *sums);
} ls_batch_statistics;

typedef struct ls_op_kind {
    const char *name; /* also the stem of layer names */

    /* Sets op->out from the attributes and the inputs' shapes, and adds the parameters. May replace
     * op->kind by a simpler kind that does the same for these shapes.
     * Errors: LS_ERR_USAGE with the reason. */
    ls_status (*configure)(ls_op *op);

    /* Both NULL: the kind is a view, the input's floats in the shape that configure() sets; it
     * makes no operation. Else:
     * Computes y from x; computes dx and dw from dy. If in_place, dx[0] is dy. An operation whose
     * first parameter is a matrix is called once for each part of the matrix's rows, the last part
     * first: forward() adds the part's contribution to y, backward() computes the gradient of the
     * part. */
    void (*forward)(const ls_op *op, const ls_op_data *d);
    void (*backward)(const ls_op *op, const ls_op_data *d);

    /* Returns the sum over the rows of a divergence, in nats, times the row's weight. It is added
     * to the loss, times attributes.beta, and its gradient to dx in backward(). NULL: none. */
    double (*divergence)(const ls_op *op, const ls_op_data *d);

    /* Sets the initial parameters in the arena, see ls_init_uniform(); NULL: no parameters.
     * before_relu  true if the output reaches a relu-like function at the same scale */
    void (*initialise)(const ls_op *op, uint64_t seed, bool before_relu, float *params);

    /* Returns the floating-point operations of the matrix product of one row in the forward pass;
     * the backward pass has one such product for dw and one for dx. NULL: no product. Of the
     * products for dx, flops_inside() are needed also if dx is not: for gradients within the
     * operation; NULL: none. */
    double (*flops)(const ls_op *op);
    double (*flops_inside)(const ls_op *op);

    /* Sizes of the arrays in ls_op_data, in floats; NULL: 0. */
    int64_t (*saved)(const ls_op *op);
    int64_t (*state)(const ls_op *op);
    int64_t (*scratch)(const ls_op *op);
    int64_t (*scratch_row)(const ls_op *op); /* more scratch memory, for each row */
    const ls_batch_statistics *statistics;   /* NULL: rows are computed independently */

    bool in_place;    /* dx[0] is dy's buffer */
    bool has_matrix;  /* the first parameter is a matrix [D][U], multiplied in parts */
    bool has_bias;    /* the last parameter is a bias, which can be removed */
    bool fuses_relu;  /* can apply a following relu: y is then the relu's output */
    bool relu_like;   /* cuts or damps negative values: He initialisation before it */
    bool bounded;     /* the output is bounded: unsuitable as logits for cross-entropy */
    bool keeps_scale; /* keeps the scale of values: initialisation looks through it */
    bool per_channel; /* computes per channel: needs channels-last if H * W > 1 */
    bool needs_image; /* uses the position of pixels: needs an image, and channels-last; no
                         sequence, unless there is `of_steps` */
    const struct ls_op_kind *of_steps; /* computes the steps of a sequence; NULL: the same kind */
    bool makes_sequence; /* the output is a sequence; other kinds keep what the input is */
    bool needs_sequence; /* uses the order of steps: the rows of an image, see ls_shape */
    bool needs_vector;   /* makes an image of a vector of features, see ls_op_reshape */
    bool flattens;       /* the output is not an image */
} ls_op_kind;

struct ls_op {
    const ls_op_kind *kind;
    int inputs;
    int input[LS_OP_INPUTS]; /* operations, all before this one, or LS_OP_BATCH */
    ls_shape in[LS_OP_INPUTS], out;
    ls_attributes attributes;
    bool fused_relu;
    bool sequence;    /* the output is a sequence: of the kind, or as configure() sets it */
    bool flattens;    /* as of the kind, or as configure() sets it */
    bool before_relu; /* see initialise() */
    bool trains;      /* true if gradients reach a parameter through the operation */
    uint64_t number;  /* number of the layer, part of the RNG key */
    const char *name; /* name of the layer; borrowed */
    int first_param;  /* first row in the network's parameter table */
    int params;       /* rows of `param` */
    ls_param param[LS_OP_PARAMS];
    int matrix;                 /* index in the network's layout; -1: none */
    struct ls_product *product; /* products with the matrix; owned by the network; NULL: none */

    /* Arrays in the workspace, see buffers.c; borrowed. */
    float *y, *saved, *state;
    int64_t saved_row;      /* floats of a row in `saved` */
    int dy;                 /* gradient buffer of dy */
    int dx[LS_OP_INPUTS];   /* gradient buffer that backward() writes dx to */
    int into[LS_OP_INPUTS]; /* gradient buffer of the input's value */
    bool add[LS_OP_INPUTS]; /* true: dx has to be added to buffer `into`, already in use */
};

/* Adds a parameter to an operation, to be called by configure(); the network sets the offset.
 * Returns the parameter, so that the caller can set other fields. Local. */
ls_param *ls_op_add_param(ls_op *op, const char *name, int rank, const int64_t *shape);

/* Fills a weight with random numbers, uniform in [-a, a]: a = sqrt(6 / fan_in) before a relu (He et
 * al., Delving Deep into Rectifiers, 2015), elsewhere a = sqrt(6 / (fan_in + fan_out)) (Glorot and
 * Bengio, Understanding the difficulty of training deep feedforward neural networks, 2010). Local.
 * at      index of the parameter in the operation
 * params  the arena */
void ls_init_uniform(const ls_op *op, int at, uint64_t seed, bool before_relu, int64_t fan_in,
                     int64_t fan_out, float *params);

/* Fills a weight [rows][columns], rows <= columns, with random orthonormal rows. Local. */
void ls_init_orthogonal(const ls_op *op, int at, uint64_t seed, float *params);

/* Fills a parameter with a constant; does nothing if the operation does not have parameter `at`.
 * Local. */
void ls_init_constant(const ls_op *op, int at, float value, float *params);

/* Fills values of parameter `at` with logarithms of random numbers, uniform in [1, most). Local.
 * values  [count] elements of the parameter in the arena */
void ls_init_log_uniform(const ls_op *op, int at, uint64_t seed, int64_t count, double most,
                         float *values);

/* ls_bias_add(): y += b, then a relu if `relu`. ls_bias_sum(), its backward pass: applies the
 * relu's mask to dy if `relu`, then db = sum of dy over the rows.
 * Local.
 * y, dy  [rows][U]
 * b, db  [U]; NULL: no bias, or no sum of it */
void ls_bias_add(int64_t rows, int64_t U, bool relu, const float *b, float *y);
void ls_bias_sum(int64_t rows, int64_t U, bool relu, const float *y, float *dy, float *db);

extern const ls_op_kind ls_op_dense;
extern const ls_op_kind ls_op_gaussian;
extern const ls_op_kind ls_op_dense_steps;
extern const ls_op_kind ls_op_conv;
extern const ls_op_kind ls_op_conv1d;
extern const ls_op_kind ls_op_deconv;
extern const ls_op_kind ls_op_flatten;
extern const ls_op_kind ls_op_reshape;
extern const ls_op_kind ls_op_upsample;
extern const ls_op_kind ls_op_sequence;
extern const ls_op_kind ls_op_pixels;
extern const ls_op_kind ls_op_permuted;
extern const ls_op_kind ls_op_rnn;
extern const ls_op_kind ls_op_lstm;
extern const ls_op_kind ls_op_gru;
extern const ls_op_kind ls_op_maxpool;
extern const ls_op_kind ls_op_avgpool;
extern const ls_op_kind ls_op_globalpool;
extern const ls_op_kind ls_op_embedding;
extern const ls_op_kind ls_op_position;
extern const ls_op_kind ls_op_attention;
extern const ls_op_kind ls_op_last;
extern const ls_op_kind ls_op_meanpool;
extern const ls_op_kind ls_op_maxpool_steps;
extern const ls_op_kind ls_op_batchnorm;
extern const ls_op_kind ls_op_layernorm;
extern const ls_op_kind ls_op_dropout;
extern const ls_op_kind ls_op_noise;
extern const ls_op_kind ls_op_relu;
extern const ls_op_kind ls_op_leaky_relu;
extern const ls_op_kind ls_op_gelu;
extern const ls_op_kind ls_op_silu;
extern const ls_op_kind ls_op_sigmoid;
extern const ls_op_kind ls_op_tanh;
extern const ls_op_kind ls_op_softmax;
extern const ls_op_kind ls_op_add;
extern const ls_op_kind ls_op_concat;

#endif
