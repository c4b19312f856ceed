#include "train/source.h"

#include "parallel/collectives.h"
#include "base/memory.h"
#include "data/files.h"
#include "data/samples.h"
#include "train/copies.h"
#include "train/rows.h"

#include <stdio.h>

struct ls_source {
    ls_comm *comm;       /* of all ranks, borrowed */
    ls_comm *node;       /* of this rank's node */
    ls_comm *group;      /* one of the two above: its rank 0 reads for all its ranks; NULL: each
                            rank reads for itself */
    ls_dataset *dataset; /* NULL on ranks that don't read */
    ls_dataset_info info;
    const char *path, *test; /* borrowed; of other test rows, else NULL */
};

/* Checks that all ranks see the same data set, by its description and the digest of its sources.
 * Collective. */
static ls_status agree_on_dataset(ls_comm *comm, const ls_dataset_info *d)
{
    char text[320];
    snprintf(text, sizeof text,
             "%lld %lld %lld rows, %s %lld x %lld x %lld, %d classes, %d values, weights %d, "
             "lengths %d, vocabulary %d, column-major %d, reconstruction %d, %s",
             (long long)d->rows[LS_TRAIN], (long long)d->rows[LS_VALIDATION],
             (long long)d->rows[LS_TEST], ls_element_name(d->element), (long long)d->channels,
             (long long)d->height, (long long)d->width, d->classes, d->values, d->weighted,
             d->ragged, d->vocabulary, d->column_major, d->reconstructs, d->source_sha256);
    return ls_agree_equal(comm, text, "the data set");
}

/* Returns true if this rank reads the file. Local. */
static bool is_reader(const ls_source *s)
{
    return s->group == NULL || ls_comm_rank(s->group) == 0;
}

/* Checks the copies of each file of a list: the readers must see as many files. Collective. */
static ls_status check_files(ls_source *s, const char *text, const ls_dataset_options *options,
                             bool verify)
{
    ls_files files = {0};
    const bool reads = is_reader(s);
    ls_status status = ls_agree_among(s->comm, reads, reads ? ls_files_find(&files, text) : LS_OK);
    int count = files.count;
    if (status == LS_OK) {
        ls_broadcast(s->comm, &count, sizeof count);
        status = ls_agree(s->comm,
                          reads && files.count != count
                              ? ls_fail(LS_ERR_RANKS, "%s names %d files here, but %d on rank 0",
                                        text, files.count, count)
                              : LS_OK);
    }
    for (int i = 0; status == LS_OK && i < count; i++)
        status =
            ls_copies_check(s->comm, s->node, reads ? files.path[i] : text, options, reads, verify);
    ls_files_free(&files);
    return status;
}

/* Opens the file on ranks that read. Local. */
static ls_status open_file(ls_source *s, const char *path, const ls_dataset_options *options,
                           ls_dataset_info *info)
{
    if (!is_reader(s))
        return LS_OK;
    const ls_status status = ls_dataset_open(&s->dataset, path, options);
    if (status == LS_OK)
        *info = *ls_dataset_describe(s->dataset);
    return status;
}

/* Checks and opens the files. Collective. */
static ls_status open_checked(ls_source *s, const char *path, const ls_dataset_options *options,
                              bool verify, ls_dataset_info *info)
{
    ls_dataset_options of_test = options != NULL ? *options : (ls_dataset_options){0};
    const char *test = of_test.test_data;
    ls_status status = check_files(s, path, options, verify);
    of_test.weights = NULL;
    if (status == LS_OK && test != NULL && *test != '\0')
        status = check_files(s, test, &of_test, verify);
    return status == LS_OK
               ? ls_agree_among(s->comm, is_reader(s), open_file(s, path, options, info))
               : status;
}

ls_status ls_source_open(ls_source **out, ls_comm *comm, const char *path,
                         const ls_dataset_options *options, bool verify, ls_read read,
                         ls_dataset_info *info)
{
    ls_source *s = ls_alloc(1, sizeof *s);
    ls_status status = ls_agree(comm, s == NULL ? LS_ERR_FAILURE : LS_OK);
    if (status != LS_OK) {
        ls_free(s);
        return status;
    }
    s->comm = comm;
    s->path = path;
    s->test = options != NULL ? options->test_data : NULL;
    status = ls_comm_node(&s->node, comm);
    if (status == LS_OK) {
        s->group = read == LS_READ_ROOT ? comm : read == LS_READ_NODE ? s->node : NULL;
        status = open_checked(s, path, options, verify, info);
    }
    if (status == LS_OK && s->group != NULL)
        ls_broadcast(s->group, info, sizeof *info);
    if (status == LS_OK)
        status = agree_on_dataset(comm, info);
    if (status != LS_OK) {
        ls_source_close(&s);
        return status;
    }
    s->info = *info;
    *out = s;
    return LS_OK;
}

