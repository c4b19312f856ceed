/* Event files of TensorBoard, in a folder for each kind of rows: TensorBoard takes the two folders
 * for two runs, and draws what has the same name in both into one chart.
 *
 * TensorBoard reads a growing file, but does not notice that a file was replaced: to cut a file, a
 * new one is made whose name is later in the alphabet, then the old one is removed. */
#include "run/log_sink.h"

#include "base/memory.h"
#include "run/tfevents.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FILE_NAME   "events.out.tfevents.%010lld.lockstep"
#define NUMBER_MOST 9999999999LL /* of ten digits, so that names sort as numbers do */
static const char part_of_validation[] = "val_"; /* names of columns begin so */

/* Returns the seconds since 1970. */
static double find_time(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Makes the name of a column's scalar. Returns false if the column is not for this file. */
static bool make_tag(int column, bool validation, char out[LS_TFEVENTS_TAG])
{
    char twin[LS_TFEVENTS_TAG];
    const size_t prefix = strlen(part_of_validation);
    const char *name = ls_metrics_name(column);
    const bool of_validation = strncmp(name, part_of_validation, prefix) == 0;
    if (of_validation != validation || strcmp(name, "epoch") == 0)
        return false;
    const int length = snprintf(twin, sizeof twin, "%s%s", part_of_validation, name);
    const bool metric = ls_metrics_find(twin, (size_t)length) < LS_METRICS_COLUMNS;
    const char *group = of_validation || metric || strcmp(name, "lr") == 0 ? "" : "speed/";
    snprintf(out, LS_TFEVENTS_TAG, "%s%s", group, of_validation ? name + prefix : name);
    return true;
}

/* Collects the numbers of an epoch that belong into the file. Returns their number. */
static int collect(const ls_metrics *metrics, bool validation,
                   ls_tfevents_scalar out[LS_METRICS_COLUMNS])
{
    int count = 0;
    for (int i = 0; i < LS_METRICS_COLUMNS; i++) {
        out[count].value = ls_metrics_value(metrics, i);
        if (!isnan(out[count].value) && make_tag(i, validation, out[count].tag))
            count++;
    }
    return count;
}

static ls_status put_epoch(FILE *out, double time, const ls_metrics *metrics, bool validation)
{
    ls_tfevents_scalar scalars[LS_METRICS_COLUMNS];
    const int count = collect(metrics, validation, scalars);
    return count > 0 ? ls_tfevents_scalars(out, time, (int64_t)metrics->epoch, scalars, count)
                     : LS_OK;
}

static double add_known(double sum, double part)
{
    return isnan(part) ? sum : sum + part;
}

/* Returns the time at which an epoch began. */
static double find_begin(double end, const ls_metrics *metrics)
{
    const double known = add_known(add_known(0, metrics->seconds), metrics->validation_s);
    return end - add_known(known, metrics->checkpoint_s);
}

/* Completes the times of epochs' ends: an epoch whose end is not known, such as one of the folder
 * that the run was resumed from, ends when the next begins. */
static void complete_times(const ls_metrics *history, int64_t epochs, double *times)
{
    double end = find_time();
    for (int64_t i = epochs - 1; i >= 0; i--) {
        times[i] = isnan(times[i]) ? end : times[i];
        end = find_begin(times[i], &history[i]);
    }
}

/* Opens a stream into memory; *text is to be freed with free(). Returns NULL if memory is short. */
static FILE *open_memory(char **text, size_t *length)
{
    *text = NULL;
    FILE *memory = open_memstream(text, length);
    if (memory == NULL)
        (void)ls_fail(LS_ERR_FAILURE, "out of memory for an event file");
    return memory;
}

static ls_status close_memory(FILE *memory, ls_status status)
{
    const bool failed = ferror(memory) != 0;
    if ((fclose(memory) != 0 || failed) && status == LS_OK)
        status = ls_fail(LS_ERR_FAILURE, "out of memory for an event file");
    return status;
}

/* Appends the settings, as a code block of Markdown. */
static ls_status put_config(FILE *out, double time, const char *config)
{
    char *text;
    size_t length;
    FILE *memory = open_memory(&text, &length);
    if (memory == NULL)
        return LS_ERR_FAILURE;
    for (const char *line = config; *line != '\0';) {
        const size_t bytes = strcspn(line, "\n");
        fprintf(memory, "    %.*s\n", (int)bytes, line);
        line += bytes + (line[bytes] == '\n');
    }
    ls_status status = close_memory(memory, LS_OK);
    if (status == LS_OK)
        status = ls_tfevents_text(out, time, "configuration", text);
    free(text);
    return status;
}

/* Writes the content of a file with all epochs. */
static ls_status put_all(FILE *out, const ls_log_sink *sink, const ls_metrics *history,
                         const double *times, int64_t epochs)
{
    const double begin = find_begin(times[0], &history[0]);
    ls_status status = ls_tfevents_start(out, begin);
    if (status == LS_OK && !sink->validation)
        status = put_config(out, begin, sink->config);
    for (int64_t i = 0; status == LS_OK && i < epochs; i++)
        status = put_epoch(out, times[i], &history[i], sink->validation);
    return status;
}

/* Makes the content of a file with all epochs; *out is owned by the caller, who calls free(). */
static ls_status make_content(const ls_log_sink *sink, const ls_metrics *history, int64_t epochs,
                              char **out, size_t *length)
{
    double *times = ls_alloc(epochs, sizeof *times);
    FILE *memory = times != NULL ? open_memory(out, length) : NULL;
    ls_status status = LS_ERR_FAILURE;
    if (memory != NULL) {
        status = ls_log_read_times(sink->folder, epochs, times);
        complete_times(history, epochs, times);
        if (status == LS_OK)
            status = put_all(memory, sink, history, times, epochs);
        status = close_memory(memory, status);
    }
    ls_free(times);
    return status;
}

/* Returns the number in the name of a file of Lockstep's; -1 if it is none. */
static long long read_number(const char *name)
{
    long long number = -1;
    char again[64];
    if (sscanf(name, "events.out.tfevents.%10lld", &number) != 1 || number < 0 ||
        number >= NUMBER_MOST)
        return -1;
    snprintf(again, sizeof again, FILE_NAME, number);
    return strcmp(name, again) == 0 ? number : -1;
}

/* Calls a function for each file of Lockstep's in the folder, if there is one. */
static ls_status for_each_file(const char *folder,
                               ls_status (*act)(const char *folder, const char *name, void *user),
                               void *user)
{
    DIR *dir = opendir(folder);
    if (dir == NULL)
        return errno == ENOENT
                   ? LS_OK
                   : ls_fail(LS_ERR_FAILURE, "%s: can't list: %s", folder, strerror(errno));
    ls_status status = LS_OK;
    for (struct dirent *entry; status == LS_OK && (entry = readdir(dir)) != NULL;)
        if (read_number(entry->d_name) >= 0)
            status = act(folder, entry->d_name, user);
    closedir(dir);
    return status;
}

static ls_status find_latest(const char *folder, const char *name, void *latest)
{
    (void)folder;
    const long long number = read_number(name);
    if (number > *(long long *)latest)
        *(long long *)latest = number;
    return LS_OK;
}

/* Removes a file unless it has the path `keep`. */
static ls_status remove_other(const char *folder, const char *name, void *keep)
{
    char path[LS_PATH_MAX];
    const ls_status status = ls_path(path, folder, "/", name);
    if (status == LS_OK && strcmp(path, keep) != 0 && unlink(path) != 0 && errno != ENOENT)
        return ls_fail(LS_ERR_FAILURE, "%s: can't remove: %s", path, strerror(errno));
    return status;
}

/* Chooses the path of a new file, later in the alphabet than all others: its number is the time in
 * seconds, as TensorBoard's own writers have it. */
static ls_status choose_path(const char *folder, char out[LS_PATH_MAX])
{
    char name[64];
    long long latest = -1;
    const ls_status status = for_each_file(folder, find_latest, &latest);
    const long long now = (long long)find_time();
    snprintf(name, sizeof name, FILE_NAME, now > latest ? now : latest + 1);
    return status == LS_OK ? ls_path(out, folder, "/", name) : status;
}

/* Writes a new file. Until it is complete, its name is none that TensorBoard reads. */
static ls_status write_new(ls_log_sink *sink, const char *folder, const char *content,
                           size_t length)
{
    char path[LS_PATH_MAX];
    ls_status status = ls_make_folder(folder);
    if (status == LS_OK)
        status = ls_path(sink->path, folder, "/", "next");
    if (status == LS_OK)
        status = ls_log_sink_write(sink, content, length);
    if (status == LS_OK)
        status = choose_path(folder, path);
    if (status == LS_OK)
        status = ls_publish(sink->path, path);
    return status == LS_OK ? ls_path(sink->path, path, NULL, NULL) : status;
}

static bool has_values(const ls_metrics *history, int64_t epochs, bool validation)
{
    ls_tfevents_scalar scalars[LS_METRICS_COLUMNS];
    int count = 0;
    for (int64_t i = 0; count == 0 && i < epochs; i++)
        count = collect(&history[i], validation, scalars);
    return count > 0;
}

/* A file appears with its first value. */
static ls_status rewind_files(ls_log_sink *sink, const ls_metrics *history, int64_t epochs)
{
    char folder[LS_PATH_MAX], *content = NULL;
    size_t length = 0;
    *sink->path = '\0';
    ls_status status = ls_path(folder, sink->folder, "/", sink->name);
    if (status == LS_OK && has_values(history, epochs, sink->validation)) {
        status = make_content(sink, history, epochs, &content, &length);
        if (status == LS_OK)
            status = write_new(sink, folder, content, length);
        free(content);
    }
    return status == LS_OK ? for_each_file(folder, remove_other, sink->path) : status;
}

/* Appends the record of an epoch. */
static ls_status append_epoch(ls_log_sink *sink, const ls_metrics *metrics)
{
    char *record;
    size_t length;
    FILE *memory = open_memory(&record, &length);
    if (memory == NULL)
        return LS_ERR_FAILURE;
    ls_status status = put_epoch(memory, find_time(), metrics, sink->validation);
    status = close_memory(memory, status);
    if (status == LS_OK)
        status = ls_log_sink_append(sink, record, length);
    free(record);
    return status;
}

static ls_status add_epoch(ls_log_sink *sink, const ls_metrics *history, int64_t epochs,
                           bool *rewritten)
{
    int64_t bytes;
    if (*sink->path == '\0')
        return rewind_files(sink, history, epochs);
    const ls_status status = ls_log_sink_size(sink, &bytes);
    if (status != LS_OK)
        return status;
    if (bytes != sink->bytes) {
        *rewritten = true;
        return rewind_files(sink, history, epochs);
    }
    return append_epoch(sink, &history[epochs - 1]);
}

const ls_log_sink_kind ls_log_tensorboard = {.rewind = rewind_files, .metrics = add_epoch};
