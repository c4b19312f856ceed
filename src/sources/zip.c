/* The format: PKWARE's APPNOTE.TXT. At the end of the file is the end record, which leads to the
 * central directory, an entry for each member; an entry leads to the member's local header, which
 * is followed by its content. */
#include "sources/zip.h"

#include "base/integer.h"
#include "base/memory.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

enum {
    PIECE = 1 << 16,
    END_BYTES = 22,
    END64_BYTES = 56,
    LOCATOR_BYTES = 20,
    ENTRY_BYTES = 46,
    LOCAL_BYTES = 30,
    COMMENT_MOST = UINT16_MAX,
    STORED = 0,
    DEFLATED = 8,
    ENCRYPTED = 1,
    DEFLATE_MOST = 1032, /* bytes that one byte of deflate can become */
    SLACK = 4096,
    MOST_MEMBERS = 1 << 16,
    EXTRA_64 = 1
};

typedef struct entry {
    char *name;
    int flags, method;
    uint32_t crc;
    int64_t packed, size, offset;
} entry;

struct ls_zip {
    char *path;
    int64_t file_size;
    entry *entries; /* [count] */
    int64_t count;
};

struct ls_member {
    FILE *file;
    char *name;
    int64_t left, packed; /* bytes to read: of the content, of the file */
    bool deflated, checked;
    uint32_t crc, wanted;
    z_stream inflater;
    unsigned char *piece; /* [PIECE] */
};

static uint64_t little(const unsigned char *b, int bytes)
{
    uint64_t value = 0;
    for (int i = bytes - 1; i >= 0; i--)
        value = value << 8 | b[i];
    return value;
}

static ls_status fail_damaged(const ls_zip *zip, const char *what)
{
    return ls_fail(LS_ERR_DATA, "%s: damaged ZIP file: %s", zip->path, what);
}

/* Reads bytes at an offset of the file. */
static ls_status read_at(const ls_zip *zip, FILE *file, int64_t offset, void *out, size_t bytes)
{
    if (offset < 0 || offset > zip->file_size - (int64_t)bytes)
        return fail_damaged(zip, "it ends too early");
    if (fseeko(file, offset, SEEK_SET) != 0 || fread(out, 1, bytes, file) != bytes)
        return fail_damaged(zip, "it can't be read");
    return LS_OK;
}

/* The place of the central directory. */
typedef struct directory {
    int64_t count, size, offset;
} directory;

/* Reads the end record of 64 bits, if there is a locator before the end record. */
static ls_status read_end64(const ls_zip *zip, FILE *file, int64_t end, directory *out)
{
    unsigned char locator[LOCATOR_BYTES], record[END64_BYTES];
    if (end < LOCATOR_BYTES)
        return LS_OK;
    ls_status status = read_at(zip, file, end - LOCATOR_BYTES, locator, sizeof locator);
    if (status != LS_OK || memcmp(locator, "PK\6\7", 4) != 0)
        return status;
    const uint64_t offset = little(locator + 8, 8);
    status = offset > INT64_MAX ? fail_damaged(zip, "its directory is nowhere")
                                : read_at(zip, file, (int64_t)offset, record, sizeof record);
    if (status == LS_OK && memcmp(record, "PK\6\6", 4) != 0)
        status = fail_damaged(zip, "its directory is nowhere");
    if (status == LS_OK)
        *out = (directory){(int64_t)little(record + 32, 8), (int64_t)little(record + 40, 8),
                           (int64_t)little(record + 48, 8)};
    return status;
}

