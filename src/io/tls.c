/* SPDX-License-Identifier: MIT */
/*
 * TLS over a stream. OpenSSL reads and writes through a BIO of our own that calls ga__stream_raw_recv and
 * ga__stream_raw_send: so it works on any poller, and a clear readiness bit spares the system call here, too.
 *
 * With read-ahead one recv brings all records that are there. OpenSSL then holds bytes that no event will
 * announce; `starved` says that it has tried them and needs more from the descriptor. It is the invariant
 * that keeps a task from waiting for what is here already, and from trying for ever what is not.
 *
 * Through a proxy that is itself reached over TLS, TLS runs in TLS: `tls` is the inner one, which reads and
 * writes through the other, `carrier`. An end or a failure of the carrier is one of the stream.
 */
#include "io/tls.h"

#include "io/tls_pin.h"
#include "io/tls_verify.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

/* --- the BIO -------------------------------------------------------------------------------------- */

static int bio_result(BIO *bio, ssize_t count, int retry)
{
    ga__stream *stream = BIO_get_data(bio);

    BIO_clear_retry_flags(bio);
    if (count >= 0)
        return (int)count;
    if (count == -EAGAIN)
        BIO_set_flags(bio, retry | BIO_FLAGS_SHOULD_RETRY);
    else
        stream->os_error = (int)-count;
    return -1;
}

/* The inner TLS waits for what the carrier waits for. */
static int carrier_result(BIO *bio, int result, size_t count)
{
    ga__stream *stream = BIO_get_data(bio);

    BIO_clear_retry_flags(bio);
    if (result > 0)
        return (int)count;
    switch (SSL_get_error(stream->carrier, result)) {
    case SSL_ERROR_WANT_READ:
        BIO_set_flags(bio, BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY);
        return -1;
    case SSL_ERROR_WANT_WRITE:
        BIO_set_flags(bio, BIO_FLAGS_WRITE | BIO_FLAGS_SHOULD_RETRY);
        return -1;
    case SSL_ERROR_ZERO_RETURN:
        BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
        return 0;
    case SSL_ERROR_SYSCALL:
        return -1;
    default: /* its reason stays in OpenSSL's queue, where the inner one's would be */
        if (ERR_GET_REASON(ERR_peek_error()) != SSL_R_UNEXPECTED_EOF_WHILE_READING)
            return -1;
        ERR_clear_error();
        BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
        return 0;
    }
}

static int carried_read(BIO *bio, char *buffer, int size)
{
    const ga__stream *stream = BIO_get_data(bio);
    size_t count = 0;
    int result = SSL_read_ex(stream->carrier, buffer, size > 0 ? (size_t)size : 0, &count);

    return carrier_result(bio, result, count);
}

static int carried_write(BIO *bio, const char *bytes, int size)
{
    const ga__stream *stream = BIO_get_data(bio);
    size_t count = 0;
    int result = SSL_write_ex(stream->carrier, bytes, size > 0 ? (size_t)size : 0, &count);

    return carrier_result(bio, result, count);
}

static int bio_read(BIO *bio, char *buffer, int size)
{
    ga__stream *stream = BIO_get_data(bio);
    ssize_t count = size > 0 ? ga__stream_raw_recv(stream, buffer, (size_t)size, 0) : 0;

    if (count > 0)
        stream->starved = false;
    if (count == 0 && size > 0)
        BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
    return bio_result(bio, count, BIO_FLAGS_READ);
}

static int bio_write(BIO *bio, const char *bytes, int size)
{
    ga__stream *stream = BIO_get_data(bio);
    struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = size > 0 ? (size_t)size : 0};

    return bio_result(bio, ga__stream_raw_send(stream, &part, 1), BIO_FLAGS_WRITE);
}

static long bio_control(BIO *bio, int command, long number, void *pointer)
{
    (void)number;
    (void)pointer;
    switch (command) {
    case BIO_CTRL_FLUSH:
        return 1;
    case BIO_CTRL_EOF:
        return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
    default:
        return 0;
    }
}

static BIO_METHOD *plain_method, *carried_method;
static pthread_once_t methods_once = PTHREAD_ONCE_INIT;

static void free_methods(void)
{
    BIO_meth_free(plain_method);
    BIO_meth_free(carried_method);
}

