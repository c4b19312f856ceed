#include "data/class_gaps.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { LISTED = 5, FEW = 10 };

/* What can be wrong with a class. */
typedef enum gap { NONE, ABSENT, UNSEEN_TEST, UNSEEN_VALIDATION } gap;

/* Whether a class has far fewer training rows than validation rows: less than a tenth of these, and
 * of what would be its part if they were shared out as those of all classes are. */
static bool lies_outside(const ls_dataset_info *info, int64_t train, int64_t validation)
{
    const double share = (double)info->rows[LS_TRAIN] / (double)info->rows[LS_VALIDATION];
    return validation > 0 && (double)train * FEW < (double)validation &&
           (double)train * FEW < (double)validation * share;
}

static gap gap_of(const ls_dataset_info *info, const int64_t *counts, int class)
{
    const int64_t *count = counts + class, classes = info->classes;
    const int64_t train = count[LS_TRAIN * classes];
    if (lies_outside(info, train, count[LS_VALIDATION * classes]))
        return UNSEEN_VALIDATION;
    if (train > 0)
        return NONE;
    return count[LS_TEST * classes] > 0 ? UNSEEN_TEST : ABSENT;
}

static void add(char text[LS_CLASS_GAPS_TEXT], const char *format, ...) LS_PRINTF(2, 3);
static void add(char text[LS_CLASS_GAPS_TEXT], const char *format, ...)
{
    const size_t used = strlen(text);
    va_list args;
    va_start(args, format);
    vsnprintf(text + used, LS_CLASS_GAPS_TEXT - used, format, args);
    va_end(args);
}

/* Adds "classes 3, 4 and 17 more have" of those with this gap, and what they have; false if there
 * are none. */
static bool add_classes(const ls_dataset_info *info, const int64_t *counts, gap wanted,
                        const char *what, char text[LS_CLASS_GAPS_TEXT])
{
    int found = 0;
    int64_t rows = 0;
    for (int k = 0; k < info->classes; k++)
        if (gap_of(info, counts, k) == wanted) {
            found++;
            rows += counts[k];
        }
    if (found == 0)
        return false;
    add(text, "%s%s", *text != '\0' ? "; " : "", found == 1 ? "class" : "classes");
    const int listed = found > LISTED + 1 ? LISTED : found; /* "and 1 more" is no shorter */
    for (int k = 0, at = 0; at < listed; k++)
        if (gap_of(info, counts, k) == wanted)
            add(text, "%s %d", at++ > 0 ? "," : "", k);
    if (found > listed)
        add(text, " and %d more", found - listed);
    add(text, " %s %s %s", found == 1 ? "has" : "have", rows > 0 ? "hardly any" : "no", what);
    return true;
}

void ls_class_gaps(const ls_dataset_info *info, const int64_t *counts,
                   char text[LS_CLASS_GAPS_TEXT])
{
    *text = '\0';
    (void)add_classes(info, counts, UNSEEN_VALIDATION,
                      info->held_out ? "training rows beside those held out for validation (sorted "
                                       "by class?): train with --hold-out stratified"
                                     : "training rows, but validation rows",
                      text);
    (void)add_classes(info, counts, UNSEEN_TEST, "training rows, but test rows", text);
    if (add_classes(info, counts, ABSENT, "rows", text) && gap_of(info, counts, 0) == ABSENT)
        add(text, " (labels count from 0)");
}