/* Finds the end record, which may be followed by a comment. */
static ls_status find_directory(const ls_zip *zip, FILE *file, directory *out)
{
    const int64_t bytes = ls_min(zip->file_size, END_BYTES + COMMENT_MOST);
    unsigned char *tail = ls_alloc(bytes, 1);
    if (tail == NULL)
        return LS_ERR_FAILURE;
    ls_status status = read_at(zip, file, zip->file_size - bytes, tail, (size_t)bytes);
    int64_t at = bytes - END_BYTES;
    while (status == LS_OK && at >= 0 && memcmp(tail + at, "PK\5\6", 4) != 0)
        at--;
    if (status == LS_OK && at < 0)
        status = ls_fail(LS_ERR_DATA, "%s: not a ZIP file, or truncated", zip->path);
    if (status == LS_OK) {
        *out = (directory){(int64_t)little(tail + at + 10, 2), (int64_t)little(tail + at + 12, 4),
                           (int64_t)little(tail + at + 16, 4)};
        status = read_end64(zip, file, zip->file_size - bytes + at, out);
    }
    ls_free(tail);
    return status;
}

/* Takes numbers of 64 bits from an entry's extra field, where those of 32 bits are too small. */
static void read_extra(entry *e, const unsigned char *extra, int64_t bytes)
{
    int64_t *const fields[] = {&e->size, &e->packed, &e->offset};
    while (bytes >= 4) {
        const int64_t length = (int64_t)little(extra + 2, 2);
        if (length > bytes - 4)
            return;
        const unsigned char *value = extra + 4;
        for (int i = 0; little(extra, 2) == EXTRA_64 && i < 3; i++) {
            if (*fields[i] != UINT32_MAX || value + 8 > extra + 4 + length)
                continue;
            *fields[i] = (int64_t)little(value, 8);
            value += 8;
        }
        extra += 4 + length;
        bytes -= 4 + length;
    }
}

/* Reads an entry of the directory; *at moves behind it. */
static ls_status read_entry(const ls_zip *zip, const unsigned char *bytes, int64_t size,
                            int64_t *at, entry *e)
{
    const unsigned char *b = bytes + *at;
    if (size - *at < ENTRY_BYTES || memcmp(b, "PK\1\2", 4) != 0)
        return fail_damaged(zip, "its directory is cut off");
    const int64_t name = (int64_t)little(b + 28, 2), extra = (int64_t)little(b + 30, 2);
    const int64_t all = ENTRY_BYTES + name + extra + (int64_t)little(b + 32, 2);
    if (size - *at < all)
        return fail_damaged(zip, "its directory is cut off");
    e->flags = (int)little(b + 8, 2);
    e->method = (int)little(b + 10, 2);
    e->crc = (uint32_t)little(b + 16, 4);
    e->packed = (int64_t)little(b + 20, 4);
    e->size = (int64_t)little(b + 24, 4);
    e->offset = (int64_t)little(b + 42, 4);
    read_extra(e, b + ENTRY_BYTES + name, extra);
    e->name = ls_alloc(name + 1, 1);
    if (e->name == NULL)
        return LS_ERR_FAILURE;
    memcpy(e->name, b + ENTRY_BYTES, (size_t)name);
    *at += all;
    return LS_OK;
}

static ls_status read_directory(ls_zip *zip, FILE *file)
{
    directory d;
    ls_status status = find_directory(zip, file, &d);
    if (status != LS_OK)
        return status;
    if (d.count < 0 || d.size < 0 || d.offset < 0 || d.size > zip->file_size ||
        d.count > d.size / ENTRY_BYTES || d.count > MOST_MEMBERS)
        return fail_damaged(zip, "its directory is larger than the file");
    unsigned char *bytes = ls_alloc(d.size, 1);
    zip->entries = bytes != NULL ? ls_alloc(d.count, sizeof *zip->entries) : NULL;
    status =
        zip->entries != NULL ? read_at(zip, file, d.offset, bytes, (size_t)d.size) : LS_ERR_FAILURE;
    for (int64_t at = 0; status == LS_OK && zip->count < d.count; zip->count++)
        status = read_entry(zip, bytes, d.size, &at, &zip->entries[zip->count]);
    ls_free(bytes);
    return status;
}

