/* Truncated and overwritten tables, arrays, archives and records: each is imported, and is either
 * refused, with one line and the right code, or becomes a data set that can be read. LOCKSTEP_SEED
 * selects other places of damage. */
#include "damage.h"
#include "test.h"

#include <lockstep/import.h>

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

static ls_status read_csv(const char *path, uint64_t *effect)
{
    const ls_import import = {.name = "", .force = true};
    const ls_csv_source source = {.train = path, .target = "kind"};
    ls_status status = ls_import_csv(&import, &source, "imported.h5");
    return status == LS_OK ? damage_read_dataset("imported.h5", effect) : status;
}

static ls_status read_npy(const char *path, uint64_t *effect)
{
    const ls_import import = {.name = "", .classes = 256, .force = true};
    const ls_npy_source source = {.train_x = path, .train_y = "y.npy"};
    ls_status status = ls_import_npy(&import, &source, "imported.h5");
    return status == LS_OK ? damage_read_dataset("imported.h5", effect) : status;
}

static ls_status read_npz(const char *path, uint64_t *effect)
{
    const ls_import import = {.name = "", .classes = 256, .force = true};
    const ls_npz_source source = {.file = path, .members = ""};
    ls_status status = ls_import_npz(&import, &source, "imported.h5");
    return status == LS_OK ? damage_read_dataset("imported.h5", effect) : status;
}

static ls_status read_text(const char *path, uint64_t *effect)
{
    const ls_import import = {.name = "", .force = true};
    const ls_text_source source = {.path = path, .target = "kind", .column = ""};
    ls_status status = ls_import_text(&import, &source, "imported.h5");
    return status == LS_OK ? damage_read_dataset("imported.h5", effect) : status;
}

static ls_status read_characters(const char *path, uint64_t *effect)
{
    const ls_import import = {.name = "", .force = true};
    const ls_character_source source = {.path = path, .steps = 8, .test_fraction = 0.25};
    ls_status status = ls_import_characters(&import, &source, "imported.h5");
    return status == LS_OK ? damage_read_dataset("imported.h5", effect) : status;
}

/* The file is the only one of a folder of CIFAR-10. */
static ls_status read_cifar(const char *path, uint64_t *effect)
{
    const ls_import import = {.name = "", .force = true};
    char target[64];
    (void)mkdir("cifar", 0777);
    snprintf(target, sizeof target, "../%s", path);
    (void)unlink("cifar/data_batch_1.bin");
    assert_int_equal(symlink(target, "cifar/data_batch_1.bin"), 0);
    ls_status status = ls_import_cifar(&import, "cifar", false, "imported.h5");
    return status == LS_OK ? damage_read_dataset("imported.h5", effect) : status;
}

/* Makes a NumPy array of 12 rows of the given type; returns its bytes. */
static size_t make_npy(char out[1024], const char *type, const char *shape, size_t content)
{
    char header[128];
    snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': %s, }", type,
             shape);
    const int length = snprintf(out, 1024, "\x93NUMPY\1%cv%c%-117s\n", 0, 0, header);
    assert_int_equal(length, 128);
    out[7] = 0;
    out[8] = 118;
    for (size_t i = 0; i < content; i++)
        out[128 + i] = (char)(i * 7 % 31);
    return 128 + content;
}

static char *put_number(char *at, uint64_t value, int size)
{
    for (int i = 0; i < size; i++, value >>= 8)
        *at++ = (char)(value & 0xff);
    return at;
}

/* Appends the fields that the local header and the directory of a ZIP archive share. */
static char *put_member(char *at, const char *array, size_t size, size_t packed)
{
    at = put_number(at, 20, 2);
    at = put_number(at, 0, 2);
    at = put_number(at, 8, 2);
    at = put_number(at, 0, 4);
    at = put_number(at, crc32(0, (const Bytef *)array, (uInt)size), 4);
    at = put_number(at, packed, 4);
    return put_number(at, size, 4);
}

