/* A trained model from a checkpoint: a network, its parameters, and facts about its training; and
 * its evaluation on the rows of a data set, which are spread over ranks.
 *
 *     ls_model *model;
 *     ls_status status = ls_model_open(&model, comm, "runs/first", LS_MODEL_EVALUATED);
 *     if (status == LS_OK)
 *         outputs = ls_network_forward(ls_model_network(model), ls_model_params(model), batch);
 *     ls_model_destroy(&model);
 *
 * The batch has at most facts->max_rows rows, normalised by facts->mean and std, and is
 * channels-last if ls_network_channels_last(). */
#ifndef LOCKSTEP_MODEL_H
#define LOCKSTEP_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include <lockstep/batch.h>
#include <lockstep/comm.h>
#include <lockstep/dataset.h>
#include <lockstep/metrics.h>
#include <lockstep/network.h>
#include <lockstep/prediction.h>
#include <lockstep/status.h>
#include <lockstep/trainer.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ls_model ls_model;
typedef struct ls_rows ls_rows; /* the rows of a split that a rank evaluates */

/* Most classes of a confusion matrix. */
enum { LS_MAX_CONFUSION = 4096 };

/* Which parameters to load. */
typedef enum ls_model_load {
    LS_MODEL_EVALUATED, /* the validated ones: their average if one was kept */
    LS_MODEL_RAW,       /* the ones after the latest step */
    LS_MODEL_NONE       /* none: only a description; the network has room for 0 rows */
} ls_model_load;

/* Facts about a model and its training. The same on all ranks, except as noted. */
typedef struct ls_model_facts {
    const char *path;               /* of the checkpoint, on rank 0; "" elsewhere */
    const char *run;                /* the id of the run; "": none */
    const char *dataset;            /* the data set's name */
    const char *config;             /* the settings, `key = value` lines, see ls_config_text() */
    const char *model;              /* model string */
    ls_shape input;                 /* of the network */
    int classes;                    /* 0: the targets are values */
    int values;                     /* in a target; 0: the target is a class; with classes they are
                                       those of so many steps */
    const char *const *class_names; /* [classes] on rank 0; NULL: they have none, and elsewhere */
    /* The inputs are tokens 0 .. vocabulary-1, which are not normalised; 0: they are not. */
    int vocabulary;
    const char *const *tokens; /* [vocabulary] their texts on rank 0; NULL: they have none, and
                                  elsewhere. Clean them before they are shown */
    /* A generator, whose outputs are rows: its inputs are noise, and behind it a class as a one-hot
     * vector. */
    bool generates;
    const char *discriminator;  /* its model string */
    ls_shape picture;           /* shape of a row */
    ls_element picture_element; /* type of the data set's numbers */
    int conditions;             /* classes that it is told; 0: none */
    ls_loss loss;
    double huber; /* D of LS_HUBER */
    ls_task task;
    ls_element element;         /* type of the inputs that it was trained on */
    double mean, std;           /* inputs are (x - mean) / std, of uint8 (x / 255 - mean) / std */
    ls_column_scale inputs;     /* then channels are standardised */
    ls_column_scale targets;    /* values of the targets were standardised */
    double border;              /* mean of the border of the training pictures, 0 to 1; NaN: they
                                   are no pictures, or the checkpoint is older */
    int64_t max_rows;           /* of a batch; 0 with LS_MODEL_NONE */
    int64_t epoch;              /* finished epochs */
    int64_t step;               /* of the next epoch */
    int64_t steps;              /* of the whole training */
    int64_t best_epoch;         /* by the monitor, from 1; 0: none */
    ls_metrics latest;          /* of the latest epoch; zeros if there is none */
    ls_dataset_options reading; /* how the training read its data set */
    const char *corrupt;        /* how it corrupted validation rows, see lockstep/corrupt.h */
    bool has_average;           /* the checkpoint has an average of the parameters */
    bool averaged;              /* the loaded parameters are that average */
} ls_model_facts;

/* Opens a model: rank 0 reads the checkpoint, all ranks get the result. Collective.
 * comm  NULL: this process alone, without MPI
 * path  a checkpoint file, or a run folder: its best checkpoint is opened, else its last
 * Errors, on all ranks alike: LS_ERR_DATA if there is no such checkpoint or it is damaged;
 * LS_ERR_USAGE if the path is too long; LS_ERR_FAILURE. *out is left alone. */
