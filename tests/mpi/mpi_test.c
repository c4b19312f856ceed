#include "mpi_test.h"

#include "parallel/collectives.h"

ls_comm *world, *self;
int rank, size;

int mpi_test_run(int argc, char **argv, const struct CMUnitTest *tests, size_t count)
{
    MPI_Init(&argc, &argv);
    if (ls_comm_world(&world) != LS_OK ||
        ls_comm_from_fortran(&self, (int)MPI_Comm_c2f(MPI_COMM_SELF)) != LS_OK)
        MPI_Abort(MPI_COMM_WORLD, 1);
    rank = ls_comm_rank(world);
    size = ls_comm_size(world);
    const int failed = _cmocka_run_group_tests("tests", tests, count, NULL, NULL);
    ls_comm_destroy(&self);
    ls_comm_destroy(&world);
    MPI_Finalize();
    return failed;
}

void write_shared_dataset(const small_dataset *data, const char *path)
{
    ls_barrier(world);
    if (rank == 0)
        small_dataset_write(data, path);
    ls_barrier(world);
}

void assert_is_target(const small_dataset *data, const ls_samples *samples, const ls_sample *sample)
{
    assert_int_equal(samples->format.ragged, data->sequences);
    if (!data->sequences) {
        assert_int_equal(sample->label, small_dataset_label(data, LS_TRAIN, sample->row));
        return;
    }
    assert_true(*ls_sample_length(samples, sample) ==
                (float)small_dataset_length(data, sample->row));
    for (int64_t step = 0; step < samples->format.values; step++)
        assert_true(ls_sample_targets(samples, sample)[step] ==
                    (float)small_dataset_step(data, LS_TRAIN, sample->row, step));
}

void assert_same_failure(ls_status status)
{
    struct {
        int code;
        char text[LS_ERROR_TEXT_MAX];
    } mine = {.code = (int)status}, first;
    snprintf(mine.text, sizeof mine.text, "%s", status != LS_OK ? ls_error_text() : "");
    first = mine;
    ls_broadcast(world, &first, sizeof first);
    assert_int_equal(mine.code, first.code);
    assert_string_equal(mine.text, first.text);
}
