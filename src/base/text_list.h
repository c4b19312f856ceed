/* Growing lists of texts: names of classes, of files, of columns. All functions are Local. */
#ifndef LS_BASE_TEXT_LIST_H
#define LS_BASE_TEXT_LIST_H

#include <stdint.h>

#include <lockstep/status.h>

/* Zeroed: an empty list. */
typedef struct ls_text_list {
    char **text; /* [count], owned */
    int64_t count, room;
} ls_text_list;

/* Appends a copy of a text. Errors: LS_ERR_FAILURE if memory is short. */
ls_status ls_text_list_add(ls_text_list *list, const char *text) LS_MUST_CHECK;

/* Appends copies of the texts of another list. Errors: LS_ERR_FAILURE if memory is short. */
ls_status ls_text_list_append(ls_text_list *list, const ls_text_list *other) LS_MUST_CHECK;

/* Inserts a copy of a text into a sorted list, unless it is there.
 * Errors: LS_ERR_FAILURE if memory is short. */
ls_status ls_text_list_insert(ls_text_list *list, const char *text) LS_MUST_CHECK;

/* Sorts the texts by their bytes. */
void ls_text_list_sort(ls_text_list *list);

/* Returns the place of a text in a sorted list, -1 if it is not there. */
int64_t ls_text_list_find(const ls_text_list *list, const char *text);

/* Returns the first place where two lists have different texts; -1: there is none, as if a list is
 * empty. */
int64_t ls_text_list_differ(const ls_text_list *a, const ls_text_list *b);

/* Appends the lines of a text file of at most 1 MiB, without white space at their ends; blank lines
 * are left out.
 * Errors: LS_ERR_DATA if the file can't be read or is too large; LS_ERR_FAILURE. */
ls_status ls_text_list_read(ls_text_list *list, const char *path) LS_MUST_CHECK;

/* Appends the parts of a text between commas, without blanks around them.
 * Errors: LS_ERR_FAILURE if memory is short. */
ls_status ls_text_list_split(ls_text_list *list, const char *text) LS_MUST_CHECK;

/* Frees all texts; the list is empty afterwards. */
void ls_text_list_free(ls_text_list *list);

#endif
