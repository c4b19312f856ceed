#include <lockstep/augment.h>
#include <lockstep/reducer.h>
#include <lockstep/trainer.h>

#include "base/clock.h"
#include "base/memory.h"
#include "cli/command.h"
#include "cli/report.h"
#include "nn/preset.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct settings {
    const char *config; /* see ls_command_run() */
    const char *data, *augment, *model;
    int loss, optimizer;
    double label_smoothing;
    double lr, momentum, beta1, beta2, epsilon, trust, weight_decay, clip_norm, ema;
    int schedule;
    double warmup, lr_step, lr_gamma, lr_final;
    int64_t plateau_patience;
    const char *scale_lr;
    bool nesterov;
    int64_t epochs, batch, seed;
    double validation, normalize[2];
    int hold_out, layout, shuffle, monitor, mode;
    int64_t patience;
    double min_delta;
    bool restore_best;
    const char *run, *resume;
    bool resume_anyway;
    const char *checkpoint_every, *max_time, *stop_margin;
    double watchdog;
    int on_nan;
    int64_t check_replicas;
    bool heal;
    int64_t keep, threads;
    int on_save_failure;
    int reduce;
    bool shard_optimizer, reproducible;
    int64_t block;
    int read;
    const char *memory;
    bool stream, trust_data, dry_run, quiet;
} settings;

