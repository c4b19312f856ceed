/* On each rank, a thread periodically compares the progress counter with its previous value and
 * exchanges beacons. In synchronous training all ranks stop when one of them does, so all detect it
 * at about the same time. Then rank 0, or the other ranks if rank 0 is silent, collects beacons for
 * a few periods and reports the lagging ranks: ranks that have become silent, else ranks that do
 * not wait for others while the rest does. Rank 0 announces this report in its beacons, so that the
 * end of its process is not mistaken for the cause. */
#include "parallel/watchdog.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/thread.h"
#include "parallel/beacon.h"
#include "parallel/comm_mpi.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    TEXT = 1024,
    SILENT = 4,      /* periods without a beacon after which a rank counts as silent */
    GRACE = 8,       /* periods from the first report to the report of lagging ranks */
    ANNOUNCED = 2,   /* periods in which rank 0 announces this report */
    SOME_RANKS = 32, /* number of ranks whose beacons surely fit into a socket's queue */
};

struct ls_watchdog {
    ls_comm *comm; /* borrowed; the thread reads rank, size and `waiting` only */
    double seconds, period;
    double tick; /* interval of the thread's checks; shorter on rank 0 with many ranks' beacons */
    ls_stuck *stuck;
    void *user;
    ls_beacon *beacon;

    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    bool stop; /* under the mutex */

    atomic_int activity;
    atomic_int_least64_t epoch, step, progress;

    /* Used by the thread only. */
    double clock; /* s, without time in which the process was stopped */
    double quiet; /* s since the last progress */
    int64_t seen; /* progress counter at the last check */
    int reported; /* 1: this rank's position; 2: the lagging ranks */
};

static const char *activity_name(int activity)
{
    static const char *const names[] = {
#define LS_ACTIVITY_NAME(name, text) text,
        LS_ACTIVITY_LIST(LS_ACTIVITY_NAME)
#undef LS_ACTIVITY_NAME
    };
    const int activities = sizeof names / sizeof *names;
    return activity >= 0 && activity < activities ? names[activity] : "?";
}

void ls_watchdog_at(ls_watchdog *w, ls_activity activity, int64_t epoch, int64_t step)
{
    if (w == NULL)
        return;
    atomic_store_explicit(&w->activity, (int)activity, memory_order_relaxed);
    atomic_store_explicit(&w->epoch, epoch, memory_order_relaxed);
    atomic_store_explicit(&w->step, step, memory_order_relaxed);
    atomic_fetch_add_explicit(&w->progress, 1, memory_order_relaxed);
}

/* Returns true if the time limit has been exceeded by this number of periods. */
static bool is_quiet(const ls_watchdog *w, double periods)
{
    return w->quiet > w->seconds + periods * w->period;
}

static ls_beacon_place current_place(ls_watchdog *w)
{
    return (ls_beacon_place){.epoch = atomic_load_explicit(&w->epoch, memory_order_relaxed),
                             .step = atomic_load_explicit(&w->step, memory_order_relaxed),
                             .activity = atomic_load_explicit(&w->activity, memory_order_relaxed),
                             .waiting =
                                 atomic_load_explicit(&w->comm->waiting, memory_order_relaxed) > 0,
                             .concluding = w->comm->rank == 0 && is_quiet(w, GRACE)};
}

/* Formats a position: "busy in validation, step 3 of epoch 2", "waiting for other ranks in ...". */
static void format_place(const ls_beacon_place *place, char *out, size_t size)
{
    snprintf(out, size, "%s in %s, step %lld of epoch %lld",
             place->waiting ? "waiting for other ranks" : "busy", activity_name(place->activity),
             (long long)place->step + 1, (long long)place->epoch + 1);
}

/* Returns true if a rank has sent beacons, but none recently. */
static bool is_silent(const ls_watchdog *w, const ls_beacon_rank *r)
{
    return r->heard && w->clock - r->when > SILENT * w->period;
}

static bool is_behind(const ls_beacon_place *a, const ls_beacon_place *b)
{
    return a->epoch != b->epoch ? a->epoch < b->epoch : a->step < b->step;
}

