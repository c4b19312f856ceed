/* Classes without enough training or validation rows. */
#ifndef LS_DATA_CLASS_GAPS_H
#define LS_DATA_CLASS_GAPS_H

#include <stdint.h>

#include <lockstep/dataset.h>

enum { LS_CLASS_GAPS_TEXT = 512 };

/* Describes gaps in one line, with a remedy: classes with no or hardly any training rows but with
 * validation or test rows; classes of many rows, none of them held out; classes without rows.
 * Local.
 * counts  [LS_SPLITS][info->classes] rows of each class; zeros for a split that was not counted
 * text    on return the line, "" if there are no gaps */
void ls_class_gaps(const ls_dataset_info *info, const int64_t *counts,
                   char text[LS_CLASS_GAPS_TEXT]);

#endif
