#include <lockstep/status.h>

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

static _Thread_local char error_text[LS_ERROR_TEXT_MAX];

ls_status ls_fail(ls_status code, const char *format, ...)
{
    assert(code != LS_OK);
    /* Formatted aside first: an argument may be the text of the failure before. */
    char text[LS_ERROR_TEXT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    /* One line, whatever a file name or a library's message held. */
    size_t i = 0;
    for (; text[i] != '\0'; i++)
        error_text[i] = (unsigned char)text[i] < ' ' ? ' ' : text[i];
    error_text[i] = '\0';
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
