/* SPDX-License-Identifier: MIT */
/*
 * A request that a function of the user's answers: what it is shown, and what it says.
 */
#ifndef GA__MOCK_H
#define GA__MOCK_H

#include "client/call.h"
#include "client/head_copy.h"
#include <gather/mock.h>

typedef struct ga__mock {
    ga_call shown;
    ga__call *call;
    ga__head_copy head;
    ga__buffer body;   /* the request's, once it is taken */
    bool taken;        /* it is */
    int failed;        /* why it could not be; recorded */
    ga__buffer answer; /* as bytes of HTTP/1.1; empty until there is one */
} ga__mock;

static inline ga__mock *ga__mock_of(ga_call *call)
{
    return (ga__mock *)call; /* its first member */
}

/* Takes the request's body into mock->body. Suspends where its source does.
 * @return 0; GA_ETOOLARGE where it has more than `most` bytes (not recorded); GA_ENOMEM, or what the source
 * failed with; recorded */
int ga__mock_take_body(ga__mock *mock, uint64_t most);

#endif
