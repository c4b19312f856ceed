#include <lockstep/dataset.h>

#include "base/show.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { LISTED = 5, FEW = 10, MANY = 16 };

/* Gaps of a class: no rows; training rows, but no validation rows; only test rows; validation rows,
 * but no or hardly any training rows. */
typedef enum gap { NONE, ABSENT, NOT_VALIDATED, ONLY_TEST, ONLY_VALIDATION } gap;

/* Training rows per validation row, over all classes. */
static double train_per_validation(const ls_dataset_info *info)
{
    return (double)info->rows[LS_TRAIN] / (double)info->rows[LS_VALIDATION];
}

/* Returns true if a class has far fewer training rows than validation rows: less than a tenth of
 * them, and less than a tenth of its share at the ratio of all classes. */
static bool lacks_training_rows(const ls_dataset_info *info, int64_t train, int64_t validation)
{
    const double few = (double)train * FEW;
    return validation > 0 && few < (double)validation &&
           few < (double)validation * train_per_validation(info);
}

/* Returns true if rows were held out, but none of a class that has enough rows to expect some. */
static bool lacks_validation_rows(const ls_dataset_info *info, int64_t train, int64_t validation)
{
    return info->held_out && info->rows[LS_VALIDATION] > 0 && validation == 0 &&
           (double)train >= MANY * train_per_validation(info);
}

static gap find_gap(const ls_dataset_info *info, const int64_t *counts, int class)
{
    const int64_t *count = counts + class, classes = info->classes;
    const int64_t train = count[LS_TRAIN * classes];
    if (lacks_training_rows(info, train, count[LS_VALIDATION * classes]))
        return ONLY_VALIDATION;
    if (lacks_validation_rows(info, train, count[LS_VALIDATION * classes]))
        return NOT_VALIDATED;
    if (train > 0)
        return NONE;
    return count[LS_TEST * classes] > 0 ? ONLY_TEST : ABSENT;
}

static void append(char text[LS_CLASS_GAPS_TEXT], const char *format, ...) LS_PRINTF(2, 3);
static void append(char text[LS_CLASS_GAPS_TEXT], const char *format, ...)
{
    const size_t used = strlen(text);
    va_list args;
    va_start(args, format);
    vsnprintf(text + used, LS_CLASS_GAPS_TEXT - used, format, args);
    va_end(args);
}

/* Appends "3", or "3 (cat)" of a class with a name. */
static void append_class(const char *const *names, int k, const char *before,
                         char text[LS_CLASS_GAPS_TEXT])
{
    enum { COLUMNS = 24 };
    char name[4 * COLUMNS];
    append(text, "%s%d", before, k);
    if (names == NULL)
        return;
    ls_cut(names[k], COLUMNS, name, sizeof name);
    append(text, " (%s)", name);
}

/* Appends the classes with this gap, "classes 3, 4 and 17 more have no ROWS", or "hardly any ROWS"
 * if they have a few training rows. Returns false if no class has the gap.
 * what  ROWS */
static bool append_classes(const ls_dataset_info *info, const int64_t *counts,
                           const char *const *names, gap wanted, const char *what,
                           char text[LS_CLASS_GAPS_TEXT])
{
    int found = 0;
    int64_t rows = 0;
    for (int k = 0; k < info->classes; k++)
        if (find_gap(info, counts, k) == wanted) {
            found++;
            rows += counts[k];
        }
    if (found == 0)
        return false;
    append(text, "%s%s", *text != '\0' ? "; " : "", found == 1 ? "class" : "classes");
    const int listed = found > LISTED + 1 ? LISTED : found; /* "and 1 more" would not be shorter */
    for (int k = 0, at = 0; at < listed; k++)
        if (find_gap(info, counts, k) == wanted)
            append_class(names, k, at++ > 0 ? ", " : " ", text);
    if (found > listed)
        append(text, " and %d more", found - listed);
    append(text, " %s %s %s", found == 1 ? "has" : "have",
           rows > 0 && wanted == ONLY_VALIDATION ? "hardly any" : "no", what);
    return true;
}

void ls_class_gaps(const ls_dataset_info *info, const int64_t *counts, const char *const *names,
                   char text[LS_CLASS_GAPS_TEXT])
{
    *text = '\0';
    if (ls_dataset_by_step(info))
        return;
    bool sorted =
        append_classes(info, counts, names, ONLY_VALIDATION,
                       info->held_out ? "training rows besides those held out for validation"
                                      : "training rows, but some validation rows",
                       text);
    sorted = append_classes(info, counts, names, NOT_VALIDATED, "validation rows", text) || sorted;
    if (sorted && info->held_out)
        append(text, " (sorted by class? train with --hold-out stratified)");
    (void)append_classes(info, counts, names, ONLY_TEST, "training rows, but some test rows", text);
    if (append_classes(info, counts, names, ABSENT, "rows", text) && names == NULL &&
        find_gap(info, counts, 0) == ABSENT)
        append(text, " (labels count from 0)");
}
