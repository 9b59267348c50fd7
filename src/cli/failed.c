/* SPDX-License-Identifier: MIT */
/* The rows of a job that failed, as its journal keeps them; the job may be running meanwhile. */
#include "cli/failed.h"

#include "cli/report.h"
#include <stdlib.h>

static bool print_row(void *arg, ga__slice row)
{
    FILE *to = arg;

    fwrite(row.data, 1, row.size, to);
    putc('\n', to);
    return !ferror(to);
}

int ga__failed_run(const char *out, FILE *to, char **problem)
{
    int code = 0, closing;
    char *told = NULL;
    ga__journal *journal = ga__report_journal(out, &code, problem);

    if (!journal)
        return code;
    code = ga__journal_each_failed(journal, print_row, to, problem);
    closing = ga__journal_close(journal, 0, code == 0 ? problem : &told);
    free(told);
    return code ? code : closing;
}
