#include "cli/markdown.h"

#include "base/memory.h"
#include "cli/console.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

enum { COLUMNS = 8, WIDEST = 28 }; /* of a table; columns of text in all but its last column */

typedef struct page {
    FILE *out;
    char *paragraph; /* the lines so far, joined; room for the whole page */
    bool code;
    bool rows;          /* the line before is a row of a table */
    int width[COLUMNS]; /* of the table */
} page;

/* Returns the columns of a text. */
static int width_of(const char *text)
{
    int count = 0;
    for (; *text != '\0'; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

/* Removes the marks of code, emphasis and links, in place; inside code only those of code. */
static void remove_marks(char *text)
{
    char *to = text;
    bool code = false;
    for (const char *at = text; *at != '\0'; at++) {
        const char *target = !code && *at == ']' && at[1] == '(' ? strchr(at, ')') : NULL;
        const bool linked = !code && *at == '[' && strstr(at, "](") != NULL &&
                            strcspn(at + 1, "[]") == (size_t)(strstr(at, "](") - at - 1);
        code = code != (*at == '`');
        if (target != NULL)
            at = target;
        else if (*at == '\\' && at[1] == '|')
            *to++ = *++at;
        else if (*at != '`' && !linked && (code || *at != '*'))
            *to++ = *at;
    }
    *to = '\0';
}

/* Prints the paragraph that has been collected. */
static void end_paragraph(page *p)
{
    remove_marks(p->paragraph);
    if (*p->paragraph != '\0')
        ls_print(p->out, "  %s\n", p->paragraph);
    *p->paragraph = '\0';
}

static void add_to_paragraph(page *p, const char *line)
{
    strcat(p->paragraph, *p->paragraph != '\0' ? " " : "");
    strcat(p->paragraph, line);
}

static void print_heading(page *p, char *line)
{
    const size_t level = strspn(line, "#");
    char *text = line + level + strspn(line + level, " ");
    for (char *c = text; level < 3 && *c != '\0'; c++)
        *c = (char)toupper((unsigned char)*c);
    remove_marks(text);
    ls_print(p->out, "%s\n", text);
}

/* Cuts the next cell off a row of a table. Returns NULL past the last. */
static char *next_cell(char **row)
{
    char *cell = *row + strspn(*row, "| "), *end = cell;
    if (*cell == '\0')
        return NULL;
    while (*end != '\0' && !(*end == '|' && end[-1] != '\\'))
        end++;
    *row = end + (*end != '\0');
    *end = '\0';
    while (end > cell && end[-1] == ' ')
        *--end = '\0';
    remove_marks(cell);
    return cell;
}

/* Measures the columns of the table whose rows begin here. */
static void measure_table(page *p, const char *text)
{
    memset(p->width, 0, sizeof p->width);
    while (*text == '|') {
        const size_t length = strcspn(text, "\n");
        char *line = ls_alloc((int64_t)length + 1, 1), *row = line, *cell;
        if (line != NULL)
            memcpy(line, text, length);
        for (int i = 0; line != NULL && i < COLUMNS && (cell = next_cell(&row)) != NULL; i++) {
            const int width = strncmp(cell, "---", 3) == 0 ? 0 : width_of(cell);
            p->width[i] = width > p->width[i] ? width : p->width[i];
            p->width[i] = p->width[i] < WIDEST ? p->width[i] : WIDEST;
        }
        ls_free(line);
        text += length + (text[length] != '\0');
    }
}

static void print_row(page *p, char *row)
{
    char *cell = next_cell(&row);
    if (cell == NULL || strncmp(cell, "---", 3) == 0)
        return;
    for (int i = 0; cell != NULL && i < COLUMNS; i++) {
        const int width = width_of(cell);
        char *next = next_cell(&row);
        ls_print(p->out, "  %s", cell);
        if (next != NULL && width < p->width[i])
            ls_print(p->out, "%*s", p->width[i] - width, "");
        cell = next;
    }
    ls_print(p->out, "\n");
}

/* Prints a line, or adds it to the paragraph.
 * rest  the page from this line on */
static void put_line(page *p, char *line, const char *rest)
{
    const bool row = !p->code && *line == '|', fence = strncmp(line, "```", 3) == 0;
    if (row && !p->rows)
        measure_table(p, rest);
    p->rows = row;
    if (!p->code && (fence || row || *line == '\0' || *line == '#' || strncmp(line, "- ", 2) == 0))
        end_paragraph(p);
    if (fence)
        p->code = !p->code;
    else if (p->code)
        ls_print(p->out, *line != '\0' ? "    %s\n" : "%s\n", line);
    else if (row)
        print_row(p, line);
    else if (*line == '#')
        print_heading(p, line);
    else if (*line == '\0')
        ls_print(p->out, "\n");
    else if (strncmp(line, "- ", 2) == 0) {
        add_to_paragraph(p, "- "); /* two blanks: the item is a column */
        add_to_paragraph(p, line + 2);
    } else
        add_to_paragraph(p, line + (strncmp(line, "  ", 2) == 0 ? 2 : 0));
}

ls_status ls_markdown_print(const char *text, size_t length, FILE *out)
{
    page p = {.out = out, .paragraph = ls_alloc((int64_t)length + 1, 1)};
    char *copy = ls_alloc((int64_t)length + 1, 1), *line = ls_alloc((int64_t)length + 1, 1);
    const bool enough = p.paragraph != NULL && copy != NULL && line != NULL;
    if (enough)
        memcpy(copy, text, length);
    for (const char *at = copy; enough && *at != '\0';) {
        const size_t bytes = strcspn(at, "\n");
        memcpy(line, at, bytes);
        line[bytes] = '\0';
        put_line(&p, line, at);
        at += bytes + (at[bytes] != '\0');
    }
    if (enough)
        end_paragraph(&p);
    ls_free(line);
    ls_free(copy);
    ls_free(p.paragraph);
    return enough ? LS_OK : LS_ERR_FAILURE;
}