/* Opens a regular file and returns its size. */
static ls_status open_regular(const char *path, FILE **out, int64_t *size)
{
    struct stat about;
    *out = fopen(path, "rbe");
    if (*out == NULL)
        return ls_fail(LS_ERR_DATA, "%s: can't open: %s", path, strerror(errno));
    if (fstat(fileno(*out), &about) != 0 || !S_ISREG(about.st_mode))
        return ls_fail(LS_ERR_DATA, "%s: not a regular file", path);
    *size = about.st_size;
    return LS_OK;
}

ls_status ls_zip_open(ls_zip **out, const char *path)
{
    FILE *file = NULL;
    ls_zip *zip = ls_alloc(1, sizeof *zip);
    if (zip == NULL)
        return LS_ERR_FAILURE;
    zip->path = ls_strdup(path);
    ls_status status =
        zip->path != NULL ? open_regular(path, &file, &zip->file_size) : LS_ERR_FAILURE;
    if (status == LS_OK)
        status = read_directory(zip, file);
    if (file != NULL)
        fclose(file);
    if (status != LS_OK) {
        ls_zip_close(&zip);
        return status;
    }
    *out = zip;
    return LS_OK;
}

int64_t ls_zip_count(const ls_zip *zip)
{
    return zip->count;
}

const char *ls_zip_name(const ls_zip *zip, int64_t at)
{
    return zip->entries[at].name;
}

int64_t ls_zip_find(const ls_zip *zip, const char *name)
{
    for (int64_t i = 0; i < zip->count; i++)
        if (strcmp(zip->entries[i].name, name) == 0)
            return i;
    return -1;
}

void ls_zip_close(ls_zip **zip)
{
    if (zip == NULL || *zip == NULL)
        return;
    for (int64_t i = 0; i < (*zip)->count; i++)
        ls_free((*zip)->entries[i].name);
    ls_free((*zip)->entries);
    ls_free((*zip)->path);
    ls_free(*zip);
    *zip = NULL;
}

/* Checks what an entry claims. */
static ls_status check_entry(const ls_zip *zip, const entry *e)
{
    if ((e->flags & ENCRYPTED) != 0 || (e->method != STORED && e->method != DEFLATED))
        return ls_fail(LS_ERR_DATA, "%s: %.80s is %s: not supported", zip->path, e->name,
                       (e->flags & ENCRYPTED) != 0 ? "encrypted" : "compressed in another way");
    const int64_t most = e->method == STORED ? e->packed
                         : e->packed > INT64_MAX / 2 / DEFLATE_MOST
                             ? 0
                             : e->packed * DEFLATE_MOST + SLACK;
    if (e->packed < 0 || e->packed > zip->file_size || e->size < 0 || e->size > most ||
        (e->method == STORED && e->size != e->packed))
        return ls_fail(LS_ERR_DATA, "%s: %.80s claims %lld bytes, more than it can hold", zip->path,
                       e->name, (long long)e->size);
    return LS_OK;
}

/* Moves to the content of a member. */
static ls_status find_content(const ls_zip *zip, const entry *e, FILE *file)
{
    unsigned char header[LOCAL_BYTES];
    ls_status status = read_at(zip, file, e->offset, header, sizeof header);
    if (status != LS_OK)
        return status;
    const int64_t begin =
        e->offset + LOCAL_BYTES + (int64_t)little(header + 26, 2) + (int64_t)little(header + 28, 2);
    if (memcmp(header, "PK\3\4", 4) != 0 || begin > zip->file_size - e->packed)
        return fail_damaged(zip, "a member is not where its directory says");
    return fseeko(file, begin, SEEK_SET) == 0 ? LS_OK : fail_damaged(zip, "it can't be read");
}

