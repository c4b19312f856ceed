/* Trains with the library: resume NAME VALUE ... An interrupted run resumes if the program is run
 * again, after the same checks as by `lockstep train`. */
#include <lockstep/lockstep.h>
#include <mpi.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    ls_comm *comm = NULL;
    ls_trainer *trainer = NULL;
    ls_train_config config;
    ls_train_result result;
    const ls_observer observer = {0};
    int threads;
    MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &threads);
    ls_status status = ls_comm_world(&comm);
    ls_config_default(&config);
    config.run = "run"; /* the folder of logs and checkpoints */
    config.resume = "auto";
    for (int i = 1; status == LS_OK && i + 1 < argc; i += 2)
        status = ls_config_set(&config, argv[i], argv[i + 1]);
    if (status == LS_OK)
        status = ls_trainer_create(&trainer, comm, &config, &observer);
    if (status == LS_OK)
        status = ls_trainer_run(trainer, &result);
    if (status == LS_OK && ls_comm_rank(comm) == 0)
        printf("%lld epochs, %016llx\n", (long long)result.epochs,
               (unsigned long long)result.digest);
    else if (ls_comm_rank(comm) == 0)
        fprintf(stderr, "%s\n", ls_error_text());
    ls_trainer_destroy(&trainer);
    ls_comm_destroy(&comm);
    MPI_Finalize();
    return status; /* LS_INTERRUPTED is 75 */
}
