#include <lockstep/augment.h>
#include <lockstep/corrupt.h>
#include <lockstep/objective.h>
#include <lockstep/settings.h>
#include <lockstep/trainer.h>

#include "base/clock.h"
#include "cli/command.h"
#include "cli/console.h"
#include "cli/report.h"

#include <float.h>
#include <math.h>

typedef struct settings {
    ls_train_config config; /* first: the offsets of the library's settings count from here */
    const char *file;       /* see ls_command_run() */
    bool quiet;
} settings;

static const ls_setting table[] = {
    {"config", "FILE", LS_TYPE_TEXT, LS_CHANGE_NOT_SAVED, offsetof(settings, file),
     .group = "This invocation", .help = "`key = value` lines; the command line wins"},
    {"quiet", NULL, LS_TYPE_FLAG, LS_CHANGE_NOT_SAVED, offsetof(settings, quiet),
     .help = "print notes and the final table only"},
    {0},
};

static void train_help(FILE *out)
{
    ls_command_list("Layers", ls_network_layer_word, out);
    ls_command_list("Networks by name, each with a last dense layer of a unit for each class",
                    ls_network_preset, out);
    ls_command_list("Networks by name of a GAN", ls_gan_preset, out);
    ls_command_list("Augmentation: words in any order", ls_augment_word, out);
    ls_command_list("Corruption: words in any order", ls_corruption_word, out);
}

/* --max-time counts from the start of the program, the trainer's limit from now. */
static void limit_time(ls_train_config *config)
{
    const double past = ls_clock_since_start();
    if (config->time_limit > 0)
        config->time_limit = fmax(config->time_limit - past, DBL_MIN);
    ls_config_limit_to_job(config);
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
    if (status == LS_OK && config->dry_run && ls_comm_rank(comm) == 0)
        ls_print(stderr, "dry run: the configuration is valid\n");
    ls_trainer_destroy(&trainer);
    ls_report_destroy(&report);
    return status;
}

static ls_status train_run(ls_comm *comm, const ls_options *options, const void *values)
{
    const settings *s = values;
    ls_train_config config = s->config;
    (void)options;
    limit_time(&config);
    return train(comm, &config, s->quiet);
}

const ls_command ls_command_train = {
    .name = "train",
    .usage = "--data FILE [OPTION ...]",
    .summary = "trains a network",
    .options = {table, true},
    .settings_size = sizeof(settings),
    .help = train_help,
    .examples =
        "  mpirun -n 2 lockstep train --data mnist.h5 --model \"dense:512 relu dense:10\" --run "
        "runs/a\n"
        "  mpirun -n 8 lockstep train --config runs/a/config.conf --run runs/a --resume auto\n",
    .common =
        "data inputs targets model augment epochs batch optimizer lr schedule warmup patience seed "
        "run resume max-time config reproducible",
    .stops = true,
    .parallel = true,
    .run = train_run,
};
