#include "base/text_list.h"

#include "base/file.h"
#include "base/memory.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST_ROOM = 16, FILE_MOST = 1 << 20 };

static ls_status make_room(ls_text_list *list)
{
    if (list->count < list->room)
        return LS_OK;
    const int64_t room = list->room > 0 ? 2 * list->room : LEAST_ROOM;
    char **larger = ls_alloc(room, sizeof *larger);
    if (larger == NULL)
        return LS_ERR_FAILURE;
    if (list->count > 0)
        memcpy(larger, list->text, (size_t)list->count * sizeof *larger);
    ls_free(list->text);
    list->text = larger;
    list->room = room;
    return LS_OK;
}

/* Returns the place of the first text that is not below `text`. */
static int64_t find_place(const ls_text_list *list, const char *text)
{
    int64_t first = 0, count = list->count;
    while (count > 0) {
        const int64_t half = count / 2;
        const bool below = strcmp(list->text[first + half], text) < 0;
        first = below ? first + half + 1 : first;
        count = below ? count - half - 1 : half;
    }
    return first;
}

static ls_status insert_at(ls_text_list *list, int64_t at, const char *text)
{
    ls_status status = make_room(list);
    char *copy = status == LS_OK ? ls_strdup(text) : NULL;
    if (copy == NULL)
        return LS_ERR_FAILURE;
    memmove(list->text + at + 1, list->text + at, (size_t)(list->count - at) * sizeof *list->text);
    list->text[at] = copy;
    list->count++;
    return LS_OK;
}

ls_status ls_text_list_add(ls_text_list *list, const char *text)
{
    return insert_at(list, list->count, text);
}

ls_status ls_text_list_append(ls_text_list *list, const ls_text_list *other)
{
    ls_status status = LS_OK;
    for (int64_t i = 0; status == LS_OK && i < other->count; i++)
        status = ls_text_list_add(list, other->text[i]);
    return status;
}

ls_status ls_text_list_insert(ls_text_list *list, const char *text)
{
    const int64_t at = find_place(list, text);
    if (at < list->count && strcmp(list->text[at], text) == 0)
        return LS_OK;
    return insert_at(list, at, text);
}

static int text_list_compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void ls_text_list_sort(ls_text_list *list)
{
    if (list->count > 0)
        qsort(list->text, (size_t)list->count, sizeof *list->text, text_list_compare);
}

int64_t ls_text_list_find(const ls_text_list *list, const char *text)
{
    const int64_t at = find_place(list, text);
    return at < list->count && strcmp(list->text[at], text) == 0 ? at : -1;
}

int64_t ls_text_list_differ(const ls_text_list *a, const ls_text_list *b)
{
    for (int64_t k = 0; k < a->count && k < b->count; k++)
        if (strcmp(a->text[k], b->text[k]) != 0)
            return k;
    return -1;
}

/* Appends the parts of a text between separators, without white space around them. The text is cut
 * into pieces. */
static ls_status add_parts(ls_text_list *list, char *text, char separator, bool blank)
{
    ls_status status = LS_OK;
    for (char *at = text, *next = NULL; status == LS_OK && at != NULL; at = next) {
        char *end = strchr(at, separator);
        next = end != NULL ? end + 1 : NULL;
        end = end != NULL ? end : at + strlen(at);
        while (end > at && isspace((unsigned char)end[-1]))
            end--;
        *end = '\0';
        while (isspace((unsigned char)*at))
            at++;
        if (*at != '\0' || blank)
            status = ls_text_list_add(list, at);
    }
    return status;
}

ls_status ls_text_list_read(ls_text_list *list, const char *path)
{
    char *text = NULL;
    size_t length = 0;
    ls_status status = ls_read_file(path, FILE_MOST, LS_ERR_DATA, &text, &length);
    if (status == LS_OK && memchr(text, '\0', length) != NULL)
        status = ls_fail(LS_ERR_DATA, "%s: not a text file", path);
    if (status == LS_OK)
        status = add_parts(list, text, '\n', false);
    ls_free(text);
    return status;
}

ls_status ls_text_list_split(ls_text_list *list, const char *text)
{
    char *copy = ls_strdup(text);
    ls_status status = copy != NULL ? add_parts(list, copy, ',', true) : LS_ERR_FAILURE;
    ls_free(copy);
    return status;
}

void ls_text_list_free(ls_text_list *list)
{
    for (int64_t i = 0; i < list->count; i++)
        ls_free(list->text[i]);
    ls_free(list->text);
    *list = (ls_text_list){0};
}
