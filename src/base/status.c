#include <lockstep/status.h>

#include "base/show.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local char error_text[LS_ERROR_TEXT_MAX];

ls_status ls_fail(ls_status code, const char *format, ...)
{
    assert(code != LS_OK);
    /* Formatted into a separate buffer: an argument may be the current error text. */
    char text[16 * LS_ERROR_TEXT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    /* A text that is too long loses its middle: paths may be long, and the reason is at the end. */
    const size_t length = strlen(text), half = LS_ERROR_TEXT_MAX / 2 - 2;
    if (length < LS_ERROR_TEXT_MAX)
        memcpy(error_text, text, length + 1);
    else
        snprintf(error_text, sizeof error_text, "%.*s...%s", (int)half, text, text + length - half);
    ls_clean(error_text); /* one line, even if a file name or a library's message has line breaks */
    return code;
}

const char *ls_error_text(void)
{
    return error_text;
}

const char *ls_status_meaning(ls_status status)
{
    switch (status) {
#define LS_STATUS_CASE(name, value, text)                                                          \
    case name:                                                                                     \
        return text;
        LS_STATUS_LIST(LS_STATUS_CASE)
#undef LS_STATUS_CASE
    }
    return "unknown status";
}
