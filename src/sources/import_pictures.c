/* Folders of pictures: a folder for each class. */
#include <lockstep/dataset.h>
#include <lockstep/import.h>
#include <lockstep/picture.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/show.h"
#include "sources/import_common.h"
#include "data/samples.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SPLITS = 3 };

/* A split: the files of all classes, in order. */
typedef struct album {
    const char *group;
    char folder[LS_PATH_MAX];
    ls_text_list paths;
    int32_t *label;   /* [paths.count] */
    int64_t rows;     /* to import, after the limit */
    ls_picture shape; /* of the images: without pixels */
    int64_t next;
    int64_t others;          /* files that are left out */
    char first[LS_PATH_MAX]; /* of them */
} album;

static bool is_folder(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

static bool is_png(const char *name)
{
    const size_t length = strlen(name);
    return length > 4 && strcasecmp(name + length - 4, ".png") == 0;
}

/* Appends the names in a folder, sorted; hidden ones are left out. */
static ls_status list_folder(const char *folder, bool folders, ls_text_list *out)
{
    char path[LS_PATH_MAX];
    ls_status status = LS_OK;
    DIR *open = opendir(folder);
    if (open == NULL)
        return ls_fail(LS_ERR_DATA, "%s: can't open this folder: %s", folder, strerror(errno));
    for (struct dirent *e; status == LS_OK && (e = readdir(open)) != NULL;) {
        if (e->d_name[0] == '.')
            continue;
        status = ls_path(path, folder, "/", e->d_name);
        if (status == LS_OK && is_folder(path) == folders)
            status = ls_text_list_add(out, e->d_name);
    }
    closedir(open);
    ls_text_list_sort(out);
    return status;
}

/* Appends the pictures of a class. */
static ls_status add_class(album *a, const char *class)
{
    char folder[LS_PATH_MAX], path[LS_PATH_MAX];
    ls_text_list files = {0};
    const int64_t before = a->paths.count;
    ls_status status = ls_path(folder, a->folder, "/", class);
    if (status == LS_OK)
        status = list_folder(folder, false, &files);
    for (int64_t i = 0; status == LS_OK && i < files.count; i++) {
        status = ls_path(path, folder, "/", files.text[i]);
        if (status == LS_OK && is_png(files.text[i]))
            status = ls_text_list_add(&a->paths, path);
        else if (status == LS_OK && a->others++ == 0)
            memcpy(a->first, path, sizeof path);
    }
    if (status == LS_OK && a->paths.count == before && files.count > 0)
        status = ls_fail(LS_ERR_DATA, "%s: has no PNG files; %s must be converted to one", folder,
                         files.text[0]);
    ls_text_list_free(&files);
    return status;
}

/* Lists the pictures of a split, and their labels. */
static ls_status list_pictures(album *a, const ls_text_list *classes, const ls_text_list *here)
{
    ls_status status = LS_OK;
    int64_t *end = ls_alloc(here->count, sizeof *end), row = 0;
    if (end == NULL)
        return LS_ERR_FAILURE;
    for (int64_t k = 0; status == LS_OK && k < here->count; k++) {
        if (ls_text_list_find(classes, here->text[k]) < 0)
            status = ls_fail(LS_ERR_DATA, "%s/%s: there is no such class among the training rows",
                             a->folder, here->text[k]);
        if (status == LS_OK)
            status = add_class(a, here->text[k]);
        end[k] = a->paths.count;
    }
    if (status == LS_OK && a->paths.count == 0)
        status = ls_fail(LS_ERR_DATA, "%s: its folders have no PNG files", a->folder);
    a->label = status == LS_OK ? ls_alloc(a->paths.count, sizeof *a->label) : NULL;
    for (int64_t k = 0; a->label != NULL && k < here->count; k++)
        for (; row < end[k]; row++)
            a->label[row] = (int32_t)ls_text_list_find(classes, here->text[k]);
    ls_free(end);
    return status == LS_OK && a->label == NULL ? LS_ERR_FAILURE : status;
}

static ls_status open_album(album *a, int64_t limit, ls_text_list *classes)
{
    ls_text_list here = {0};
    ls_status status = list_folder(a->folder, true, &here);
    for (int64_t i = 0; status == LS_OK && strcmp(a->group, "train") == 0 && i < here.count; i++)
        status = ls_text_list_add(classes, here.text[i]);
    if (status == LS_OK && (classes->count < 2 || classes->count > LS_MAX_CLASSES))
        status = ls_fail(
            LS_ERR_DATA, "%s: has %s: expected 2 to %d, one for each class, with PNG files in them",
            a->folder, classes->count == 1 ? "1 folder" : "no folders", LS_MAX_CLASSES);
    if (status == LS_OK)
        status = list_pictures(a, classes, &here);
    a->rows = ls_import_rows(a->paths.count, limit);
    ls_text_list_free(&here);
    return status;
}

/* Determines the shape of the images from all files.
 * shape  with a size: files may have any */
static ls_status find_shape(const album *albums, int splits, ls_picture *shape)
{
    const char *first = albums->paths.text[0];
    const bool any = shape->height > 0;
    ls_picture found;
    shape->channels = 1;
    for (int k = 0; k < splits; k++)
        for (int64_t i = 0; i < albums[k].paths.count; i++) {
            const char *path = albums[k].paths.text[i];
            ls_status status = ls_picture_describe(path, &found);
            if (status != LS_OK)
                return status;
            if (shape->height == 0)
                *shape = found;
            if (!any && (found.height != shape->height || found.width != shape->width))
                return ls_fail(LS_ERR_DATA,
                               "%s: has %lld x %lld pixels, but %s has %lld x %lld: give --resize "
                               "HxW",
                               path, (long long)found.height, (long long)found.width, first,
                               (long long)shape->height, (long long)shape->width);
            shape->channels = found.channels > shape->channels ? found.channels : shape->channels;
        }
    return ls_image_is_sane(shape->channels, shape->height, shape->width)
               ? LS_OK
               : ls_fail(LS_ERR_DATA, "%s: pictures of an unsupported size", first);
}

/* Copies pixels [H][W][C] to [C][H][W]. */
static void separate_channels(const ls_picture *picture, uint8_t *to)
{
    const int64_t plane = picture->height * picture->width;
    for (int c = 0; c < picture->channels; c++)
        for (int64_t i = 0; i < plane; i++)
            *to++ = picture->pixels[i * picture->channels + c];
}

static ls_status read_picture(const album *a, const char *path, uint8_t *to)
{
    ls_picture picture = {0}, resized = {0};
    ls_status status = ls_picture_read(path, a->shape.channels, &picture);
    if (status != LS_OK)
        return status;
    if (picture.height != a->shape.height || picture.width != a->shape.width) {
        status = ls_picture_resize(&picture, a->shape.height, a->shape.width, &resized);
        ls_picture_free(&picture);
        picture = resized;
    }
    if (status == LS_OK)
        separate_channels(&picture, to);
    ls_picture_free(&picture);
    return status;
}

static ls_status pictures_read_images(void *user, int64_t rows, void *pixels)
{
    album *a = user;
    const int64_t bytes = a->shape.channels * a->shape.height * a->shape.width;
    ls_status status = LS_OK;
    for (int64_t i = 0; status == LS_OK && i < rows; i++)
        status = read_picture(a, a->paths.text[a->next++], (uint8_t *)pixels + i * bytes);
    return status;
}

static ls_split_source describe_split(album *a)
{
    ls_split_source split = {.group = a->group,
                             .rows = a->rows,
                             .label = a->label,
                             .source = a,
                             .read = pictures_read_images};
    if (a->shape.channels > 1)
        split.image[split.dims++] = a->shape.channels;
    split.image[split.dims++] = a->shape.height;
    split.image[split.dims++] = a->shape.width;
    return split;
}

static ls_status write_albums(const ls_import *import, album *albums, int splits,
                              const ls_text_list *classes, const char *path)
{
    ls_split_source split[SPLITS];
    const ls_text_list *sources[SPLITS];
    for (int k = 0; k < splits; k++) {
        split[k] = describe_split(&albums[k]);
        sources[k] = &albums[k].paths;
    }
    return ls_import_write(import, split, splits, classes->count, classes, sources, path);
}

/* Finds the folders of the splits: those of these names, else the folder itself. */
static ls_status find_folders(album *albums, const char *folder, int *splits)
{
    static const struct {
        const char *group, *name;
    } known[] = {
        {"train", "train"}, {"validation", "validation"}, {"validation", "val"}, {"test", "test"}};
    *splits = 0;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        album *a = &albums[*splits];
        const bool again = *splits > 0 && strcmp(a[-1].group, known[i].group) == 0;
        ls_status status = again ? LS_OK : ls_path(a->folder, folder, "/", known[i].name);
        if (status != LS_OK)
            return status;
        if (again || !is_folder(a->folder))
            continue;
        a->group = known[i].group;
        ++*splits;
    }
    if (*splits > 0 && strcmp(albums->group, "train") == 0)
        return LS_OK;
    *splits = 1;
    albums->group = "train";
    return ls_path(albums->folder, folder, NULL, NULL);
}

