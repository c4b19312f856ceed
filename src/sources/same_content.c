#include "sources/same_content.h"

#include "data/samples.h"

#include <string.h>
#include <xxhash.h>

/* Summary of a data set's content: equal for equal content. */
typedef struct content {
    ls_dataset_info info;
    uint64_t fingerprint[LS_SPLITS];
    uint64_t names, tokens; /* hashes of the names of classes, and of the texts of tokens */
} content;

static uint64_t hash_texts(const ls_dataset *dataset, int count,
                           const char *(*text_of)(const ls_dataset *dataset, int64_t at))
{
    uint64_t hash = 0;
    for (int k = 0; k < count; k++) {
        const char *text = text_of(dataset, k);
        hash = text != NULL ? XXH64(text, strlen(text) + 1, hash) : hash;
    }
    return hash;
}

static ls_status summarize_file(const char *path, content *out)
{
    ls_dataset *dataset = NULL;
    ls_status status =
        ls_dataset_open(&dataset, path, &(ls_dataset_options){.layout = LS_LAYOUT_NCHW});
    if (status != LS_OK)
        return status;
    memset(out, 0, sizeof *out);
    out->info = *ls_dataset_describe(dataset);
    out->names = hash_texts(dataset, out->info.classes, ls_dataset_class_name);
    out->tokens = hash_texts(dataset, out->info.vocabulary, ls_dataset_token);
    for (int split = 0; status == LS_OK && split < LS_SPLITS; split++)
        status = ls_dataset_fingerprint(dataset, (ls_split)split, &out->fingerprint[split]);
    ls_dataset_close(&dataset);
    return status;
}

/* Returns true if the fields that readers use are equal, apart from the name. */
static bool has_same_info(const ls_dataset_info *a, const ls_dataset_info *b)
{
    return strcmp(a->source_sha256, b->source_sha256) == 0 && a->classes == b->classes &&
           a->values == b->values && a->vocabulary == b->vocabulary && a->element == b->element &&
           a->channels == b->channels && a->height == b->height && a->width == b->width &&
           memcmp(a->rows, b->rows, sizeof a->rows) == 0 && a->held_out == b->held_out;
}

ls_status ls_same_content(const char *path, const char *other, ls_likeness *out,
                          ls_dataset_info *first)
{
    content a, b;
    ls_status status = summarize_file(path, &a);
    if (status == LS_OK)
        status = summarize_file(other, &b);
    if (status != LS_OK)
        return status;
    const bool same = has_same_info(&a.info, &b.info) && a.names == b.names &&
                      a.tokens == b.tokens &&
                      memcmp(a.fingerprint, b.fingerprint, sizeof a.fingerprint) == 0;
    *out = !same                                   ? LS_OTHER_CONTENT
           : strcmp(a.info.name, b.info.name) != 0 ? LS_OTHER_NAME
                                                   : LS_SAME_CONTENT;
    *first = a.info;
    return LS_OK;
}
