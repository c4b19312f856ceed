#include "train/summary.h"

#include "base/json.h"
#include "base/machine.h"
#include "train/diagnosis.h"
#include "train/trainer_state.h"

#include <lockstep/run.h>
#include <lockstep/compute.h>
#include <lockstep/version.h>

#include <inttypes.h>
#include <stdio.h>

static json_t *hosts_json(const ls_topology *topology)
{
    json_t *hosts = json_array();
    int nodes = 0;
    for (int r = 0; r < topology->ranks; r++)
        if (topology->placement[r].node == nodes) {
            json_array_append_new(hosts, ls_json_text(topology->placement[r].host));
            nodes++;
        }
    return hosts;
}

static json_t *dataset_json(const ls_trainer *t)
{
    char fingerprint[17], validation[17];
    snprintf(fingerprint, sizeof fingerprint, "%016" PRIx64, t->records.info.fingerprint);
    snprintf(validation, sizeof validation, "%016" PRIx64, t->records.info.validation_fingerprint);
    return json_pack(
        "{s:o, s:o, s:o, s:s, s:s, s:I, s:I, s:I, s:i, s:i}", "path", ls_json_text(t->config->data),
        "name", ls_json_text(ls_trainer_dataset(t)->name), "source_sha256",
        ls_json_text(ls_trainer_dataset(t)->source_sha256), "fingerprint", fingerprint,
        "validation_fingerprint", validation, "train_rows",
        (json_int_t)ls_trainer_dataset(t)->rows[LS_TRAIN], "validation_rows",
        (json_int_t)ls_trainer_dataset(t)->rows[LS_VALIDATION], "test_rows",
        (json_int_t)ls_trainer_dataset(t)->rows[LS_TEST], "classes", ls_trainer_dataset(t)->classes,
        "vocabulary", ls_trainer_dataset(t)->vocabulary);
}

static json_t *discriminator_json(const ls_trainer *t)
{
    const ls_replica *replica = t->learner[LS_DISCRIMINATOR].replica;
    return json_pack("{s:o, s:I}", "layers",
                     ls_json_text(ls_network_model(ls_replica_network(replica))), "parameters",
                     (json_int_t)ls_replica_size(replica));
}

static json_t *diagnosis_json(const ls_trainer *t)
{
    const ls_diagnosis d = ls_diagnose(t);
    return json_pack("{s:s?, s:o}", "what", d.what, "text", ls_json_text(d.text));
}

/* Logs the end of the run, also of one that was resumed with nothing to do. */
static ls_status log_end(const ls_trainer *t, const ls_train_result *result, const char *outcome)
{
    ls_status status = LS_OK;
    if (result->stopped_early && !result->nothing_to_do)
        status =
            ls_run_log_event(t->records.log, LS_EVENT_EARLY_STOP, result->epochs,
                             json_pack("{s:I, s:I}", "best_epoch", (json_int_t)result->best_epoch,
                                       "waited", (json_int_t)result->waited));
    return status == LS_OK ? ls_run_log_event(t->records.log, LS_EVENT_END, result->epochs,
                                              json_pack("{s:s}", "outcome", outcome))
                           : status;
}

ls_status ls_summary_write(const ls_trainer *t, const ls_train_result *result)
{
    const char *outcome = result->stopped_early ? "stopped early" : "completed";
    const ls_status status = log_end(t, result, outcome);
    if (status != LS_OK || ls_run_log_has_summary(t->records.log))
        return status; /* nothing to do: keep the summary of the run that did the work */

    char digest[17];
    snprintf(digest, sizeof digest, "%016" PRIx64, result->digest);
    json_t *summary = json_pack("{s:s, s:s, s:I, s:I, s:f, s:b}", "run", t->records.id, "outcome",
                                outcome, "epochs", (json_int_t)result->epochs, "steps",
                                (json_int_t)t->progress.optimizer_steps, "seconds", result->seconds,
                                "restored_best", result->restored);
    json_object_set_new(summary, "task", ls_json_text(ls_task_name(t->task.kind)));
    json_object_set_new(summary, "best",
                        json_pack("{s:s, s:s, s:I, s:f}", "monitor", ls_monitor_name(t->monitor),
                                  "mode", t->stop_config.maximise ? "max" : "min", "epoch",
                                  (json_int_t)result->best_epoch, "value", result->best));
    json_object_set_new(summary, "final",
                        result->epochs > 0
                            ? ls_metrics_json(&result->final, ls_task_kinds(&t->task))
                            : json_null());
    json_object_set_new(summary, "diagnosis", diagnosis_json(t));
    json_object_set_new(
        summary, "model",
        json_pack("{s:o, s:I, s:s}", "layers",
                  ls_json_text(ls_network_model(ls_replica_network(ls_trainer_replica(t)))),
                  "parameters", (json_int_t)ls_replica_size(ls_trainer_replica(t)), "digest",
                  digest));
    if (t->adversarial != NULL)
        json_object_set_new(summary, "discriminator", discriminator_json(t));
    json_object_set_new(summary, "dataset", dataset_json(t));
    json_object_set_new(summary, "ranks", json_integer(ls_trainer_plan(t)->ranks));
    json_object_set_new(summary, "reduce", ls_json_text(ls_reduce_name(ls_trainer_reduce(t))));
    json_object_set_new(summary, "threads", json_integer(t->topology->mine.threads));
    json_object_set_new(summary, "products", ls_json_text(ls_products_name(ls_compute_products())));
    json_object_set_new(summary, "hosts", hosts_json(t->topology));
    ls_machine machine;
    ls_machine_look(&machine);
    json_object_set_new(summary, "processor", ls_json_text(machine.cpu));
    json_object_set_new(summary, "oversubscribed",
                        json_boolean(t->topology->oversubscribed_node >= 0));
    json_object_set_new(summary, "versions",
                        json_pack("{s:s, s:s, s:s, s:s}", "lockstep", LS_VERSION, "mpi",
                                  ls_comm_version(), "blas", ls_compute_version(), "hdf5",
                                  ls_dataset_library_version()));
    json_object_set_new(summary, "config", ls_json_pairs(t->text));
    return ls_run_log_summary(t->records.log, summary);
}