#define AT(field) offsetof(settings, field)
#define BIG       9007199254740992.0 /* 2^53 */
static const ls_option table[] = {
    {.type = LS_OPT_HEADING, .help = "Data"},
    {"data", "FILE", LS_OPT_TEXT, LS_OPT_REQUIRED, AT(data),
     .help = "HDF5 data set, as `lockstep import` makes it"},
    {"validation", "FRACTION", LS_OPT_REAL, LS_OPT_FIXED | LS_OPT_ORDER, AT(validation),
     LS_VALIDATION_DEFAULT, 0, 0.99,
     .help = "of the training rows, held out where the file has no /validation"},
    {"hold-out", "WHICH", LS_OPT_CHOICE, LS_OPT_FIXED | LS_OPT_ORDER, AT(hold_out), "last",
     .choices = "last random stratified", /* as ls_hold_out */
     .help = "the last rows, any (by --seed), any of each class in proportion"},
    LS_LAYOUT_OPTION(LS_OPT_FIXED, AT(layout)),
    {"normalize", "MEAN,STD", LS_OPT_PAIR, LS_OPT_FIXED, AT(normalize), "0,1", 0,
     .help = "pixels become (x/255 - mean) / std"},
    {"shuffle", "HOW", LS_OPT_CHOICE, LS_OPT_FIXED | LS_OPT_ORDER, AT(shuffle), "global",
     .choices = "global local none", .help = "over all rows, within each rank's shard, or not"},
    {"augment", "WORDS", LS_OPT_TEXT, LS_OPT_FIXED, AT(augment), "none",
     .help = "training images moved, bent, covered anew in each epoch, see below"},

    {.type = LS_OPT_HEADING, .help = "Network"},
    {"model", "LAYERS", LS_OPT_TEXT, LS_OPT_FIXED | LS_OPT_BOUND, AT(model), "mlp",
     .help = "layers, or the name of a network, see below"},
    {"loss", "NAME", LS_OPT_CHOICE, LS_OPT_FIXED | LS_OPT_BOUND, AT(loss), "cross-entropy",
     .choices = "cross-entropy mse", .help = "loss"},
    {"label-smoothing", "E", LS_OPT_REAL, LS_OPT_FIXED, AT(label_smoothing), "0", 0, 1,
     .help = "cross-entropy: train towards 1 - E of the label and E/classes of each class"},
    {"seed", "N", LS_OPT_INT, LS_OPT_FIXED | LS_OPT_ORDER, AT(seed), "0", 0, BIG,
     .help = "of the initial parameters, the shuffle, dropout, augmentation and --hold-out"},

    {.type = LS_OPT_HEADING, .help = "Optimization"},
    {"optimizer", "NAME", LS_OPT_CHOICE, LS_OPT_FIXED | LS_OPT_BOUND, AT(optimizer), "adam",
     .choices = "sgd adam adamw lars lamb", /* as ls_optimizer_kind */
     .help = "optimizer"},
    {"lr", "RATE", LS_OPT_REAL, LS_OPT_FIXED, AT(lr), "0.001", 0, 1e30, .help = "learning rate"},
    {"batch", "ROWS", LS_OPT_INT, LS_OPT_FIXED | LS_OPT_ORDER, AT(batch), "128", 1,
     LS_MAX_GLOBAL_BATCH, .help = "global batch: rows in a step, over all ranks"},
    {"epochs", "N", LS_OPT_INT, LS_OPT_SPAN, AT(epochs), "5", 1, 1e6,
     .help = "passes over the training rows"},
    {"momentum", "M", LS_OPT_REAL, LS_OPT_FIXED, AT(momentum), "0", 0, 1,
     .help = "sgd, lars: momentum"},
    {"nesterov", NULL, LS_OPT_FLAG, LS_OPT_FIXED, AT(nesterov),
     .help = "sgd: Nesterov's form of it"},
    {"beta1", "B", LS_OPT_REAL, LS_OPT_FIXED, AT(beta1), "0.9", 0, 1,
     .help = "adam, adamw, lamb: decay of the first moment"},
    {"beta2", "B", LS_OPT_REAL, LS_OPT_FIXED, AT(beta2), "0.999", 0, 1,
     .help = "adam, adamw, lamb: decay of the second moment"},
    {"epsilon", "E", LS_OPT_REAL, LS_OPT_FIXED, AT(epsilon), "1e-08", 0, 1,
     .help = "adam, adamw, lamb: added to the denominator"},
    {"trust-coefficient", "T", LS_OPT_REAL, LS_OPT_FIXED, AT(trust), "0.001", 0, 1,
     .help = "lars: how far a step may move a matrix, relative to its norm"},
    {"weight-decay", "W", LS_OPT_REAL, LS_OPT_FIXED, AT(weight_decay), "0", 0, 1e6,
     .help = "sgd, adam: L2 penalty; adamw: decoupled; lars, lamb: of matrices, in the ratio"},
    {"clip-norm", "N", LS_OPT_REAL, LS_OPT_FIXED, AT(clip_norm), "0", 0, 1e30,
     .help = "scale the gradient down to this norm where it is larger; 0: never"},
    {"ema", "DECAY", LS_OPT_REAL, LS_OPT_FIXED, AT(ema), "0", 0, 1,
     .help = "keep a moving average of the parameters and go by that, as 0.999; 0: off"},

    {.type = LS_OPT_HEADING, .help = "Learning-rate schedule"},
    {"schedule", "NAME", LS_OPT_CHOICE, LS_OPT_FIXED, AT(schedule), "constant",
     .choices = "constant step cosine onecycle plateau", /* as ls_schedule_kind */
     .help = "how the rate changes"},
    {"warmup", "EPOCHS", LS_OPT_REAL, LS_OPT_FIXED, AT(warmup), "0", 0, 1e6,
     .help = "let the rate grow from 0 so long, step by step; 0.5 is half an epoch"},
    {"lr-step", "EPOCHS", LS_OPT_REAL, LS_OPT_FIXED, AT(lr_step), "0", 0, 1e6,
     .help = "step: cut the rate so often; 0: after each third of --epochs"},
    {"lr-gamma", "FACTOR", LS_OPT_REAL, LS_OPT_FIXED, AT(lr_gamma), "0.1", 0, 1,
     .help = "step, plateau: what a cut multiplies the rate by"},
    {"lr-final", "FRACTION", LS_OPT_REAL, LS_OPT_FIXED, AT(lr_final), "4e-06", 0, 1,
     .help = "cosine, onecycle: of the rate, to end with"},
    {"plateau-patience", "EPOCHS", LS_OPT_INT, LS_OPT_FIXED, AT(plateau_patience), "2", 1, 1e6,
     .help = "plateau: cut the rate after so many epochs without improvement of --monitor"},
    {"scale-lr", "HOW:BATCH", LS_OPT_TEXT, LS_OPT_FIXED, AT(scale_lr),
     .help = "--lr is meant for this batch: fit it to --batch, as linear:128 or sqrt:128"},

    {.type = LS_OPT_HEADING, .help = "Early stopping"},
    {"monitor", "METRIC", LS_OPT_CHOICE, LS_OPT_FIXED | LS_OPT_BOUND, AT(monitor), "val_loss",
     .choices = "val_loss val_accuracy loss accuracy", .help = "what makes an epoch the best"},
    {"mode", "MODE", LS_OPT_CHOICE, LS_OPT_FIXED | LS_OPT_BOUND, AT(mode), "auto",
     .choices = "auto min max", .help = "whether it should be small or large; auto: by its name"},
    {"patience", "EPOCHS", LS_OPT_INT, 0, AT(patience), "0", 0, 1e6,
     .help = "stop after so many epochs without improvement; 0: never"},
    {"min-delta", "D", LS_OPT_REAL, LS_OPT_FIXED, AT(min_delta), "0", 0, 1e30,
     .help = "smaller changes are no improvement"},
    {"restore-best", NULL, LS_OPT_FLAG, 0, AT(restore_best),
     .help = "end with the best epoch's parameters, not the last's"},

    {.type = LS_OPT_HEADING, .help = "Run folder"},
    {"run", "DIR", LS_OPT_TEXT, 0, AT(run),
     .help = "logs and checkpoints; without it nothing is saved"},
    {"resume", "auto|PATH", LS_OPT_TEXT, LS_OPT_NOT_SAVED, AT(resume),
     .help = "go on: from the run folder's newest checkpoint if there is one, or from PATH"},
    {"resume-anyway", NULL, LS_OPT_FLAG, LS_OPT_NOT_SAVED, AT(resume_anyway),
     .help = "go on although settings or data that matter are others than before"},
    {"checkpoint-every", "INTERVAL", LS_OPT_TEXT, 0, AT(checkpoint_every), "1epoch",
     .help = "as 500steps, 1epoch, 90s, 10min, 2h; the best and the last are always written"},
    {"keep", "N", LS_OPT_INT, 0, AT(keep), "3", 1, 1e6,
     .help = "newest checkpoints to keep, beside the best"},
    {"on-save-failure", "WHAT", LS_OPT_CHOICE, 0, AT(on_save_failure), "stop",
     .choices = "stop continue", /* as ls_save_failure */
     .help = "when a checkpoint can't be saved; the run's last one must be"},

    {"max-time", "TIME", LS_OPT_TEXT, LS_OPT_NOT_SAVED, AT(max_time),
     .help = "come to an end within this time, as 90s, 10min, 2h: checkpoint, exit code 75"},
    {"stop-margin", "TIME", LS_OPT_TEXT, 0, AT(stop_margin), "10s",
     .help = "come to an end so long before a Slurm job's, if $SLURM_JOB_END_TIME tells it"},
    {"on-nan", "WHAT", LS_OPT_CHOICE, 0, AT(on_nan), "stop", .choices = "stop skip rollback",
     .help = "a loss or gradient is not finite: stop; leave its step out; go back to a checkpoint"},
    {"check-replicas", "STEPS", LS_OPT_INT, 0, AT(check_replicas), "1000", 0, BIG,
     .help = "compare the ranks' parameters so often; 0: never"},
    {"heal", NULL, LS_OPT_FLAG, 0, AT(heal),
     .help = "where a few ranks' parameters differ, go on from those of most ranks"},
    {"watchdog", "SECONDS", LS_OPT_REAL, 0, AT(watchdog), "600", 0, 1e9,
     .help = "end a job in which no step was finished for so long, and say who lags; 0: never"},

    {.type = LS_OPT_HEADING, .help = "Ranks"},
    {"reduce", "HOW", LS_OPT_CHOICE, 0, AT(reduce), "auto",
     .choices = "fused overlap hierarchical exact auto", /* as ls_reduce */
     .help = "how gradients are summed over ranks"},
    {"shard-optimizer", NULL, LS_OPT_FLAG, 0, AT(shard_optimizer),
     .help = "each rank updates a part of the parameters, then all gather them"},
    {"reproducible", NULL, LS_OPT_FLAG, LS_OPT_FIXED, AT(reproducible),
     .help = "the same bits on any number of ranks: exact sums, block by block"},
    {"block", "ROWS", LS_OPT_INT, LS_OPT_FIXED, AT(block), LS_BLOCK_DEFAULT, 1, LS_MAX_GLOBAL_BATCH,
     .help = "reproducible: rows that are computed at a time"},
    {"threads", "N", LS_OPT_INT, 0, AT(threads), "0", 0, 1024,
     .help = "BLAS threads of a rank; 0: the cores it is bound to alone, else 1"},

    {.type = LS_OPT_HEADING, .help = "This invocation"},
    {"config", "FILE", LS_OPT_TEXT, LS_OPT_NOT_SAVED, AT(config),
     .help = "`key = value` lines; the command line wins"},
    {"stream", NULL, LS_OPT_FLAG, LS_OPT_FIXED | LS_OPT_ORDER, AT(stream),
     .help = "read rows as they are needed, with --shuffle local: for data larger than memory"},
    {"memory", "SIZE", LS_OPT_TEXT, LS_OPT_FIXED | LS_OPT_ORDER, AT(memory), "256M",
     .help = "stream: what a rank's rows may take, as 256M or 2G"},
    {"read", "HOW", LS_OPT_CHOICE, 0, AT(read), "each",
     .choices = "each root node", /* as ls_read */
     .help = "who reads the data set: every rank its shard, rank 0, a rank of each node"},
    {"trust-data", NULL, LS_OPT_FLAG, LS_OPT_NOT_SAVED, AT(trust_data),
     .help = "don't verify the data set before training, as for very large files"},
    {"dry-run", NULL, LS_OPT_FLAG, LS_OPT_NOT_SAVED, AT(dry_run),
     .help = "check everything, show the table, train nothing"},
    {"quiet", NULL, LS_OPT_FLAG, LS_OPT_NOT_SAVED, AT(quiet), .help = "the final table only"},
    {0},
};

