/* SPDX-License-Identifier: MIT */
/*
 * Beside the rows of each lane a task looks a few times a second whether the job is to stop, and has records
 * be written that were waiting for others. On the first lane it also has what was written go to the disk once
 * a second, writes the metrics, and lets somebody look at the job.
 */
#include "bulk/job_parts.h"

#include "bulk/job_metrics.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const double sync_each = 1, metrics_each = 10;
static const double drain_for = 30; /* seconds for what is under way when the job is stopped */

/* --- the disk ------------------------------------------------------------------------------------- */

/* On a thread: a disk takes its time. */
static int sync_all(void *arg)
{
    ga__job *job = arg;
    char *problem;

    pthread_mutex_lock(&job->lock);
    uint64_t mark = ga__journal_sync_begin(job->journal);

    job->dirty = false;
    pthread_mutex_unlock(&job->lock);
    if (ga__journal_sync_output(job->journal, &problem) != 0)
        return ga__job_cannot_write(job, problem);
    pthread_mutex_lock(&job->lock);
    int code = ga__journal_sync_end(job->journal, mark, &problem);

    pthread_mutex_unlock(&job->lock);
    return code == 0 ? 0 : ga__job_cannot_write(job, problem);
}

static void sync_now_and_then(ga__job *job, double now, double *last)
{
    if (!job->kept || job->options.sync != GA__SYNC_BATCH || !job->dirty || now - *last < sync_each)
        return;
    *last = now;
    ga_to_thread(sync_all, job);
}

/* --- metrics -------------------------------------------------------------------------------------- */

static bool write_file(const char *path, const ga__buffer *text)
{
    FILE *file = fopen(path, "we");
    bool good = file && fwrite(text->data, 1, text->size, file) == text->size;

    return file && fclose(file) == 0 && good;
}

void ga__job_write_metrics(ga__job *job)
{
    char *other = ga_format("%s.part", job->options.metrics);
    ga__job_status *status = malloc(sizeof *status);
    ga__buffer text = GA__BUFFER_INIT;

    if (status && other) {
        ga__job_look(job, status);
        ga__job_metrics_append(&text, status);
        if (text.failed || !write_file(other, &text) || rename(other, job->options.metrics) < 0)
            unlink(other);
    }
    ga__buffer_free(&text);
    free(status);
    free(other);
}

/* --- stopping ------------------------------------------------------------------------------------- */

static void stop_where_asked(ga__job *job, double now)
{
    if (job->asked_to_stop > 0)
        ga__job_end(job, 3, strdup("it was stopped"));
    if (job->options.max_duration > 0 && now - job->began_at >= job->options.max_duration)
        ga__job_end(job, 3, ga_format("--max-duration of %g s is over", job->options.max_duration));
}

int ga__lane_watch_main(void *arg)
{
    ga__lane *lane = arg;
    ga__job *job = lane->job;
    double synced = ga__job_now(), measured = synced, stopped = 0;

    while (job->lanes_running > 0 && ga_sleep(job->watch_each) == 0) {
        double now = ga__job_now();

        if (lane->index == 0)
            stop_where_asked(job, now);
        if (job->stopping) {
            stopped = stopped > 0 ? stopped : now;
            ga__lane_stop(lane, now - stopped >= drain_for || job->asked_to_stop > 1);
        }
        if (!lane->wrote && !ga__list_empty(&lane->unwritten))
            ga_event_set(&lane->to_write);
        lane->wrote = false;
        if (lane->index > 0)
            continue;
        sync_now_and_then(job, now, &synced);
        if (job->options.metrics && now - measured >= metrics_each) {
            measured = now;
            ga__job_write_metrics(job);
        }
        if (job->watch)
            job->watch(job->watch_arg, job);
    }
    return 0;
}
