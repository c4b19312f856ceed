#include "sources/writer.h"

#include "base/file.h"
#include "base/integer.h"
#include "base/memory.h"
#include "base/temporary.h"
#include "data/class_names.h"
#include "data/vocabulary.h"
#include "sources/same_content.h"
#include "data/seal.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <lockstep/dataset.h>

/* Writes a dataset of a split, which `read` gives piece by piece.
 * type  of the elements that it gives */
static ls_status write_pieces(ls_h5 *file, const char *name, const ls_h5_shape *shape,
                              bool compress, ls_h5_type type, const ls_split_source *s,
                              ls_status (*read)(void *source, int64_t rows, void *to))
{
    enum { PIECE_BYTES = 4 << 20 };
    int64_t bytes = ls_h5_type_bytes(type); /* of a row */
    for (int i = 1; i < shape->rank; i++)
        bytes *= shape->dims[i];
    const int64_t piece = bytes < PIECE_BYTES ? PIECE_BYTES / bytes : 1;
    void *buffer = ls_alloc(ls_min(piece, s->rows) * bytes, 1);
    ls_status status =
        buffer == NULL ? LS_ERR_FAILURE : ls_h5_create_dataset(file, name, shape, compress);
    for (int64_t done = 0; status == LS_OK && done < s->rows; done += piece) {
        const int64_t some = ls_min(s->rows - done, piece);
        status = read(s->source, some, buffer);
        if (status == LS_OK)
            status = ls_h5_write(file, name, type, done, some, buffer);
    }
    ls_free(buffer);
    return status;
}

static ls_status write_inputs(ls_h5 *file, const ls_split_source *s, bool compress)
{
    char name[32];
    snprintf(name, sizeof name, "%s/%s", s->group, s->dims == 1 ? "inputs" : "images");
    ls_h5_shape shape = {.type = s->type, .rank = 1 + s->dims, .dims = {s->rows}};
    for (int i = 0; i < s->dims; i++)
        shape.dims[1 + i] = s->image[i];
    return write_pieces(file, name, &shape, compress, s->type, s, s->read);
}

/* Writes a dataset of a split from elements in memory. */
static ls_status write_whole(ls_h5 *file, const ls_split_source *s, const char *what,
                             const ls_h5_shape *shape, bool compress, ls_h5_type type,
                             const void *elements)
{
    char name[32];
    snprintf(name, sizeof name, "%s/%s", s->group, what);
    ls_status status = ls_h5_create_dataset(file, name, shape, compress);
    return status == LS_OK ? ls_h5_write(file, name, type, 0, s->rows, elements) : status;
}

static ls_h5_type label_type(int64_t classes)
{
    return classes <= 256 ? LS_H5_U8 : LS_H5_I32;
}

static ls_status write_labels(ls_h5 *file, const ls_split_source *s, int64_t classes, bool compress)
{
    const ls_h5_shape shape = {.type = label_type(classes), .rank = 1, .dims = {s->rows}};
    return write_whole(file, s, "labels", &shape, compress, LS_H5_I32, s->label);
}

static ls_status write_step_labels(ls_h5 *file, const ls_split_source *s, int64_t classes,
                                   bool compress)
{
    char name[32];
    const ls_h5_shape shape = {
        .type = label_type(classes), .rank = 2, .dims = {s->rows, s->image[0]}};
    snprintf(name, sizeof name, "%s/labels", s->group);
    return write_pieces(file, name, &shape, compress, LS_H5_I32, s, s->read_labels);
}

static ls_status write_values(ls_h5 *file, const ls_split_source *s, bool compress)
{
    const ls_h5_shape shape = {.type = LS_H5_F32, .rank = 2, .dims = {s->rows, s->values}};
    return write_whole(file, s, "targets", &shape, compress, LS_H5_F32, s->targets);
}

static ls_status write_lengths(ls_h5 *file, const ls_split_source *s, bool compress)
{
    const ls_h5_shape shape = {.type = LS_H5_I32, .rank = 1, .dims = {s->rows}};
    return write_whole(file, s, "lengths", &shape, compress, LS_H5_I32, s->length);
}

static ls_status write_targets(ls_h5 *file, const ls_split_source *s, int64_t classes,
                               bool compress)
{
    return s->read_labels != NULL ? write_step_labels(file, s, classes, compress)
           : s->label != NULL     ? write_labels(file, s, classes, compress)
           : s->targets != NULL   ? write_values(file, s, compress)
                                  : LS_OK;
}

