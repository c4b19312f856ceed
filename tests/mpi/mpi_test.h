/* Support for tests that run under mpirun: communicators and main(). */
#ifndef LS_TESTS_MPI_TEST_H
#define LS_TESTS_MPI_TEST_H

#include "small_dataset.h"
#include "test.h"

#include "data/samples.h"

#include <lockstep/comm.h>

#include <mpi.h>
#include <stdlib.h>

extern ls_comm *world; /* all ranks */
extern ls_comm *self;  /* this rank alone */
extern int rank, size; /* of world */

/* Initialises MPI and the variables above, runs the tests, finalises MPI. Returns the number of
 * failed tests. */
int mpi_test_run(int argc, char **argv, const struct CMUnitTest *tests, size_t count);

/* Writes a data set for all ranks, when none of them still reads an earlier file of this name.
 * Collective. */
void write_shared_dataset(const small_dataset *data, const char *path);

/* Asserts that a sample of the training rows has its label or, of sequences, the classes of its
 * steps and its length. Local. */
void assert_is_target(const small_dataset *data, const ls_samples *samples,
                      const ls_sample *sample);

/* Asserts that all ranks have the same status and the same error text. Collective. */
void assert_same_failure(ls_status status);

/* Defines main() of a test program: MPI_TEST_MAIN(cmocka_unit_test(name), ...) */
#define MPI_TEST_MAIN(...)                                                                         \
    int main(int argc, char **argv)                                                                \
    {                                                                                              \
        const struct CMUnitTest tests[] = {__VA_ARGS__};                                           \
        return mpi_test_run(argc, argv, tests, sizeof tests / sizeof *tests);                      \
    }

#endif
