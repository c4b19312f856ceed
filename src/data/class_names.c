#include "data/class_names.h"

#include "base/integer.h"

#include <string.h>

static const char attribute[] = "class_names";

ls_status ls_class_names_write(ls_h5 *file, const ls_text_list *names)
{
    enum { MOST_BYTES = 64000 }; /* HDF5's limit of an attribute is 64 KiB with its header */
    size_t longest = 1;
    if (names->count == 0)
        return LS_OK;
    for (int64_t i = 0; i < names->count; i++)
        longest = strlen(names->text[i]) > longest ? strlen(names->text[i]) : longest;
    if (longest > MOST_BYTES / (size_t)names->count)
        return ls_fail(LS_ERR_DATA,
                       "the names of %lld classes, of up to %zu bytes, are too long: their number "
                       "times the longest must be %d or less",
                       (long long)names->count, longest, MOST_BYTES);
    return ls_h5_put_texts_of(file, "/", attribute, (const char *const *)names->text,
                              ls_int(names->count));
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
