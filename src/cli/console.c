#include "cli/console.h"

#include "cli/launcher.h"

#include "base/show.h"

#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { STREAMS = 2, USUAL_WIDTH = 80 };

/* The pending part of a line; one per thread, since the watchdog's thread prints, too. */
typedef struct line {
    char *text;
    size_t length;
} line;
static _Thread_local line waiting[STREAMS];

static bool drawn; /* a bar is on the terminal's current line */

static int number_of(FILE *out)
{
    return out == stderr;
}

/* Returns a descriptor of the terminal that shows this stream, -1 if none. */
static int terminal_of(FILE *out)
{
    enum { UNKNOWN = -2 };
    static int known[STREAMS] = {UNKNOWN, UNKNOWN};
    int *terminal = &known[number_of(out)];
    if (*terminal == UNKNOWN) {
        const char *kind = getenv("TERM");
        const bool dumb = kind == NULL || *kind == '\0' || strcmp(kind, "dumb") == 0;
        *terminal = dumb ? -1 : ls_launcher_terminal(fileno(out));
    }
    return *terminal;
}

int ls_console_width(FILE *out)
{
    struct winsize size;
    const int terminal = terminal_of(out);
    if (terminal < 0 || ioctl(terminal, TIOCGWINSZ, &size) != 0)
        return 0;
    return size.ws_col > 0 ? size.ws_col : USUAL_WIDTH;
}

/* Returns the columns of the first `bytes` of a text, counting each character as one column. */
static int columns(const char *text, size_t bytes)
{
    int count = 0;
    for (size_t i = 0; i < bytes; i++)
        count += ((unsigned char)text[i] & 0xc0) != 0x80;
    return count;
}

/* Returns the bytes before a line's second column, which two or more blanks separate from the
 * first; if there is none, of the line's indentation. */
static size_t second_column(const char *text)
{
    const size_t first = strspn(text, " ");
    const char *gap = strstr(text + first, "  ");
    return gap != NULL ? (size_t)(gap - text) + strspn(gap, " ") : first;
}

/* Returns the indentation of continuation lines: the start of the line's second column, after two
 * or more blanks, if there is enough room; else the line's own if it is that of a second column;
 * else a little. */
static int indentation(const char *text, int width)
{
    enum { LITTLE = 2 };
    const size_t first = strspn(text, " ");
    const int own = columns(text, first), at = columns(text, second_column(text));
    if (at >= LITTLE && at <= (first > LITTLE ? 3 * width / 5 : width / 2))
        return at;
    return own > LITTLE && own <= width / 2 ? own : LITTLE < width ? LITTLE : 0;
}

/* Returns the bytes of a text that fit into `room` columns and end before a blank; if the first
 * word is longer, its bytes: the terminal wraps it, and a copy of it stays in one piece. A line of
 * columns, which two blanks separate, is cut between columns if one ends in the second half.
 * least  a column after which it is cut begins behind this one */
static size_t fitting(const char *text, int room, int least)
{
    size_t fit = strspn(text, " "), column = 0;
    fit += strcspn(text + fit, " ");
    for (size_t next = fit; text[next] != '\0'; fit = next) {
        const size_t gap = strspn(text + next, " ");
        if (gap > 1 && columns(text, next) > room / 2 && columns(text, next + gap) > least)
            column = next;
        next += gap;
        next += strcspn(text + next, " ");
        if (columns(text, next) > room)
            break;
    }
    return column > 0 ? column : fit;
}

static void put_line(FILE *out, const char *text)
{
    const int width = ls_console_width(out);
    const int indent = width > 0 ? indentation(text, width) : 0;
    for (int before = 0; width > 0 && columns(text, strlen(text)) > width - before;
         before = indent) {
        const int least = before == 0 ? columns(text, second_column(text)) : 0;
        const size_t length = fitting(text, width - before, least);
        if (strspn(text + length, " ") == strlen(text + length))
            break; /* a single word */
        fprintf(out, "%.*s\n%*s", (int)length, text, indent, "");
        text += length + strspn(text + length, " ");
    }
    fprintf(out, "%s\n", text);
}

/* Prints a complete line, in place of the bar. */
static void end_line(FILE *out, line *l)
{
    if (out == stderr)
        ls_console_draw("");
    put_line(out, l->text != NULL ? l->text : "");
    free(l->text);
    *l = (line){0};
}

/* Appends to the pending line; drops the text when memory is short. */
static void append(line *l, const char *text, size_t length)
{
    char *longer = realloc(l->text, l->length + length + 1);
    if (longer == NULL)
        return;
    memcpy(longer + l->length, text, length);
    l->text = longer;
    l->length += length;
    longer[l->length] = '\0';
    ls_clean(longer);
}

void ls_print(FILE *out, const char *format, ...)
{
    line *l = &waiting[number_of(out)];
    const size_t before = strspn(format, "\n");
    size_t end = strlen(format), after = 0;
    while (end > before && format[end - 1] == '\n') {
        end--;
        after++;
    }
    assert(memchr(format + before, '\n', end - before) == NULL);
    for (size_t i = 0; i < before; i++)
        end_line(out, l);
    char *text = NULL;
    va_list args;
    va_start(args, format);
    const int length = vasprintf(&text, format, args);
    va_end(args);
    if (length >= 0)
        append(l, text + before, (size_t)length - before - after);
    free(length >= 0 ? text : NULL);
    for (size_t i = 0; i < after; i++)
        end_line(out, l);
}

void ls_console_draw(const char *bar)
{
    if (drawn || *bar != '\0')
        fprintf(stderr, "\r\033[K%s", bar);
    drawn = *bar != '\0';
}

void ls_print_json(FILE *out, const json_t *value)
{
    enum { DELETE = 0x7f, C1 = 0xc2 };
    char *text = json_dumps(value, JSON_COMPACT | JSON_REAL_PRECISION(9));
    for (const unsigned char *c = (unsigned char *)text; c != NULL && *c != '\0'; c++)
        if (*c == DELETE)
            fputs("\\u007F", out);
        else if (*c == C1 && c[1] < 0xa0)
            fprintf(out, "\\u%04X", *++c);
        else
            fputc(*c, out);
    fputc('\n', out);
    free(text);
}
