/* Reports the start of a training, and what its data have to be told of. */
#include "train/setup.h"

#include "parallel/collectives.h"
#include "nn/schedule.h"
#include "data/class_names.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/show.h"

/* Calls observer->start; on rank 0. Local. */
static void notify_start(const ls_trainer *t)
{
    const ls_train_config *c = t->config;
    const ls_run_info info = {.config = c,
                              .dataset = ls_trainer_dataset(t),
                              .network = ls_replica_network(t->replica),
                              .task = t->task,
                              .topology = t->topology,
                              .steps_per_epoch = ls_trainer_plan(t)->steps,
                              .epochs_done = t->progress.epoch,
                              .steps_done = t->progress.step,
                              .resumed = t->records.resumed,
                              .monitor = ls_monitor_name(t->monitor),
                              .lr = ls_schedule_base(&c->schedule, c->lr, c->batch),
                              .augmented = ls_loader_augments(t->loader),
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
    const int64_t constant = ls_loader_census(t->loader)->constant_columns;
    if (constant > 0)
        ls_trainer_note(t, "--standardize: %s of equal numbers in all training rows: %s 0",
                        ls_counted(constant, "column").text,
                        constant == 1 ? "it becomes" : "they become");
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
    report_class_names(t);
    return report_class_gaps(t);
}

ls_status ls_setup_report(ls_trainer *t)
{
    return ls_agree_root(t->comm, t->rank == 0 ? report_start(t) : LS_OK);
}
