#include "data/vocabulary.h"

#include "base/integer.h"

ls_status ls_vocabulary_write(ls_h5 *file, const ls_text_list *texts)
{
    return texts->count == 0
               ? LS_OK
               : ls_h5_write_texts(file, "vocabulary", (const char *const *)texts->text,
                                   ls_int(texts->count));
}
