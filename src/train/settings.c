/* The table of settings. A new setting is a row here and a field of ls_train_config. */
#include <lockstep/config.h>
#include <lockstep/comm.h>
#include <lockstep/compute.h>
#include <lockstep/settings.h>

#include "parallel/reducer.h"
#include "train/setting_value.h"

#include <assert.h>
#include <string.h>

#define CHOICES(name, LIST)                                                                        \
    static const ls_choice name##_choices[] = {LIST(LS_CHOICE_ROW){NULL, NULL}}
CHOICES(hold_out, LS_HOLD_OUT_LIST);
CHOICES(layout, LS_LAYOUT_LIST);
CHOICES(order, LS_ORDER_LIST);
CHOICES(shuffle, LS_SHUFFLE_LIST);
CHOICES(read, LS_READ_LIST);
CHOICES(objective, LS_OBJECTIVE_LIST);
CHOICES(adversarial_loss, LS_ADVERSARIAL_LOSS_LIST);
CHOICES(optimizer, LS_OPTIMIZER_LIST);
CHOICES(schedule, LS_SCHEDULE_LIST);
CHOICES(monitor, LS_MONITOR_LIST);
CHOICES(mode, LS_MODE_LIST);
CHOICES(on_save_failure, LS_SAVE_FAILURE_LIST);
CHOICES(on_nan, LS_ON_NAN_LIST);
CHOICES(reduce, LS_REDUCE_LIST);
CHOICES(products, LS_PRODUCTS_LIST);
#undef CHOICES
static const ls_choice loss_choices[] = {
    LS_LOSS_LIST(LS_CHOICE_ROW)[LS_LOSS_AUTO] = {"auto", "classes: cross-entropy; values: mse"},
    {NULL, NULL}};

static const char DATA[] = "Data";
static const char NETWORK[] = "Network";
static const char GAN[] = "Generative adversarial networks";
static const char GENERATED[] = "Generated rows, of --objective gan or vae";
static const char OPTIMIZATION[] = "Optimization";
static const char SCHEDULE[] = "Learning-rate schedule";
static const char STOPPING[] = "Early stopping";
static const char RUN[] = "Run folder";
static const char FAULTS[] = "Faults and time limits";
static const char RANKS[] = "Ranks";
static const char INVOCATION[] = "This invocation";

#define AT(field) offsetof(ls_train_config, field)
#define EXACT     9007199254740992.0 /* 2^53: a double holds every integer up to it */

#define FREE      LS_CHANGE_FREE
#define FIXED     LS_CHANGE_FIXED
#define ORDER     LS_CHANGE_ORDER
#define BOUND     LS_CHANGE_BOUND
#define SPAN      LS_CHANGE_SPAN
#define NOT_SAVED LS_CHANGE_NOT_SAVED
#define DECAY     (LS_SETTING_BELOW | LS_SETTING_FLOAT) /* from 0 to below 1, as a float */

