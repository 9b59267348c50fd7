/* SPDX-License-Identifier: MIT */
/*
 * Streams of bytes over the poller's calls. What this file keeps: a bit of fd.ready is clear only when the
 * system was seen to have nothing more (EAGAIN, or less than was asked), so that a later event sets it again;
 * and whatever breaks a stream is remembered in it, so that each later call fails for the same reason.
 *
 * The client's connections and the embedded API's are streams; tls.c is called here and reads and writes
 * through ga__stream_raw_recv and ga__stream_raw_send.
 */
#include "io/stream.h"

#include "io/descriptors.h"
#include "io/tls.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

enum { WINDOW = 16, RECORD = 16384 };

static ga__poller *poller(void)
{
    return ga__loop_here->poller;
}

/* --- opening and closing -------------------------------------------------------------------------- */

void ga__stream_init(ga__stream *stream)
{
    *stream = (ga__stream){0};
    ga__fd_init(&stream->fd);
}

int ga__stream_open(ga__stream *stream, int family)
{
    if (!ga__descriptors_take())
        return -EMFILE;
    int code = poller()->ops->open(poller(), &stream->fd, family, SOCK_STREAM);

    if (code < 0) {
        ga__descriptors_untake();
        return code;
    }
    stream->counted = true;
    return 0;
}

int ga__stream_move(ga__stream *from, ga__stream *to)
{
    int code = poller()->ops->move(poller(), &from->fd, &to->fd);

    if (code < 0)
        return code;
    to->counted = from->counted;
    from->counted = false;
    return 0;
}

void ga__stream_abort(ga__stream *stream)
{
    if (stream->tls)
        ga__tls_free(stream);
    if (ga__stream_is_open(stream)) {
        assert(ga__loop_here->forked ||
               (ga__list_empty(&stream->fd.readers) && ga__list_empty(&stream->fd.writers)));
        poller()->ops->close(poller(), &stream->fd);
    }
    if (stream->counted)
        ga__descriptors_give();
    stream->counted = false;
}

void ga__stream_close(ga__stream *stream)
{
    /* A forked child has the parent's connections: it closes its copies and says nothing on them. */
    if (stream->tls && !ga__loop_here->forked)
        ga__tls_shutdown(stream);
    ga__stream_abort(stream);
}

void ga__stream_shutdown(ga__stream *stream)
{
    if (!ga__stream_is_open(stream))
        return;
    if (stream->tls)
        ga__tls_shutdown(stream);
    poller()->ops->shutdown(poller(), &stream->fd);
    stream->cannot_send = true;
    if (!stream->os_error)
        stream->os_error = EPIPE;
}

/* --- failures ------------------------------------------------------------------------------------- */

/* What breaks a connection from outside, not by a fault of this side's. */
static bool is_reset(int os_error)
{
    switch (os_error) {
    case ECONNRESET:
    case EPIPE:
    case ECONNABORTED:
    case ETIMEDOUT:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ENETDOWN:
        return true;
    default:
        return false;
    }
}

int ga__stream_fail(const ga__stream *stream, const char *doing)
{
    int code;

    if (stream->tls_error) {
        code = ga__fail(GA_ETLS, "TLS broke while %s %s: %s", doing, stream->peer,
                        ga__tls_reason(stream->tls_error));
    } else if (is_reset(stream->os_error)) {
        code = ga__fail(GA_ERESET, "the connection broke while %s %s: %s", doing, stream->peer,
                        strerror(stream->os_error));
    } else {
        code = ga__fail(GA_ESYSTEM, "%s %s failed: %s", doing, stream->peer, strerror(stream->os_error));
    }
    ga__error_edit()->os_error = stream->os_error;
    ga__error_edit()->tls_error = stream->tls_error;
    return code;
}

static int closed(const char *doing)
{
    return ga__fail(GA_ECLOSED, "%s a connection that is closed", doing);
}

/* --- the descriptor ------------------------------------------------------------------------------- */

ssize_t ga__stream_raw_recv(ga__stream *stream, void *buffer, size_t size, int flags)
{
    ga__fd *fd = &stream->fd;

    if (!(fd->ready & GA__READABLE))
        return -EAGAIN;
    ssize_t count = poller()->ops->recv(poller(), fd, buffer, size, flags);

    stream->read_at = ga__now();
    /* A short read has drained the socket, unless the end stands behind what was read: it makes no event of
     * its own when it came together with the data. */
    bool drained = count > 0 && (size_t)count < size && !(fd->ready & GA__HANGUP);

    if (count == -EAGAIN || (drained && !(flags & MSG_PEEK)))
        fd->ready &= (unsigned char)~GA__READABLE;
    return count;
}