/* Appends a rank to the list of lagging ranks. text: [TEXT] */
static void add_rank(const ls_watchdog *w, int rank, const ls_beacon_rank *r, char *text)
{
    char place[160], more[320];
    const size_t used = strlen(text);
    format_place(&r->place, place, sizeof place);
    if (!r->heard)
        snprintf(more, sizeof more, "rank %d on %s, not heard from at all", rank, r->host);
    else if (is_silent(w, r))
        snprintf(more, sizeof more, "rank %d on %s, not heard from for %.0f s, last seen %s", rank,
                 r->host, w->clock - r->when, place);
    else
        snprintf(more, sizeof more, "rank %d on %s, %s", rank, r->host, place);
    if (used + strlen(more) + 3 < TEXT)
        snprintf(text + used, TEXT - used, "%s%s", used > 0 ? "; " : "", more);
}

/* Lists the lagging ranks, on rank 0: the first of these sets that is not empty: silent ranks;
 * ranks behind the others; ranks that do not wait for others; ranks without any beacon. */
static void list_laggards(const ls_watchdog *w, const ls_beacon_place *mine, char text[TEXT])
{
    ls_beacon_rank self = *ls_beacon_look(w->beacon, 0);
    self.place = *mine;
    self.heard = true;
    self.when = w->clock;
    ls_beacon_place first = *mine;
    for (int r = 1; r < w->comm->size; r++) {
        const ls_beacon_rank *other = ls_beacon_look(w->beacon, r);
        if (other->heard && is_behind(&first, &other->place))
            first = other->place;
    }
    *text = '\0';
    for (int rule = 0; rule < 4 && *text == '\0'; rule++)
        for (int r = 0; r < w->comm->size; r++) {
            const ls_beacon_rank *who = r == 0 ? &self : ls_beacon_look(w->beacon, r);
            const bool lags = rule == 0   ? is_silent(w, who)
                              : rule == 1 ? who->heard && is_behind(&who->place, &first)
                              : rule == 2 ? who->heard && !who->place.waiting
                                          : !who->heard;
            if (lags)
                add_rank(w, r, who, text);
        }
    if (*text == '\0')
        snprintf(text, TEXT, "none, all ranks wait for each other");
}

/* Returns true if this rank is to say where it is: each of some ranks does; of many, rank 0 and
 * those for which the others may be waiting. */
static bool says_position(const ls_watchdog *w, const ls_beacon_place *mine)
{
    return w->comm->size <= SOME_RANKS || w->comm->rank == 0 || !mine->waiting;
}

/* Reports this rank's position. */
static void report_position(ls_watchdog *w, const ls_beacon_place *mine)
{
    w->reported = 1;
    if (!says_position(w, mine))
        return;
    char place[160], text[TEXT], host[LS_BEACON_HOST] = "";
    format_place(mine, place, sizeof place);
    gethostname(host, sizeof host - 1);
    snprintf(text, sizeof text, "rank %d on %s: no progress for %.0f s, %s", w->comm->rank, host,
             w->quiet, place);
    w->stuck(w->user, text, false);
}

/* Reports the lagging ranks; the callback ends the process. */
static void report_laggards(ls_watchdog *w, const ls_beacon_place *mine)
{
    char who[TEXT] = "", text[TEXT + 256];
    const ls_beacon_rank *root = ls_beacon_look(w->beacon, 0);
    if (w->comm->rank == 0)
        list_laggards(w, mine, who);
    else if (root->place.concluding)
        snprintf(who, sizeof who, "see rank 0's report");
    else
        add_rank(w, 0, root, who);
    snprintf(text, sizeof text, "no step finished in %.0f s; lagging: %s", w->seconds, who);
    w->reported = 2;
    w->stuck(w->user, text, true);
}

/* Returns how long this rank collects beacons before its last report. Ranks other than 0 wait
 * longer, so that rank 0 can report and mpirun can end them first. */
