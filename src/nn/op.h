/* Operations: the nodes of the graph that a model string is compiled to (compile.c) and that a pass
 * computes in topological order (pass.c).
 *
 * A kind of operation is mathematics over plain arrays, of a batch's rows or some of them. It knows
 * nothing of ranks, of the order in which operations are computed, of when parameters arrive and
 * gradients leave. To add a kind: write its file in ops/, declare it here, and give it a word in
 * words.c.
 *
 * B: rows of a call; I, O: floats in a row of an input, of the output. */
#ifndef LS_NN_OP_H
#define LS_NN_OP_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/network.h>
#include <lockstep/range.h>
#include <lockstep/group.h>

/* Outputs and gradients may be read, and written where more is to come, as vectors that reach this
 * many floats beyond their end. */
enum { LS_OP_SLACK = 32 };

enum { LS_OP_INPUTS = 2, LS_OP_PARAMS = 4 };

/* As an input: the batch's rows. */
enum { LS_OP_BATCH = -1 };

typedef struct ls_op ls_op;

/* One call: B rows of each array; a parameter that the operation has not got is NULL. */
typedef struct ls_op_data {
    int64_t rows;                 /* B, 1 or more; for take() of statistics 0 or more */
    const float *x[LS_OP_INPUTS]; /* [B][I] */
    float *y;                     /* [B][O] */
    float *dy;                    /* [B][O], may be overwritten */
    float *dx[LS_OP_INPUTS];      /* [B][I]; NULL: not wanted */
    const float *w[LS_OP_PARAMS];
    float *dw[LS_OP_PARAMS]; /* overwritten with the sums over the rows */
    ls_range part; /* rows of the first parameter, a matrix, that are to be multiplied; see parts */
    float *saved;  /* [B][saved] kept from forward to backward */
    float *state;  /* [state] kept from forward to backward, of all rows of the batch */
    float *scratch;     /* [scratch] for the length of the call */
    const double *sums; /* [statistics] backward: of these rows, see ls_batch_statistics */
    bool training;      /* else no dropout, and running statistics instead of the batch's */
    uint64_t key;       /* of random numbers in this operation */
    const int64_t *ids; /* [B] numbers of the rows, that random numbers depend on */
} ls_op_data;

/* Which sums over the global batch are taken. */
typedef enum ls_statistics_of {
    LS_STATISTICS_OF_INPUTS,
    LS_STATISTICS_OF_INPUTS_AGAIN, /* where the first round asked for another */
    LS_STATISTICS_OF_GRADIENTS
} ls_statistics_of;

/* Statistics over the global batch, that an operation needs in training before its rows can be
 * computed. pass.c adds them up over micro-batches and ranks. */
typedef struct ls_batch_statistics {
    /* Numbers that are summed. */
    int (*count)(const ls_op *op);

    /* Overwrites sums [count] with the sums over these rows. */
    void (*add)(const ls_op *op, const ls_op_data *d, ls_statistics_of of, double *sums);

    /* Takes the sums over the global batch into the state. Returns true if the inputs have to be
     * summed again. */
    bool (*take)(const ls_op *op, const ls_op_data *d, ls_statistics_of of, const double *sums);
} ls_batch_statistics;