ssize_t ga__stream_raw_send(ga__stream *stream, const struct iovec *parts, int count)
{
    ga__fd *fd = &stream->fd;
    size_t size = 0;

    if (!(fd->ready & GA__WRITABLE))
        return -EAGAIN;
    for (int i = 0; i < count; i++)
        size += parts[i].iov_len;
    ssize_t sent = poller()->ops->send(poller(), fd, parts, count);

    if (sent == -EAGAIN || (sent >= 0 && (size_t)sent < size))
        fd->ready &= (unsigned char)~GA__WRITABLE;
    return sent;
}

int ga__stream_wait(ga__stream *stream, unsigned direction, uint64_t deadline, const char *why,
                    const char *doing)
{
    int code = ga__fd_wait(&stream->fd, direction, deadline, why);

    if (code == GA_ETIMEDOUT)
        return ga__fail(code, "%s %s took too long", doing, stream->peer);
    if (code)
        return ga__fail(code, "cancelled while %s %s", doing, stream->peer);
    return 0;
}

/* --- receiving ------------------------------------------------------------------------------------ */

ssize_t ga__stream_recv_now(ga__stream *stream, void *buffer, size_t size)
{
    static const char doing[] = "receiving from";
    ssize_t count;

    if (!ga__stream_is_open(stream))
        return closed(doing);
    if (stream->eof)
        return 0;
    if (stream->cannot_receive)
        return ga__stream_fail(stream, doing);
    count = stream->tls ? ga__tls_recv(stream, buffer, size) : ga__stream_raw_recv(stream, buffer, size, 0);
    if (GA_LIKELY(count > 0)) {
        stream->bytes_received += (uint64_t)count;
        return count;
    }
    if (count == -EAGAIN)
        return GA_EAGAIN;
    /* The system tells of a reset once: where sending learned of it, what is left looks like an end. */
    if (count == 0 && (stream->eof || !stream->cannot_send || stream->os_error != ECONNRESET)) {
        stream->eof = true;
        return 0;
    }
    stream->cannot_receive = true;
    if (!stream->tls && count < 0)
        stream->os_error = (int)-count;
    return ga__stream_fail(stream, doing);
}

int ga__stream_wait_readable(ga__stream *stream, uint64_t deadline)
{
    int code = ga__checkpoint();

    if (code)
        return code;
    if (!ga__stream_is_open(stream) || stream->eof || stream->cannot_receive)
        return 0; /* receiving tells what there is to tell */
    if (stream->tls && ga__tls_pending(stream))
        return 0;
    return ga__stream_wait(stream, GA__READABLE, deadline, "data from the peer", "receiving from");
}

ssize_t ga__stream_recv(ga__stream *stream, void *buffer, size_t size, uint64_t deadline)
{
    for (;;) {
        int code = ga__stream_wait_readable(stream, deadline);

        if (code)
            return code;
        ssize_t count = ga__stream_recv_now(stream, buffer, size);

        if (count != GA_EAGAIN)
            return count;
    }
}

/* When the stream was last known as it was: a poller that tells of no event says the same as a read that
 * finds nothing. */
static uint64_t known_at(const ga__stream *stream)
{
    uint64_t told_at = ga__loop_here->told_at;

    return stream->read_at > told_at ? stream->read_at : told_at;
}

bool ga__stream_idle_ok(ga__stream *stream, uint64_t age)
{
    char byte;

    if (!ga__stream_is_open(stream) || stream->eof || stream->cannot_receive || stream->cannot_send)
        return false;
    if (age != GA__NEVER && ga__now_exact() - known_at(stream) >= age)
        stream->fd.ready |= GA__READABLE;
    if (stream->tls)
        return ga__tls_idle_ok(stream);
    return ga__stream_raw_recv(stream, &byte, 1, MSG_PEEK) == -EAGAIN;
}

/* --- sending -------------------------------------------------------------------------------------- */

/* What is still to be sent: `offset` bytes of the first part are gone. */
typedef struct rest {
    const struct iovec *parts;
    int count;
    size_t offset;
} rest;

/* Goes on by so many bytes, and over parts that are empty. */
static void advance(rest *at, size_t size)
{
    at->offset += size;
    while (at->count > 0 && at->offset >= at->parts->iov_len) {
        at->offset -= at->parts->iov_len;
        at->parts++;
        at->count--;
    }
}

static ssize_t send_plain(ga__stream *stream, const rest *at)
{
    struct iovec window[WINDOW];
    int count = at->count < WINDOW ? at->count : WINDOW;

    if (at->offset == 0 || count == 0)
        return ga__stream_raw_send(stream, at->parts, count);
    memcpy(window, at->parts, (size_t)count * sizeof *window);
    window[0].iov_base = (char *)window[0].iov_base + at->offset;
    window[0].iov_len -= at->offset;
    return ga__stream_raw_send(stream, window, count);
}

