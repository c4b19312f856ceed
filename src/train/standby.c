#include "train/standby.h"

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "base/thread.h"
#include "train/trainer_state.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

double ls_standby_long_step = 0.25;

/* Least time between two copies, as a multiple of the duration of a copy. */
static const double RARELY = 50;

/* The arenas of a network, [ls_replica_size] each. */
typedef struct copied_network {
    float *params;
    float *slot[LS_OPTIMIZER_MAX_SLOTS];
} copied_network;

struct ls_standby {
    const ls_trainer *trainer; /* borrowed; the thread reads what does not change */
    copied_network network[LS_PLAYERS];
    ls_metrics *history; /* [history_room] */
    int64_t history_room;
    ls_progress progress; /* with the totals of an unfinished epoch, summed over ranks */
    double copied, took;  /* time of the latest copy, and its duration */

    pthread_t thread;
    bool started;
    pthread_mutex_t mutex; /* protects the copy and the fields below */
    pthread_cond_t wake;
    bool holds, stop;
};

bool ls_standby_is_due(const ls_trainer *t, double step_seconds)
{
    const ls_standby *s = t->records.standby;
    if (*t->config->run == '\0' || step_seconds < ls_standby_long_step || t->records.standby_failed)
        return false;
    return s == NULL || ls_now() - s->copied > RARELY * s->took;
}

/* Passes a line of text to observer->urgent; called by the thread. */
static void note_urgent(const ls_trainer *t, const char *format, ...) LS_PRINTF(2, 3);
static void note_urgent(const ls_trainer *t, const char *format, ...)
{
    char text[LS_ERROR_TEXT_MAX];
    va_list args;
    if (t->observer->urgent == NULL)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    t->observer->urgent(t->observer->user, text);
}

/* Writes the copy as a checkpoint. The mutex is held. */
static void write_copy(ls_standby *s)
{
    const ls_trainer *t = s->trainer;
    const ls_progress *p = &s->progress;
    ls_state state = {.info = &t->records.info, .progress = p, .history = s->history};
    for (int i = 0; i < t->players; i++)
        state.trained[i] = (ls_trained){.network = ls_replica_network(t->learner[i].replica),
                                        .params = s->network[i].params,
                                        .optimizer = ls_replica_optimizer(t->learner[i].replica),
                                        .slots = (const float *const *)s->network[i].slot};
    s->holds = false;
    if (ls_records_write(t, &state) != LS_OK)
        note_urgent(t, "%s", ls_error_text());
    else
        note_urgent(t,
                    "%s in a long step: a checkpoint after step %lld of epoch %lld, the latest "
                    "copied state, has been written",
                    ls_interrupt_name(ls_interrupt_signal()), (long long)p->step,
                    (long long)p->epoch + 1);
}

/* The thread: polls for a signal. */
static void *standby_thread(void *user)
{
    enum { INTERVAL = 50 * 1000 * 1000 /* ns */ };
    ls_standby *s = user;
    pthread_mutex_lock(&s->mutex);
    while (!s->stop) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += INTERVAL;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        (void)pthread_cond_timedwait(&s->wake, &s->mutex, &until);
        if (!s->stop && s->holds && ls_interrupt_signal() != 0)
            write_copy(s);
    }
    pthread_mutex_unlock(&s->mutex);
    return NULL;
}

/* Allocates the copy of a network's arenas. */
static ls_status allocate_network(copied_network *copy, const ls_replica *replica)
{
    const int64_t size = ls_replica_size(replica);
    copy->params = ls_alloc(size, sizeof *copy->params);
    bool well = copy->params != NULL;
    for (int i = 0; well && i < ls_optimizer_slots(ls_replica_optimizer(replica)); i++) {
        copy->slot[i] = ls_alloc(size, sizeof *copy->slot[i]);
        well = copy->slot[i] != NULL;
    }
    return well ? LS_OK : LS_ERR_FAILURE;
}

/* Allocates the copy and starts the thread. */
static ls_status create_standby(ls_trainer *t)
{
    ls_standby *s = ls_alloc(1, sizeof *s);
    if (s == NULL)
        return LS_ERR_FAILURE;
    s->trainer = t;
    pthread_mutex_init(&s->mutex, NULL);
    pthread_cond_init(&s->wake, NULL);
    t->records.standby = s;
    ls_status status = LS_OK;
    for (int i = 0; status == LS_OK && i < t->players; i++)
        status = allocate_network(&s->network[i], t->learner[i].replica);
    if (status != LS_OK)
        return status;
    status = ls_thread_start(&s->thread, standby_thread, s, "that saves in long steps");
    s->started = status == LS_OK;
    return status;
}

