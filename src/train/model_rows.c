/* Rows that a trained generator makes, and their scores. */
#include "base/integer.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "parallel/collectives.h"
#include "sources/writer.h"
#include "train/generator.h"
#include "train/model_state.h"
#include "train/scoring.h"

#include <math.h>

/* Returns the generator of a model. */
static ls_generator generator_of(const ls_model *m, const ls_making *wanted)
{
    return (ls_generator){.network = m->network,
                          .params = m->params,
                          .batch = m->batch,
                          .seed = wanted->seed,
                          .steps = wanted->steps,
                          .classes = m->info.conditions,
                          .condition = wanted->condition,
                          .picture = m->info.picture,
                          .units = &m->standardization.targets};
}

/* Checks that a model can make rows of a class. */
static ls_status check_generator(const ls_model *m, const ls_making *wanted)
{
    if (!m->info.generates)
        return ls_fail(LS_ERR_USAGE,
                       "%s: makes no rows: it was not trained with --objective gan or vae",
                       m->path);
    if (m->params == NULL)
        return ls_fail(LS_ERR_USAGE, "the model was opened without parameters");
    if (wanted->condition >= 0 && m->info.conditions == 0)
        return ls_fail(LS_ERR_USAGE, "%s: knows no classes: it was trained without --conditional",
                       m->path);
    if (wanted->condition >= 0 && wanted->condition >= m->info.conditions)
        return ls_fail(LS_ERR_USAGE, "%s: knows the classes 0 to %d, not %d", m->path,
                       m->info.conditions - 1, (int)wanted->condition);
    return LS_OK;
}

/* Makes at most a batch of rows. */
static ls_status make_piece(const ls_generator *g, int64_t first, int64_t rows, float *out)
{
    ls_generator_make(g, first, rows, out);
    const ls_status status = ls_interrupt_poll(LS_INTERRUPT_GRACE);
    for (int64_t i = 0; i < rows * ls_shape_size(g->picture); i++)
        if (!isfinite(out[i]))
            return ls_fail(LS_ERR_NUMERIC,
                           "row %lld: a number that the generator makes is not finite",
                           (long long)(first + i / ls_shape_size(g->picture)));
    return status;
}

ls_status ls_model_make_rows(const ls_model *m, const ls_making *wanted, float *out)
{
    ls_status status = check_generator(m, wanted);
    const ls_generator g = generator_of(m, wanted);
    const int64_t size = ls_shape_size(g.picture);
    for (int64_t done = 0, rows; status == LS_OK && done < wanted->count; done += rows) {
        rows = ls_min(wanted->count - done, LS_EVALUATION_ROWS);
        status = make_piece(&g, wanted->first + done, rows, out + done * size);
    }
    return status;
}

/* Rows on their way into a file. */
typedef struct stream {
    const ls_model *model;
    ls_making next;
    float *piece; /* [LS_EVALUATION_ROWS][picture] */
} stream;

/* Converts numbers to the type of the data set. */
static void put_numbers(ls_element element, int64_t count, const float *from, void *to)
{
    for (int64_t i = 0; i < count; i++)
        if (element == LS_U8)
            ((uint8_t *)to)[i] = (uint8_t)lround(fmin(fmax((double)from[i], 0), UINT8_MAX));
        else
            ((float *)to)[i] = from[i];
}

static ls_status stream_read(void *source, int64_t rows, void *inputs)
{
    stream *s = source;
    const ls_model_info *id = &s->model->info;
    const int64_t size = ls_shape_size(id->picture);
    const size_t bytes = id->picture_element == LS_U8 ? 1 : sizeof(float);
    ls_status status = LS_OK;
    for (int64_t done = 0; status == LS_OK && done < rows; done += s->next.count) {
        s->next.count = ls_min(rows - done, LS_EVALUATION_ROWS);
        status = ls_model_make_rows(s->model, &s->next, s->piece);
        put_numbers(id->picture_element, s->next.count * size, s->piece,
                    (char *)inputs + (size_t)(done * size) * bytes);
        s->next.first += s->next.count;
    }
    return status;
}

