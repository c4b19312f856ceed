/* The interface that every kind of layer implements. To add a kind: write its file, declare its
 * ls_layer_kind here, and list it in model.c.
 *
 * A layer is a forward and a backward function over plain arrays. B: rows; I, O: floats in a row of
 * its input and output. */
#ifndef LS_NN_LAYER_H
#define LS_NN_LAYER_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/network.h>

#include "nn/active.h"

/* Outputs and their gradients may be read, and written where more is to come, as vectors that reach
 * beyond their end. */
enum { LS_LAYER_SLACK = 32 };

enum { LS_LAYER_NAME = 32, LS_LAYER_MAX_PARAMS = 4 };

typedef struct ls_layer ls_layer;

/* A pass through the network, as one layer sees it. */
typedef struct ls_layer_pass {
    const float *params;
    int64_t rows;       /* B */
    const int64_t *ids; /* [B] */
    bool training;      /* else what is random or of the batch is left out */
    uint64_t key;       /* of what is random in this layer */
    int64_t block;      /* for a kind that spans the batch, see ls_pass; others get one at a time */
    const ls_team *team;
    ls_need need; /* for the first layer with parameters */
    ls_ready ready;
    ls_sum sum;
} ls_layer_pass;

typedef struct ls_layer_kind {
    const char *name;     /* the word in the model string */
    const char *argument; /* what follows the colon, as "UNITS"; NULL: takes none */
    const char *meaning;  /* one line for help texts */
    bool rectifies;       /* sets negative inputs to 0: He initialisation before it */
    bool takes_relu;      /* applies a relu that follows itself, see ls_layer.rectified */
    bool ends_with_bias;  /* its last parameter is a bias, which it does without if it is missing */
    bool bounded;         /* squashes or cuts its inputs: no logits for cross-entropy */
    bool only_last;
    bool images;   /* goes by rows, columns and channels of its input */
    bool channels; /* goes by channels, which matters where they have several pixels */
    bool neutral; /* hands on what comes, in size and sign: what is before it meets what is after */
    bool reshapes; /* changes nothing but the shape */
    bool spans;    /* takes statistics over the global batch: gets all rows at once, also if there
                      are none, and goes block by block itself */
    bool in_place; /* its dx takes the place of dy: backward() gets both as one array */
    ls_status (*configure)(ls_layer *layer, const char *argument);

    /* Floating-point operations of a row's forward product; a backward pass has one such product
     * for the parameters' gradient and one for dx. NULL: no product. */
    double (*flops)(const ls_layer *layer);

    /* Floats of scratch memory that the layer works with, see ls_layer.scratch. NULL: none. */
    int64_t (*scratch)(const ls_layer *layer);

    /* x [B][I] -> y [B][O]; B is 1 or more. A layer with parameters asks for them, see
     * ls_need. */
    void (*forward)(const ls_layer *layer, const ls_layer_pass *pass, const float *x, float *y);

    /* dy [B][O] -> this layer's part of grads, overwritten, and dx [B][I], unless it is NULL. dy is
     * free to be worked on. A layer with a long way to go tells `ready` of parts of its gradient
     * that are final, from its end down; of the whole the network tells. */
    void (*backward)(const ls_layer *layer, const ls_layer_pass *pass, const float *x,
                     const float *y, float *dy, float *dx, float *grads);

    /* The same for a layer whose matrix a team splits; NULL where there is none. B may be 0. Of the
     * gradient of the matrix this rank gets its rows only, summed over the team.
     * Collective on the team. */
    void (*forward_split)(const ls_layer *layer, const ls_layer_pass *pass, const float *x,
                          float *y);
    void (*backward_split)(const ls_layer *layer, const ls_layer_pass *pass, const float *y,
                           float *dy, float *dx, float *grads);
} ls_layer_kind;

struct ls_layer {
    const ls_layer_kind *kind;
    char name[LS_LAYER_NAME]; /* "dense1" */
    char *word;               /* "dense:512", owned by the network */
    ls_shape in, out;
    int64_t window, stride, pad; /* of those kinds that have them */
    double rate;                 /* likewise */
    int params;                  /* of the table below */
    ls_param param[LS_LAYER_MAX_PARAMS];
    const ls_layout *layout; /* of the network */
    int matrix;              /* this layer's in it; -1: none that could be split */
    ls_active *active;       /* of the data, if this layer's matrix is the first to get them; owned
                                by the network; NULL: elsewhere */
    bool rectified; /* the relu that follows is applied by this layer in its own passes: y is the
                       relu's output */
    bool skipped;   /* this is that relu, or a mere change of shape: x is its y */
    float *scratch; /* as large as the kind asks for, and the next borrowed from the network's
                       workspace */
    float *y;       /* [max_rows][O] output of the latest pass; LS_LAYER_SLACK more are there */
};

/* Adds a parameter to a layer that is being configured; the network sets its offset. Returns it,
 * for what else there is to set. */
ls_param *ls_layer_add_param(ls_layer *layer, const char *name, int rank, const int64_t *shape,
                             int64_t fan_in, int64_t fan_out);

/* The layer's last parameter in an arena, if it is a bias; NULL: it has none. */
const float *ls_layer_bias(const ls_layer *layer, const float *params);
float *ls_layer_bias_gradient(const ls_layer *layer, float *grads);

/* Reads a positive whole number that fills the argument.
 * Errors: LS_ERR_USAGE, as configure(). */
ls_status ls_layer_argument_count(const char *argument, const char *what,
                                  int64_t *out) LS_MUST_CHECK;

/* y += b, and a relu, if `rectify`, in one pass; and back: the mask of that relu is applied to dy,
 * and db becomes the sum of dy over the rows. [rows][U], U. Without a bias (NULL) there is nothing
 * to be done. */
void ls_bias_add(int64_t rows, int64_t U, bool rectify, const float *b, float *y);
void ls_bias_sum(int64_t rows, int64_t U, bool rectify, const float *y, float *dy, float *db);

extern const ls_layer_kind ls_layer_dense;
extern const ls_layer_kind ls_layer_conv;
extern const ls_layer_kind ls_layer_maxpool;
extern const ls_layer_kind ls_layer_avgpool;
extern const ls_layer_kind ls_layer_flatten;
extern const ls_layer_kind ls_layer_batchnorm;
extern const ls_layer_kind ls_layer_dropout;
extern const ls_layer_kind ls_layer_relu;
extern const ls_layer_kind ls_layer_leaky_relu;
extern const ls_layer_kind ls_layer_gelu;
extern const ls_layer_kind ls_layer_sigmoid;
extern const ls_layer_kind ls_layer_tanh;
extern const ls_layer_kind ls_layer_softmax;

#endif
