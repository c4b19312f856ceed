/* The datasets of a file of any layout. */
#include "data/h5_file.h"

#include "data/h5_check.h"
#include "data/h5_list.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Limits of a walk: groups may contain themselves. */
enum { DEEPEST = 16, LINKS_MOST = 10000 };

typedef struct walk {
    const ls_h5 *file;
    ls_h5_listed *out; /* [most] */
    int most, count, links, depth;
    const H5L_info_t *above[DEEPEST]; /* [depth] links to the groups that the walk is in */
    char path[LS_H5_PATH];            /* of the group, "" of the root, else with '/' at its end */
} walk;

static herr_t visit_link(hid_t group, const char *name, const H5L_info_t *link, void *user);

static bool visit_group(walk *w, hid_t group)
{
    return H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, NULL, visit_link, w) >= 0;
}

static void add_dataset(walk *w, hid_t dataset, const char *path)
{
    ls_h5_listed found = {0};
    snprintf(found.path, sizeof found.path, "%s", path);
    found.readable = ls_h5_check_dataset(w->file->id, dataset, w->file->path, path) == LS_OK &&
                     ls_h5_shape_of(w->file, path, dataset, &found.shape) == LS_OK;
    if (w->count < w->most)
        w->out[w->count] = found;
    w->count++;
}

/* Returns true for a link to a group that the walk is in. */
static bool is_above(const walk *w, const H5L_info_t *link)
{
    int at = 0;
    while (at < w->depth && memcmp(&w->above[at]->u, &link->u, sizeof link->u) != 0)
        at++;
    return at < w->depth;
}

/* Lists a dataset, or the datasets of a group, of which damaged ones are left out. */
static void visit_object(walk *w, hid_t object, const H5L_info_t *link, size_t length)
{
    if (H5Iget_type(object) == H5I_DATASET)
        add_dataset(w, object, w->path);
    if (H5Iget_type(object) != H5I_GROUP || w->depth == DEEPEST || length + 2 > sizeof w->path ||
        is_above(w, link))
        return;
    memcpy(w->path + length, "/", 2);
    w->above[w->depth++] = link;
    (void)visit_group(w, object);
    w->depth--;
}

/* Called by HDF5 for each link of a group, in the order of names. Soft and external links are left
 * out: they are not followed. Returns 1 to end the walk. */
static herr_t visit_link(hid_t group, const char *name, const H5L_info_t *link, void *user)
{
    walk *w = user;
    const size_t before = strlen(w->path), length = before + strlen(name);
    if (++w->links > LINKS_MOST)
        return 1;
    if (link->type != H5L_TYPE_HARD || length >= sizeof w->path)
        return 0;
    const hid_t object = H5Oopen(group, name, H5P_DEFAULT);
    if (object < 0)
        return 0;
    memcpy(w->path + before, name, length - before + 1);
    visit_object(w, object, link, length);
    w->path[before] = '\0';
    H5Oclose(object);
    return 0;
}

int ls_h5_list(const ls_h5 *file, int most, ls_h5_listed *out)
{
    walk w = {.file = file, .out = out, .most = most};
    const hid_t root = H5Gopen2(file->id, "/", H5P_DEFAULT);
    if (root < 0)
        return 0;
    (void)visit_group(&w, root);
    H5Gclose(root);
    return w.count;
}

const char *ls_h5_format_indices(int rank, const int64_t *numbers, char text[LS_H5_SHAPE])
{
    size_t used = 0;
    text[0] = '\0';
    for (int d = 0; d < rank && d < LS_H5_MAX_RANK; d++)
        used += (size_t)snprintf(text + used, LS_H5_SHAPE - used, "%s%" PRId64, d > 0 ? "," : "[",
                                 numbers[d]);
    snprintf(text + used, LS_H5_SHAPE - used, "%s",
             rank > LS_H5_MAX_RANK ? ",...]"
             : rank > 0            ? "]"
                                   : "[]");
    return text;
}

const char *ls_format_shape(const ls_h5_shape *shape, char text[LS_H5_SHAPE])
{
    return ls_h5_format_indices(shape->rank, shape->dims, text);
}

/* Writes ", /x [1500,12] float64". Returns the bytes written. */
static int write_listed(const ls_h5_listed *found, bool first, char *out, size_t size)
{
    char shape[LS_H5_SHAPE];
    if (!found->readable)
        return snprintf(out, size, "%s/%s (unreadable)", first ? "" : ", ", found->path);
    return snprintf(out, size, "%s/%s %s %s", first ? "" : ", ", found->path,
                    ls_format_shape(&found->shape, shape), ls_h5_type_name(found->shape.type));
}

const char *ls_h5_contents(const ls_h5 *file, char text[LS_H5_CONTENTS])
{
    enum { SHOWN = 6, REST = 32 }; /* REST: bytes of the end */
    ls_h5_listed found[SHOWN];
    char item[2 * LS_H5_PATH];
    const int count = ls_h5_list(file, SHOWN, found);
    size_t used = (size_t)snprintf(text, LS_H5_CONTENTS, "%s", "it holds ");
    int shown = 0;
    for (; shown < count && shown < SHOWN; shown++) {
        const int length = write_listed(&found[shown], shown == 0, item, sizeof item);
        if (used + (size_t)length + REST >= LS_H5_CONTENTS)
            break;
        memcpy(text + used, item, (size_t)length + 1);
        used += (size_t)length;
    }
    if (count == 0)
        snprintf(text + used, LS_H5_CONTENTS - used, "no dataset");
    else if (shown < count)
        snprintf(text + used, LS_H5_CONTENTS - used, "%s%d%s", shown > 0 ? " and " : "",
                 count - shown, shown > 0 ? " more" : " datasets");
    return text;
}
