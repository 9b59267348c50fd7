/* SPDX-License-Identifier: MIT */
/*
 * Makes the CA and the server's certificate at each start; both keys live in memory only, and the file that
 * clients read is in a directory that nobody else can write to. Called by the server.
 */
#include "todo_api/authority.h"

#include "io/certificate.h"

#include <errno.h>
#include <gather/error.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int write_file(authority *self, const char *text)
{
    const char *temporary = getenv("TMPDIR");

    self->directory = ga_format("%s/todo-api-XXXXXX", temporary && *temporary ? temporary : "/tmp");
    if (!self->directory)
        return GA_ENOMEM;
    if (!mkdtemp(self->directory)) {
        int code = ga_fail(GA_ESYSTEM, "cannot make the directory %s for the CA file: %s", self->directory,
                           strerror(errno));

        free(self->directory);
        self->directory = NULL;
        return code;
    }
    self->path = ga_format("%s/ca.pem", self->directory);
    if (!self->path)
        return GA_ENOMEM;
    FILE *file = fopen(self->path, "we");

    if (!file || fputs(text, file) < 0 || fflush(file) != 0) {
        int code = ga_fail(GA_ESYSTEM, "cannot write the CA file %s: %s", self->path, strerror(errno));

        if (file)
            fclose(file);
        return code;
    }
    fclose(file);
    return 0;
}

int authority_make(authority *self, ga__tls_config **config)
{
    ga__certificate ca = {0}, own = {0};

    *self = (authority){0};
    int code = ga__certificate_make(
        &ca, &(ga__certificate_options){.common_name = "todo-api's own CA", .authority = true});

    if (code == 0)
        code = ga__certificate_make(
            &own,
            &(ga__certificate_options){.common_name = "todo-api", .names = GA__LOCAL_NAMES, .issuer = &ca});
    if (code == 0)
        code = write_file(self, ca.certificate);
    if (code == 0 && !(*config = ga__tls_config_server(own.certificate, own.key, "http/1.1")))
        code = ga_error()->code;
    if (code < 0)
        authority_free(self);
    ga__certificate_free(&ca);
    ga__certificate_free(&own);
    return code;
}

void authority_free(authority *self)
{
    if (self->path)
        unlink(self->path);
    if (self->directory)
        rmdir(self->directory);
    free(self->path);
    free(self->directory);
    *self = (authority){0};
}
