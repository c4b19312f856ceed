/* Data sets and configurations for tests. */
#ifndef LS_TESTS_FIXTURE_H
#define LS_TESTS_FIXTURE_H

#include <lockstep/settings.h>
#include <lockstep/trainer.h>

/* A data set that can be learned: each class has a pattern, each image is its class's with noise.
 */
typedef struct fixture {
    int64_t train, test, validation; /* rows; 0: no such split */
    int64_t channels, height, width;
    int classes;
} fixture;

/* 203 training rows, of which a tenth is held out, and 50 test rows, 1x6x5, 4 classes. */
extern const fixture fixture_small;

/* Writes the data set. */
void fixture_write(const fixture *fixture, const char *path);

/* Writes a checkpoint of two epochs, of dense:5 relu dense:4 on 1x3x2, trained with Adam,
 * and with their average. */
void fixture_write_checkpoint(const char *path);

/* The same with other texts in it: of the model, whatever it holds; of the data set and the library
 * that computed; of the configuration. */
void fixture_write_described(const char *path, const char *described, const char *text,
                             const char *config);

/* Pixel j of row i of a split, and its label. */
unsigned char fixture_pixel(const fixture *fixture, int split, int64_t row, int64_t at);
int fixture_label(const fixture *fixture, int split, int64_t row);

/* Writes an IDX file; compressed if its name ends with .gz. type: 0x08, 0x0b, 0x0c. */
void fixture_write_idx(const char *path, int type, int dims, const int *dim, const int *values);

/* Settings for a short training of data set `path`. */
ls_train_config fixture_config(const char *path);

/* Optimizers that go by norms, of all gradients or of a layer's, or keep an average; for a learning
 * rate of 0.01. */
enum { FIXTURE_OPTIMIZERS = 3 };
extern const ls_optimizer_config fixture_optimizers[FIXTURE_OPTIMIZERS];

/* Trains from beginning to end, with a fault as in LOCKSTEP_FAULT; NULL: none. Collective. */
ls_status fixture_train(ls_comm *comm, const ls_train_config *config, const ls_observer *observer,
                        const char *fault, ls_train_result *result);

/* Lets it sum gradients in this way, and the exact one be what it is for. */
void fixture_reduce(ls_train_config *config, int kind, bool shard);

#endif