const char *ls_source_path(const ls_source *s, ls_split split)
{
    return split == LS_TEST && s->test != NULL && *s->test != '\0' ? s->test : s->path;
}

/* Appends the texts that `text_of` numbers from 0, on ranks that read the file. */
static ls_status add_texts(const ls_source *s,
                           const char *(*text_of)(const ls_dataset *dataset, int64_t at),
                           ls_text_list *out)
{
    const char *text;
    ls_status status = LS_OK;
    for (int64_t k = 0;
         status == LS_OK && s->dataset != NULL && (text = text_of(s->dataset, k)) != NULL; k++)
        status = ls_text_list_add(out, text);
    return status;
}

ls_status ls_source_class_names(const ls_source *s, ls_text_list *out)
{
    return add_texts(s, ls_dataset_class_name, out);
}

ls_status ls_source_vocabulary(const ls_source *s, ls_text_list *out)
{
    return add_texts(s, ls_dataset_token, out);
}

/* Reads the rows of one member of the group, and sends them there. Collective on the group.
 * rows      the member's rows
 * capacity  of this rank's samples
 * out       on return the samples, on the member only */
static ls_status read_for(ls_source *s, int member, ls_split split, ls_range rows, int64_t capacity,
                          ls_samples **out)
{
    const int rank = ls_comm_rank(s->group);
    ls_samples *samples = NULL;
    ls_status status = LS_OK;
    if (rank == 0)
        status = ls_dataset_read(s->dataset, split, rows.first, rows.count,
                                 member == 0 ? capacity : rows.count, &samples);
    else if (rank == member)
        status = ls_samples_create(&samples, capacity, ls_dataset_format(&s->info));
    status = ls_agree(s->group, status);
    if (status == LS_OK && member != 0) {
        if (rank == 0 || rank == member)
            ls_send_from_root(s->group, samples->bytes, (size_t)rows.count * samples->stride,
                              member);
        if (rank == member)
            samples->rows = rows.count;
    }
    if (status == LS_OK && rank == member)
        *out = samples;
    else
        ls_samples_destroy(&samples);
    return status;
}

ls_status ls_source_read(ls_source *s, ls_split split, ls_range rows, int64_t capacity,
                         ls_samples **out)
{
    ls_samples *mine = NULL;
    ls_status status = LS_OK;
    if (s->group == NULL) {
        status = ls_dataset_read(s->dataset, split, rows.first, rows.count, capacity, &mine);
    } else {
        const int members = ls_comm_size(s->group);
        ls_range *all = ls_alloc(members, sizeof *all);
        status = ls_agree(s->group, all == NULL ? LS_ERR_FAILURE : LS_OK);
        if (status == LS_OK)
            ls_allgather_bytes(s->group, &rows, (int)sizeof rows, all);
        for (int member = 0; status == LS_OK && member < members; member++)
            status = read_for(s, member, split, all[member], capacity, &mine);
        ls_free(all);
    }
    status = ls_agree(s->comm, status);
    if (status == LS_OK)
        *out = mine;
    else
        ls_samples_destroy(&mine);
    return status;
}

ls_status ls_source_rows(ls_source *s, ls_split split, const ls_input_format *format, ls_rows **out)
{
    const int64_t total = s->info.rows[split];
    const ls_range shard = ls_evaluation_shard(total, ls_comm_size(s->comm), ls_comm_rank(s->comm));
    ls_conversion conversion;
    ls_samples *samples = NULL;
    ls_rows *rows = NULL;
    ls_status status = ls_conversion_make(&conversion, format);
    conversion.data = ls_source_path(s, split);
    if (status == LS_OK)
        status = ls_source_read(s, split, shard, shard.count, &samples);
    if (status != LS_OK)
        return status;
    const ls_rows_origin origin = {.total = total, .samples = samples, .split = split};
    status = ls_agree(s->comm, ls_rows_create(&rows, &origin, &conversion, samples));
    if (status == LS_OK)
        *out = rows;
    else if (rows != NULL)
        ls_rows_destroy(&rows);
    else
        ls_samples_destroy(&samples);
    return status;
}

void ls_source_close(ls_source **source)
{
    if (source == NULL || *source == NULL)
        return;
    ls_source *s = *source;
    ls_dataset_close(&s->dataset);
    ls_comm_destroy(&s->node);
    ls_free(s);
    *source = NULL;
}
