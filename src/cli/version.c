#include "cli/version.h"

#include <lockstep/comm.h>
#include <lockstep/compute.h>
#include <lockstep/dataset.h>
#include <lockstep/version.h>

#include "build_info.h"

#include <jansson.h>

void ls_version_print(FILE *out)
{
    fprintf(out, "lockstep %s\n", LS_VERSION);
    fprintf(out, "compiler   %s\n", LS_BUILD_COMPILER);
    fprintf(out, "commit     %s\n", LS_BUILD_COMMIT);
    fprintf(out, "MPI        %s\n", ls_comm_version());
    fprintf(out, "BLAS       %s\n", ls_compute_version());
    fprintf(out, "HDF5       %s\n", ls_dataset_library_version());
    fprintf(out, "libraries  jansson %s, %s\n", jansson_version_str(), LS_BUILD_LIBRARIES);
    fprintf(out, "options    %s\n", LS_BUILD_OPTIONS);
}
