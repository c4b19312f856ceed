/* Reports the start of a training, and what its data have to be told of. */
#include "train/setup.h"

#include "parallel/collectives.h"
#include "nn/schedule.h"
#include "data/class_names.h"
#include "data/files.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/show.h"

#include <string.h>

/* Calls observer->start; on rank 0. Local. */
static void notify_start(const ls_trainer *t)
{
    const ls_train_config *c = t->config;
    const ls_run_info info = {.config = c,
                              .dataset = ls_trainer_dataset(t),
                              .network = ls_replica_network(ls_trainer_replica(t)),
                              .discriminator =
                                  t->adversarial != NULL
                                      ? ls_replica_network(t->learner[LS_DISCRIMINATOR].replica)
                                      : NULL,
                              .task = t->task,
                              .topology = t->topology,
                              .steps_per_epoch = ls_trainer_plan(t)->steps,
                              .epochs_done = t->progress.epoch,
                              .steps_done = t->progress.step,
                              .resumed = t->records.resumed,
                              .monitor = ls_monitor_name(t->monitor),
                              .lr = ls_schedule_base(&c->schedule, c->lr, c->batch),
                              .augmented = ls_loader_augments(t->loader),
                              .corrupted = ls_loader_corrupts(t->loader),
                              .setup_seconds = ls_now() - t->records.created};
    if (t->observer->start != NULL)
        t->observer->start(t->observer->user, &info);
}

/* Reports classes that can't be learned from the training rows; on rank 0. Local. */
static ls_status report_class_gaps(const ls_trainer *t)
{
    const char *gaps = ls_loader_census(t->loader)->class_gaps;
    if (*gaps == '\0')
        return LS_OK;
    ls_trainer_note(t, "classes: %s", gaps);
    if (t->records.log == NULL)
        return LS_OK;
    return ls_run_log_event(t->records.log, LS_EVENT_CLASSES, t->progress.epoch,
                            json_pack("{s:o}", "text", ls_json_text(gaps)));
}

/* Reports columns that --standardize makes 0; on rank 0. Local. */
static void report_constant_columns(const ls_trainer *t)
{
    const ls_constant_columns *constant = &ls_loader_census(t->loader)->constant;
    if (constant->count > 0)
        ls_trainer_note(t, "--standardize: %s of equal numbers in all training rows: %s 0 (%s)",
                        ls_counted(constant->count, "column").text,
                        constant->count == 1 ? "it becomes" : "they become", constant->first);
}

/* Reports values that look like classes, where the loss was chosen for values; on rank 0. Local. */
static void report_two_values(const ls_trainer *t)
{
    if (ls_loader_census(t->loader)->two_valued)
        ls_trainer_note(t,
                        "all targets are 0 or 1, and are taken for values, with --loss %s: give "
                        "--loss bce%s if they are classes",
                        ls_loss_name(t->config->loss),
                        ls_trainer_dataset(t)->values > 1 ? ", or cross-entropy for one-hot rows,"
                                                          : "");
}

/* Reports files that are read twice, so that the same rows may be training and test rows; on rank
 * 0. Local. */
static void report_shared_files(const ls_trainer *t)
{
    ls_files data = {0}, test = {0};
    const char *twice = NULL, *both = NULL;
    if (ls_files_find(&data, t->config->data) == LS_OK)
        twice = ls_files_find_same(&data, NULL);
    if (*t->config->test_data != '\0' && ls_files_find(&test, t->config->test_data) == LS_OK)
        both = ls_files_find_same(&data, &test);
    if (twice != NULL)
        ls_trainer_note(t,
                        "--data names %s twice: the same rows may be training rows, and validation "
                        "or test rows",
                        twice);
    if (both != NULL)
        ls_trainer_note(t, "--test-data: %s is a file of --data, too: its test rows are trained on",
                        both);
    ls_files_free(&test);
    ls_files_free(&data);
}

/* Reports that the rows come last in the file; on rank 0. Local. */
static void report_order(const ls_trainer *t)
{
    if (ls_trainer_dataset(t)->column_major && t->given->order == LS_ORDER_AUTO)
        ls_trainer_note(t,
                        "%s is read as column-major, rows last, as MATLAB, R, Julia and Fortran "
                        "write arrays: its datasets agree in the last dimension, not in the "
                        "first (--order)",
                        t->config->data);
}

/* Reports lengths of rows that a network does not look at; on rank 0. Local. */
static void report_lengths(const ls_trainer *t)
{
    if (ls_trainer_dataset(t)->ragged && t->task.kind != LS_TASK_STEPS &&
        !ls_network_reads_steps(ls_replica_network(ls_trainer_replica(t))))
        ls_trainer_note(t, "the rows have lengths, but no layer of --model reads sequences: steps "
                           "beyond a length are zeros");
}

/* Returns the first layer in whose outputs of a step the steps after it take part; NULL: none. */
static const char *find_foresight(const ls_network *network)
{
    for (int i = 0; i < ls_network_layers(network); i++) {
        const ls_layer_info layer = ls_network_layer(network, i);
        const ls_attributes *a = &layer.attributes;
        const bool mixes = strcmp(layer.kind, "attention") == 0 ||
                           (strcmp(layer.kind, "conv1d") == 0 && a->window > 1);
        if (a->both || a->reverse || (mixes && !a->causal))
            return layer.word;
    }
    return NULL;
}

/* Reports a network that sees the tokens which it is to predict: those that follow, as it seems if
 * classes and tokens have the same texts; on rank 0. Local. */
static void report_foresight(const ls_trainer *t)
{
    const ls_text_list *classes = ls_loader_class_names(t->loader);
    const ls_text_list *tokens = ls_loader_tokens(t->loader);
    const char *word = find_foresight(ls_replica_network(ls_trainer_replica(t)));
    if (t->task.kind == LS_TASK_STEPS && word != NULL && classes->count > 0 &&
        classes->count == tokens->count && ls_text_list_differ(classes, tokens) < 0)
        ls_trainer_note(t,
                        "the classes are the tokens, as for a network of the next token, but '%s' "
                        "also sees the steps after each: it would learn to copy them; give "
                        "`causal`, and no `both` or `reverse`",
                        word);
}

/* Reports names of classes that checkpoints can't hold; on rank 0. Local. */
static void report_class_names(const ls_trainer *t)
{
    const ls_text_list *names = ls_loader_class_names(t->loader);
    if (!ls_class_names_fit(names))
        ls_trainer_note(t,
                        "the names of the %lld classes are too long for checkpoints: classes "
                        "are numbers there",
                        (long long)names->count);
}

static ls_status report_start(const ls_trainer *t)
{
    notify_start(t);
    report_order(t);
    report_constant_columns(t);
    report_two_values(t);
    report_shared_files(t);
    report_class_names(t);
    report_lengths(t);
    report_foresight(t);
    return report_class_gaps(t);
}

ls_status ls_setup_report(ls_trainer *t)
{
    return ls_agree_root(t->comm, t->rank == 0 ? report_start(t) : LS_OK);
}
