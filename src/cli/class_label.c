#include "cli/class_label.h"

#include "base/show.h"

#include <stdio.h>

enum {
    NAME = LS_CLASS_LABEL - LS_CLASS_COLUMNS - 8 /* bytes: leaves room for number and blanks */
};

static ls_class_text with_name(const char *const *names, int64_t k, const char *before,
                               const char *after)
{
    ls_class_text label;
    char readable[4 * NAME], name[NAME];
    const int length = snprintf(label.text, sizeof label.text, "%lld", (long long)k);
    if (names == NULL)
        return label;
    ls_label(names[k], readable, sizeof readable);
    ls_cut(readable, LS_CLASS_COLUMNS - length - 1, name, sizeof name);
    snprintf(label.text + length, sizeof label.text - (size_t)length, "%s%s%s", before, name,
             after);
    return label;
}

ls_class_text ls_class_label(const char *const *names, int64_t k)
{
    return with_name(names, k, " ", "");
}

ls_class_text ls_class_words(const char *const *names, int64_t k)
{
    return with_name(names, k, " (", ")");
}

int ls_class_columns(const char *const *names, int64_t classes)
{
    int most = 0;
    for (int64_t k = names != NULL ? 0 : classes - 1; k < classes; k++) {
        const int columns = ls_text_columns(ls_class_label(names, k).text);
        most = columns > most ? columns : most;
    }
    return most;
}

ls_class_text ls_padded(const char *text, int columns)
{
    ls_class_text padded;
    const int blanks = columns - ls_text_columns(text);
    snprintf(padded.text, sizeof padded.text, "%s%*s", text, blanks > 0 ? blanks : 0, "");
    return padded;
}