static void help(FILE *out)
{
    ls_command_list("Layers", ls_network_layer_kind, out);
    ls_command_list("Networks by name, each with a last dense layer of a unit for each class",
                    ls_preset_at, out);
    ls_command_list("Augmentation: words in any order", ls_augment_word, out);
}

/* A number and its unit: steps or epochs, if these may be, or a time. None: epochs, else seconds.
 */
static ls_status parse_interval(const char *option, const char *text, bool counts, ls_interval *out)
{
    static const struct {
        const char *name;
        double seconds; /* 0: no time */
    } units[] = {{"epochs", 0}, {"epoch", 0}, {"steps", 0}, {"step", 0},
                 {"s", 1},      {"min", 60},  {"h", 3600},  {"d", 86400}};
    char *unit;
    const double value = strtod(text, &unit);
    while (*unit == ' ')
        unit++;
    *out = (ls_interval){0};
    if (unit != text && value > 0 && value < 1e15) {
        if (*unit == '\0')
            unit = (char *)(counts ? "epochs" : "s");
        for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
            if (strcmp(unit, units[i].name) != 0)
                continue;
            if (units[i].seconds > 0)
                out->seconds = value * units[i].seconds;
            else if (counts && value == floor(value) && units[i].name[0] == 'e')
                out->epochs = (int64_t)value;
            else if (counts && value == floor(value))
                out->steps = (int64_t)value;
        }
    }
    if (out->epochs > 0 || out->steps > 0 || out->seconds > 0)
        return LS_OK;
    return ls_fail(LS_ERR_USAGE, "--%s: '%s' is no %s: write it as %s", option, text,
                   counts ? "interval" : "time",
                   counts ? "500steps, 1epoch or 10min" : "90s or 10min");
}

