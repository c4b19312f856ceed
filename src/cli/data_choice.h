/* The options with which commands choose the rows of a data set, as for train. */
#ifndef LS_CLI_DATA_CHOICE_H
#define LS_CLI_DATA_CHOICE_H

#include <lockstep/dataset.h>

/* Texts are "" if they are not given. A command that lacks an option leaves its text NULL. */
typedef struct ls_data_choice {
    const char *inputs, *targets, *lengths, *test_data, *test_rows, *split, *fold;
    bool padded; /* --padding is given */
    int64_t padding;
    int layout; /* of ls_layout_order; LS_LAYOUT_AUTO: not given */
    int order;  /* of ls_order; LS_ORDER_AUTO: not given */
} ls_data_choice;

/* Replaces the options that are given: selected datasets, how long rows are, the layout, and where
 * test rows come from. Local. */
void ls_data_choose(ls_dataset_options *options, const ls_data_choice *choice);

#endif
