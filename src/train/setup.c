/* Creates and destroys a trainer. All ranks agree on a failure of one rank before the next
 * collective. */
#include "train/setup.h"

#include "parallel/collectives.h"
#include "data/class_names.h"
#include "train/adversarial.h"
#include "train/sampler.h"
#include "train/standby.h"

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/memory.h"

#include <lockstep/compute.h>

#include <math.h>
#include <string.h>

/* Finds the ranks' nodes and cores, and checks that matrix products are correct and, with
 * --reproducible, computed by the same kernel on all ranks. Collective. */
static ls_status setup_compute(ls_trainer *t)
{
    const ls_train_config *c = t->config;
    ls_status status =
        ls_topology_create(&t->topology, t->comm, c->reproducible ? 1 : (int)c->threads);
    if (status == LS_OK && c->reproducible)
        status = ls_agree_equal(t->comm, ls_compute_version(),
                                "the BLAS library or its kernel (see OPENBLAS_CORETYPE)");
    if (status != LS_OK)
        return status;
    const bool loops = c->reproducible && c->products == LS_PRODUCTS_AUTO;
    ls_compute_set_products(t->topology->mine.threads, loops ? LS_PRODUCTS_LOOPS : c->products);
    return ls_agree(t->comm, ls_compute_check());
}

/* Opens the data loader. If no row is read before training, a resumed run has its vocabulary from
 * the checkpoint. Collective. */
static ls_status setup_loader(ls_trainer *t)
{
    int64_t vocabulary = 0;
    const ls_status status = t->config->stream && t->config->trust_data
                                 ? ls_trainer_find_vocabulary(t, &vocabulary)
                                 : LS_OK;
    return status == LS_OK ? ls_loader_open(&t->loader, t->comm, t->config, vocabulary) : status;
}

/* Starts the watchdog, after the data are read: the time for that depends on their size.
 * Collective. */
static ls_status setup_watchdog(ls_trainer *t)
{
    if (!(t->config->watchdog > 0) || t->observer->stuck == NULL)
        return LS_OK;
    const ls_status status = ls_watchdog_start(&t->watchdog, t->comm, t->config->watchdog,
                                               t->observer->stuck, t->observer->user);
    if (status == LS_OK && t->rank == 0 && ls_trainer_plan(t)->ranks > 1 &&
        ls_watchdog_error(t->watchdog) != 0)
        ls_trainer_note(t,
                        "no UDP socket (%s): if the job hangs, the watchdog ends it, but can't "
                        "report which rank lags",
                        strerror(ls_watchdog_error(t->watchdog)));
    return status;
}

/* Describes the model and the data for checkpoints. Local. */
static void describe_model_info(ls_trainer *t)
{
    const ls_train_config *c = t->config;
    const ls_dataset_info *d = ls_trainer_dataset(t);
    const ls_census *census = ls_loader_census(t->loader);
    const ls_text_list *names = ls_loader_class_names(t->loader);
    if (t->adversarial != NULL) {
        ls_adversarial_describe(t, &t->records.info);
        t->records.info.run = t->records.id;
        return;
    }
    t->records.info = (ls_model_info){
        .run = t->records.id,
        .model = (char *)ls_network_model(ls_replica_network(ls_trainer_replica(t))),
        .loss = c->loss,
        .huber = c->huber,
        .classes = d->classes,
        .values = d->values,
        .vocabulary = ls_loader_reads_tokens(t->loader) ? d->vocabulary : 0,
        .tokens = *ls_loader_tokens(t->loader),
        .class_names = ls_class_names_fit(names) ? *names : (ls_text_list){0},
        .input = {d->channels, d->height, d->width},
        .element = d->element,
        .mean = c->mean,
        .std = c->std,
        .standardization = ls_loader_standardization(t->loader),
        .dataset = (char *)d->name,
        .fingerprint = census->fingerprint,
        .validation_fingerprint = census->validation_fingerprint,
        .knows_validation = census->known,
        .has_border = census->has_border,
        .border = census->border,
        .compute = (char *)ls_compute_version(),
        .config = t->text};
}

/* Returns true on rank 0 if the run writes a run folder. Local. */
static bool is_writer(const ls_trainer *t)
{
    return t->rank == 0 && *t->config->run != '\0' && !t->config->dry_run;
}