static ls_status open_member(ls_member *m, const ls_zip *zip, const entry *e)
{
    int64_t size;
    ls_status status = check_entry(zip, e);
    if (status == LS_OK)
        status = open_regular(zip->path, &m->file, &size);
    if (status == LS_OK)
        status = find_content(zip, e, m->file);
    if (status != LS_OK)
        return status;
    const size_t length = strlen(zip->path) + strlen(e->name) + 3;
    m->name = ls_alloc((int64_t)length, 1);
    m->piece = ls_alloc(PIECE, 1);
    if (m->name == NULL || m->piece == NULL)
        return LS_ERR_FAILURE;
    snprintf(m->name, length, "%s: %s", zip->path, e->name);
    m->left = e->size;
    m->packed = e->packed;
    m->wanted = e->crc;
    m->checked = true;
    if (e->method != DEFLATED)
        return LS_OK;
    m->deflated = inflateInit2(&m->inflater, -MAX_WBITS) == Z_OK;
    return m->deflated ? LS_OK : ls_fail(LS_ERR_FAILURE, "%s: zlib: no memory", m->name);
}

ls_status ls_member_open(ls_member **out, const ls_zip *zip, int64_t at)
{
    ls_member *m = ls_alloc(1, sizeof *m);
    ls_status status = m != NULL ? open_member(m, zip, &zip->entries[at]) : LS_ERR_FAILURE;
    if (status != LS_OK) {
        ls_member_close(&m);
        return status;
    }
    *out = m;
    return LS_OK;
}

ls_status ls_member_open_file(ls_member **out, const char *path)
{
    ls_member *m = ls_alloc(1, sizeof *m);
    if (m == NULL)
        return LS_ERR_FAILURE;
    m->name = ls_strdup(path);
    ls_status status = m->name != NULL ? open_regular(path, &m->file, &m->left) : LS_ERR_FAILURE;
    m->packed = m->left;
    if (status != LS_OK) {
        ls_member_close(&m);
        return status;
    }
    *out = m;
    return LS_OK;
}

const char *ls_member_name(const ls_member *m)
{
    return m->name;
}

int64_t ls_member_left(const ls_member *m)
{
    return m->left;
}

/* Unpacks the next bytes. */
static ls_status inflate_some(ls_member *m, unsigned char *out, size_t bytes)
{
    z_stream *z = &m->inflater;
    while (bytes > 0) {
        if (z->avail_in == 0 && m->packed > 0) {
            const size_t some = (size_t)ls_min(m->packed, PIECE);
            if (fread(m->piece, 1, some, m->file) != some)
                return ls_fail(LS_ERR_DATA, "%s: truncated: ends too early", m->name);
            z->next_in = m->piece;
            z->avail_in = (uInt)some;
            m->packed -= (int64_t)some;
        }
        const size_t most = bytes < (1U << 30) ? bytes : 1U << 30;
        z->next_out = out;
        z->avail_out = (uInt)most;
        const int code = inflate(z, Z_NO_FLUSH);
        const size_t got = most - z->avail_out;
        out += got;
        bytes -= got;
        if (bytes > 0 && (code != Z_OK || (got == 0 && z->avail_in == 0 && m->packed == 0)))
            return ls_fail(LS_ERR_DATA, "%s: damaged: can't be unpacked", m->name);
    }
    return LS_OK;
}

ls_status ls_member_read(ls_member *m, void *out, size_t bytes)
{
    if (m->left < (int64_t)bytes)
        return ls_fail(LS_ERR_DATA, "%s: truncated: ends too early", m->name);
    if (m->deflated) {
        ls_status status = inflate_some(m, out, bytes);
        if (status != LS_OK)
            return status;
    } else if (fread(out, 1, bytes, m->file) != bytes) {
        return ls_fail(LS_ERR_DATA, "%s: truncated: ends too early", m->name);
    }
    m->left -= (int64_t)bytes;
    m->crc = m->checked ? (uint32_t)crc32_z(m->crc, out, bytes) : 0;
    if (m->checked && m->left == 0 && m->crc != m->wanted)
        return ls_fail(LS_ERR_DATA, "%s: damaged: its checksum differs", m->name);
    return LS_OK;
}

void ls_member_close(ls_member **member)
{
    if (member == NULL || *member == NULL)
        return;
    ls_member *m = *member;
    if (m->deflated)
        inflateEnd(&m->inflater);
    if (m->file != NULL)
        fclose(m->file);
    ls_free(m->name);
    ls_free(m->piece);
    ls_free(m);
    *member = NULL;
}