/* Bytes, with or without K, M or G (of 1024). */
static ls_status parse_size(const char *option, const char *text, int64_t *out)
{
    static const char units[] = "KMG";
    char *unit;
    double value = strtod(text, &unit);
    const char *at = *unit != '\0' ? strchr(units, *unit) : NULL;
    if (at != NULL && unit[1] == '\0') {
        value = ldexp(value, 10 * (int)(at - units + 1));
        unit++;
    }
    if (unit == text || *unit != '\0' || !(value >= 1 && value < 1e18))
        return ls_fail(LS_ERR_USAGE, "--%s: '%s' is no size: write it as 256M or 2G", option, text);
    *out = (int64_t)value;
    return LS_OK;
}

/* How the rate is scaled: "linear:128", "sqrt:128"; "": not at all. */
static ls_status parse_scaling(const char *text, ls_schedule_config *out)
{
    static const char *const names[] = {[LS_LR_LINEAR] = "linear:", [LS_LR_SQRT] = "sqrt:"};
    if (*text == '\0')
        return LS_OK;
    for (int i = LS_LR_LINEAR; i <= LS_LR_SQRT; i++) {
        const size_t length = strlen(names[i]);
        char *end;
        if (strncmp(text, names[i], length) != 0 || text[length] < '0' || text[length] > '9')
            continue;
        const long long batch = strtoll(text + length, &end, 10);
        if (*end != '\0' || batch < 1 || batch > LS_MAX_GLOBAL_BATCH)
            continue;
        out->scaling = (ls_lr_scaling)i;
        out->base_batch = batch;
        return LS_OK;
    }
    return ls_fail(LS_ERR_USAGE,
                   "--scale-lr: '%s' does not say how and for which batch: write it as linear:128 "
                   "or sqrt:128",
                   text);
}

