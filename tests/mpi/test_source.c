/* Ranks get the same rows with every reader; if any reader fails, all ranks get the same error. */
#include "small_dataset.h"
#include "parallel/collectives.h"
#include "mpi_test.h"

#include "base/fault.h"
#include "data/samples.h"

#include "train/source.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ROWS = 41 };
static const small_dataset data = {
    .train = ROWS, .test = 3, .channels = 2, .height = 3, .width = 5, .classes = 4};

static void write_data(void)
{
    if (rank == 0)
        small_dataset_write(&data, "source.h5");
    ls_barrier(world);
}

static void ranks_get_their_rows(void **state)
{
    (void)state;
    write_data();
    for (int read = LS_READ_EACH; read <= LS_READ_NODE; read++) {
        ls_source *source;
        ls_samples *samples;
        ls_dataset_info info;
        /* Uneven, not in the order of ranks, and one rank has no rows. */
        ls_range rows = ls_shard(ROWS, size, size - 1 - rank);
        if (rank == 1)
            rows = (ls_range){0};
        assert_ok(ls_source_open(&source, world, "source.h5", NULL, true, (ls_read)read, &info));
        assert_int_equal(info.rows[LS_TRAIN], ROWS);
        assert_int_equal(info.channels, 2);
        for (int again = 0; again < 2; again++) {
            assert_ok(ls_source_read(source, LS_TRAIN, rows, rows.count + rank, &samples));
            assert_int_equal(samples->rows, rows.count);
            assert_int_equal(samples->capacity, rows.count + rank);
            for (int64_t i = 0; i < rows.count; i++) {
                const ls_sample *s = ls_sample_at(samples, i);
                assert_int_equal(s->row, rows.first + i);
                assert_int_equal(s->label, small_dataset_label(&data, LS_TRAIN, s->row));
                for (int64_t k = 0; k < info.features; k++)
                    assert_int_equal(s->pixels[k], small_dataset_pixel(&data, LS_TRAIN, s->row, k));
            }
            ls_samples_destroy(&samples);
        }
        ls_source_close(&source);
        assert_null(source);
        ls_barrier(world);
    }
}

static void all_fail_alike(void **state)
{
    (void)state;
    write_data();
    for (int read = LS_READ_EACH; read <= LS_READ_NODE; read++) {
        ls_source *source = NULL;
        ls_samples *samples = NULL;
        ls_dataset_info info;
        ls_status status =
            ls_source_open(&source, world, "nowhere.h5", NULL, false, (ls_read)read, &info);
        assert_int_equal(status, LS_ERR_DATA);
        assert_same_failure(status);
        assert_null(source);
        assert_ok(ls_source_open(&source, world, "source.h5", NULL, false, (ls_read)read, &info));
        /* The last rank's rows can't be read, by that rank or by rank 0, which reads for all. */
        const bool each = read == LS_READ_EACH;
        char fault[32];
        snprintf(fault, sizeof fault, "read:%d:%d", each ? size - 1 : 0, each ? 1 : size);
        assert_ok(ls_fault_arm(fault, rank));
        status = ls_source_read(source, LS_TRAIN, (ls_range){rank, 1}, 1, &samples);
        assert_int_equal(status, LS_ERR_FAILURE);
        assert_same_failure(status);
        assert_null(samples);
        assert_ok(ls_fault_arm(NULL, rank));
        ls_source_close(&source);
        ls_barrier(world);
    }
}

/* Copies on the nodes of a cluster that differ. */
static void ranks_that_read_see_the_same(void **state)
{
    (void)state;
    ls_source *source = NULL;
    ls_dataset_info info;
    small_dataset other = data;
    other.train += size > 1 && rank == size - 1;
    char path[32];
    snprintf(path, sizeof path, "mine%d.h5", rank);
    small_dataset_write(&other, path);
    ls_barrier(world);
    const ls_status status = ls_source_open(&source, world, path, NULL, false, LS_READ_EACH, &info);
    assert_int_equal(status, size > 1 ? LS_ERR_RANKS : LS_OK);
    assert_same_failure(status);
    ls_source_close(&source);
    assert_ok(ls_source_open(&source, world, path, NULL, false, LS_READ_ROOT, &info));
    ls_source_close(&source);
    ls_barrier(world);
    unlink(path);
}