ls_status ls_model_open(ls_model **out, ls_comm *comm, const char *path,
                        ls_model_load load) LS_MUST_CHECK;

/* Returns the facts; borrowed. Local. */
const ls_model_facts *ls_model_describe(const ls_model *model);

/* Return the network, and the parameters [ls_network_size] (NULL with LS_MODEL_NONE); borrowed.
 * Local. */
ls_network *ls_model_network(const ls_model *model);
const float *ls_model_params(const ls_model *model);

/* Makes a model one of a part of its network, a variational autoencoder. The decoder is then a
 * generator, from latent variables to rows; the encoder a model from a row to values: the means of
 * its latent variables, then the logarithms of their variances. Local.
 * Errors: LS_ERR_USAGE if the network has no parts; LS_ERR_FAILURE, after which the model can only
 * be destroyed. */
ls_status ls_model_take_part(ls_model *model, ls_network_part part) LS_MUST_CHECK;

/* The data set that a model is evaluated on. */
typedef struct ls_model_data {
    const char *path;
    ls_dataset_options options; /* ls_model_facts.reading, unless others are wanted */
    ls_split split;
    ls_read read; /* ranks that read the file */
    bool trust;   /* don't check the whole file first, see ls_dataset_check() */
    /* Of the inputs of an evaluation, see lockstep/corrupt.h, with the seed in `options`;
     * ls_model_facts.corrupt, unless another is wanted. NULL: none. Predictions ignore it */
    const char *corrupt;
    bool bare; /* the rows need no targets: they are not evaluated */
} ls_model_data;

/* Opens a data set, checks that its rows fit the network, and reads the rows of the split that this
 * rank evaluates, in the network's format. Collective on the model's ranks.
 * data  its paths are borrowed until the rows are destroyed
 * Errors, on all ranks alike: LS_ERR_DATA, LS_ERR_RANKS, LS_ERR_FAILURE; LS_ERR_USAGE also if the
 * model was opened without MPI or without parameters. *out is left alone. */
ls_status ls_model_read(ls_rows **out, const ls_model *model,
                        const ls_model_data *data) LS_MUST_CHECK;

/* Checks that the training and validation rows of a data set are those that the model was trained
 * on, by their fingerprints, as far as the checkpoint knows them: not if they were never read as a
 * whole. Rank 0 reads these rows. To be called after ls_model_read(), which checks the file.
 * Collective on the model's ranks.
 * Errors, on all ranks alike: LS_ERR_DATA if rows differ, and those of reading. */
ls_status ls_model_check_same(const ls_model *model, const ls_model_data *data) LS_MUST_CHECK;

/* How well the probabilities of a classifier agree with its results. */
typedef struct ls_calibration {
    double error; /* expected calibration error: rows in 15 intervals of the largest probability;
                     mean over rows of |fraction right - mean probability| of the row's interval
                     (Guo et al., On Calibration of Modern Neural Networks, 2017) */
    double brier; /* mean over rows of the sum over classes of (probability - one-hot label)^2
                     (Brier, Verification of Forecasts Expressed in Terms of Probability, 1950) */
} ls_calibration;

/* The errors of an output of a regression, in the target's units. */
typedef struct ls_output_score {
    double mae, rmse;
    double r2; /* coefficient of determination; NaN of one row; where all targets are equal 1 if
                  they are met, else 0 */
} ls_output_score;

/* The result of an evaluation, over all ranks. The caller sets the pointers, NULL for what is not
 * wanted, on all ranks alike. */
typedef struct ls_evaluated {
    ls_score score;
    double metric[LS_METRICS]; /* by ls_metric; NaN: not defined for the task */
    /* [classes][classes] rows, or steps, of class i that were classified as j; of a classification,
     * also by step, or, with 2 classes, of a binary task; at most LS_MAX_CONFUSION classes */
    int64_t *confusion;
    /* NaN if the network's outputs are no probabilities of classes, as with LS_MSE */
    ls_calibration *calibration;
    ls_output_score *output;      /* [outputs] of a regression */
    struct ls_class_score *label; /* [outputs] of a multi-label task: scores of being true */
} ls_evaluated;