static ls_status write_split(ls_h5 *file, const ls_split_source *s, int64_t classes, bool compress)
{
    ls_status status = write_inputs(file, s, compress);
    if (status == LS_OK)
        status = write_targets(file, s, classes, compress);
    return status == LS_OK && s->length != NULL ? write_lengths(file, s, compress) : status;
}

static ls_status put_attributes(ls_h5 *file, const ls_dataset_content *c)
{
    ls_status status = ls_h5_put_text(file, "format", "lockstep-dataset");
    if (status == LS_OK)
        status = ls_h5_put_int(file, "version", 1);
    if (status == LS_OK && c->classes > 0)
        status = ls_h5_put_int(file, "classes", c->classes);
    if (status == LS_OK && c->class_names != NULL)
        status = ls_class_names_write(file, c->class_names);
    if (status == LS_OK)
        status = ls_h5_put_text(file, "name", c->name);
    if (status != LS_OK || c->digest == NULL)
        return status;
    char digest[LS_SOURCE_DIGEST];
    status = c->digest(c->user, digest);
    return status == LS_OK ? ls_h5_put_text(file, "source_sha256", digest) : status;
}

static ls_status write_file(const ls_dataset_content *c, const char *path)
{
    ls_h5 *file;
    ls_status status = ls_h5_create(&file, path);
    if (status != LS_OK)
        return status;
    for (int k = 0; status == LS_OK && k < c->splits; k++)
        status = write_split(file, &c->split[k], c->classes, c->compress);
    if (status == LS_OK && c->vocabulary != NULL)
        status = ls_vocabulary_write(file, c->vocabulary);
    if (status == LS_OK)
        status = put_attributes(file, c);
    ls_status closed = ls_h5_close(&file);
    return status != LS_OK ? status : closed;
}

/* Refuses to replace an existing file that is not a data set. */
static ls_status refuse_other_files(const char *path)
{
    ls_h5 *file = NULL;
    char *format = NULL;
    struct stat about;
    if (stat(path, &about) != 0 || about.st_size == 0)
        return LS_OK;
    ls_status status = ls_h5_open(&file, path);
    if (status == LS_OK)
        status = ls_h5_get_text(file, "format", &format);
    const bool is_dataset = status == LS_OK && strcmp(format, "lockstep-dataset") == 0;
    ls_free(format);
    (void)ls_h5_close(&file);
    return is_dataset ? LS_OK
                      : ls_fail(LS_ERR_USAGE,
                                "%s: this file exists and is not a data set: not overwritten; "
                                "choose another name",
                                path);
}

/* Refuses to replace an existing data set unless the new file has the same content. */
static ls_status refuse_other_content(const char *path, const char *fresh)
{
    ls_likeness likeness = LS_OTHER_CONTENT;
    ls_dataset_info there;
    struct stat about;
    if (stat(path, &about) != 0 || about.st_size == 0)
        return LS_OK;
    ls_status status = ls_dataset_check(path, NULL);
    if (status == LS_OK)
        status = ls_same_content(path, fresh, &likeness, &there);
    if (likeness == LS_SAME_CONTENT || (status != LS_OK && status != LS_ERR_DATA))
        return status;
    if (likeness == LS_OTHER_NAME)
        return ls_fail(LS_ERR_USAGE,
                       "%s: exists and differs only in its name, '%s': not overwritten; give this "
                       "name, or replace it with --force",
                       path, there.name);
    return ls_fail(LS_ERR_USAGE,
                   "%s: a data set of different content exists%s: not overwritten; choose another "
                   "name, or replace it with --force",
                   path, status == LS_ERR_DATA ? " (damaged)" : "");
}

ls_status ls_dataset_write(const ls_dataset_content *content, const char *path)
{
    char temporary[LS_PATH_MAX];
    ls_status status = ls_check_folder_of(path);
    if (status == LS_OK)
        status = refuse_other_files(path);
    if (status == LS_OK)
        status = ls_temporary_name(temporary, path);
    if (status != LS_OK)
        return status;
    status = write_file(content, temporary);
    if (status == LS_OK)
        status = ls_seal_write(temporary);
    if (status == LS_OK && !content->force)
        status = refuse_other_content(path, temporary);
    if (status == LS_OK)
        status = ls_publish(temporary, path);
    if (status != LS_OK)
        ls_temporary_remove(temporary);
    return status;
}
