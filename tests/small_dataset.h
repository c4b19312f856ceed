/* Data sets and configurations for tests. */
#ifndef LS_TESTS_SMALL_DATASET_H
#define LS_TESTS_SMALL_DATASET_H

#include <lockstep/settings.h>
#include <lockstep/trainer.h>

/* A learnable data set: each class has a pattern; each image is its class's pattern with noise. */
typedef struct small_dataset {
    int64_t train, test, validation; /* rows of each split; 0: no such split */
    int64_t channels, height, width;
    int classes;
    bool sequences; /* the rows have lengths, and each of their `height` steps has a class */
} small_dataset;

/* 203 training rows, of which a tenth is held out, and 50 test rows, 1x6x5, 4 classes. */
extern const small_dataset small_dataset_default;

/* Writes the data set. */
void small_dataset_write(const small_dataset *dataset, const char *path);

/* Writes a checkpoint after two epochs of dense:5 relu dense:4 on 1x3x2, with Adam and a parameter
 * average. */
void write_small_checkpoint(const char *path);

/* The same with other texts: `described` as the model string, which need not be valid; `text` as
 * the names of data set and compute library; `config` as the configuration. */
void write_described_checkpoint(const char *path, const char *described, const char *text,
                                const char *config);

/* Return a pixel of a row of a split, the label of a row, and of sequences that of a step, and the
 * length of a row. */
unsigned char small_dataset_pixel(const small_dataset *dataset, int split, int64_t row, int64_t at);
int small_dataset_label(const small_dataset *dataset, int split, int64_t row);
int small_dataset_step(const small_dataset *dataset, int split, int64_t row, int64_t step);
int small_dataset_length(const small_dataset *dataset, int64_t row);

/* Writes an IDX file, compressed if its name ends with .gz. type: 0x08, 0x0b or 0x0c */
void write_idx_file(const char *path, int type, int dims, const int *dim, const int *values);

/* Returns settings for a short training on data set `path`. */
ls_train_config short_training(const char *path);

/* Optimizers that use norms, of all gradients or of a layer's, or keep a parameter average; for a
 * learning rate of 0.01. */
enum { SHORT_TRAINING_OPTIMIZERS = 3 };
extern const ls_optimizer_config short_training_optimizers[SHORT_TRAINING_OPTIMIZERS];

/* Runs a complete training. Collective.
 * fault  as in LOCKSTEP_FAULT; NULL: none */
ls_status short_training_run(ls_comm *comm, const ls_train_config *config,
                             const ls_observer *observer, const char *fault,
                             ls_train_result *result);

/* Selects the reducer; LS_REDUCE_EXACT also sets what --reproducible requires. */
void short_training_reduce(ls_train_config *config, int kind, bool shard);

#endif
