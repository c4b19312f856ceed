/* The compute library below the networks. */
#ifndef LOCKSTEP_COMPUTE_H
#define LOCKSTEP_COMPUTE_H

/* Sets how many threads each matrix product uses. Local. threads: 1 or more. */
void ls_compute_set_threads(int threads);

/* The library, its version and its kernels for this processor, "OpenBLAS 0.3.21 Haswell". Local. */
const char *ls_compute_version(void);

#endif
