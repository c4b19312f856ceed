/* Every kind of reader gives the ranks the same rows; if a reader fails, all ranks get the same
 * error. */
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
    write_shared_dataset(&data, "source.h5");
}

/* Reads rows of a data set by every kind of reader. Collective. */
static void read_by_every_reader(const small_dataset *written)
{
    write_shared_dataset(written, "source.h5");
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
                assert_is_target(written, samples, s);
                for (int64_t k = 0; k < info.features; k++)
                    assert_int_equal(s->inputs[k],
                                     small_dataset_pixel(written, LS_TRAIN, s->row, k));
            }
            ls_samples_destroy(&samples);
        }
        ls_source_close(&source);
        assert_null(source);
        ls_barrier(world);
    }
}

static void every_reader_gives_each_rank_its_rows(void **state)
{
    (void)state;
    small_dataset sequences = data;
    sequences.sequences = true;
    read_by_every_reader(&data);
    read_by_every_reader(&sequences);
}

static void a_missing_data_set_fails_on_all_ranks(void **state)
{
    (void)state;
    for (int read = LS_READ_EACH; read <= LS_READ_NODE; read++) {
        ls_source *source = NULL;
        ls_dataset_info info;
        const ls_status status =
            ls_source_open(&source, world, "nowhere.h5", NULL, false, (ls_read)read, &info);
        assert_int_equal(status, LS_ERR_DATA);
        assert_same_failure(status);
        assert_null(source);
    }
}

static void a_failed_read_fails_on_all_ranks(void **state)
{
    (void)state;
    write_data();
    for (int read = LS_READ_EACH; read <= LS_READ_NODE; read++) {
        ls_source *source = NULL;
        ls_samples *samples = NULL;
        ls_dataset_info info;
        assert_ok(ls_source_open(&source, world, "source.h5", NULL, false, (ls_read)read, &info));
        /* The last rank's rows can't be read, by that rank or by rank 0, which reads for all. */
        const bool each = read == LS_READ_EACH;
        char fault[32];
        snprintf(fault, sizeof fault, "read:%d:%d", each ? size - 1 : 0, each ? 1 : size);
        assert_ok(ls_fault_arm(fault, rank));
        const ls_status status = ls_source_read(source, LS_TRAIN, (ls_range){rank, 1}, 1, &samples);
        assert_int_equal(status, LS_ERR_FAILURE);
        assert_same_failure(status);
        assert_null(samples);
        assert_ok(ls_fault_arm(NULL, rank));
        ls_source_close(&source);
        ls_barrier(world);
    }
}

/* As copies on the nodes of a cluster that differ: the last rank's copy has one row more. */
static void copies_of_different_size_are_refused_if_each_rank_reads(void **state)
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

/* Overwrites 4 bytes of a file. */
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

/* Overwrites the seal, so that the file is like one of another program. */
static void remove_seal(const char *path)
{
    static const char zeros[512];
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fwrite(zeros, 1, sizeof zeros, file), sizeof zeros);
    assert_int_equal(fclose(file), 0);
}

/* Opens this rank's copy; asserts the code on all ranks and, on failure, a part of the text. With
 * one rank no copies can differ: LS_OK is expected. */
static void assert_opening(const char *copy, bool verify, ls_read read, ls_status code,
                           const char *part)
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

/* Returns true on the rank whose copy is damaged or different. */
static bool has_bad_copy(void)
{
    return rank == size - 1 && size > 1;
}

/* Each copy is verified, not only the copy of rank 0. The last rank's copy is damaged behind the
 * seal: only its own digest shows the damage. */
static void a_damaged_copy_is_reported_with_its_rank(void **state)
{
    (void)state;
    char copy[32], blamed[64];
    snprintf(copy, sizeof copy, "copy%d.h5", rank);
    copy_data(copy);
    assert_opening(copy, true, LS_READ_EACH, LS_OK, "");
    if (has_bad_copy())
        damage(copy, 4000);
    snprintf(blamed, sizeof blamed, "rank %d: copy%d.h5: damaged or cut short", size - 1, size - 1);
    assert_opening(copy, true, LS_READ_EACH, LS_ERR_DATA, blamed);
    assert_opening(copy, true, LS_READ_ROOT, LS_OK, "");
    unlink(copy);
}

/* An intact data set of the same shape: detected by its seal, without reading its rows. */
static void a_different_copy_is_reported_with_its_rank(void **state)
{
    (void)state;
    char copy[32], blamed[64];
    small_dataset other = data;
    other.classes = 3;
    snprintf(copy, sizeof copy, "copy%d.h5", rank);
    copy_data(copy);
    if (has_bad_copy())
        small_dataset_write(&other, copy);
    snprintf(blamed, sizeof blamed, "rank %d: copy%d.h5 on ", size - 1, size - 1);
    assert_opening(copy, true, LS_READ_EACH, LS_ERR_RANKS, blamed);
    assert_opening(copy, false, LS_READ_EACH, LS_ERR_RANKS, "its sealed digest differs");
    unlink(copy);
}

/* A different size is always detected; a different content is detected with verification. */
static void copies_without_seals_are_compared_by_size_and_content(void **state)
{
    (void)state;
    char copy[32];
    snprintf(copy, sizeof copy, "copy%d.h5", rank);
    copy_data(copy);
    remove_seal(copy);
    assert_opening(copy, true, LS_READ_EACH, LS_OK, "");
    if (has_bad_copy()) {
        FILE *file = fopen(copy, "ab");
        fputc(0, file);
        fclose(file);
    }
    assert_opening(copy, false, LS_READ_EACH, LS_ERR_RANKS, "its size differs");
    copy_data(copy);
    remove_seal(copy);
    if (has_bad_copy())
        damage(copy, 2600 + 512); /* pixels: any value is valid */
    assert_opening(copy, true, LS_READ_EACH, LS_ERR_RANKS, "its content differs");
    unlink(copy);
}

MPI_TEST_MAIN(cmocka_unit_test(every_reader_gives_each_rank_its_rows),
              cmocka_unit_test(a_missing_data_set_fails_on_all_ranks),
              cmocka_unit_test(a_failed_read_fails_on_all_ranks),
              cmocka_unit_test(copies_of_different_size_are_refused_if_each_rank_reads),
              cmocka_unit_test(a_damaged_copy_is_reported_with_its_rank),
              cmocka_unit_test(a_different_copy_is_reported_with_its_rank),
              cmocka_unit_test(copies_without_seals_are_compared_by_size_and_content))
