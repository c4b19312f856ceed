#include "sources/csv.h"

#include "base/memory.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <zlib.h>

enum { PIECE = 1 << 18, MOST_BYTES = 64 << 20, MOST_FIELDS = 1 << 20, END = -1 };

struct ls_csv {
    gzFile file;
    char *path;
    char separator;
    unsigned char *piece; /* [PIECE] bytes of the file: length of them, next is unread */
    int length, next;
    int64_t line;            /* of the next byte, from 1 */
    char *text;              /* [text_room] the record's fields, each with a zero at its end */
    int64_t used, text_room; /* bytes */
    int64_t *field;          /* [field_room] offsets in the text */
    int64_t fields, field_room;
    int64_t record_line;
};

static ls_status fail_at(const ls_csv *csv, int64_t line, const char *what)
{
    return ls_fail(LS_ERR_DATA, "%s: line %lld: %s", csv->path, (long long)line, what);
}

/* Reads the next piece of the file; at its end none. */
static ls_status read_piece(ls_csv *csv)
{
    int code;
    csv->next = 0;
    csv->length = gzread(csv->file, csv->piece, PIECE);
    const char *reason = gzerror(csv->file, &code);
    if (csv->length >= 0 && (code == Z_OK || code == Z_STREAM_END))
        return LS_OK;
    csv->length = 0;
    if (code == Z_BUF_ERROR)
        return ls_fail(LS_ERR_DATA, "%s: truncated: ends too early", csv->path);
    return ls_fail(LS_ERR_DATA, "%s: can't read: %s", csv->path,
                   code == Z_ERRNO ? strerror(errno) : reason);
}

/* Returns the next byte of the file without consuming it, END at its end. */
static ls_status peek(ls_csv *csv, int *out)
{
    ls_status status = csv->next == csv->length ? read_piece(csv) : LS_OK;
    *out = csv->next < csv->length ? csv->piece[csv->next] : END;
    return status;
}

static ls_status add_byte(ls_csv *csv, int byte)
{
    if (csv->used == csv->text_room) {
        if (csv->used >= MOST_BYTES)
            return fail_at(csv, csv->record_line, "a record of more than 64 MiB");
        ls_status status = ls_grow(&csv->text, csv->used, &csv->text_room, 1);
        if (status != LS_OK)
            return status;
    }
    csv->text[csv->used++] = (char)byte;
    return LS_OK;
}

static ls_status begin_field(ls_csv *csv)
{
    if (csv->fields == csv->field_room) {
        if (csv->fields >= MOST_FIELDS)
            return fail_at(csv, csv->record_line, "a record of more than 1048576 fields");
        ls_status status = ls_grow(&csv->field, csv->fields, &csv->field_room, sizeof *csv->field);
        if (status != LS_OK)
            return status;
    }
    csv->field[csv->fields++] = csv->used;
    return LS_OK;
}

/* Reads a quoted field, from its first quote to its last. */
static ls_status read_quoted(ls_csv *csv)
{
    const int64_t begin = csv->line;
    int byte;
    csv->next++;
    for (;;) {
        ls_status status = peek(csv, &byte);
        if (status == LS_OK && byte == END)
            status = fail_at(csv, begin, "a quote that is not closed");
        if (status != LS_OK)
            return status;
        csv->next++;
        csv->line += byte == '\n';
        if (byte == '"') {
            status = peek(csv, &byte);
            if (status != LS_OK || byte != '"')
                return status;
            csv->next++;
        }
        if (byte == '\0')
            return fail_at(csv, csv->line, "a zero byte: not a text file");
        status = add_byte(csv, byte);
        if (status != LS_OK)
            return status;
    }
}

/* Reads the rest of a field, up to a separator, a line end or the end of the file. */
static ls_status read_plain(ls_csv *csv, bool quoted)
{
    int byte;
    for (;;) {
        ls_status status = peek(csv, &byte);
        if (status != LS_OK || byte == END || byte == '\n' || byte == csv->separator)
            return status;
        if (byte == '\0')
            return fail_at(csv, csv->line, "a zero byte: not a text file");
        csv->next++;
        if (byte == '\r') {
            int after;
            status = peek(csv, &after);
            if (status != LS_OK || after == '\n' || after == END)
                return status;
        }
        if (quoted && byte != ' ' && byte != '\t')
            return fail_at(csv, csv->line, "text behind a closing quote");
        if (!quoted)
            status = add_byte(csv, byte);
        if (status != LS_OK)
            return status;
    }
}