/* Evaluates this rank's rows and sums over ranks. If each rank uses one BLAS thread, the result has
 * the same bits on any number of ranks. Collective on the model's ranks.
 * Errors, on all ranks alike: the error of reading any rank's rows; LS_ERR_FAILURE when memory is
 * short; LS_INTERRUPTED after a signal. */
ls_status ls_model_evaluate(const ls_model *model, ls_rows *rows, ls_evaluated *out) LS_MUST_CHECK;

/* Shows the first rows of the split as pictures: as they are, as they were corrupted if they were,
 * and as an autoencoder reconstructs them. Collective on the model's ranks.
 * most  rows, up to LS_RECONSTRUCTED
 * sink  called on rank 0
 * user  passed to `sink`
 * Errors, on all ranks alike: LS_ERR_USAGE if the model is no autoencoder; the error of reading the
 * rows; LS_ERR_FAILURE; that of the sink. */
ls_status ls_model_reconstruct(const ls_model *model, ls_rows *rows, int64_t most,
                               ls_pictures_sink sink, void *user) LS_MUST_CHECK;

/* Takes predictions of a data set's rows, in their order; called on rank 0 only, with
 * the true classes or values, if there are any. An error ends the prediction with this error. */
typedef ls_status (*ls_prediction_sink)(void *user, const ls_predictions *rows);

/* As ls_model_evaluate(), and passes the predictions of all rows to the sink, in their order; the
 * rows are read and computed once. Each rank keeps the outputs of its rows in memory until the sink
 * has them. Collective on the model's ranks.
 * sink  called on rank 0 after the evaluation, see ls_model_predict()
 * user  passed to `sink`
 * Errors, on all ranks alike: as ls_model_evaluate(); those of the sink; LS_ERR_NUMERIC if an
 * output is not finite. */
ls_status ls_model_evaluate_to(const ls_model *model, ls_rows *rows, ls_evaluated *out,
                               ls_prediction_sink sink, void *user) LS_MUST_CHECK;

/* The scores of a class: of `support` rows of the class, the fraction `recall` is classified as
 * such; of the rows classified as the class, the fraction `precision` is of the class; f1 is the
 * harmonic mean of the two. A fraction of no rows is 0. */
typedef struct ls_class_score {
    int64_t support;
    double precision, recall, f1;
} ls_class_score;

/* Computes the scores of all classes. Local.
 * confusion  [classes][classes] see ls_model_evaluate()
 * out        [classes]
 * macro      mean over the classes that any row belongs to or is classified as
 * weighted   mean over the classes, weighted with their support */
void ls_class_scores(const int64_t *confusion, int classes, ls_class_score *out,
                     ls_class_score *macro, ls_class_score *weighted);

/* A misclassified row. Those of highest confidence help to understand a network, and often have
 * wrong labels. */
typedef struct ls_misclassified {
    int64_t row;        /* number in its split */
    int32_t label;      /* true class */
    int32_t predicted;  /* predicted class */
    double probability; /* of the predicted class; with LS_MSE its output */
} ls_misclassified;

/* Finds the misclassified rows of highest confidence among all ranks' rows, in descending order; of
 * equal ones the lower row comes first. The same bits on any number of ranks, as
 * ls_model_evaluate(). Collective on the model's ranks.
 * most   largest number of rows, 0 or more; the same on all ranks
 * out    [most] on return the rows, the same on all ranks
 * count  on return the number of rows
 * Errors, on all ranks alike: as above. */
ls_status ls_model_misclassified(const ls_model *model, ls_rows *rows, int64_t most,
                                 ls_misclassified *out, int64_t *count) LS_MUST_CHECK;

/* Returns what a model's outputs mean, by its targets and its loss. Local. */
ls_meaning ls_model_meaning(const ls_model *model);

/* Computes the outputs of rows in memory, of any number. Needs no communicator. Local.
 * inputs     [rows][channels][height][width] numbers of the type facts->element, as in a data set;
 *            they are normalised here
 * y          [rows][classes, or values] on return the outputs, as ls_model_meaning() says; by step
 *            [rows][steps][classes], of all steps
 * predicted  [rows], by step [rows][steps], on return the class of the largest output; may be NULL
 * Errors: LS_ERR_NUMERIC if an output is not finite; LS_ERR_USAGE if the model was opened without
 * parameters. */
