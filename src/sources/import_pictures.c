/* Folders of pictures: a folder for each class. */
#include <lockstep/import.h>
#include <lockstep/picture.h>

#include "data/samples.h"
#include "sources/class_folders.h"
#include "sources/import_common.h"

#include <string.h>
#include <strings.h>

/* A split: the pictures of all classes, in order. */
typedef struct album {
    const ls_class_folder *files;
    ls_picture shape; /* of the images: without pixels */
    int64_t next;
} album;

static bool is_png(const char *name)
{
    const size_t length = strlen(name);
    return length > 4 && strcasecmp(name + length - 4, ".png") == 0;
}

static const ls_file_kind png_files = {.name = "PNG", .is_wanted = is_png};

/* Determines the shape of the images from all files.
 * shape  with a size: files may have any */
static ls_status find_shape(const ls_class_folders *files, ls_picture *shape)
{
    const char *first = files->split->paths.text[0];
    const bool any = shape->height > 0;
    ls_picture found;
    shape->channels = 1;
    for (int k = 0; k < files->splits; k++)
        for (int64_t i = 0; i < files->split[k].paths.count; i++) {
            const char *path = files->split[k].paths.text[i];
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
        status = read_picture(a, a->files->paths.text[a->next++], (uint8_t *)pixels + i * bytes);
    return status;
}

static ls_split_source describe_split(album *a)
{
    ls_split_source split = {.group = a->files->group,
                             .rows = a->files->rows,
                             .label = a->files->label,
                             .source = a,
                             .read = pictures_read_images};
    if (a->shape.channels > 1)
        split.image[split.dims++] = a->shape.channels;
    split.image[split.dims++] = a->shape.height;
    split.image[split.dims++] = a->shape.width;
    return split;
}

static ls_status write_albums(const ls_import *import, const ls_class_folders *files,
                              const ls_picture *shape, const char *path)
{
    album albums[LS_FOLDER_SPLITS];
    ls_split_source split[LS_FOLDER_SPLITS];
    const ls_text_list *sources[LS_FOLDER_SPLITS];
    for (int k = 0; k < files->splits; k++) {
        albums[k] = (album){.files = &files->split[k], .shape = *shape};
        split[k] = describe_split(&albums[k]);
        sources[k] = &files->split[k].paths;
    }
    return ls_import_write(import, split, files->splits, files->classes.count, &files->classes,
                           sources, path);
}

ls_status ls_import_pictures(const ls_import *import, const char *folder, int64_t height,
                             int64_t width, const char *path)
{
    ls_class_folders *files = NULL;
    ls_picture shape = {.height = height, .width = width};
    ls_status status = ls_class_folders_list(&files, import, folder, &png_files);
    if (status == LS_OK)
        status = find_shape(files, &shape);
    if (status == LS_OK)
        status = write_albums(import, files, &shape, path);
    if (status == LS_OK)
        ls_class_folders_note(files, import, &png_files);
    ls_class_folders_free(&files);
    return status;
}