static double periods_until_end(const ls_watchdog *w)
{
    if (w->comm->rank == 0)
        return GRACE + ANNOUNCED;
    return ls_beacon_look(w->beacon, 0)->place.concluding ? 8 * GRACE : 2 * GRACE;
}

/* Checks progress once. elapsed: s since the previous check */
static void check_progress(ls_watchdog *w, double elapsed)
{
    const int64_t progress = atomic_load(&w->progress);
    /* A much longer interval means that the process was stopped: count one tick only. */
    elapsed = elapsed < 2 * w->period ? elapsed : w->tick;
    w->clock += elapsed;
    w->quiet = progress == w->seen ? w->quiet + elapsed : 0;
    w->seen = progress;
    const ls_beacon_place mine = current_place(w);
    ls_beacon_exchange(w->beacon, &mine, w->clock);
    if (w->quiet < w->seconds)
        w->reported = 0;
    else if (w->reported == 0)
        report_position(w, &mine);
    else if (w->reported == 1 && is_quiet(w, periods_until_end(w)))
        report_laggards(w, &mine);
}

static void *watchdog_run(void *user)
{
    ls_watchdog *w = user;
    double before = ls_now();
    /* Ranks start at different times in a period, to spread their beacons. */
    double wait = w->tick * w->comm->rank / w->comm->size;
    pthread_mutex_lock(&w->mutex);
    while (!w->stop) {
        const double then = ls_now() + wait;
        const time_t whole = (time_t)then;
        const struct timespec until = {whole, (long)((then - (double)whole) * 1e9)};
        while (!w->stop && pthread_cond_timedwait(&w->wake, &w->mutex, &until) == 0)
            continue;
        if (w->stop)
            break;
        const double now = ls_now();
        check_progress(w, now - before);
        before = now;
        wait = w->tick;
    }
    pthread_mutex_unlock(&w->mutex);
    return NULL;
}

static void free_watchdog(ls_watchdog *w)
{
    ls_beacon_close(&w->beacon);
    pthread_cond_destroy(&w->wake);
    pthread_mutex_destroy(&w->mutex);
    ls_free(w);
}

double ls_watchdog_period(double seconds, int ranks)
{
    const double spread = 1e-3 * ranks;
    return fmin(seconds / 20, fmax(spread, 1));
}

ls_status ls_watchdog_start(ls_watchdog **out, ls_comm *comm, double seconds, ls_stuck *stuck,
                            void *user)
{
    ls_watchdog *w = ls_alloc(1, sizeof *w);
    ls_status status = ls_agree(comm, w == NULL ? LS_ERR_FAILURE : LS_OK);
    if (status != LS_OK) {
        ls_free(w);
        return status;
    }
    w->comm = comm;
    w->seconds = seconds;
    w->period = ls_watchdog_period(seconds, comm->size);
    const int bursts = 1 + comm->size / SOME_RANKS;
    w->tick = comm->rank == 0 ? w->period / bursts : w->period;
    w->stuck = stuck;
    w->user = user;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC); /* the clock of ls_now() */
    pthread_mutex_init(&w->mutex, NULL);
    pthread_cond_init(&w->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    status = ls_beacon_open(&w->beacon, comm);
    if (status == LS_OK) {
        const ls_status started = ls_thread_start(&w->thread, watchdog_run, w, "for the watchdog");
        status = ls_agree(comm, started);
        if (status != LS_OK && started == LS_OK)
            ls_watchdog_stop(&w);
    }
    if (status != LS_OK) {
        if (w != NULL)
            free_watchdog(w);
        return status;
    }
    *out = w;
    return LS_OK;
}

int ls_watchdog_error(const ls_watchdog *watchdog)
{
    return ls_beacon_error(watchdog->beacon);
}

void ls_watchdog_stop(ls_watchdog **watchdog)
{
    if (watchdog == NULL || *watchdog == NULL)
        return;
    ls_watchdog *w = *watchdog;
    pthread_mutex_lock(&w->mutex);
    w->stop = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->mutex);
    pthread_join(w->thread, NULL);
    free_watchdog(w);
    *watchdog = NULL;
}