static ls_status read_field(ls_csv *csv)
{
    int byte;
    ls_status status = begin_field(csv);
    if (status == LS_OK)
        status = peek(csv, &byte);
    const bool quoted = status == LS_OK && byte == '"';
    if (quoted)
        status = read_quoted(csv);
    if (status == LS_OK)
        status = read_plain(csv, quoted);
    return status == LS_OK ? add_byte(csv, '\0') : status;
}

/* Consumes line ends before a record. */
static ls_status skip_blank_lines(ls_csv *csv, int *byte)
{
    ls_status status = peek(csv, byte);
    while (status == LS_OK && (*byte == '\n' || *byte == '\r')) {
        csv->line += *byte == '\n';
        csv->next++;
        status = peek(csv, byte);
    }
    return status;
}

ls_status ls_csv_next(ls_csv *csv, bool *end)
{
    int byte;
    csv->used = csv->fields = 0;
    ls_status status = skip_blank_lines(csv, &byte);
    csv->record_line = csv->line;
    *end = status == LS_OK && byte == END;
    while (status == LS_OK && !*end) {
        status = read_field(csv);
        if (status == LS_OK)
            status = peek(csv, &byte);
        if (status != LS_OK || byte == END)
            break;
        csv->next++; /* a separator or a line end */
        csv->line += byte == '\n';
        if (byte == '\n')
            break;
    }
    return status;
}

/* Skips the byte order mark that some programs write, and chooses the separator. */
static ls_status begin_file(ls_csv *csv)
{
    csv->line = 1;
    ls_status status = read_piece(csv);
    if (status != LS_OK)
        return status;
    if (csv->length >= 3 && memcmp(csv->piece, "\xef\xbb\xbf", 3) == 0)
        csv->next = 3;
    csv->separator = ',';
    bool quoted = false;
    for (int i = csv->next; i < csv->length && (quoted || csv->piece[i] != '\n'); i++) {
        const int byte = csv->piece[i];
        quoted = byte == '"' ? !quoted : quoted;
        if (!quoted && (byte == ',' || byte == ';' || byte == '\t')) {
            csv->separator = (char)byte;
            break;
        }
    }
    return LS_OK;
}

ls_status ls_csv_rewind(ls_csv *csv)
{
    if (gzrewind(csv->file) != 0)
        return ls_fail(LS_ERR_DATA, "%s: can't be read twice, as a pipe", csv->path);
    return begin_file(csv);
}

ls_status ls_csv_open(ls_csv **out, const char *path)
{
    ls_csv *csv = ls_alloc(1, sizeof *csv);
    if (csv == NULL)
        return LS_ERR_FAILURE;
    ls_status status = LS_OK;
    csv->path = ls_strdup(path);
    csv->piece = csv->path != NULL ? ls_alloc(PIECE, 1) : NULL;
    errno = 0;
    if (csv->piece == NULL)
        status = LS_ERR_FAILURE;
    else if ((csv->file = gzopen(path, "rbe")) == NULL)
        status = ls_fail(LS_ERR_DATA, "%s: can't open: %s", path,
                         errno != 0 ? strerror(errno) : "out of memory");
    else if (gzbuffer(csv->file, PIECE) == 0)
        status = begin_file(csv);
    if (status != LS_OK) {
        ls_csv_close(&csv);
        return status;
    }
    *out = csv;
    return LS_OK;
}

const char *ls_csv_path(const ls_csv *csv)
{
    return csv->path;
}

int64_t ls_csv_fields(const ls_csv *csv)
{
    return csv->fields;
}

const char *ls_csv_field(const ls_csv *csv, int64_t at)
{
    assert(at >= 0 && at < csv->fields);
    return csv->text + csv->field[at];
}

int64_t ls_csv_line(const ls_csv *csv)
{
    return csv->record_line;
}

void ls_csv_close(ls_csv **csv)
{
    if (csv == NULL || *csv == NULL)
        return;
    if ((*csv)->file != NULL)
        gzclose_r((*csv)->file);
    ls_free((*csv)->path);
    ls_free((*csv)->piece);
    ls_free((*csv)->text);
    ls_free((*csv)->field);
    ls_free(*csv);
    *csv = NULL;
}
