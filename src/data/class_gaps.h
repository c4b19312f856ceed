/* Classes that a network can't learn from the training rows there are. */
#ifndef LS_DATA_CLASS_GAPS_H
#define LS_DATA_CLASS_GAPS_H

#include <stdint.h>

#include <lockstep/dataset.h>

enum { LS_CLASS_GAPS_TEXT = 512 };

/* Describes in one line, with what to do: classes that have no training rows but validation or test
 * rows, or hardly any beside validation rows; classes of many rows none of which was held out; and
 * classes that have no rows at all. Local.
 * counts  [LS_SPLITS][info->classes] rows of each class; zeros for a split that was not looked at
 * text    "" if there are none */
void ls_class_gaps(const ls_dataset_info *info, const int64_t *counts,
                   char text[LS_CLASS_GAPS_TEXT]);

#endif
