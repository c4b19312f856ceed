#include "data/magic.h"
#include "base/file.h"
#include "base/utf8.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { HEAD = 512 };

static const char import_idx[] = "`lockstep import` converts IDX files to a data set";
static const char import_csv[] =
    "`lockstep import --csv FILE --target NAME` makes a data set of it";
static const char import_npy[] = "`lockstep import --npy X,Y` makes a data set of such files";
static const char import_npz[] = "`lockstep import --npz FILE` makes a data set of NumPy's .npz";
static const char import_png[] = "`lockstep import --png DIR` makes a data set of PNG files";
static const char write_hdf5[] =
    "write its arrays into an HDF5 file, whose layout `lockstep import --help` describes";

static const char no_data[] = "a network is no data set";

static const char describe[] = "`lockstep import --help` describes data sets";

static const struct {
    size_t bytes;
    const char *begin, *what, *remedy;
} kinds[] = {
    {6, "\x93NUMPY", "a NumPy array", import_npy},
    {4, "PK\3\4", "a ZIP file, as NumPy's .npz and PyTorch's files are", import_npz},
    {4, "PAR1", "a Parquet file", write_hdf5},
    {2, "\x80\2", "a Python pickle", write_hdf5},
    {2, "\x80\3", "a Python pickle", write_hdf5},
    {2, "\x80\4", "a Python pickle", write_hdf5},
    {2, "\x80\5", "a Python pickle", write_hdf5},
    {8, "\x89PNG\r\n\x1a\n", "a picture", import_png},
    {3, "\xff\xd8\xff", "a picture", import_png},
    {3, "\x08\7\x12", "an ONNX network", no_data},
    {3, "\x08\x08\x12", "an ONNX network", no_data},
    {3, "\x08\x09\x12", "an ONNX network", no_data},
    {3, "\x08\x0a\x12", "an ONNX network", no_data},
};

/* Reads up to `size` bytes at the start of a file; of its unpacked content if the file is gzip.
 * Returns the number of bytes, 0 if the file cannot be read. */
static size_t peek(const char *path, unsigned char *out, unsigned size, bool *compressed)
{
    gzFile file = gzopen(path, "rbe");
    *compressed = false;
    if (file == NULL)
        return 0;
    const int got = gzread(file, out, size);
    *compressed = !gzdirect(file);
    gzclose(file);
    return got > 0 ? (size_t)got : 0;
}

/* IDX: two zeros, a type from 8 to 14, the number of dimensions. */
static bool is_idx(const unsigned char *head, size_t length)
{
    return length >= 4 && head[0] == 0 && head[1] == 0 && head[2] >= 8 && head[2] <= 14 &&
           head[3] >= 1 && head[3] <= 8;
}

/* Text in UTF-8 without control characters; the last character may be cut off.
 * head  with zeros behind it */
static bool is_text(const unsigned char *head, size_t length)
{
    enum { LONGEST = 4 }; /* bytes of a character */
    for (size_t i = 0; i < length;) {
        if (head[i] < 0x80 && !isprint(head[i]) && !isspace(head[i]))
            return false;
        const int bytes = ls_utf8_length((const char *)head + i);
        if (bytes == 0)
            return i > 0 && length - i < LONGEST;
        i += (size_t)bytes;
    }
    return length > 0;
}

/* Counts the bytes of a line that equal `separator`. */
static size_t count_in_line(const unsigned char *line, size_t length, int separator)
{
    size_t count = 0;
    for (size_t i = 0; i < length; i++)
        count += (int)line[i] == separator;
    return count;
}

/* Lines with the same number of commas, semicolons or tabs; the last one may be cut off. */
static bool is_table(const unsigned char *head, size_t length)
{
    for (const char *separator = ",;\t"; *separator != '\0'; separator++) {
        size_t wanted = 0, at = 0;
        bool alike = true;
        for (int line = 0; alike && at < length; line++) {
            const unsigned char *end = memchr(head + at, '\n', length - at);
            const size_t bytes = end != NULL ? (size_t)(end - head) - at : length - at;
            const size_t count = count_in_line(head + at, bytes, *separator);
            wanted = line == 0 ? count : wanted;
            alike = wanted > 0 && (count == wanted || (end == NULL && count < wanted));
            at += bytes + 1;
        }
        if (alike)
            return true;
    }
    return false;
}

/* safetensors: the length of the header in 8 bytes, then the header, JSON. */
static bool is_safetensors(const unsigned char *head, size_t length)
{
    return length >= 10 && head[7] == 0 && head[6] == 0 && head[5] == 0 && head[8] == '{' &&
           head[9] == '"';
}

/* What a file is, other than HDF5. */
typedef struct kind {
    const char *what, *remedy; /* what: NULL if it is not known */
    bool compressed;
} kind;

static kind recognise(const char *path)
{
    unsigned char head[HEAD + 4] = {0};
    struct stat found;
    kind k = {0};
    const mode_t mode = stat(path, &found) == 0 ? found.st_mode : 0;
    const size_t length = S_ISREG(mode) ? peek(path, head, HEAD, &k.compressed) : 0;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (length >= kinds[i].bytes && memcmp(head, kinds[i].begin, kinds[i].bytes) == 0)
            return (kind){kinds[i].what, kinds[i].remedy, k.compressed};
    if (is_idx(head, length))
        return (kind){"an IDX file", import_idx, k.compressed};
    if (is_safetensors(head, length))
        return (kind){"a file of safetensors", no_data, k.compressed};
    if (is_text(head, length))
        return is_table(head, length) ? (kind){"a table in text", import_csv, k.compressed}
                                      : (kind){"a text file", describe, k.compressed};
    return k.compressed ? (kind){"a compressed file", "unpack it first", false} : k;
}

ls_status ls_magic_refuse_folder(const char *path)
{
    char records[LS_PATH_MAX];
    struct stat found;
    if (stat(path, &found) != 0 || !S_ISDIR(found.st_mode))
        return LS_OK;
    if (ls_path(records, path, "/events.jsonl", NULL) == LS_OK && access(records, F_OK) == 0)
        return ls_fail(
            LS_ERR_DATA,
            "%s: is a run folder, not a data set; the one it was trained on is in %s/config.conf",
            path, path);
    return ls_fail(LS_ERR_DATA,
                   "%s: not an HDF5 file, but a folder; `lockstep import --idx %s --out FILE` "
                   "converts IDX files in it to a data set",
                   path, path);
}

const char *ls_magic_name(const char *path)
{
    return recognise(path).what;
}

ls_status ls_magic_fail(const char *path)
{
    const ls_status status = ls_magic_refuse_folder(path);
    if (status != LS_OK)
        return status;
    const kind k = recognise(path);
    if (k.what != NULL)
        return ls_fail(LS_ERR_DATA, "%s: not an HDF5 file, but %s%s: %s", path, k.what,
                       k.compressed ? ", compressed" : "", k.remedy);
    return ls_fail(LS_ERR_DATA,
                   "%s: not an HDF5 file, or damaged, or never closed by the program that wrote it",
                   path);
}
