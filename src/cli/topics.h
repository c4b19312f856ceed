/* The prose pages of the manual, embedded in the program as Markdown: see man/. */
#ifndef LS_CLI_TOPICS_H
#define LS_CLI_TOPICS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct ls_topic {
    const char *name;  /* "networks" */
    int section;       /* section of the manual, 5 or 7 */
    const char *title; /* one line */
    const char *text;  /* the page, `length` bytes of UTF-8 */
    size_t length;
} ls_topic;

/* Page number `at`. Returns false past the last one. Local. Borrowed, for good. */
bool ls_topic_at(int at, ls_topic *out);

#endif