/* Within how many seconds from now the run is to end; 0: no limit. */
static ls_status find_time_limit(const settings *s, double *out)
{
    ls_interval most = {0}, margin = {0};
    const char *end = getenv("SLURM_JOB_END_TIME");
    ls_status status = LS_OK;
    if (*s->max_time != '\0')
        status = parse_interval("max-time", s->max_time, false, &most);
    if (status == LS_OK)
        status = parse_interval("stop-margin", s->stop_margin, false, &margin);
    /* It counts from the start of the program. */
    const double past = ls_clock_since_start();
    *out = most.seconds > past ? most.seconds - past : most.seconds > 0 ? DBL_MIN : 0;
    if (status != LS_OK || end == NULL || atoll(end) <= 0)
        return status;
    double left = difftime((time_t)atoll(end), time(NULL)) - margin.seconds;
    left = left > 1 ? left : 1; /* it is to stop after its first step */
    *out = *out > 0 && *out < left ? *out : left;
    return LS_OK;
}

static ls_train_config configure(const settings *s)
{
    return (ls_train_config){.data = s->data,
                             .augment = s->augment,
                             .model = s->model,
                             .loss = (ls_loss)s->loss,
                             .label_smoothing = s->label_smoothing,
                             .optimizer = {.kind = (ls_optimizer_kind)s->optimizer,
                                           .momentum = s->momentum,
                                           .nesterov = s->nesterov,
                                           .beta1 = s->beta1,
                                           .beta2 = s->beta2,
                                           .epsilon = s->epsilon,
                                           .trust = s->trust,
                                           .weight_decay = s->weight_decay,
                                           .clip_norm = s->clip_norm,
                                           .ema = s->ema},
                             .lr = s->lr,
                             .schedule = {.kind = (ls_schedule_kind)s->schedule,
                                          .warmup = s->warmup,
                                          .step = s->lr_step,
                                          .gamma = s->lr_gamma,
                                          .final = s->lr_final,
                                          .patience = s->plateau_patience},
                             .epochs = s->epochs,
                             .batch = s->batch,
                             .seed = (uint64_t)s->seed,
                             .validation = s->validation,
                             .hold_out = (ls_hold_out)s->hold_out,
                             .layout = (ls_layout_order)s->layout,
                             .mean = s->normalize[0],
                             .std = s->normalize[1],
                             .shuffle = (ls_shuffle)s->shuffle,
                             .monitor = (ls_monitor)s->monitor,
                             .mode = (ls_mode)s->mode,
                             .patience = s->patience,
                             .min_delta = s->min_delta,
                             .restore_best = s->restore_best,
                             .run = s->run,
                             .resume = s->resume,
                             .resume_anyway = s->resume_anyway,
                             .keep = s->keep,
                             .on_save_failure = (ls_save_failure)s->on_save_failure,
                             .watchdog = s->watchdog,
                             .on_nan = (ls_on_nan)s->on_nan,
                             .check_replicas = s->check_replicas,
                             .heal = s->heal,
                             .reduce = (ls_reduce)s->reduce,
                             .shard_optimizer = s->shard_optimizer,
                             .reproducible = s->reproducible,
                             .block = s->block,
                             .threads = (int)s->threads,
                             .read = (ls_read)s->read,
                             .stream = s->stream,
                             .trust_data = s->trust_data,
                             .dry_run = s->dry_run};
}