ls_status ls_model_outputs(const ls_model *model, const void *inputs, int64_t rows, float *y,
                           int32_t *predicted) LS_MUST_CHECK;

/* Predicts all rows of a split. The ranks read and compute the rows window by window, so that
 * memory is bounded; rank 0 passes them to the sink. If each rank uses one BLAS thread, the outputs
 * have the same bits on any number of ranks. Collective on the model's ranks.
 * user  passed to `sink`
 * Errors, on all ranks alike: as ls_model_read(); those of reading the rows and of the sink;
 * LS_ERR_NUMERIC if an output is not finite; LS_INTERRUPTED after a signal. */
ls_status ls_model_predict(const ls_model *model, const ls_model_data *data,
                           ls_prediction_sink sink, void *user) LS_MUST_CHECK;

/* Writes the predictions of all rows of a split to a file, see lockstep/prediction.h. Collective on
 * the model's ranks.
 * path    read on rank 0
 * truth   the true classes or values are written, too
 * rows    on return their number
 * Errors, on all ranks alike: as above, and of ls_prediction_file_create(). */
ls_status ls_model_predict_to(const ls_model *model, const ls_model_data *data, const char *path,
                              bool truth, int64_t *rows) LS_MUST_CHECK;

/* What was found in texts. */
typedef struct ls_text_counts {
    bool characters; /* tokens are characters, else words */
    int64_t pieces;  /* words, or characters */
    int64_t unknown; /* of them are not in the vocabulary */
    int64_t cut;     /* texts with more of them than a row has steps: their beginning was read */
    int64_t empty;   /* texts without tokens: sequences of 0 steps */
} ls_text_counts;

/* Checks that a model takes texts: that its inputs are tokens that have texts. On rank 0. Local.
 * Errors: LS_ERR_DATA if not; LS_ERR_USAGE if it was opened without parameters. */
ls_status ls_model_check_texts(const ls_model *model) LS_MUST_CHECK;

/* Computes the outputs of texts, of any number, by a model of tokens that have texts. They are
 * divided as by ls_import_text() or, if the tokens are single characters, into characters; those
 * that have no token are the token of unknown words or, without one, left out. A shorter text than
 * the rows of the training has a length, if the network can have lengths, and ends with token 0. On
 * rank 0. Local.
 * texts      [rows] in UTF-8
 * y          [rows][classes, or values] on return the outputs, as ls_model_meaning() says; by step
 *            [rows][steps][classes], of all steps
 * predicted  [rows], by step [rows][steps], on return the class of the largest output
 * counts     what was found is added
 * Errors: as above; LS_ERR_NUMERIC if an output is not finite; LS_ERR_FAILURE. */
ls_status ls_model_text_outputs(const ls_model *model, const char *const *texts, int64_t rows,
                                float *y, int32_t *predicted, ls_text_counts *counts) LS_MUST_CHECK;

/* What a model is to write. */
typedef struct ls_generation {
    const char *prompt; /* in UTF-8: at least a character, or word, which is continued */
    int64_t count;      /* of tokens to write, 0 or more */
    /* Tokens are drawn with the probabilities softmax(outputs / temperature); 0: the likeliest one
     * is taken. */
    double temperature;
    uint64_t seed; /* of the draws */
} ls_generation;

/* Takes the next piece of a text, in UTF-8. An error ends the writing with this error. */
typedef ls_status (*ls_text_sink)(void *user, const char *text);

/* Continues a prompt, by a model that predicts the token that follows each of a row's: its classes
 * in each step are the tokens of its inputs. It reads the latest tokens, at most as many as the
 * rows of its training had. Tokens that are single characters are written as they are; others are
 * words, with a blank before each; then the prompt is divided as by ls_import_text(). What is
 * drawn depends on the outputs, the seed and the number of tokens before it. On rank 0. Local.
 * sink  gets what follows the prompt, token by token
 * user  passed to `sink`
 * Errors: LS_ERR_USAGE if the model predicts something else, the prompt is empty or has a
 * character or word, which is named, that the model does not know; LS_ERR_NUMERIC if an output is
 * not finite; LS_INTERRUPTED; LS_ERR_FAILURE; those of the sink. */