/* clang-format off */
static const ls_setting table[] = {
    {"data", "FILE", LS_TYPE_TEXT, FREE, AT(data), .flags = LS_SETTING_REQUIRED, .group = DATA,
     .help = "HDF5 data set, as `lockstep import` makes it, or any HDF5 file with --inputs"},
    {"inputs", "PATHS", LS_TYPE_TEXT, ORDER, AT(inputs), "", .group = DATA,
     .help = "datasets of the file that are the inputs, e.g. /a or \"/a[:,5:12],/b\", see below"},
    {"targets", "PATHS", LS_TYPE_TEXT, ORDER, AT(targets), "", .group = DATA,
     .help = "with --inputs: the targets, or \"inputs\": the inputs, as for an autoencoder"},
    {"weights", "PATH", LS_TYPE_TEXT, FIXED, AT(weights), "", .group = DATA,
     .help = "dataset of the training rows' weights in the loss; without --inputs its name in "
             "/train"},
    {"lengths", "PATH", LS_TYPE_TEXT, ORDER, AT(lengths), "", .group = DATA,
     .help = "dataset of the number of steps of each row; without --inputs its name in each group"},
    {"padding", "ID", LS_TYPE_INT, ORDER, AT(padding), "-1", -1, 1 << 24, .group = DATA,
     .help = "number that fills sequences up: a row ends with its last other one; -1: none"},
    {"class-weights", "HOW", LS_TYPE_TEXT, FIXED, AT(class_weights), "none", .group = DATA,
     .help = "weights of the training rows by class: balanced, or a weight of each class, e.g. "
             "1,1,20"},
    {"validation", "FRACTION", LS_TYPE_REAL, ORDER, AT(validation), "0.1", 0, 1, LS_SETTING_BELOW,
     .group = DATA, .help = "of the training rows, held out if the file has no /validation"},
    {"hold-out", "WHICH", LS_TYPE_CHOICE, ORDER, AT(hold_out), "last", .choices = hold_out_choices,
     .group = DATA, .help = "training rows to hold out"},
    {"test-data", "FILE", LS_TYPE_TEXT, FREE, AT(test_data), "", .group = DATA,
     .help = "with --inputs: another file, or several, whose rows are the test rows"},
    {"test-rows", "WHICH", LS_TYPE_TEXT, ORDER, AT(test_rows), "", .group = DATA,
     .help = "rows that are never trained on, if the file has no /test: last:N, first:N or all"},
    {"split", "FRACTIONS", LS_TYPE_TEXT, ORDER, AT(split), "", .group = DATA,
     .help = "TRAIN,VALIDATION,TEST, e.g. 0.8,0.1,0.1: test rows, too, are held out"},
    {"fold", "K/N", LS_TYPE_TEXT, ORDER, AT(fold), "", .group = DATA,
     .help = "hold out part K of N, instead of a fraction: each row is in one of the N parts"},
    {"layout", "HOW", LS_TYPE_CHOICE, FIXED, AT(layout), "auto", .choices = layout_choices,
     .group = DATA, .help = "dimensions of 4-dimensional images in the file"},
    {"order", "HOW", LS_TYPE_CHOICE, ORDER, AT(order), "auto", .choices = order_choices,
     .group = DATA, .help = "where the rows are in the shapes of the file's datasets"},
    {"normalize", "MEAN,STD", LS_TYPE_PAIR, FIXED, AT(mean), "0,1", 0, 1e30, LS_SETTING_ABOVE,
     .group = DATA, .help = "inputs become (x - mean) / std, where uint8 is divided by 255 first"},
    {"standardize", "HOW", LS_TYPE_TEXT, FIXED, AT(standardize), "none", .group = DATA,
     .help = "inputs, by column: fit, by the training rows' mean and standard deviation; or "
             "file:FILE.h5:/mean,/std"},
    {"standardize-targets", NULL, LS_TYPE_FLAG, FIXED, AT(standardize_targets), .group = DATA,
     .help = "targets that are values, by the training rows; metrics stay in their units"},
    {"shuffle", "HOW", LS_TYPE_CHOICE, ORDER, AT(shuffle), "global", .choices = shuffle_choices,
     .group = DATA, .help = "order of the training rows"},
    {"augment", "WORDS", LS_TYPE_TEXT, FIXED, AT(augment), "none", .group = DATA,
     .help = "random changes of the training images in each epoch, see below"},
    {"corrupt", "WORDS", LS_TYPE_TEXT, FIXED, AT(corrupt), "none", .group = DATA,
     .help = "noise in the training rows' inputs, with --targets inputs also in validation, see "
             "below"},
    {"read", "HOW", LS_TYPE_CHOICE, FREE, AT(read), "each", .choices = read_choices, .group = DATA,
     .help = "which ranks read the data set"},
    {"stream", NULL, LS_TYPE_FLAG, ORDER, AT(stream), .group = DATA,
     .help = "read rows when they are needed, with --shuffle local: for data larger than memory"},
    {"memory", "SIZE", LS_TYPE_SIZE, ORDER, AT(memory), "256M", 1, 1e18, .group = DATA,
     .help = "stream: memory for a rank's rows, e.g. 256M or 2G"},
    {"trust-data", NULL, LS_TYPE_FLAG, NOT_SAVED, AT(trust_data), .group = DATA,
     .help = "don't verify the data set before training, e.g. very large files"},

    {"model", "LAYERS", LS_TYPE_TEXT, BOUND, AT(model), "mlp", .group = NETWORK,
     .help = "layers, or the name of a network, see below"},
    {"loss", "NAME", LS_TYPE_LOSS, BOUND, AT(loss), "auto", 0, 1e30, LS_SETTING_ABOVE,
     .choices = loss_choices, .group = NETWORK, .help = "loss"},
    {"label-smoothing", "E", LS_TYPE_REAL, FIXED, AT(label_smoothing), "0", 0, 1, LS_SETTING_BELOW,
     .group = NETWORK,
     .help = "cross-entropy: target 1 - E for the label, plus E/classes for each class"},
    {"seed", "N", LS_TYPE_INT, ORDER, AT(seed), "0", 0, EXACT, .group = NETWORK,
     .help = "of the initial parameters, the shuffle, dropout, augmentation, corruption and "
             "--hold-out"},

    {"objective", "WHAT", LS_TYPE_CHOICE, BOUND, AT(objective), "supervised",
     .choices = objective_choices, .group = NETWORK, .help = "what is trained"},
    {"generator", "LAYERS", LS_TYPE_TEXT, BOUND, AT(generator), "", .group = GAN,
     .help = "layers from the noise to a row, or gan or dcgan"},
    {"discriminator", "LAYERS", LS_TYPE_TEXT, BOUND, AT(discriminator), "", .group = GAN,
     .help = "layers from a row to a judgement; without it those of the generator's preset"},
    {"latent", "NUMBERS", LS_TYPE_INT, BOUND, AT(latent), "64", 1, 1 << 20, .group = GAN,
     .help = "of noise, normally distributed, in the generator's inputs"},
    {"conditional", NULL, LS_TYPE_FLAG, BOUND, AT(conditional), .group = GAN,
     .help = "the generator is told a class, which the discriminator finds out, too"},
    {"adversarial-loss", "NAME", LS_TYPE_CHOICE, BOUND, AT(adversarial_loss), "non-saturating",
     .choices = adversarial_loss_choices, .group = GAN, .help = "losses of both networks"},
    {"discriminator-lr", "RATE", LS_TYPE_REAL, FIXED, AT(discriminator_lr), "0", 0, 1e30,
     .group = GAN, .help = "its learning rate, which follows the schedule of --lr; 0: --lr"},
    {"discriminator-steps", "N", LS_TYPE_INT, ORDER, AT(discriminator_steps), "1", 1, 1e6,
     .group = GAN, .help = "steps of the discriminator for one of the generator"},
    {"score", "RUN", LS_TYPE_TEXT, FIXED, AT(score), "", .group = GENERATED,
     .help = "a classifier of the same rows, which scores generated rows after each epoch"},
    {"score-rows", "ROWS", LS_TYPE_INT, FIXED, AT(score_rows), "10000", 1, 1 << 24,
     .group = GENERATED, .help = "generated rows that are scored"},

    {"optimizer", "NAME", LS_TYPE_CHOICE, BOUND, AT(optimizer.kind), "adam",
     .choices = optimizer_choices, .group = OPTIMIZATION, .help = "optimizer"},
    {"lr", "RATE", LS_TYPE_REAL, FIXED, AT(lr), "0.001", 0, 1e30, .group = OPTIMIZATION,
     .help = "learning rate"},
    {"batch", "ROWS", LS_TYPE_INT, ORDER, AT(batch), "128", 1, LS_MAX_GLOBAL_BATCH,
     .group = OPTIMIZATION, .help = "global batch: rows in a step, over all ranks"},
    {"epochs", "N", LS_TYPE_INT, SPAN, AT(epochs), "5", 1, 1e6, .group = OPTIMIZATION,
     .help = "passes over the training rows"},
    {"momentum", "M", LS_TYPE_REAL, FIXED, AT(optimizer.momentum), "0", 0, 1, DECAY,
     .group = OPTIMIZATION, .help = "sgd, lars: momentum"},
    {"nesterov", NULL, LS_TYPE_FLAG, FIXED, AT(optimizer.nesterov), .group = OPTIMIZATION,
     .help = "sgd: Nesterov momentum"},
    {"beta1", "B", LS_TYPE_REAL, FIXED, AT(optimizer.beta1), "0.9", 0, 1, DECAY,
     .group = OPTIMIZATION, .help = "adam, adamw, lamb: decay of the first moment"},
    {"beta2", "B", LS_TYPE_REAL, FIXED, AT(optimizer.beta2), "0.999", 0, 1, DECAY,
     .group = OPTIMIZATION, .help = "adam, adamw, lamb: decay of the second moment"},
    {"epsilon", "E", LS_TYPE_REAL, FIXED, AT(optimizer.epsilon), "1e-08", 0, 1,
     LS_SETTING_ABOVE | LS_SETTING_FLOAT, .group = OPTIMIZATION,
     .help = "adam, adamw, lamb: added to the denominator"},
    {"trust-coefficient", "T", LS_TYPE_REAL, FIXED, AT(optimizer.trust), "0.001", 0, 1,
     LS_SETTING_ABOVE | LS_SETTING_FLOAT, .group = OPTIMIZATION,
     .help = "lars: largest step of a matrix, relative to its norm"},
    {"weight-decay", "W", LS_TYPE_REAL, FIXED, AT(optimizer.weight_decay), "0", 0, 1e6,
     .group = OPTIMIZATION,
     .help = "sgd, adam: L2 penalty; adamw: decoupled; lars, lamb: of matrices, in the ratio"},
    {"clip-norm", "N", LS_TYPE_REAL, FIXED, AT(optimizer.clip_norm), "0", 0, 1e30,
     .group = OPTIMIZATION,
     .help = "scale larger gradients down to this norm; 0: never"},
    {"ema", "DECAY", LS_TYPE_REAL, FIXED, AT(optimizer.ema), "0", 0, 1, DECAY,
     .group = OPTIMIZATION,
     .help = "evaluate a moving average of the parameters, e.g. 0.999; 0: off"},

    {"schedule", "NAME", LS_TYPE_CHOICE, FIXED, AT(schedule.kind), "constant",
     .choices = schedule_choices, .group = SCHEDULE, .help = "how the rate changes"},
    {"warmup", "EPOCHS", LS_TYPE_REAL, FIXED, AT(schedule.warmup), "0", 0, 1e6, .group = SCHEDULE,
     .help = "increase the rate from 0 during this time, step by step; 0.5 is half an epoch"},
    {"lr-step", "EPOCHS", LS_TYPE_REAL, FIXED, AT(schedule.step), "0", 0, 1e6, .group = SCHEDULE,
     .help = "step: time from one cut of the rate to the next; 0: a third of --epochs"},
    {"lr-gamma", "FACTOR", LS_TYPE_REAL, FIXED, AT(schedule.gamma), "0.1", 0, 1, LS_SETTING_ABOVE,
     .group = SCHEDULE, .help = "step, plateau: factor of the rate at a cut"},
    {"lr-final", "FRACTION", LS_TYPE_REAL, FIXED, AT(schedule.final), "4e-06", 0, 1,
     .group = SCHEDULE, .help = "cosine, onecycle: fraction of the rate at the end"},
    {"plateau-patience", "EPOCHS", LS_TYPE_INT, FIXED, AT(schedule.patience), "2", 1, 1e6,
     .group = SCHEDULE, .help = "plateau: epochs without improvement of --monitor before a cut"},
    {"scale-lr", "HOW:BATCH", LS_TYPE_SCALING, FIXED, AT(schedule), "", 1, LS_MAX_GLOBAL_BATCH,
     .group = SCHEDULE,
     .help = "--lr is for this batch: scale it to --batch, e.g. linear:128 or sqrt:128"},

    {"monitor", "METRIC", LS_TYPE_CHOICE, BOUND, AT(monitor), "auto",
     .choices = monitor_choices, .group = STOPPING,
     .help = "metric that decides which epoch is the best"},
    {"mode", "MODE", LS_TYPE_CHOICE, BOUND, AT(mode), "auto", .choices = mode_choices,
     .group = STOPPING, .help = "direction of improvement of the metric"},
    {"patience", "EPOCHS", LS_TYPE_INT, FREE, AT(patience), "0", 0, 1e6, .group = STOPPING,
     .help = "stop after this many epochs without improvement; 0: never"},
    {"min-delta", "D", LS_TYPE_REAL, FIXED, AT(min_delta), "0", 0, 1e30, .group = STOPPING,
     .help = "smaller changes are no improvement"},
    {"restore-best", NULL, LS_TYPE_FLAG, FREE, AT(restore_best), .group = STOPPING,
     .help = "end with the best epoch's parameters, not the last's"},

    {"run", "DIR", LS_TYPE_TEXT, FREE, AT(run), .group = RUN,
     .help = "logs and checkpoints; without it nothing is saved"},
    {"tensorboard", NULL, LS_TYPE_FLAG, FREE, AT(tensorboard), .group = RUN,
     .help = "also write the metrics of each epoch as event files of TensorBoard"},
    {"samples", "ROWS", LS_TYPE_INT, FREE, AT(samples), "64", 0, 4096, .group = RUN,
     .help = "generated rows on the sheet that each epoch writes to samples/; up to 16 "
             "reconstructed ones of an autoencoder; 0: none"},
    {"resume", "auto|PATH", LS_TYPE_TEXT, NOT_SAVED, AT(resume), .group = RUN,
     .help = "continue from the run folder's newest checkpoint if there is one, or from PATH"},
    {"resume-anyway", NULL, LS_TYPE_FLAG, NOT_SAVED, AT(resume_anyway), .group = RUN,
     .help = "continue although settings or data that matter differ from before"},
    {"checkpoint-every", "INTERVAL", LS_TYPE_INTERVAL, FREE, AT(checkpoint_every), "1epoch",
     .group = RUN,
     .help = "e.g. 500steps, 10min; a number: epochs; the best and the last are always written"},
    {"keep", "N", LS_TYPE_INT, FREE, AT(keep), "3", 1, 1e6, .group = RUN,
     .help = "newest checkpoints to keep, in addition to the best"},
    {"keep-every", "STEPS", LS_TYPE_INT, FREE, AT(keep_every), "0", 0, EXACT, .group = RUN,
     .help = "also keep checkpoints at multiples of this number of steps; 0: none"},
    {"on-save-failure", "WHAT", LS_TYPE_CHOICE, FREE, AT(on_save_failure), "stop",
     .choices = on_save_failure_choices, .group = RUN,
     .help = "when a checkpoint can't be saved; the run's last one is always required"},

    {"max-time", "TIME", LS_TYPE_TIME, NOT_SAVED, AT(time_limit), "", 0, 1e15, .group = FAULTS,
     .help = "end within this time, e.g. 10min, 2h; a number: seconds; checkpoint, exit code 75"},
    {"stop-margin", "TIME", LS_TYPE_TIME, FREE, AT(stop_margin), "10s", 0, 1e15, .group = FAULTS,
     .help = "end this long before the batch job ($LOCKSTEP_END_TIME or Slurm's), e.g. 2min"},
    {"on-nan", "WHAT", LS_TYPE_CHOICE, FREE, AT(on_nan), "stop", .choices = on_nan_choices,
     .group = FAULTS, .help = "when a loss or gradient is NaN or Inf"},
    {"check-replicas", "STEPS", LS_TYPE_INT, FREE, AT(check_replicas), "1000", 0, EXACT,
     .group = FAULTS,
     .help = "steps between comparisons of the ranks' own copies of the parameters; 0: never"},
    {"heal", NULL, LS_TYPE_FLAG, FREE, AT(heal), .group = FAULTS,
     .help = "if a few ranks' parameters differ, continue with those of most ranks"},
    {"watchdog", "SECONDS", LS_TYPE_REAL, FREE, AT(watchdog), "600", 0, 1e9, .group = FAULTS,
     .help = "end a job that finishes no step for this long, and report which rank lags; 0: never"},

    {"reduce", "HOW", LS_TYPE_CHOICE, FREE, AT(reduce), "auto", .choices = reduce_choices,
     .group = RANKS, .help = "how gradients are summed over ranks"},
    {"shard-optimizer", NULL, LS_TYPE_FLAG, FREE, AT(shard_optimizer), .group = RANKS,
     .help = "each rank updates a part of the parameters, then all ranks gather them"},
    {"reproducible", NULL, LS_TYPE_FLAG, FIXED, AT(reproducible), .group = RANKS,
     .help = "the same bits on any number of ranks: exact sums, by micro-batches"},
    {"block", "ROWS", LS_TYPE_INT, FIXED, AT(block), "32", 1, LS_MAX_GLOBAL_BATCH, .group = RANKS,
     .help = "reproducible: rows of a micro-batch"},
    {"threads", "N", LS_TYPE_INT, FREE, AT(threads), "0", 0, 1024, .group = RANKS,
     .help = "BLAS threads of a rank; 0: the cores it is bound to alone, else 1"},
    {"products", "HOW", LS_TYPE_CHOICE, FREE, AT(products), "auto", .choices = products_choices,
     .group = RANKS, .help = "who computes the matrix products of dense layers"},

    {"dry-run", NULL, LS_TYPE_FLAG, NOT_SAVED, AT(dry_run), .group = INVOCATION,
     .help = "check everything, show the table, train nothing"},
};
/* clang-format on */

static_assert(AT(std) == AT(mean) + sizeof(double), "normalize is a pair");
static_assert(AT(huber) == LS_LOSS_NUMBER_AT(AT(loss)), "loss and huber are a pair");
static_assert(sizeof(ls_reduce) == sizeof(int), "a choice is stored as an int");
static_assert(sizeof(ls_products) == sizeof(int), "a choice is stored as an int");

const ls_setting *ls_settings(int *count)
{
    *count = sizeof table / sizeof *table;
    return table;
}

const ls_setting *ls_setting_find(const char *name, size_t length)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strlen(table[i].name) == length && memcmp(table[i].name, name, length) == 0)
            return &table[i];
    return NULL;
}