/* Changes some bytes of a file. */
static void damage(const char *path, off_t at)
{
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, at, SEEK_SET), 0);
    assert_int_equal(fwrite("\0\xff\0\xff", 1, 4, file), 4);
    assert_int_equal(fclose(file), 0);
}

/* Makes this rank's copy of a file that rank 0 writes. */
static void copy_data(const char *copy)
{
    char command[128];
    write_data();
    snprintf(command, sizeof command, "cp source.h5 %s", copy);
    assert_int_equal(system(command), 0);
}

/* A file as another program would write it. */
static void take_seal_away(const char *path)
{
    static const char zeros[512];
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fwrite(zeros, 1, sizeof zeros, file), sizeof zeros);
    assert_int_equal(fclose(file), 0);
}

/* Opens this rank's copy; expects the code on all ranks and, on failure, a part of the text. */
static void expect(const char *copy, bool verify, ls_read read, ls_status code, const char *part)
{
    ls_source *source = NULL;
    ls_dataset_info info;
    ls_barrier(world);
    const ls_status status =
        ls_source_open(&source, world, copy, &(ls_dataset_options){0}, verify, read, &info);
    assert_same_failure(status);
    if (size == 1)
        code = LS_OK;
    if (code == LS_OK)
        assert_ok(status);
    else
        assert_fails(status, code, part);
    ls_source_close(&source);
    ls_barrier(world);
}

/* Each copy is verified, not only rank 0's, and all are compared. The last rank's copy is bad. */
static void copies_are_verified_and_compared(void **state)
{
    (void)state;
    const bool last = rank == size - 1 && size > 1;
    char copy[32], blamed[64];
    snprintf(copy, sizeof copy, "copy%d.h5", rank);
    copy_data(copy);
    expect(copy, true, LS_READ_EACH, LS_OK, "");
    /* Damaged behind the seal: only the copy's own digest shows it. */
    if (last)
        damage(copy, 4000);
    snprintf(blamed, sizeof blamed, "rank %d: copy%d.h5: damaged or cut short", size - 1, size - 1);
    expect(copy, true, LS_READ_EACH, LS_ERR_DATA, blamed);
    expect(copy, true, LS_READ_ROOT, LS_OK, "");
    /* A different, intact data set of the same shape: detected even without reading it. */
    small_dataset other = data;
    other.classes = 3;
    if (last)
        small_dataset_write(&other, copy);
    snprintf(blamed, sizeof blamed, "rank %d: copy%d.h5 on ", size - 1, size - 1);
    expect(copy, true, LS_READ_EACH, LS_ERR_RANKS, blamed);
    expect(copy, false, LS_READ_EACH, LS_ERR_RANKS, "its sealed digest differs");
    /* Without seals: detected by size and, with verification, by content. */
    copy_data(copy);
    take_seal_away(copy);
    expect(copy, true, LS_READ_EACH, LS_OK, "");
    if (last) {
        FILE *file = fopen(copy, "ab");
        fputc(0, file);
        fclose(file);
    }
    expect(copy, false, LS_READ_EACH, LS_ERR_RANKS, "its size differs");
    copy_data(copy);
    take_seal_away(copy);
    if (last)
        damage(copy, 2600 + 512); /* pixels: any value is valid */
    expect(copy, true, LS_READ_EACH, LS_ERR_RANKS, "its content differs");
    unlink(copy);
}

MPI_TEST_MAIN(cmocka_unit_test(ranks_get_their_rows), cmocka_unit_test(all_fail_alike),
              cmocka_unit_test(ranks_that_read_see_the_same),
              cmocka_unit_test(copies_are_verified_and_compared))