/* Tells the user of files that are left out. */
static void note_others(const ls_import *import, const album *albums, int splits)
{
    char text[LS_PATH_MAX + 96];
    const char *first = NULL;
    int64_t others = 0;
    for (int k = 0; k < splits; k++) {
        first = others == 0 ? albums[k].first : first;
        others += albums[k].others;
    }
    if (others == 0 || import->note == NULL)
        return;
    snprintf(text, sizeof text, "%s of other kinds than PNG left out: %s%s",
             ls_counted(others, "file").text, first, others > 1 ? ", ..." : "");
    import->note(import->user, text);
}

ls_status ls_import_pictures(const ls_import *import, const char *folder, int64_t height,
                             int64_t width, const char *path)
{
    album *albums = ls_alloc(SPLITS, sizeof *albums);
    ls_text_list classes = {0};
    ls_picture shape = {.height = height, .width = width};
    int splits = 0;
    if (albums == NULL)
        return LS_ERR_FAILURE;
    ls_status status =
        import->classes == 0
            ? find_folders(albums, folder, &splits)
            : ls_fail(LS_ERR_USAGE, "the folders are the classes: leave out --classes");
    for (int k = 0; status == LS_OK && k < splits; k++) {
        const bool test = strcmp(albums[k].group, "test") == 0;
        const int64_t limit = test ? import->limit_test : k == 0 ? import->limit : 0;
        status = open_album(&albums[k], limit, &classes);
    }
    if (status == LS_OK)
        status = find_shape(albums, splits, &shape);
    for (int k = 0; k < splits; k++)
        albums[k].shape = shape;
    if (status == LS_OK)
        status = write_albums(import, albums, splits, &classes, path);
    if (status == LS_OK)
        note_others(import, albums, splits);
    for (int k = 0; k < splits; k++) {
        ls_text_list_free(&albums[k].paths);
        ls_free(albums[k].label);
    }
    ls_free(albums);
    ls_text_list_free(&classes);
    return status;
}
