#include "base/show.h"
#include "cli/pictures_read.h"

#include <lockstep/digit.h>
#include <lockstep/picture.h>

#include <string.h>

ls_status ls_pictures_check_network(const ls_model_facts *facts, bool digit)
{
    const ls_shape in = facts->input;
    if (facts->element != LS_U8 || (in.channels != 1 && in.channels != 3) ||
        in.height * in.width < 2)
        return ls_fail(LS_ERR_DATA,
                       "%s: the network does not take pictures: it was trained on %s rows of "
                       "%s; predict rows of a data set with --data",
                       facts->path, ls_element_name(facts->element),
                       ls_sized(in.channels, in.height, in.width).text);
    if (digit && (in.channels != 1 || in.height != in.width || in.height < LS_DIGIT_MIN_SIDE ||
                  in.height > LS_DIGIT_MAX_SIDE))
        return ls_fail(LS_ERR_USAGE,
                       "--digit is for networks that take square grey pictures, such as MNIST's; "
                       "this one takes %s",
                       ls_sized(in.channels, in.height, in.width).text);
    return LS_OK;
}

/* Reorders [H][W][C] to [C][H][W]. */
static void to_planes(const ls_picture *picture, uint8_t *pixels)
{
    const int64_t plane = picture->height * picture->width;
    for (int64_t i = 0; i < plane; i++)
        for (int c = 0; c < picture->channels; c++)
            pixels[c * plane + i] = picture->pixels[i * picture->channels + c];
}

/* Makes a picture of the network's size of one of any size. */
static ls_status resize(const ls_picture *picture, ls_shape shape, bool digit, ls_picture *out)
{
    return digit ? ls_digit_prepare(picture, shape.height, out)
                 : ls_picture_resize(picture, shape.height, shape.width, out);
}

static double border_of(ls_shape shape, const uint8_t *pixels)
{
    const int64_t count = ls_picture_border_count(shape.channels, shape.height, shape.width);
    return (double)ls_picture_border_sum(pixels, shape.channels, shape.height, shape.width) /
           (double)count / UINT8_MAX;
}

ls_status ls_picture_fit(const char *path, ls_shape shape, bool digit, uint8_t *pixels,
                         ls_picture_changes *changes)
{
    ls_picture picture = {0}, fitted = {0};
    ls_status status = ls_picture_read(path, (int)shape.channels, &picture);
    if (status != LS_OK)
        return status;
    *changes = (ls_picture_changes){.resized = picture.height != shape.height ||
                                               picture.width != shape.width,
                                    .recoloured = picture.file_channels != picture.channels};
    status = resize(&picture, shape, digit, &fitted);
    if (status == LS_OK) {
        to_planes(&fitted, pixels);
        changes->border = border_of(shape, pixels);
    } else
        status = ls_fail(status, "%s: %s", path, ls_error_text());
    ls_picture_free(&picture);
    ls_picture_free(&fitted);
    return status;
}
