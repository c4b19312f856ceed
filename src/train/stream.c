/* Two windows in memory: samples are taken from one, and the thread fills the other. A window is
 * identified by its position in the order: (epoch, index of its first sample). The samples of a
 * step are copied into one buffer, as they may lie in two windows. */
#include "train/stream.h"

#include "base/interrupt.h"
#include "base/memory.h"
#include "base/thread.h"
#include "data/samples.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Rows of a piece, read at a time without shuffling; also the first capacity of a step's buffer. */
enum { PIECE_ROWS = 1024 };

/* A window and its buffers. */
typedef struct window {
    int64_t epoch, first; /* position in the order; epoch -1: no window */
    ls_range rows;        /* of the training split */
    ls_samples *samples;  /* [plan->window] in the order of the file */
    int32_t *order;       /* [plan->window] shuffled indices in `samples` */
} window;

struct ls_stream {
    ls_dataset *dataset;
    const ls_plan *plan;
    int rank;
    window now, next; /* samples are taken from `now`; the thread fills `next` */
    ls_samples *step; /* [capacity] */

    pthread_t thread;
    bool started;
    pthread_mutex_t mutex; /* protects the fields below, and `next` during reading */
    pthread_cond_t change;
    bool reading, stop;
    ls_status outcome; /* of the latest read */
    char text[LS_ERROR_TEXT_MAX];
};

int64_t ls_stream_window(int64_t bytes, const ls_dataset_info *dataset)
{
    /* Windows set the order of rows, which resumed runs repeat: they keep the size that they had
     * when samples began at multiples of 8 bytes. */
    const int64_t stride = ((int64_t)ls_sample_stride(ls_dataset_format(dataset)) + 7) / 8 * 8;
    const int64_t row = stride + (int64_t)sizeof(int32_t);
    const int64_t rest = bytes - PIECE_ROWS * row; /* without the buffer of a step or piece */
    return rest < 2 * row ? 0 : rest / (2 * row);
}

/* Reads a window and makes its order; called by the thread. */
static ls_status fill_window(const ls_stream *s, window *w)
{
    ls_status status =
        ls_dataset_read_into(s->dataset, LS_TRAIN, w->rows.first, w->rows.count, w->samples);
    for (int64_t i = 0; status == LS_OK && i < w->rows.count; i++)
        w->order[i] =
            (int32_t)(ls_plan_row(s->plan, w->epoch, s->rank, w->first + i) - w->rows.first);
    return status;
}

static void *stream_thread(void *user)
{
    ls_stream *s = user;
    ls_interrupt_ignore();
    pthread_mutex_lock(&s->mutex);
    while (!s->stop) {
        if (!s->reading) {
            pthread_cond_wait(&s->change, &s->mutex);
            continue;
        }
        pthread_mutex_unlock(&s->mutex);
        const ls_status outcome = fill_window(s, &s->next);
        pthread_mutex_lock(&s->mutex);
        s->outcome = outcome;
        snprintf(s->text, sizeof s->text, "%s", outcome != LS_OK ? ls_error_text() : "");
        s->reading = false;
        pthread_cond_broadcast(&s->change);
    }
    pthread_mutex_unlock(&s->mutex);
    return NULL;
}

static ls_status make_window(window *w, const ls_plan *plan, const ls_dataset_info *dataset)
{
    w->epoch = -1;
    ls_status status = ls_samples_create(&w->samples, plan->window, ls_dataset_format(dataset));
    if (status == LS_OK) {
        w->order = ls_alloc(plan->window, sizeof *w->order);
        status = w->order != NULL ? LS_OK : LS_ERR_FAILURE;
    }
    return status;
}

ls_status ls_stream_create(ls_stream **out, const char *path, const ls_dataset_options *options,
                           const ls_plan *plan, int rank)
{
    ls_stream *s = ls_alloc(1, sizeof *s);
    if (s == NULL)
        return LS_ERR_FAILURE;
    s->plan = plan;
    s->rank = rank;
    pthread_mutex_init(&s->mutex, NULL);
    pthread_cond_init(&s->change, NULL);
    ls_status status = ls_dataset_open(&s->dataset, path, options);
    const ls_dataset_info *info = status == LS_OK ? ls_dataset_describe(s->dataset) : NULL;
    if (status == LS_OK)
        status = make_window(&s->now, plan, info);
    if (status == LS_OK)
        status = make_window(&s->next, plan, info);
    if (status == LS_OK)
        status = ls_samples_create(&s->step, PIECE_ROWS, ls_dataset_format(info));
    if (status == LS_OK)
        status = ls_thread_start(&s->thread, stream_thread, s, "that reads ahead");
    s->started = status == LS_OK;
    if (status != LS_OK) {
        ls_stream_destroy(&s);
        return status;
    }
    *out = s;
    return LS_OK;
}