/* Restores a checkpoint, if --resume is given. The run folder is locked before its newest
 * checkpoint is looked for, so that no other process adds one. Collective. */
static ls_status setup_resume(ls_trainer *t)
{
    const ls_status status =
        ls_agree_root(t->comm, is_writer(t) && t->records.in_place ? ls_records_take(t) : LS_OK);
    if (status != LS_OK)
        return status;
    describe_model_info(t);
    return ls_trainer_resume(t);
}

/* Ends the setup if a signal came on any rank. Collective. */
static ls_status setup_interrupt(ls_trainer *t)
{
    return ls_agree(t->comm, ls_interrupt_poll(0));
}

/* Begins the run folder's records. Collective. */
static ls_status setup_records(ls_trainer *t)
{
    return ls_agree_root(t->comm, is_writer(t) ? ls_records_begin(t) : LS_OK);
}

/* Runs the setup; each function is Collective and returns the same status on all ranks. */
static ls_status set_up(ls_trainer *t)
{
    static ls_status (*const steps[])(ls_trainer *) = {
        ls_setup_settings, setup_compute,           setup_loader,     ls_setup_loss,
        setup_watchdog,    ls_setup_monitor,        ls_setup_replica, setup_resume,
        ls_setup_reducer,  ls_sampler_open_scoring, setup_interrupt,  setup_records,
        ls_setup_report};
    ls_status status = LS_OK;
    for (size_t i = 0; status == LS_OK && i < sizeof steps / sizeof *steps; i++)
        status = steps[i](t);
    return status;
}

/* Allocates a trainer and stores the arguments. Local. */
static ls_status allocate_trainer(ls_trainer **out, ls_comm *comm, const ls_train_config *config,
                                  const ls_observer *observer)
{
    ls_trainer *t = ls_alloc(1, sizeof *t);
    if (t == NULL)
        return LS_ERR_FAILURE;
    t->comm = comm;
    t->given = t->config = config;
    t->observer = observer;
    t->rank = ls_comm_rank(comm);
    t->records.created = t->records.saved = ls_now();
    t->records.resumed = ls_strdup("");
    *out = t;
    return t->records.resumed != NULL ? LS_OK : LS_ERR_FAILURE;
}

ls_status ls_trainer_create(ls_trainer **out, ls_comm *comm, const ls_train_config *config,
                            const ls_observer *observer)
{
    ls_trainer *t = NULL;
    ls_status status = ls_agree(comm, allocate_trainer(&t, comm, config, observer));
    if (status == LS_OK) {
        ls_trainer_limit_time(t, 0);
        status = set_up(t);
        if (status == LS_INTERRUPTED)
            status = ls_trainer_interrupted(t, false);
    }
    if (status != LS_OK) {
        ls_trainer_destroy(&t);
        return status;
    }
    *out = t;
    return LS_OK;
}

const float *ls_trainer_params(const ls_trainer *trainer)
{
    return ls_replica_current_params(ls_trainer_replica(trainer));
}

const ls_network *ls_trainer_network(const ls_trainer *trainer)
{
    return ls_replica_network(ls_trainer_replica(trainer));
}

void ls_trainer_destroy(ls_trainer **trainer)
{
    if (trainer == NULL || *trainer == NULL)
        return;
    ls_trainer *t = *trainer;
    ls_watchdog_stop(&t->watchdog);
    ls_standby_destroy(&t->records.standby);
    ls_interrupt_at(INFINITY);
    ls_records_close(t);
    ls_loader_destroy(&t->loader);
    for (int p = 0; p < LS_PLAYERS; p++) {
        ls_replica_destroy(&t->learner[p].replica);
        ls_tuner_destroy(&t->learner[p].tuner);
        ls_reducer_destroy(&t->learner[p].reducer);
    }
    ls_trainer_drop_start(t);
    ls_sampler_destroy(&t->sampler);
    ls_adversarial_destroy(&t->adversarial);
    ls_health_destroy(&t->health);
    ls_topology_destroy(&t->topology);
    ls_free(t->text);
    ls_free(t->best.params);
    ls_free(t->history);
    ls_free(t);
    *trainer = NULL;
}