/* Writes two arrays as a ZIP archive, deflated. */
static void write_npz(const char *path, const char *const name[2], char array[2][1024],
                      const size_t size[2])
{
    char all[4096], directory[512], *at = all, *entry = directory;
    for (int i = 0; i < 2; i++) {
        char packed[2048];
        z_stream z = {.next_in = (Bytef *)array[i],
                      .avail_in = (uInt)size[i],
                      .next_out = (Bytef *)packed,
                      .avail_out = sizeof packed};
        assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
        assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
        assert_int_equal(deflateEnd(&z), Z_OK);
        const uint64_t offset = (uint64_t)(at - all);
        at = put_number(at, 0x04034b50, 4);
        at = put_member(at, array[i], size[i], z.total_out);
        at = put_number(at, strlen(name[i]), 4);
        at = stpcpy(at, name[i]);
        memcpy(at, packed, z.total_out);
        at += z.total_out;
        entry = put_number(entry, 0x02014b50, 4);
        entry = put_number(entry, 20, 2);
        entry = put_member(entry, array[i], size[i], z.total_out);
        entry = put_number(entry, strlen(name[i]), 8);
        entry = put_number(entry, 0, 6);
        entry = put_number(entry, offset, 4);
        entry = stpcpy(entry, name[i]);
    }
    const uint64_t begin = (uint64_t)(at - all), length = (uint64_t)(entry - directory);
    memcpy(at, directory, length);
    at = put_number(at + length, 0x06054b50, 4);
    at = put_number(at, 0, 4);
    at = put_number(at, 2 | 2 << 16, 4);
    at = put_number(at, length, 4);
    at = put_number(at, begin, 4);
    at = put_number(at, 0, 2);
    damage_store(path, all, (size_t)(at - all));
}

static void damaged_arrays_are_refused_or_read(void **state)
{
    static const char *const names[2] = {"x_train.npy", "y_train.npy"};
    char array[2][1024];
    (void)state;
    const size_t size[2] = {make_npy(array[0], "<f4", "(12, 3)", 144),
                            make_npy(array[1], "|u1", "(12,)", 12)};
    for (size_t i = 0; i < 36; i++)
        memcpy(array[0] + 128 + 4 * i, &(float){(float)i}, 4);
    damage_store("x.npy", array[0], size[0]);
    damage_store("y.npy", array[1], size[1]);
    damage_truncate(read_npy, "x.npy", GUARDED, 60);
    damage_flip(read_npy, "x.npy", UNGUARDED, 0, 200);
    write_npz("both.npz", names, array, size);
    damage_truncate(read_npz, "both.npz", GUARDED, 60);
    damage_flip(read_npz, "both.npz", GUARDED, 0, 300);
    damage_report("NumPy's arrays");
}

static void damaged_tables_are_refused_or_read(void **state)
{
    static const char table[] =
        "a,\"b, c\",kind\r\n1,2.5,x\n-3e2,\"4\",\"y, \"\"z\"\"\"\n5,6,x\n\n7,8,x\n";
    (void)state;
    damage_store("table.csv", table, strlen(table));
    damage_truncate(read_csv, "table.csv", UNGUARDED, 60);
    damage_flip(read_csv, "table.csv", UNGUARDED, 0, 300);
    damage_report("tables");
}

static void damaged_documents_are_refused_or_read(void **state)
{
    static const char table[] =
        "kind,text\nx,\"Don't, \"\"you\"\" know?\"\ny,\xc3\x84rger \xe2\x80\xa6\nx,\ny,one two\n";
    (void)state;
    damage_store("documents.csv", table, strlen(table));
    damage_truncate(read_text, "documents.csv", UNGUARDED, 60);
    damage_flip(read_text, "documents.csv", UNGUARDED, 0, 300);
    damage_store("text", table, strlen(table));
    damage_truncate(read_characters, "text", UNGUARDED, 40);
    damage_flip(read_characters, "text", UNGUARDED, 0, 100);
    damage_report("documents and texts");
}

static void damaged_cifar_files_are_refused_or_read(void **state)
{
    enum { RECORD = 3073, ROWS = 3 };
    static char records[ROWS * RECORD];
    (void)state;
    for (int i = 0; i < ROWS * RECORD; i++)
        records[i] = (char)(i % RECORD == 0 ? i / RECORD : i * 7 % 251);
    damage_store("records", records, sizeof records);
    damage_truncate(read_cifar, "records", UNGUARDED, 40);
    damage_flip(read_cifar, "records", UNGUARDED, 0, 40);
    damage_report("CIFAR files");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damaged_arrays_are_refused_or_read),
        cmocka_unit_test(damaged_tables_are_refused_or_read),
        cmocka_unit_test(damaged_documents_are_refused_or_read),
        cmocka_unit_test(damaged_cifar_files_are_refused_or_read),
    };
    damage_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