typedef struct ls_op_kind {
    const char *name; /* also the stem of its layers' names */

    /* Infers out from the attributes and the inputs' shapes, and adds the parameters.
     * Errors: LS_ERR_USAGE with the reason. */
    ls_status (*configure)(ls_op *op);

    /* y from x; and dx and dw from dy, where dx[0] is dy for a kind that works in place. An
     * operation whose first parameter is a matrix is called for its parts, last first: forward adds
     * what the part's rows contribute, backward makes their gradient. */
    void (*forward)(const ls_op *op, const ls_op_data *d);
    void (*backward)(const ls_op *op, const ls_op_data *d);

    /* Sets initial parameters, in the arena; NULL: there are none, see ls_init_uniform().
     * before_relu  the output reaches a relu, or what is like one, at the same scale */
    void (*initialise)(const ls_op *op, uint64_t seed, bool before_relu, float *params);

    /* Floating-point operations of a row's forward product; the backward pass has one such product
     * for dw and one for dx. NULL: no product. */
    double (*flops)(const ls_op *op);

    /* Sizes in floats, see ls_op_data; NULL: 0. */
    int64_t (*saved)(const ls_op *op);
    int64_t (*state)(const ls_op *op);
    int64_t (*scratch)(const ls_op *op);
    const ls_batch_statistics *statistics; /* NULL: rows are computed independently */

    bool in_place;    /* dx[0] takes the place of dy */
    bool has_matrix;  /* the first parameter is a matrix [D][U] that parts of can be multiplied */
    bool has_bias;    /* the last parameter is a bias, that it can do without */
    bool fuses_relu;  /* applies a relu that follows, if asked to: y is the relu's output */
    bool relu_like;   /* cuts or damps negative values: He initialisation before it */
    bool bounded;     /* its outputs are no logits for cross-entropy */
    bool keeps_scale; /* passes values at the same scale: initialisation looks through it */
    bool per_channel; /* tells channels apart: needs channels-last if H * W > 1 */
    bool needs_image; /* tells pixels apart, too */
    bool flattens;    /* its output is no image */
} ls_op_kind;

struct ls_op {
    const ls_op_kind *kind;
    int inputs;
    int input[LS_OP_INPUTS]; /* operations, all before this one, or LS_OP_BATCH */
    ls_shape in[LS_OP_INPUTS], out;
    ls_attributes attributes;
    bool fused_relu;
    bool before_relu; /* see initialise() */
    bool trains;      /* gradients reach a parameter through it */
    uint64_t number;  /* of its layer: keys of random numbers depend on it */
    const char *name; /* of its layer; borrowed */
    int first_param;  /* its first row of the parameter table */
    int params;       /* of the table below */
    ls_param param[LS_OP_PARAMS];
    int matrix;                 /* of the network's layout; -1: none */
    struct ls_product *product; /* with that matrix; owned by the network; NULL: none */

    /* In the workspace, see buffers.c; all borrowed. */
    float *y, *saved, *state;
    int64_t saved_row;      /* floats from one row's part of `saved` to the next one's */
    int dy;                 /* gradient buffer of dy */
    int dx[LS_OP_INPUTS];   /* gradient buffer that backward() writes dx to */
    int into[LS_OP_INPUTS]; /* gradient buffer of the input's value, where dx belongs */
    bool add[LS_OP_INPUTS]; /* another operation has written there: dx is added to it */
};

/* Adds a parameter to an operation that is being configured; the network sets its offset. Returns
 * it, for what else there is to set. */
ls_param *ls_op_add_param(ls_op *op, const char *name, int rank, const int64_t *shape);

/* Fills a weight with numbers that are uniform in [-a, a]: a = sqrt(6 / fan_in) before a relu (He et
 * al., Delving Deep into Rectifiers, 2015), elsewhere a = sqrt(6 / (fan_in + fan_out)) (Glorot and
 * Bengio, Understanding the difficulty of training deep feedforward neural networks, 2010).
 * at      of the operation's parameters
 * params  the arena */
void ls_init_uniform(const ls_op *op, int at, uint64_t seed, bool before_relu, int64_t fan_in,
                     int64_t fan_out, float *params);

/* Fills a parameter with a constant. */
void ls_init_constant(const ls_op *op, int at, float value, float *params);

/* y += b, and a relu, if `relu`, in one pass; and back: the mask of that relu is applied to dy, and
 * db becomes the sum of dy over the rows. [rows][U], U. b and db may be NULL: no bias. */
void ls_bias_add(int64_t rows, int64_t U, bool relu, const float *b, float *y);
void ls_bias_sum(int64_t rows, int64_t U, bool relu, const float *y, float *dy, float *db);

extern const ls_op_kind ls_op_dense;
extern const ls_op_kind ls_op_conv;
extern const ls_op_kind ls_op_maxpool;
extern const ls_op_kind ls_op_avgpool;
extern const ls_op_kind ls_op_globalpool;
extern const ls_op_kind ls_op_batchnorm;
extern const ls_op_kind ls_op_dropout;
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
