#include "data/class_gaps.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { LISTED = 5, FEW = 10, MANY = 16 };

/* What can be wrong with a class: it has no rows; or training rows, but no validation rows; or
 * others, but no training rows. */
typedef enum gap { NONE, ABSENT, NOT_VALIDATED, ONLY_TEST, ONLY_VALIDATION } gap;

/* Of all classes, training rows for each validation row. */
static double ratio_of(const ls_dataset_info *info)
{
    return (double)info->rows[LS_TRAIN] / (double)info->rows[LS_VALIDATION];
}

/* Whether a class has far fewer training rows than validation rows: less than a tenth of these, and
 * of what would be its part if they were shared out as those of all classes are. */
static bool is_not_trained(const ls_dataset_info *info, int64_t train, int64_t validation)
{
    const double few = (double)train * FEW;
    return validation > 0 && few < (double)validation && few < (double)validation * ratio_of(info);
}

/* Whether rows were held out, none of a class, and not because there are so few of it. */
static bool is_not_validated(const ls_dataset_info *info, int64_t train, int64_t validation)
{
    return info->held_out && info->rows[LS_VALIDATION] > 0 && validation == 0 &&
           (double)train >= MANY * ratio_of(info);
}

static gap gap_of(const ls_dataset_info *info, const int64_t *counts, int class)
{
    const int64_t *count = counts + class, classes = info->classes;
    const int64_t train = count[LS_TRAIN * classes];
    if (is_not_trained(info, train, count[LS_VALIDATION * classes]))
        return ONLY_VALIDATION;
    if (is_not_validated(info, train, count[LS_VALIDATION * classes]))
        return NOT_VALIDATED;
    if (train > 0)
        return NONE;
    return count[LS_TEST * classes] > 0 ? ONLY_TEST : ABSENT;
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

/* Adds "classes 3, 4 and 17 more have no", or "hardly any" where they have some training rows all
 * the same, and what they lack, of those with this gap; false if there are none. */
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
    add(text, " %s %s %s", found == 1 ? "has" : "have",
        rows > 0 && wanted == ONLY_VALIDATION ? "hardly any" : "no", what);
    return true;
}

void ls_class_gaps(const ls_dataset_info *info, const int64_t *counts,
                   char text[LS_CLASS_GAPS_TEXT])
{
    *text = '\0';
    bool sorted = add_classes(info, counts, ONLY_VALIDATION,
                              info->held_out ? "training rows beside those held out for validation"
                                             : "training rows, but validation rows",
                              text);
    sorted = add_classes(info, counts, NOT_VALIDATED, "validation rows", text) || sorted;
    if (sorted && info->held_out)
        add(text, " (sorted by class? train with --hold-out stratified)");
    (void)add_classes(info, counts, ONLY_TEST, "training rows, but test rows", text);
    if (add_classes(info, counts, ABSENT, "rows", text) && gap_of(info, counts, 0) == ABSENT)
        add(text, " (labels count from 0)");
}
