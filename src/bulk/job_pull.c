/* SPDX-License-Identifier: MIT */
/*
 * The next row of a job, and what is to become of it: by its key, which says whether a run before has called
 * it, whether this one has come to it already, and whose share it is. Called by the lanes' feeders, on
 * whatever thread.
 */
#include "bulk/job_parts.h"

#include "base/ascii.h"
#include <string.h>

enum { SALT_SAME_ID = 2, SALT_FILE = 3, SALT_OCCURRENCE = 16, LONGEST_NAME = 250 };

/* The key of something that is the number-th with this one. */
static bool derive_key(ga__key *key, uint32_t salt)
{
    const ga__slice part = {(const char *)key->bytes, GA__KEY_SIZE};
    ga__key derived;

    if (!ga__key_of(&derived, salt, &part, 1))
        return false;
    *key = derived;
    return true;
}

/* A row without an id that stands several times in the input has a key for each time: how often it has come
 * is counted with the first. */
static bool number_occurrence(ga__job *job, ga__row *row)
{
    uint32_t *value = ga__keys_at(job->keys, &row->key);

    if (!value)
        return false;
    uint32_t before = *value >> GA__ROW_CONTENT_SHIFT;

    *value += 1 << GA__ROW_CONTENT_SHIFT;
    return before == 0 || derive_key(&row->key, SALT_OCCURRENCE + before);
}

/* A row whose id a row before has had: it is not called, but has its record. */
static bool refuse_same_id(ga__job *job, ga__row *row)
{
    row->content = 0;
    row->problem = "a row before has the same id";
    return derive_key(&row->key, SALT_SAME_ID) && number_occurrence(job, row);
}

static bool is_of_shard(const ga__job *job, const ga__row *row)
{
    const unsigned char *bytes = row->key.bytes;
    uint32_t hash =
        (uint32_t)bytes[8] << 24 | (uint32_t)bytes[9] << 16 | (uint32_t)bytes[10] << 8 | bytes[11];

    return job->options.shards <= 1 || hash % job->options.shards == job->options.shard - 1;
}

/* Whether the file of the row's body is its own. Different ids may make the same name: "/" cannot be in one.
 */
static bool check_file(ga__job *job, ga__row *row)
{
    const char *index = job->plan->output_index;
    ga__key key;

    if (!row->body_out)
        return true;
    const char *slash = strrchr(row->body_out, '/');

    if (strlen(slash ? slash + 1 : row->body_out) > LONGEST_NAME && !row->problem)
        row->problem = "the name of its body's file is longer than a name can be";
    const ga__slice part = ga__slice_of(row->body_out);

    if (ga__ascii_has_extension(part, GA__PART) && !row->problem)
        row->problem = "the name of its body's file ends in .part, as only that of a file does which is not "
                       "whole yet: give all of them an ending, as -o 'DIR/{id}.json'";
    if (strncmp(row->body_out, index, strlen(index)) == 0) {
        row->problem = "the file of its body is that of the records";
        return true;
    }
    uint32_t *value = ga__key_of(&key, SALT_FILE, &part, 1) ? ga__keys_at(job->keys, &key) : NULL;

    if (value && *value & GA__ROW_SEEN && !row->problem)
        row->problem = "the file of its body is that of a row before";
    if (value)
        *value |= GA__ROW_SEEN;
    return value != NULL;
}

static bool has_come(const ga__job *job, const ga__row *row)
{
    const uint32_t *value = ga__keys_find(job->keys, &row->key);

    return value && *value & GA__ROW_SEEN;
}

/* Gives the row a key that no row before has. */
static bool settle_key(ga__job *job, ga__row *row)
{
    if (row->id.size == 0)
        return number_occurrence(job, row);
    return !has_come(job, row) || refuse_same_id(job, row);
}

static ga__verdict judge(ga__job *job, ga__row *row)
{
    uint32_t *value = settle_key(job, row) && check_file(job, row) ? ga__keys_at(job->keys, &row->key) : NULL;

    if (!value)
        return GA__VERDICT_NO_MEMORY;
    *value |= GA__ROW_SEEN;
    if (*value & GA__ROW_DONE) {
        uint32_t content = *value >> GA__ROW_CONTENT_SHIFT;

        return row->content > 0 && content != row->content ? GA__VERDICT_CHANGED : GA__VERDICT_SKIP;
    }
    if (row->problem)
        return GA__VERDICT_REFUSE;
    return *value & GA__ROW_BEGUN && !ga__plan_is_idempotent(job->plan, row) ? GA__VERDICT_UNKNOWN
                                                                             : GA__VERDICT_CALL;
}

/* Whether no new rows are to be begun: the watcher need not have seen it yet. */
static bool is_stopping(const ga__job *job)
{
    return job->stopping || job->asked_to_stop > 0;
}

static bool has_all(const ga__job *job)
{
    return job->input_ended || (job->options.limit > 0 && job->pulled >= job->options.limit);
}

static void pull_row(ga__pulled *self)
{
    ga__job *job = self->job;
    ga__raw_row raw;

    while (!has_all(job) && !is_stopping(job)) {
        self->code = ga__input_next(job->input, &raw, &self->problem);
        if (self->code <= 0)
            break;
        self->row = (ga__row){.n = 0};
        self->verdict = GA__VERDICT_NO_MEMORY;
        if (!ga__plan_build(job->plan, &raw, &self->row))
            return;
        if (is_of_shard(job, &self->row)) {
            job->pulled++;
            self->verdict = judge(job, &self->row);
            return;
        }
        ga__row_free(&self->row);
    }
    self->code = self->code < 0 ? self->code : 0;
    if (self->code == 0 && !is_stopping(job))
        job->input_ended = true;
}

int ga__job_pull(void *arg)
{
    ga__pulled *self = arg;

    pthread_mutex_lock(&self->job->input_lock);
    pull_row(self);
    pthread_mutex_unlock(&self->job->input_lock);
    return 0;
}
