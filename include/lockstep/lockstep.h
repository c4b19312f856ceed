/* Lockstep: data-parallel training of neural networks on the ranks of an MPI job. */
#ifndef LOCKSTEP_LOCKSTEP_H
#define LOCKSTEP_LOCKSTEP_H

#include <lockstep/augment.h>
#include <lockstep/batch.h>
#include <lockstep/choice.h>
#include <lockstep/comm.h>
#include <lockstep/compute.h>
#include <lockstep/config.h>
#include <lockstep/corrupt.h>
#include <lockstep/dataset.h>
#include <lockstep/digit.h>
#include <lockstep/export.h>
#include <lockstep/import.h>
#include <lockstep/metrics.h>
#include <lockstep/model.h>
#include <lockstep/network.h>
#include <lockstep/optimizer.h>
#include <lockstep/picture.h>
#include <lockstep/prediction.h>
#include <lockstep/run.h>
#include <lockstep/settings.h>
#include <lockstep/status.h>
#include <lockstep/trainer.h>
#include <lockstep/version.h>

#endif