/* The next record's bytes: in place where one part fills it or is the last; else collected in the loop's
 * buffer. When the call is repeated the bytes are the same, as OpenSSL demands, if not at the same place. */
static const char *collect(const rest *at, size_t *size)
{
    const char *first = (const char *)at->parts->iov_base + at->offset;
    char *buffer;

    *size = at->parts->iov_len - at->offset;
    if (at->count == 1 || *size >= RECORD) {
        *size = *size < RECORD ? *size : RECORD;
        return first;
    }
    buffer = ga__loop_lend();
    if (!buffer)
        return NULL;
    memcpy(buffer, first, *size);
    for (int i = 1; i < at->count && *size < RECORD; i++) {
        size_t more = at->parts[i].iov_len < RECORD - *size ? at->parts[i].iov_len : RECORD - *size;

        memcpy(buffer + *size, at->parts[i].iov_base, more);
        *size += more;
    }
    return buffer;
}

static ssize_t send_some(ga__stream *stream, const rest *at, unsigned *wants)
{
    size_t size;

    *wants = GA__WRITABLE;
    if (!stream->tls)
        return send_plain(stream, at);
    const char *bytes = collect(at, &size);

    return bytes ? ga__tls_send(stream, bytes, size, wants) : -ENOMEM;
}

static int wait_to_send(ga__stream *stream, unsigned wants, uint64_t deadline, uint64_t idle)
{
    uint64_t now = ga__now_exact();
    bool until_idle = deadline > now && idle < deadline - now;
    int code = ga__stream_wait(stream, wants, until_idle ? now + idle : deadline, "the peer to take data",
                               "sending to");

    if (code == GA_ETIMEDOUT && until_idle) {
        ga__fail(code, "%s took no data for %g s (%llu bytes sent so far)", stream->peer, (double)idle * 1e-9,
                 (unsigned long long)stream->bytes_sent);
        ga__error_edit()->timeout = "write";
    }
    return code;
}

/* A message that was begun and given up leaves nothing that could follow it. */
static int cannot_go_on(ga__stream *stream, int code)
{
    stream->cannot_send = true;
    stream->os_error = ECANCELED;
    return code;
}

int ga__stream_send(ga__stream *stream, const struct iovec *parts, int count, uint64_t deadline,
                    uint64_t idle)
{
    static const char doing[] = "sending to";
    rest at = {.parts = parts, .count = count};
    int code = ga__checkpoint();

    if (code)
        return code;
    if (!ga__stream_is_open(stream))
        return closed(doing);
    if (stream->cannot_send)
        return ga__stream_fail(stream, doing);
    advance(&at, 0);
    while (at.count > 0) {
        unsigned wants;
        ssize_t sent = send_some(stream, &at, &wants);

        if (GA_LIKELY(sent >= 0)) {
            stream->bytes_sent += (uint64_t)sent;
            advance(&at, (size_t)sent);
            continue;
        }
        if (sent == -ENOMEM)
            return ga__fail(GA_ENOMEM, "no memory to send to %s", stream->peer);
        if (sent == -EAGAIN) {
            code = wait_to_send(stream, wants, deadline, idle);
            if (code)
                return cannot_go_on(stream, code);
            continue;
        }
        stream->cannot_send = true;
        if (!stream->tls)
            stream->os_error = (int)-sent;
        /* The poller has yet to tell what came before the connection broke: the peer's reason, perhaps. */
        stream->fd.ready |= GA__READABLE;
        return ga__stream_fail(stream, doing);
    }
    return 0;
}

ssize_t ga__stream_send_now(ga__stream *stream, const void *bytes, size_t size)
{
    static const char doing[] = "sending to";
    struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = size};
    rest at = {.parts = &part, .count = 1};
    size_t done = 0;

    if (!ga__stream_is_open(stream))
        return closed(doing);
    if (stream->cannot_send)
        return ga__stream_fail(stream, doing);
    while (done < size) {
        unsigned wants;
        ssize_t sent = send_some(stream, &at, &wants);

        if (sent == -EAGAIN)
            return done > 0 ? (ssize_t)done : GA_EAGAIN;
        if (sent < 0) {
            stream->cannot_send = true;
            if (!stream->tls)
                stream->os_error = (int)-sent;
            return ga__stream_fail(stream, doing);
        }
        stream->bytes_sent += (uint64_t)sent;
        done += (size_t)sent;
        advance(&at, (size_t)sent);
    }
    return (ssize_t)done;
}
