#include "data/vocabulary.h"

#include "base/integer.h"

#include <lockstep/dataset.h>

static const char name[] = "vocabulary"; /* of the dataset and the attribute */

ls_status ls_vocabulary_write(ls_h5 *file, const ls_text_list *texts)
{
    return texts->count == 0 ? LS_OK
                             : ls_h5_write_texts(file, name, (const char *const *)texts->text,
                                                 ls_int(texts->count));
}

ls_status ls_vocabulary_read(const ls_h5 *file, ls_text_list *out, int *tokens)
{
    int64_t number = 0;
    const bool texts = ls_h5_has(file, name), given = ls_h5_has_attribute(file, name);
    ls_status status = texts ? ls_h5_read_texts(file, name, out) : LS_OK;
    if (status == LS_OK && given)
        status = ls_h5_get_int(file, name, &number);
    *tokens = 0;
    if (status != LS_OK)
        return status;
    if (given && (number < 1 || number > LS_MAX_VOCABULARY))
        return ls_fail(LS_ERR_DATA, "%s: attribute %s is %lld, expected 1 to %d", ls_h5_path(file),
                       name, (long long)number, LS_MAX_VOCABULARY);
    if (texts && given && out->count != number)
        return ls_fail(LS_ERR_DATA, "%s: '/%s' has %lld texts, but the attribute says %lld tokens",
                       ls_h5_path(file), name, (long long)out->count, (long long)number);
    *tokens = (int)(texts ? out->count : number);
    return LS_OK;
}
