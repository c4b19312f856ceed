#include "data/class_names.h"

#include "base/integer.h"

#include <string.h>

static const char attribute[] = "class_names";

/* HDF5's limit of an attribute is 64 KiB with its header; a string of any length takes 16 bytes of
 * it. */
enum { MOST_BYTES = 64000, MOST_LONG = MOST_BYTES / 16 };

static size_t longest_name(const ls_text_list *names)
{
    size_t longest = 1;
    for (int64_t i = 0; i < names->count; i++)
        longest = strlen(names->text[i]) > longest ? strlen(names->text[i]) : longest;
    return longest;
}

/* Returns true if strings of the longest name's size fit. */
static bool fit_padded(const ls_text_list *names)
{
    return names->count == 0 || longest_name(names) <= MOST_BYTES / (size_t)names->count;
}

bool ls_class_names_fit(const ls_text_list *names)
{
    return names->count <= MOST_LONG || fit_padded(names);
}

ls_status ls_class_names_write(ls_h5 *file, const ls_text_list *names)
{
    const char *const *texts = (const char *const *)names->text;
    if (names->count == 0)
        return LS_OK;
    if (!ls_class_names_fit(names))
        return ls_fail(LS_ERR_DATA,
                       "the names of %lld classes, of up to %zu bytes, are too long: the number of "
                       "names must be %d or less, or this times the longest %d or less",
                       (long long)names->count, longest_name(names), MOST_LONG, MOST_BYTES);
    return (fit_padded(names) ? ls_h5_put_texts_of : ls_h5_put_long_texts_of)(
        file, "/", attribute, texts, ls_int(names->count));
}

ls_status ls_class_names_read(const ls_h5 *file, int64_t classes, ls_text_list *out)
{
    if (!ls_h5_has_attribute(file, attribute))
        return LS_OK;
    ls_status status = ls_h5_get_texts(file, attribute, out);
    if (status == LS_OK && out->count != classes)
        status =
            ls_fail(LS_ERR_DATA, "%s: attribute '%s' has %lld names, but there are %lld classes",
                    ls_h5_path(file), attribute, (long long)out->count, (long long)classes);
    return status;
}
