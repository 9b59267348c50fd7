/* SPDX-License-Identifier: MIT */
/*
 * A CA and a certificate of its for this machine's names, made once for a test program:
 *
 *     return cmocka_run_group_tests(tests, make_certificates, free_certificates);
 */
#ifndef CERTIFICATES_H
#define CERTIFICATES_H

#include "check.h"

#include "io/certificate.h"
#include <gather/error.h>

static ga__certificate authority, localhost;

/** Makes a certificate, which is to be freed; the test fails where that fails. */
static inline ga__certificate make_certificate(const ga__certificate_options *options)
{
    ga__certificate made;

    if (ga__certificate_make(&made, options) < 0)
        fail_msg("%s", ga_error_message());
    return made;
}

static inline int make_certificates(void **state)
{
    (void)state;
    authority =
        make_certificate(&(ga__certificate_options){.common_name = "The test's CA", .authority = true});
    localhost = make_certificate(&(ga__certificate_options){
        .common_name = "localhost", .names = GA__LOCAL_NAMES, .issuer = &authority});
    return 0;
}

static inline int free_certificates(void **state)
{
    (void)state;
    ga__certificate_free(&authority);
    ga__certificate_free(&localhost);
    return 0;
}

#endif