/* Makes room for the history of `epochs` epochs. */
static ls_status make_room(ls_standby *s, int64_t epochs)
{
    if (epochs <= s->history_room)
        return LS_OK;
    ls_free(s->history);
    s->history_room = 0;
    s->history = ls_alloc(2 * epochs, sizeof *s->history);
    if (s->history == NULL)
        return LS_ERR_FAILURE;
    s->history_room = 2 * epochs;
    return LS_OK;
}

/* Copies the arenas of a network. */
static void copy_network(copied_network *copy, const ls_replica *replica)
{
    const size_t bytes = (size_t)ls_replica_size(replica) * sizeof(float);
    ls_optimizer *optimizer = ls_replica_optimizer(replica);
    memcpy(copy->params, ls_replica_current_params(replica), bytes);
    for (int i = 0; i < ls_optimizer_slots(optimizer); i++)
        memcpy(copy->slot[i], ls_optimizer_slot(optimizer, i), bytes);
}

/* Copies the state. The mutex is held. */
static ls_status fill_copy(ls_standby *s, const ls_epoch_totals *totals)
{
    const ls_trainer *t = s->trainer;
    s->holds = false;
    ls_status status = make_room(s, t->progress.epoch);
    if (status != LS_OK)
        return status;
    s->progress = t->progress;
    s->progress.totals = *totals;
    for (int i = 0; i < t->players; i++)
        copy_network(&s->network[i], t->learner[i].replica);
    if (t->progress.epoch > 0)
        memcpy(s->history, t->history, (size_t)t->progress.epoch * sizeof *s->history);
    s->holds = true;
    return LS_OK;
}

/* Copies the state on rank 0. Local.
 * begin  start of ls_standby_copy() */
static void copy_on_root(ls_trainer *t, const ls_epoch_totals *totals, double begin)
{
    if (ls_interrupt_signal() != 0)
        return; /* the next step saves a checkpoint anyway */
    ls_status status = t->records.standby == NULL ? create_standby(t) : LS_OK;
    if (status == LS_OK) {
        pthread_mutex_lock(&t->records.standby->mutex);
        status = fill_copy(t->records.standby, totals);
        pthread_mutex_unlock(&t->records.standby->mutex);
    }
    if (status == LS_OK) {
        t->records.standby->copied = ls_now();
        t->records.standby->took = t->records.standby->copied - begin;
        return;
    }
    t->records.standby_failed = true;
    ls_trainer_note(t, "%s: a signal in a long step takes effect at the end of the step only",
                    ls_error_text());
    ls_standby_destroy(&t->records.standby);
}

ls_status ls_standby_copy(ls_trainer *t)
{
    ls_epoch_totals totals;
    const double begin = ls_now();
    ls_status status = ls_trainer_collect(t, &totals);
    if (status == LS_OK && t->rank == 0)
        copy_on_root(t, &totals, begin);
    return status;
}

void ls_standby_lock(ls_standby *s)
{
    if (s != NULL)
        pthread_mutex_lock(&s->mutex);
}

void ls_standby_unlock(ls_standby *s, bool saved)
{
    if (s == NULL)
        return;
    s->holds = s->holds && !saved;
    pthread_mutex_unlock(&s->mutex);
}

void ls_standby_destroy(ls_standby **standby)
{
    if (standby == NULL || *standby == NULL)
        return;
    ls_standby *s = *standby;
    if (s->started) {
        pthread_mutex_lock(&s->mutex);
        s->stop = true;
        pthread_cond_signal(&s->wake);
        pthread_mutex_unlock(&s->mutex);
        pthread_join(s->thread, NULL);
    }
    pthread_cond_destroy(&s->wake);
    pthread_mutex_destroy(&s->mutex);
    for (int n = 0; n < LS_PLAYERS; n++) {
        ls_free(s->network[n].params);
        for (int i = 0; i < LS_OPTIMIZER_MAX_SLOTS; i++)
            ls_free(s->network[n].slot[i]);
    }
    ls_free(s->history);
    ls_free(s);
    *standby = NULL;
}