static BIO_METHOD *make_method(const char *name, int (*read)(BIO *, char *, int),
                               int (*write)(BIO *, const char *, int))
{
    BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, name);

    if (!method)
        return NULL;
    BIO_meth_set_read(method, read);
    BIO_meth_set_write(method, write);
    BIO_meth_set_ctrl(method, bio_control);
    return method;
}

static void make_methods(void)
{
    plain_method = make_method("gather stream", bio_read, bio_write);
    carried_method = make_method("gather tunnel", carried_read, carried_write);
    atexit(free_methods);
}

static BIO *bio_new(ga__stream *stream)
{
    pthread_once(&methods_once, make_methods);
    const BIO_METHOD *method = stream->carrier ? carried_method : plain_method;
    BIO *bio = method ? BIO_new(method) : NULL;

    if (bio) {
        BIO_set_data(bio, stream);
        BIO_set_init(bio, 1);
    }
    return bio;
}

/* --- the peer ------------------------------------------------------------------------------------- */

static ga__tls_peer *peer_new(ga__tls_config *config, const char *host, uint16_t port)
{
    size_t size = strlen(host);

    if (size > 0 && host[size - 1] == '.')
        size--; /* "example.org." is example.org in certificates and SNI */
    size_t room = sizeof "[]:65535" + size;
    ga__tls_peer *peer = calloc(1, sizeof *peer + size + 1 + room);

    if (!peer)
        return NULL;
    memcpy(peer->host, host, size);
    const char *form = strchr(peer->host, ':') ? "[%s]:%u" : "%s:%u";
    char *host_port = peer->host + size + 1;

    snprintf(host_port, room, form, peer->host, port);
    peer->host_port = host_port;
    peer->config = ga__tls_config_ref(config);
    return peer;
}

static void peer_free(ga__tls_peer *peer)
{
    if (!peer)
        return;
    ga__tls_config_unref(peer->config);
    free(peer->verdict);
    free(peer);
}

/* --- outcomes ------------------------------------------------------------------------------------- */

/* Reads from OpenSSL why a call did not succeed and notes in the stream what broke. @return -EAGAIN, 0 (the
 * end), -EPIPE */
static int outcome(ga__stream *stream, int result, unsigned *wants)
{
    unsigned long error;

    switch (SSL_get_error(stream->tls, result)) {
    case SSL_ERROR_WANT_READ:
        stream->starved = true;
        *wants = GA__READABLE;
        return -EAGAIN;
    case SSL_ERROR_WANT_WRITE:
        *wants = GA__WRITABLE;
        return -EAGAIN;
    case SSL_ERROR_ZERO_RETURN:
        stream->eof = true;
        return 0;
    case SSL_ERROR_SYSCALL:
        if (!stream->os_error)
            stream->os_error = ECONNRESET;
        return -EPIPE;
    default:
        error = ERR_peek_error();
        ERR_clear_error();
        if (ERR_GET_LIB(error) == ERR_LIB_SSL &&
            ERR_GET_REASON(error) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
            stream->eof = stream->truncated = true;
            return 0;
        }
        stream->tls_error = error ? error : ERR_PACK(ERR_LIB_SSL, 0, ERR_R_INTERNAL_ERROR);
        return -EPIPE;
    }
}

/* Whether OpenSSL holds bytes that it may be able to go on with. */
static bool has_pending(const ga__stream *stream)
{
    return SSL_has_pending(stream->tls) || (stream->carrier && SSL_has_pending(stream->carrier));
}

ssize_t ga__tls_recv(ga__stream *stream, void *buffer, size_t size)
{
    SSL *tls = stream->tls;
    size_t done = 0;

    do {
        size_t count;
        unsigned wants;

        ERR_clear_error();
        int result = SSL_read_ex(tls, (char *)buffer + done, size - done, &count);

        if (GA_LIKELY(result > 0)) {
            done += count;
            continue;
        }
        int code = outcome(stream, result, &wants);

        if (code == -EPIPE)
            stream->cannot_receive = true;
        return done ? (ssize_t)done : code; /* the next call finds what is noted in the stream */
    } while (done < size && ((stream->fd.ready & GA__READABLE) || has_pending(stream)));
    return (ssize_t)done;
}

ssize_t ga__tls_send(ga__stream *stream, const void *bytes, size_t size, unsigned *wants)
{
    size_t count;

    ERR_clear_error();
    int result = SSL_write_ex(stream->tls, bytes, size, &count);

    if (GA_LIKELY(result > 0))
        return (ssize_t)count;
    int code = outcome(stream, result, wants);

    if (code == 0) { /* an end while sending */
        stream->os_error = EPIPE;
        code = -EPIPE;
    }
    return code;
}

