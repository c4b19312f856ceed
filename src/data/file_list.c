#include <lockstep/dataset.h>

#include "base/memory.h"
#include "data/h5_list.h"

#include <stdio.h>

typedef struct listing {
    int most, count;
    ls_h5_listed *found; /* [most] */
} listing;

static ls_status list_file(const char *path, listing *l)
{
    ls_h5 *file = NULL;
    const ls_status status = ls_h5_open(&file, path);
    if (status == LS_OK)
        l->count = ls_h5_list(file, l->most, l->found);
    (void)ls_h5_close(&file);
    return status;
}

static ls_status try_listing(const void *path)
{
    listing l = {0};
    return list_file(path, &l);
}

static void describe_entry(ls_file_entry *out, const ls_h5_listed *found)
{
    *out = (ls_file_entry){0};
    snprintf(out->path, sizeof out->path, "/%s", found->path);
    if (!found->readable)
        return;
    ls_format_shape(&found->shape, out->shape);
    out->type = ls_h5_type_name(found->shape.type);
}

ls_status ls_file_list(const char *path, int most, ls_file_entry *out, int *count)
{
    listing l = {.most = most};
    l.found = ls_alloc(most, sizeof *l.found);
    ls_status status = l.found == NULL ? LS_ERR_FAILURE : ls_h5_try(path, try_listing, path);
    if (status == LS_OK)
        status = list_file(path, &l);
    for (int i = 0; status == LS_OK && i < l.count && i < most; i++)
        describe_entry(&out[i], &l.found[i]);
    *count = l.count;
    ls_free(l.found);
    return status;
}
