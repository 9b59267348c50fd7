/* SPDX-License-Identifier: MIT */
#ifndef GA__JOB_METRICS_H
#define GA__JOB_METRICS_H

#include "base/buffer.h"
#include "bulk/job.h"

/* Appends what the job has done and is doing in Prometheus' text format (0.0.4): a whole file, for `metrics`
 * of the job's options. Names begin with gather_job_. */
void ga__job_metrics_append(ga__buffer *out, const ga__job_status *status);

#endif