bool ga__tls_pending(const ga__stream *stream)
{
    return !stream->starved && has_pending(stream);
}

bool ga__tls_idle_ok(ga__stream *stream)
{
    char byte;
    size_t count;
    unsigned wants;

    if (!(stream->fd.ready & GA__READABLE) && !ga__tls_pending(stream))
        return true;
    ERR_clear_error();
    int result = SSL_peek_ex(stream->tls, &byte, 1, &count);

    if (result > 0)
        return false;
    int code = outcome(stream, result, &wants);

    if (code == -EPIPE)
        stream->cannot_receive = true;
    return code == -EAGAIN;
}

void ga__tls_shutdown(ga__stream *stream)
{
    /* After a failure OpenSSL is not to be asked for anything but its end. */
    if (!SSL_is_init_finished(stream->tls) || stream->cannot_receive || stream->cannot_send ||
        stream->tls_error)
        return;
    ERR_clear_error();
    SSL_shutdown(stream->tls);
    if (stream->carrier)
        SSL_shutdown(stream->carrier);
    ERR_clear_error();
}

static void free_one(SSL *tls, bool good)
{
    ga__tls_peer *peer = SSL_get_app_data(tls);

    /* A connection that ends without close_notify leaves its session good, unless TLS itself failed. */
    if (good)
        SSL_set_shutdown(tls, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(tls);
    peer_free(peer);
}

void ga__tls_free(ga__stream *stream)
{
    bool good = !stream->tls_error;

    if (stream->tls)
        free_one(stream->tls, good);
    if (stream->carrier)
        free_one(stream->carrier, good);
    stream->tls = stream->carrier = NULL;
}

/* --- the handshake -------------------------------------------------------------------------------- */

/* OpenSSL's words are for those who know TLS; these say what to do. */
const char *ga__tls_reason(unsigned long error)
{
    const char *reason = ERR_reason_error_string(error);

    switch (ERR_GET_LIB(error) == ERR_LIB_SSL ? ERR_GET_REASON(error) : 0) {
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
        return "it does not speak TLS: what it sent is no TLS record (is it plain HTTP?)";
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
        return "it and this side have no TLS version in common";
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
        return "it wants a client certificate: pass .cert_file and .key_file";
    default:
        return reason ? reason : "OpenSSL gives no reason";
    }
}

static int handshake_failed(const ga__stream *stream)
{
    const ga__tls_peer *peer = SSL_get_app_data(stream->tls);
    const char *who = peer ? peer->host_port : stream->peer;

    if (peer && peer->verify_error) {
        ga__fail(GA_ECERT, "the certificate of %s does not verify: %s", who,
                 peer->verdict ? peer->verdict : X509_verify_cert_error_string(peer->verify_error));
        ga__error_edit()->tls_error = (unsigned long)peer->verify_error;
        return GA_ECERT;
    }
    if (stream->eof)
        return ga__fail(GA_ETLS, "%s closed the connection during the TLS handshake", who);
    if (!stream->tls_error)
        return ga__stream_fail(stream, "shaking hands with");
    ga__fail(GA_ETLS, "the TLS handshake with %s failed: %s", who, ga__tls_reason(stream->tls_error));
    ga__error_edit()->tls_error = stream->tls_error;
    return GA_ETLS;
}

static int handshake(ga__stream *stream, uint64_t deadline)
{
    for (;;) {
        unsigned wants;

        ERR_clear_error();
        int result = SSL_do_handshake(stream->tls);

        if (result > 0)
            return 0;
        if (outcome(stream, result, &wants) != -EAGAIN) {
            stream->cannot_receive = stream->cannot_send = true;
            return handshake_failed(stream);
        }
        int code = ga__stream_wait(stream, wants, deadline, "the TLS handshake", "shaking hands with");

        if (code) {
            stream->cannot_receive = stream->cannot_send = true;
            return code;
        }
    }
}

static int no_memory(ga__stream *stream)
{
    ERR_clear_error();
    ga__tls_free(stream);
    return ga__fail(GA_ENOMEM, "no memory for TLS with %s", stream->peer);
}

/* Puts an SSL object on the stream. */
static int attach(ga__stream *stream, const ga__tls_config *config)
{
    BIO *bio;

    if (stream->tls)
        stream->carrier = stream->tls;
    stream->tls = SSL_new(ga__tls_config_context(config));
    bio = stream->tls ? bio_new(stream) : NULL;
    if (!bio)
        return no_memory(stream);
    SSL_set_bio(stream->tls, bio, bio);
    stream->starved = false;
    return 0;
}

/* Whom the certificate must be for, and how the server learns it: SNI is for names only (RFC 6066, 3). */
static bool set_host(SSL *tls, const char *host)
{
    unsigned char ip[sizeof(struct in6_addr)];

    if (*host == '.' || !*host) /* which OpenSSL takes for all names that end so, or for any */
        return false;
    SSL_set_hostflags(tls, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    if (inet_pton(AF_INET, host, ip) == 1 || inet_pton(AF_INET6, host, ip) == 1)
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls), host) == 1;
    return SSL_set1_host(tls, host) == 1 && SSL_set_tlsext_host_name(tls, host) == 1;
}

