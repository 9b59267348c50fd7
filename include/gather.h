/* SPDX-License-Identifier: MIT */
/* gather: async/await for C, and a concurrent HTTP client on it. */
#ifndef GATHER_H
#define GATHER_H

#include <gather/base.h>
#include <gather/cookie.h>
#include <gather/error.h>
#include <gather/events.h>
#include <gather/map.h>
#include <gather/mock.h>
#include <gather/pace.h>
#include <gather/session.h>
#include <gather/sync.h>
#include <gather/task.h>
#include <gather/thread.h>
#include <gather/trace.h>

#endif
