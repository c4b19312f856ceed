/* Lockstep: data-parallel training of neural networks on the ranks of an MPI job. */
#ifndef LOCKSTEP_LOCKSTEP_H
#define LOCKSTEP_LOCKSTEP_H

#include <lockstep/augment.h>
#include <lockstep/batch.h>
#include <lockstep/bench.h>
#include <lockstep/checkpoint.h>
#include <lockstep/choice.h>
#include <lockstep/comm.h>
#include <lockstep/compute.h>
#include <lockstep/dataset.h>
#include <lockstep/early_stop.h>
#include <lockstep/evaluate.h>
#include <lockstep/import.h>
#include <lockstep/loss.h>
#include <lockstep/metrics.h>
#include <lockstep/model.h>
#include <lockstep/network.h>
#include <lockstep/optimizer.h>
#include <lockstep/plan.h>
#include <lockstep/range.h>
#include <lockstep/hooks.h>
#include <lockstep/reducer.h>
#include <lockstep/rows.h>
#include <lockstep/scaling.h>
#include <lockstep/schedule.h>
#include <lockstep/score.h>
#include <lockstep/settings.h>
#include <lockstep/source.h>
#include <lockstep/status.h>
#include <lockstep/group.h>
#include <lockstep/topology.h>
#include <lockstep/trainer.h>
#include <lockstep/version.h>

#endif