/* Requests the window of a sample from the thread. */
static void request_window(ls_stream *s, int64_t epoch, int64_t index)
{
    pthread_mutex_lock(&s->mutex);
    s->next.epoch = epoch;
    s->next.rows = ls_plan_window(s->plan, epoch, s->rank, index, &s->next.first);
    s->reading = true;
    pthread_cond_broadcast(&s->change);
    pthread_mutex_unlock(&s->mutex);
}

/* Waits until the thread has read its window; returns the status of the read. */
static ls_status wait_for_thread(ls_stream *s)
{
    pthread_mutex_lock(&s->mutex);
    while (s->reading)
        pthread_cond_wait(&s->change, &s->mutex);
    const ls_status outcome = s->outcome;
    pthread_mutex_unlock(&s->mutex);
    return outcome;
}

static bool holds(const window *w, int64_t epoch, int64_t index)
{
    return w->epoch == epoch && index >= w->first && index < w->first + w->rows.count;
}

/* Makes `now` the window of a sample, and requests the window after it: the next in the order, or
 * the first of the next epoch. */
static ls_status advance_to(ls_stream *s, int64_t epoch, int64_t index)
{
    if (holds(&s->now, epoch, index))
        return LS_OK;
    (void)wait_for_thread(s); /* an error matters only if this is the window we need */
    if (!holds(&s->next, epoch, index) || s->outcome != LS_OK)
        request_window(s, epoch, index);
    const ls_status status = wait_for_thread(s);
    if (status != LS_OK) {
        s->next.epoch = -1;
        return ls_fail(status, "%s", s->text);
    }
    const window read = s->next;
    s->next = s->now;
    s->now = read;
    const int64_t end = s->now.first + s->now.rows.count;
    const bool last = end == ls_plan_rank_rows(s->plan, s->rank);
    request_window(s, last ? epoch + 1 : epoch, last ? 0 : end);
    return LS_OK;
}

/* Enlarges the buffer of a step. */
static ls_status make_room(ls_stream *s, int64_t rows)
{
    ls_samples *larger = NULL;
    if (rows <= s->step->capacity)
        return LS_OK;
    ls_status status = ls_samples_create(&larger, rows, s->step->format);
    if (status == LS_OK) {
        ls_samples_destroy(&s->step);
        s->step = larger;
    }
    return status;
}

ls_status ls_stream_take(ls_stream *s, int64_t epoch, ls_range slice, const ls_samples **out)
{
    ls_status status = make_room(s, slice.count);
    for (int64_t i = 0; status == LS_OK && i < slice.count; i++) {
        status = advance_to(s, epoch, slice.first + i);
        if (status == LS_OK)
            memcpy(ls_sample_at(s->step, i),
                   ls_sample_at(s->now.samples, s->now.order[slice.first + i - s->now.first]),
                   s->step->stride);
    }
    s->step->rows = status == LS_OK ? slice.count : 0;
    *out = s->step;
    return status;
}

ls_status ls_stream_read(ls_stream *s, ls_split split, ls_range rows, const ls_samples **out)
{
    const int64_t count = rows.count < PIECE_ROWS ? rows.count : PIECE_ROWS;
    const ls_status status = ls_dataset_read_into(s->dataset, split, rows.first, count, s->step);
    if (status == LS_OK)
        *out = s->step;
    return status;
}

void ls_stream_destroy(ls_stream **stream)
{
    if (stream == NULL || *stream == NULL)
        return;
    ls_stream *s = *stream;
    if (s->started) {
        pthread_mutex_lock(&s->mutex);
        s->stop = true;
        pthread_cond_broadcast(&s->change);
        pthread_mutex_unlock(&s->mutex);
        pthread_join(s->thread, NULL);
    }
    ls_samples_destroy(&s->now.samples);
    ls_samples_destroy(&s->next.samples);
    ls_samples_destroy(&s->step);
    ls_free(s->now.order);
    ls_free(s->next.order);
    ls_dataset_close(&s->dataset);
    pthread_cond_destroy(&s->change);
    pthread_mutex_destroy(&s->mutex);
    ls_free(s);
    *stream = NULL;
}