ls_status ls_model_generate(const ls_model *model, const ls_generation *wanted, ls_text_sink sink,
                            void *user) LS_MUST_CHECK;

/* Rows that a generator is to make. Row i is a function of the seed and i, the same on any number
 * of ranks. */
typedef struct ls_making {
    uint64_t seed;
    int64_t first, count;
    int32_t
        condition; /* class of all rows; -1: classes in turn, row i is of class i % conditions */
    /* 0 or 1: each row is from noise of its own. Else row i is step i % steps of the way from one
     * noise to another, both by the seed and i / steps: cos(a) u + sin(a) v, a from 0 to pi / 2, is
     * distributed as u and v are. Rows of a way are of one class. */
    int64_t steps;
} ls_making;

/* Makes rows. Local.
 * out  [count][channels][height][width] in the units of the data set
 * Errors: LS_ERR_USAGE if the model is no generator, was opened without parameters, or does not
 * know the class; LS_ERR_NUMERIC if a number is not finite. */
ls_status ls_model_make_rows(const ls_model *model, const ls_making *wanted,
                             float *out) LS_MUST_CHECK;

/* Writes rows as a data set of Lockstep's own layout, the training rows, of the type of the data
 * set that the generator was trained on; bytes are rounded. With classes if the generator is told
 * them. Local.
 * force  replace a data set of different content
 * Errors: as above; as ls_import_idx(), LS_ERR_FAILURE. */
ls_status ls_model_write_rows(const ls_model *model, const ls_making *wanted, const char *path,
                              bool force) LS_MUST_CHECK;

/* Scores of rows by a classifier, see ls_model_score_rows(). */
typedef struct ls_row_scores {
    int64_t rows;
    /* exp of the mean over rows of KL(p(class | row) || p(class)): 1 if all rows look the same, at
     * most the number of classes (Salimans et al., Improved techniques for training GANs, 2016,
     * with this classifier) */
    double score;
    double frechet;           /* from the real rows, see nn/frechet.h; NaN: none are known */
    double least_class;       /* fraction of the rarest class */
    int classes;              /* of the classifier */
    const int64_t *histogram; /* [classes] rows that look like each class */
} ls_row_scores;

typedef struct ls_scoring ls_scoring;

/* Opens a classifier that scores rows of a shape. Rows are spread over ranks; scores have the same
 * bits on any number of ranks, if each uses one BLAS thread. They depend on the classifier and the
 * number of rows: scores by different classifiers can't be compared. Collective.
 * path  of its checkpoint or run folder
 * Errors, on all ranks alike: as ls_model_open(); LS_ERR_USAGE if it is no classifier of such rows;
 * *out is left alone. */
ls_status ls_scoring_open(ls_scoring **out, ls_comm *comm, const char *path,
                          ls_shape picture) LS_MUST_CHECK;

/* Scores the rows that a generator makes, spread over all ranks. Collective.
 * scores  on return the same on all ranks; its histogram is borrowed until the next scores
 * Errors, on all ranks alike: as ls_model_make_rows(); LS_ERR_FAILURE, LS_INTERRUPTED. */
ls_status ls_scoring_generated(ls_scoring *scoring, const ls_model *model, const ls_making *wanted,
                               ls_row_scores *scores) LS_MUST_CHECK;

/* Scores real rows, which this rank evaluates; generated rows are then compared with them.
 * Collective.
 * rows    as ls_model_read() by the classifier: see ls_scoring_classifier()
 * Errors, on all ranks alike: those of reading; LS_ERR_FAILURE, LS_INTERRUPTED. */
ls_status ls_scoring_real(ls_scoring *scoring, ls_rows *rows, ls_row_scores *scores) LS_MUST_CHECK;

/* Returns the classifier; borrowed. Local. */
const ls_model *ls_scoring_classifier(const ls_scoring *scoring);

/* Closes, frees and sets *scoring to NULL; accepts NULL. Local. */
void ls_scoring_close(ls_scoring **scoring);

/* Frees the rows and sets *rows to NULL; accepts NULL. Local. */
void ls_rows_destroy(ls_rows **rows);

/* Frees and sets *model to NULL; accepts NULL. Local. */
void ls_model_destroy(ls_model **model);

#ifdef __cplusplus
}
#endif

#endif