/* Offers one protocol by ALPN, of fewer than 16 characters. False where there is no memory. */
static bool offer(SSL *tls, const char *protocol)
{
    unsigned char wire[16];
    size_t size = strlen(protocol);

    wire[0] = (unsigned char)size;
    memcpy(wire + 1, protocol, size);
    return SSL_set_alpn_protos(tls, wire, (unsigned)size + 1) == 0;
}

/* The peer's key must be one of those that were named, where any were. */
static int check_pin(ga__stream *stream, const ga__tls_config *config)
{
    const ga__tls_peer *peer = SSL_get_app_data(stream->tls);
    const char *pins = ga__tls_config_pins(config);
    ga__buffer key = GA__BUFFER_INIT;
    int code = 0;

    if (GA_LIKELY(!pins))
        return 0;
    ga__tls_pin_of(SSL_get0_peer_certificate(stream->tls), &key);
    if (key.failed || !key.data)
        code = ga__fail(GA_ENOMEM, "no memory for TLS with %s", peer->host_port);
    else if (!ga__tls_pins_have(pins, key.data))
        code = ga__fail(GA_EPIN, "the public key of %s is none of those in tls_pin: it is %s",
                        peer->host_port, key.data);
    if (code < 0)
        stream->cannot_receive = stream->cannot_send = true;
    ga__buffer_free(&key);
    return code;
}

int ga__tls_connect(ga__stream *stream, ga__tls_config *config, const char *host, uint16_t port,
                    uint64_t deadline)
{
    return ga__tls_connect_for(stream, config, host, port, NULL, deadline);
}

int ga__tls_connect_for(ga__stream *stream, ga__tls_config *config, const char *host, uint16_t port,
                        const char *protocol, uint64_t deadline)
{
    int code = ga__checkpoint();

    if (!code)
        code = attach(stream, config);
    if (code)
        return code;
    ga__tls_peer *peer = peer_new(config, host, port);

    if (!peer)
        return no_memory(stream);
    SSL_set_app_data(stream->tls, peer);
    if (!set_host(stream->tls, peer->host)) {
        ERR_clear_error();
        return ga__fail(GA_ETLS, "\"%.80s\" cannot be the name of a TLS server", peer->host);
    }
    if (GA_UNLIKELY(protocol != NULL) && !offer(stream->tls, protocol))
        return no_memory(stream);
    SSL_SESSION *session = ga__tls_config_take_session(config, peer->host_port);

    if (session) {
        SSL_set_session(stream->tls, session);
        SSL_SESSION_free(session);
    }
    SSL_set_connect_state(stream->tls);
    code = handshake(stream, deadline);
    return code < 0 ? code : check_pin(stream, config);
}

int ga__tls_accept(ga__stream *stream, ga__tls_config *config, uint64_t deadline)
{
    int code = ga__checkpoint();

    if (!code)
        code = attach(stream, config);
    if (code)
        return code;
    SSL_set_accept_state(stream->tls);
    return handshake(stream, deadline);
}

/* --- asking --------------------------------------------------------------------------------------- */

ga__slice ga__tls_protocol(const ga__stream *stream)
{
    const unsigned char *name = NULL;
    unsigned size = 0;

    if (stream->tls)
        SSL_get0_alpn_selected(stream->tls, &name, &size);
    return (ga__slice){(const char *)name, size};
}

const char *ga__tls_version(const ga__stream *stream)
{
    return stream->tls ? SSL_get_version(stream->tls) : NULL;
}

bool ga__tls_resumed(const ga__stream *stream)
{
    return stream->tls && SSL_session_reused(stream->tls);
}