/* Returns the classes of rows, [count], owned; NULL if there are none or memory is short. */
static int32_t *list_classes(const ls_model *m, const ls_making *wanted)
{
    const int64_t steps = wanted->steps > 1 ? wanted->steps : 1;
    int32_t *label = m->info.conditions > 0 ? ls_alloc(wanted->count, sizeof *label) : NULL;
    for (int64_t i = 0; label != NULL && i < wanted->count; i++)
        label[i] = wanted->condition >= 0
                       ? wanted->condition
                       : (int32_t)((wanted->first + i) / steps % m->info.conditions);
    return label;
}

/* Writes the data set from a stream of rows. */
static ls_status write_stream(stream *s, const char *path, bool force)
{
    const ls_model_info *id = &s->model->info;
    const ls_shape *picture = &id->picture;
    int32_t *label = list_classes(s->model, &s->next);
    if (label == NULL && id->conditions > 0)
        return LS_ERR_FAILURE;
    const bool flat = picture->height * picture->width == 1;
    ls_split_source split = {.group = "train",
                             .rows = s->next.count,
                             .type = id->picture_element == LS_U8 ? LS_H5_U8 : LS_H5_F32,
                             .dims = flat                     ? 1
                                     : picture->channels == 1 ? 2
                                                              : 3,
                             .image = {picture->channels, picture->height, picture->width},
                             .label = label,
                             .source = s,
                             .read = stream_read};
    if (!flat && picture->channels == 1) {
        split.image[0] = picture->height;
        split.image[1] = picture->width;
    }
    const ls_dataset_content content = {.split = &split,
                                        .splits = 1,
                                        .classes = id->conditions,
                                        .name = "generated",
                                        .compress = true,
                                        .force = force};
    const ls_status status = ls_dataset_write(&content, path);
    ls_free(label);
    return status;
}

ls_status ls_model_write_rows(const ls_model *m, const ls_making *wanted, const char *path,
                              bool force)
{
    ls_status status = check_generator(m, wanted);
    if (status != LS_OK)
        return status;
    stream s = {.model = m,
                .next = *wanted,
                .piece =
                    ls_alloc(LS_EVALUATION_ROWS * ls_shape_size(m->info.picture), sizeof(float))};
    status = s.piece != NULL ? write_stream(&s, path, force) : LS_ERR_FAILURE;
    ls_free(s.piece);
    return status;
}

/* Adds this rank's part of the rows to those that are scored. Local. */
static ls_status add_rows(ls_scoring *scoring, const ls_model *m, const ls_making *wanted)
{
    const ls_range mine =
        ls_evaluation_shard(wanted->count, ls_comm_size(m->comm), ls_comm_rank(m->comm));
    float *rows = ls_alloc(LS_EVALUATION_ROWS * ls_shape_size(m->info.picture), sizeof *rows);
    ls_making piece = *wanted;
    ls_status status = rows == NULL ? LS_ERR_FAILURE : LS_OK;
    for (int64_t done = 0; status == LS_OK && done < mine.count; done += piece.count) {
        piece.first = wanted->first + mine.first + done;
        piece.count = ls_min(mine.count - done, LS_EVALUATION_ROWS);
        status = ls_model_make_rows(m, &piece, rows);
        if (status == LS_OK)
            status = ls_scoring_add(scoring, piece.count, rows);
    }
    ls_free(rows);
    return status;
}

ls_status ls_scoring_generated(ls_scoring *scoring, const ls_model *model, const ls_making *wanted,
                               ls_row_scores *scores)
{
    const ls_status status = ls_agree(model->comm, add_rows(scoring, model, wanted));
    return status == LS_OK ? ls_scoring_finish(scoring, false, scores) : status;
}