/* Trains with settings that all ranks agree on. Collective. */
static ls_status train(ls_comm *comm, const ls_train_config *config, bool quiet)
{
    ls_report *report = NULL;
    ls_trainer *trainer = NULL;
    ls_observer observer = {0};
    ls_train_result result;
    ls_status status = ls_agree(comm, ls_report_create(&report, quiet, &observer));
    if (status == LS_OK)
        status = ls_trainer_create(&trainer, comm, config, &observer);
    if (status == LS_OK && !config->dry_run) {
        status = ls_trainer_run(trainer, &result);
        if (status == LS_OK && ls_comm_rank(comm) == 0)
            ls_report_finish(report, config, &result);
    }
    ls_trainer_destroy(&trainer);
    ls_report_destroy(&report);
    return status;
}

/* All settings' defaults as text, owned by the caller; NULL when memory is short. */
static char *defaults_text(void)
{
    settings unset;
    ls_options *options = NULL;
    if (ls_options_create(&options, table, &unset) != LS_OK)
        return NULL;
    char *text = ls_options_text(options, 0);
    ls_options_destroy(&options);
    return text;
}

static ls_status run(ls_comm *comm, const ls_options *options, const void *values)
{
    enum { TEXTS = 4 + 1 };
    const settings *s = values;
    ls_train_config config = configure(s);
    /* Where the rate depends on the end of the run, it must stay where it is. */
    const int fixed = LS_OPT_FIXED | (ls_schedule_needs_epochs(&config.schedule) ? LS_OPT_SPAN : 0);
    const int flags[TEXTS - 1] = {0, fixed, LS_OPT_BOUND, LS_OPT_ORDER};
    char *text[TEXTS];
    bool well = true;
    for (int i = 0; i < TEXTS; i++) {
        text[i] = i < TEXTS - 1 ? ls_options_text(options, flags[i]) : defaults_text();
        well = well && text[i] != NULL;
    }
    ls_status status = ls_agree(comm, well ? LS_OK : LS_ERR_FAILURE);
    config.text = text[0];
    config.fixed = text[1];
    config.bound = text[2];
    config.order = text[3];
    config.defaults = text[4];
    if (status == LS_OK)
        status =
            parse_interval("checkpoint-every", s->checkpoint_every, true, &config.checkpoint_every);
    if (status == LS_OK)
        status = parse_size("memory", s->memory, &config.memory);
    if (status == LS_OK)
        status = parse_scaling(s->scale_lr, &config.schedule);
    if (status == LS_OK)
        status = ls_agree(comm, find_time_limit(s, &config.time_limit));
    if (status == LS_OK)
        status = train(comm, &config, s->quiet);
    for (int i = 0; i < TEXTS; i++)
        ls_free(text[i]);
    return status;
}

const ls_command ls_command_train = {
    .name = "train",
    .usage = "--data FILE [OPTION ...]",
    .summary = "trains a network",
    .options = table,
    .settings_size = sizeof(settings),
    .help = help,
    .examples =
        "  mpirun -n 2 lockstep train --data mnist.h5 --model \"dense:512 relu dense:10\" --run "
        "runs/a\n"
        "  mpirun -n 8 lockstep train --config runs/a/config.conf --run runs/a --resume auto\n",
    .common =
        "data model augment epochs batch optimizer lr schedule warmup patience seed run resume "
        "max-time config reproducible",
    .stops = true,
    .parallel = true,
    .run = run,
};
