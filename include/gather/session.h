/* SPDX-License-Identifier: MIT */
/*
 * The HTTP client: a session holds connections and defaults; a call gives a response.
 *
 * `ga_get(session, url)` awaits the response's head; the body follows with ga_text, ga_json, ga_body or
 * ga_read. Options are given by name: `ga_get(session, url, .timeout = 5, .params = GA_PAIRS({"q", "x"}))`.
 *
 * A session belongs to the loop in which it was made. Any number of its loop's tasks may use it at once; a
 * response is for one task at a time.
 */
#ifndef GATHER_SESSION_H
#define GATHER_SESSION_H

#include <gather/base.h>
#include <gather/cookie.h>
#include <gather/error.h>
#include <sys/types.h>

GA_BEGIN_DECLS

typedef struct ga_session ga_session;
typedef struct ga_response ga_response;
struct json_t; /* jansson's */
struct ga_trace_event;
struct ga_call;

/** What is left out has the default that is named. Times are in seconds; 0 means the default, GA_FOREVER
 *  none. Strings are copied. */
typedef struct ga_session_options {
    size_t size_; /* set by ga_session_new */

    const char *base_url;   /**< relative URLs are resolved against it */
    const ga_pair *headers; /**< sent with every request; a request's own header of the name replaces it. A
                                 value of NULL only leaves out User-Agent, Accept or Accept-Encoding, which
                                 would be sent otherwise. Not Host, Content-Length, Transfer-Encoding,
                               Connection, Upgrade */
    const char *user_agent; /**< "gather/VERSION" */

    int limit;          /**< connections at once, 100; negative: no limit */
    int limit_per_host; /**< connections at once to one origin; 0: no limit of its own */
    double keepalive;   /**< how long an idle connection is kept, 15; negative: none is kept */
    double rate;        /**< requests started per second; 0: no limit */
    int burst;          /**< requests that may start at once within the rate, 1 */

    double total_timeout;      /**< from the call to the body's end, 300 */
    double pool_timeout;       /**< in line for a connection; none */
    double dns_timeout;        /**< one name look-up; none */
    double connect_timeout;    /**< connecting, over all addresses; none */
    double tls_timeout;        /**< the TLS handshake; none */
    double write_timeout;      /**< without progress in sending; none */
    double first_byte_timeout; /**< from the request's end to the response's first byte; none */
    double read_timeout;       /**< between two pieces of the response; none */

    int max_redirects;    /**< redirects followed, 10; negative: redirects are returned as they are */
    int64_t max_body;     /**< bytes of a body that ga_text and the like make, 64 MiB; negative: no limit */
    size_t max_head;      /**< bytes of a response head, 64 KiB; at most 192 KiB */
    int raise_for_status; /**< nonzero: a status of 400 or above fails the call with GA_ESTATUS */

    int insecure;          /**< nonzero: certificates are not verified */
    const char *ca_file;   /**< PEM file of trusted CAs; else SSL_CERT_FILE, SSL_CERT_DIR, the system's */
    const char *ca_path;   /**< directory of trusted CAs */
    const char *cert_file; /**< client certificate, PEM */
    const char *key_file;  /**< its key, not encrypted; the certificate's file when left out */
    int tls_version_min;   /**< 12 or 13; 12 */

    const char *unix_socket; /**< connect to this path, whatever the URL's host */

    ga_cookie_jar *cookies; /**< the jar to use, which stays the caller's; one of the session's own */
    int no_cookies;         /**< nonzero: cookies are neither kept nor sent, but a request's own */

    const char *user; /**< with the password, who the session is: Basic, or Digest with .digest; not to other
                           origins after a redirect. UTF-8, without a colon */
    const char *password;
    const char *bearer; /**< a token, sent as "Authorization: Bearer ..." */
    int digest;    /**< nonzero: user and password answer Digest challenges (RFC 7616), and are not sent */
    int trust_env; /**< nonzero: the environment has a say: credentials from the file that NETRC names, or
                        ~/.netrc, for its machines, where nothing else says who the user is; Basic. And
                        the proxies that are not given: http_proxy, https_proxy, all_proxy, no_proxy, the
                        last three also in capitals */

    int http;          /**< 0: HTTP/2 over TLS where the server agrees (ALPN), else HTTP/1.1; 11: HTTP/1.1
                            only; 2: HTTP/2 only, over plain TCP by prior knowledge */
    double http2_ping; /**< HTTP/2: after so long a silence while requests are under way the server is asked
                          for a sign of life, and the connection given up when none comes in 15 s; 30;
                          negative: never */
    size_t
        http2_window; /**< HTTP/2: bytes of each body that the server may send ahead of what is read, 1 MiB */

    int hsts; /**< nonzero: hosts that have said so over verified https (Strict-Transport-Security, RFC 6797)
                 are called over https from then on, also where the URL says http; kept in memory */

    /** Requests go through this proxy: "http://user:password@host:port", or https (TLS to the proxy), socks5
     *  (names are resolved here) or socks5h (by the proxy); http where it has no scheme. Its credentials go
     *  to it alone, and are in no message. A header Proxy-Authorization of a request does not go anywhere
     *  while a proxy is used. */
    const char *proxy;
    const ga_pair *proxies; /**< for URLs of a scheme: {"http", proxy}, {"https", ...}, {"all", ...};
                                 before .proxy. "" is none. */
    const char *no_proxy;   /**< hosts reached directly: "localhost, .example.com, 10.0.0.0/8, [::1]:80";
                                 "*" is all */
    const ga_pair *proxy_headers; /**< sent to HTTP proxies, never to servers */

    const ga_pair *resolve;        /**< addresses of hosts: {"host", "192.0.2.1, ::1"} or {"host:port", ...};
                                        other names are looked up */
    const char *const *connect_to; /**< "HOST1:PORT1:HOST2:PORT2", ..., NULL: connections for the first go to
                                        the second; what is empty is any, or the same */
    const char *local_address;     /**< the IP address to connect from */
    int tcp_nodelay;               /**< negative: small writes may be held back (Nagle); they are not */
    double tcp_keepalive;          /**< after so many seconds of silence the system asks whether the peer is
                                        alive, and again as often; never */
    const char *tls_pin;           /**< "sha256//BASE64;sha256//BASE64": servers must have one of these public
                                        keys (SHA-256 of the SubjectPublicKeyInfo), beside all else */
    const char *server_name;       /**< the name that servers are asked for and must have a certificate for,
                                        instead of the URL's */

    int no_decompress;    /**< nonzero: bodies come as they are sent, and no coding is asked for */
    int max_ratio;        /**< how many bytes one byte received may decode to, on the average, once a body is
                               larger than 1 MiB, 500; negative: any number */
    const char *compress; /**< the coding of requests' bodies: "gzip", "deflate", "br" or "zstd"; none */

    int retries; /**< attempts after the first, 0. Tried again is: what was certainly not sent (name,
                      connection, TLS; not what a certificate forbids); 429 and 503; and what is
                      idempotent after 408, 500, 502, 504, 522, 524 or a connection that broke. 413
                      where it has Retry-After */
    double retry_max_time; /**< seconds from the call's beginning in which a retry may begin; none */
    double retry_base;     /**< the wait before a retry is drawn from 0 to this, doubled each time, 0.5 */
    double retry_cap; /**< and to no more than this, 60. What the server asks for is waited for in any case */
    double retry_budget;  /**< retries that the server did not name a time for, as a share of the calls, 0.2
                             (and  10 to begin with); negative: no bound */
    int idempotency_keys; /**< nonzero: a call whose method is not idempotent gets an Idempotency-Key, a UUID,
                             the same for all of its attempts, and may then be tried again as if it were */
    double rate_per_host; /**< requests started per second to one host; 0: no limit */
    int burst_per_host;   /**< requests that may start at once within that, 1 */
    int adapt; /**< after 429 and 503 the rate to that host is lowered, and rises again while there are none;
                    on where a rate is given; negative: off */
    int obey_rate_limits; /**< RateLimit fields are acted upon before a 429 comes; on where retries or a rate
                             are given; positive: on, negative: off */
    double max_wait; /**< the longest wait, in seconds, that a server may ask for; beyond it calls fail with
                          GA_ERATELIMITED. None but the total timeout */
    int adaptive_limit; /**< nonzero: how many requests go to a host at once is found out by trying, from 1 to
                             limit_per_host (or limit) */

    /** Told of every phase of every call, see gather/trace.h, in the calling task; it may not suspend */
    void (*trace)(void *arg, const struct ga_trace_event *event);
    void *trace_arg; /**< trace's first argument */
    int metrics;     /**< nonzero: calls are counted for ga_session_metrics */

    double max_connection_age; /**< seconds after which a connection takes no new requests, and is closed when
                                    it has none; none */
    int max_connection_requests; /**< after so many requests, too; none */
    const char *interface;       /**< the network interface to connect through, "eth0". Linux before 5.7 wants
                                      CAP_NET_RAW for that. Names are looked up through any */
    int referer; /**< nonzero: a request that a redirect leads to has a Referer: the URL of the one before, to
                      another origin its origin alone, and none from https to http; never userinfo. A Referer
                      among the headers goes instead */
    int no_downgrade; /**< nonzero: a redirect from https to http fails with GA_EREDIRECT, but where .hsts
                         makes it https */

    size_t
        max_field;   /**< bytes of one field of a response's head, name and value, 16 KiB; at most max_head */
    int max_fields;  /**< fields of a response's head, 256; negative: as many as max_head allows */
    int max_interim; /**< interim responses (1xx) before the final one, 32; negative: as many as
                          max_head allows over HTTP/1.1, any number over HTTP/2 */
    size_t max_trailers; /**< bytes of a chunked body's trailers, and of its chunk extensions, 16 KiB */
    size_t max_line;     /**< bytes of a line of ga_read_line and of an event of ga_read_event, 1 MiB */

    int check_content_type; /**< nonzero: ga_json fails with GA_ECONTENTTYPE where Content-Type is missing, or
                                 none of application/json, application/...+json and text/json */
    int total_after_pool;   /**< nonzero: the total timeout begins when a call first gets its connection from
                                 the pool, and not while it is in line for that or for the rate */

    /** Answers requests instead of the network, see gather/mock.h: for tests, and dry runs. It is called in
     *  the calling task, after .before_send, may suspend, and is under the total and first_byte timeouts.
     *  @return 0: what ga_answer said, or 200 without a body; GA_ANSWER_PASS: on to the network; a negative
     *          code, GA_EREFUSED for one: the call fails with it as if the network had */
    int (*answer)(void *arg, struct ga_call *call);
    void *answer_arg; /**< answer's first argument */

    int resume; /**< how often the body of a GET that breaks off is gone on with, 0: the rest is asked for
                     with Range and If-Range, and reading goes on where it was. Where the connection ended,
                     broke, or read_timeout or attempt_timeout passed; where status 200 came with a strong
                     ETag (or, without one, a Last-Modified a minute older than its Date) and without
                     "Accept-Ranges: none", and the request named no Range itself. Waits as between retries;
                     what the server sends must be the rest of the same version, else the read fails as it
                     would have. Each counts in ga_attempts, and none against retry_budget */

    /** A file that gets an HTTP Archive (HAR 1.2) of the session's requests, redirects and retries among
     *  them, each when it has ended: heads, times and sizes, but no bodies and no cookies. Header fields and
     *  parameters are redacted as by ga_call_text. A file that is there is emptied; a new one is readable for
     *  its owner alone. It is JSON at any time. What cannot be written is told on stderr */
    const char *har;
    struct ga_pace *pace;   /**< a pace shared with other sessions (gather/pace.h), instead of rate, burst,
                                 adapt, max_wait and the like, which are to be left out then. The session
                                 holds it until it ends */
    double tokens_per_host; /**< units of .cost per second to one host; 0: no limit */
    double burst_tokens;    /**< units that may start at once within that, 1; see gather/pace.h */
    int limit_requests;     /**< requests under way at once, whatever the number of connections: from the
                                 end of their waiting to the end of their answers' bodies; 0: no limit */
    int limit_requests_per_host; /**< the same to one host; streams of HTTP/2 count, too; 0: no limit */
    double max_cost;             /**< the most that one request may cost; see gather/pace.h */
    double attempt_timeout; /**< one attempt of a call, from when it has a connection or begins to make one to
                                 the body's end; none. Time in lines, for the rate or a connection, is not of
                                 it; redirects are. Each retry has it anew, and each resumption: after it
                                 .retries and .resume do as for a connection that broke */
} ga_session_options;

/** A session with the options given by name: `ga_session_new(.total_timeout = 30, .limit = 100)`. Does not
 *  suspend.
 *  @return the session, the caller's to free; NULL with GA_ENOTASK, GA_EUSAGE, GA_EURL (base_url, proxies),
 *          GA_EHEADER, GA_ETLS (a CA or certificate that cannot be loaded), GA_ENOMEM */
#define ga_session_new(...) \
    ga_session_new_with(&(const ga_session_options){.size_ = sizeof(ga_session_options), __VA_ARGS__})
GA_API ga_session *ga_session_new_with(const ga_session_options *options);

/** Closes the session's idle connections and frees it. Its responses are to be freed before, and its calls to
 *  have ended: where they are not, that is reported on stderr, calls in line fail with GA_ECLOSED, and what
 * is under way closes its connection at its end. NULL is fine. Does not suspend. */
GA_API void ga_session_free(ga_session *session);
GA_AUTO_DEFINE_(ga_session, ga_session_free)

/** The session's jar, its own or the one that it was given; it is not the caller's to free. NULL
 *  with .no_cookies, and for NULL. */
GA_API ga_cookie_jar *ga_session_cookies(const ga_session *session);

/** The session's pace, its own or the one that it was given, for ga_pace_status; it is not the caller's to
 * free, and lasts as long as the session. NULL for NULL. */
GA_API struct ga_pace *ga_session_pace(const ga_session *session);

/** What the session's pool holds at this moment. */
typedef struct ga_pool_stats {
    size_t idle;     /**< connections kept for reuse */
    size_t in_use;   /**< connections lent to requests, and being opened */
    size_t waiting;  /**< requests in line */
    uint64_t opened; /**< connections opened since the session began */
    uint64_t reused; /**< requests that an open connection served */
} ga_pool_stats;
GA_API void ga_session_pool(const ga_session *session, ga_pool_stats *stats);

/** A request's body that a function gives, piece by piece, while it is sent: from a pipe, a generator,
 * another response (ga_read). */
typedef struct ga_body_source {
    /** Puts the next bytes, at most `size`, into `buffer`. It is called in the task that makes the request,
     * and may suspend. @return how many; 0 at the body's end; a negative code, which ends the call and is its
     *  error */
    ssize_t (*read)(void *arg, void *buffer, size_t size);
    /** Goes back to the body's beginning, so that it can be sent again after a redirect or on a fresh
     *  connection. NULL: it cannot, and the call then fails with GA_ENOTREPLAYABLE. @return 0 or a negative
     *  code */
    int (*rewind)(void *arg);
    void *arg;
    int64_t size; /**< bytes in all, of which no more are read, and not fewer accepted; 0 or -1: not known,
                     which HTTP/1.1 sends in chunks */
} ga_body_source;

/** A part of a multipart body, with one of value, data, file and source. All is borrowed until the call
 *  returns. */
typedef struct ga_part {
    const char *name;
    const char *value;            /**< text */
    const void *data;             /**< bytes, with size */
    size_t size;                  /**< of data */
    const char *file;             /**< a file's path; it is read while it is sent */
    const ga_body_source *source; /**< a function that gives the bytes */
    const char *filename;         /**< what the server is told; of a file its path's last part */
    const char *content_type;     /**< none, or application/octet-stream where there is a filename */
    const ga_pair *headers;       /**< further ones of the part */
} ga_part;

/** An array of parts: `.multipart = GA_PARTS({.name = "title", .value = "x"}, {.name = "f", .file =
 * "a.pdf"})`. It lives as long as the enclosing block. */
#define GA_PARTS(...) ((const ga_part[]){__VA_ARGS__, {.name = NULL}})

/** An attempt that has come to nothing, where there is to be another: for .before_retry. */
typedef struct ga_retry {
    int attempt;  /**< which it was; counts as ga_attempts does */
    int status;   /**< what it was answered; 0: it was not, and ga_error() says how it failed */
    ga_sent sent; /**< whether a server may have acted on this call so far */
    double wait;  /**< seconds until the next may begin, which may then wait for its turn; 0: at once, where a
                       connection broke */
} ga_retry;

/** One request. In the macros below the URL comes first, then options by name. */
typedef struct ga_request_options {
    const char *url;
    size_t size_; /* set by the macros */

    const ga_pair *params;  /**< added to the URL's query, percent-encoded; not again after a redirect */
    const ga_pair *headers; /**< a value of NULL only takes the session's header of that name away */

    const void *body; /**< the body's bytes, with body_size; borrowed until the call returns */
    size_t body_size;
    const char *text;          /**< a body of Content-Type text/plain; charset=utf-8 */
    const char *json_text;     /**< a body of Content-Type application/json, as it is */
    const struct json_t *json; /**< the same from a jansson value */
    const char *content_type;  /**< overrides the body's own */

    double timeout;            /**< total, instead of the session's */
    double first_byte_timeout; /**< instead of the session's */
    double read_timeout;       /**< instead of the session's */
    int max_redirects;         /**< instead of the session's; negative: none are followed */
    int64_t max_body;          /**< instead of the session's */
    int idempotent; /**< nonzero: may be sent again on a fresh connection when a kept one broke, whatever the
                         method */

    const ga_pair *cookies; /**< sent besides the jar's, and instead of those with their names; not to another
                                 origin after a redirect. A Cookie header replaces all of them */

    const char *user; /**< instead of the session's credentials, as the session's options have them */
    const char *password;
    const char *bearer;
    int digest; /**< nonzero: user and password, or the URL's, answer Digest challenges */

    const char *proxy;            /**< instead of the session's, whatever its no_proxy says; "": none */
    const ga_pair *proxy_headers; /**< for .proxy, instead of the session's */

    int no_decompress;    /**< nonzero: the body comes as it is sent, and no coding is asked for */
    int max_ratio;        /**< instead of the session's */
    const char *compress; /**< the body is sent in this coding, with Content-Encoding: "gzip", "deflate",
                             "br", "zstd"; "identity": in none. Not .multipart, .body_file and .body_source,
                             nor where a header names Content-Encoding:
                             then the body has it already. */

    /* Further kinds of body; one request has one. */
    const ga_pair *form; /**< application/x-www-form-urlencoded; a pair whose value is NULL is left out */
    const ga_part *multipart; /**< multipart/form-data (RFC 7578) with a random boundary; the array ends with
                                 a NULL name. .content_type may be another "multipart/..." */
    const char *body_file; /**< a regular file's path. It is read while it is sent; where it then has another
                                size than at first, the call fails with GA_ESYSTEM */
    const ga_body_source *body_source; /**< a function; borrowed until the call returns */
    int expect_continue;               /**< nonzero: the body waits, at most a second, until the server says
                                          that it wants it (RFC 9110, 10.1.1), and is not sent where it refuses */

    int retries;           /**< instead of the session's; negative: none */
    double retry_max_time; /**< instead of the session's */
    double max_wait;       /**< instead of the session's */
    const char
        *idempotency_key; /**< sent as Idempotency-Key, and the call may be tried again; "": a UUID is made */

    int referer;      /**< as the session's; negative: none */
    int no_downgrade; /**< as the session's; negative: such redirects are followed */
    /** Called in the task that makes the request each time that it is about to go out, after all waiting and
     *  right before its first byte; also before it goes out again for a retry, a redirect or a connection
     *  that broke. So what is to be sent can be on disk before it may arrive. `attempt` counts as ga_attempts
     *  does. It may suspend, within the total timeout. @return 0; a negative code ends the call, which then
     *  fails with it (ga_fail gives it a message), this time with nothing sent */
    int (*before_send)(void *arg, int attempt);
    void *before_send_arg; /**< before_send's first argument */

    /* Instead of the session's; where that is a yes or no, a negative number is no. */
    double pool_timeout;
    double dns_timeout;
    double connect_timeout;
    double tls_timeout;
    double write_timeout;
    int total_after_pool;
    int raise_for_status;
    int check_content_type;
    int no_cookies; /**< nonzero: the session's cookies are neither sent nor is what the answer sets kept;
                       .cookies are sent */
    const char *user_agent; /**< "": none is sent. A header User-Agent goes before it */

    int resume; /**< instead of the session's; negative: none. .before_send is not called for the
                     rest of a body */

    /* Instead of the session's, too, for the server; a proxy is reached as the session says. Connections are
     * shared only by requests for which all of these are the same, and are counted apart for limit_per_host.
     * The session keeps what it has made of the files for a few of the latest. "" is none. */
    int http;     /**< negative: as the session's 0 */
    int insecure; /**< nonzero: the certificate is not verified, for this request alone; negative: it is
                       verified although the session would not */
    int tls_version_min; /**< 12 or 13 */
    const char *ca_file; /**< with ca_path, or without, instead of both of the session's */
    const char *ca_path;
    const char *cert_file; /**< with key_file, or without, instead of both of the session's; not shown to
                              another origin after a redirect, nor is the session's then */
    const char *key_file;
    const char *tls_pin;     /**< also after redirects */
    const char *server_name; /**< not for another origin after a redirect */
    double cost; /**< what the request takes of .tokens_per_host, an estimate that ga_response_set_cost puts
                      right. 0: nothing. More than .max_cost fails the call with GA_ETOOCOSTLY */
    double attempt_timeout; /**< instead of the session's */

    /** Called in the task that makes the request when an attempt has come to nothing and there is to be
     *  another, before the wait for that. From then until .before_send, nothing of the request is under way:
     * a program that is to end may cancel its task, and nothing is lost. It may not suspend. @return 0; a
     *  negative code: there is no further attempt, and the call fails with it */
    int (*before_retry)(void *arg, const ga_retry *retry);
    void *before_retry_arg; /**< before_retry's first argument */
} ga_request_options;

/** Sends a request and awaits the response's head. Suspends.
 *  @return the response, the caller's to free; NULL with
 *          GA_EURL, GA_ESCHEME, GA_EHEADER, GA_EUSAGE, and GA_ETLS for a file that cannot be used: refused
 *          before anything was sent;
 *          GA_EDNS, GA_EREFUSED, GA_EUNREACHABLE, GA_ECONNECT, GA_ETLS, GA_ECERT, GA_EPIN, GA_EFDS: not
 *          connected; GA_EPROXY: neither, by the proxy's doing (ga_error()->status has what it answered);
 *          GA_EDISCONNECTED, GA_ERESET, GA_EPROTOCOL, GA_EHEADTOOBIG: no proper answer;
 *          GA_EREDIRECT, GA_ENOTREPLAYABLE, GA_ESTATUS (with raise_for_status);
 *          GA_ESYSTEM: a file of the body cannot be read; or what .body_source or .before_send failed with;
 *          GA_ERATELIMITED (the server asks to wait for longer than max_wait or the total timeout allow;
 *          ga_error()->retry_after says how long); GA_ETOOCOSTLY;
 *          GA_ETIMEDOUT (ga_error()->timeout names which), GA_ECANCELED, GA_ENOTASK, GA_ENOMEM */
GA_API GA_MUST_USE ga_response *ga_request_with(ga_session *session, const char *method,
                                                const ga_request_options *options);

#define GA_REQUEST_(...) (&(const ga_request_options){__VA_ARGS__, .size_ = sizeof(ga_request_options)})
/** ga_request(session, "PROPFIND", url, options...) */
#define ga_request(session, method, ...) ga_request_with((session), (method), GA_REQUEST_(__VA_ARGS__))
/** ga_get(session, url, options...); likewise the others. */
#define ga_get(session, ...) ga_request((session), "GET", __VA_ARGS__)
#define ga_head(session, ...) ga_request((session), "HEAD", __VA_ARGS__)
#define ga_post(session, ...) ga_request((session), "POST", __VA_ARGS__)
#define ga_put(session, ...) ga_request((session), "PUT", __VA_ARGS__)
#define ga_patch(session, ...) ga_request((session), "PATCH", __VA_ARGS__)
#define ga_delete(session, ...) ga_request((session), "DELETE", __VA_ARGS__)
#define ga_options(session, ...) ga_request((session), "OPTIONS", __VA_ARGS__)

/* --- the response --------------------------------------------------------------------------------- */

/** Frees the response. A body that was not read to its end closes the connection, unless a little remains of
 *  it that is there already. NULL is fine. Does not suspend. */
GA_API void ga_response_free(ga_response *response);
GA_AUTO_DEFINE_(ga_response, ga_response_free)

/** The status, 200 for one; 0 for NULL. */
GA_API int ga_status(const ga_response *response);
/** The reason phrase, "OK"; "" where there was none, or for NULL. */
GA_API const char *ga_reason(const ga_response *response);
/** The URL that answered, after redirects, without userinfo; "" for NULL. */
GA_API const char *ga_url(const ga_response *response);
/** How many redirects were followed. */
GA_API int ga_redirects(const ga_response *response);
/** The redirect at this place, from 0, the first: the status, and the URL that gave it, without userinfo,
 * which is the response's. Either pointer may be NULL. False past the last, and for NULL. */
GA_API int ga_redirect_at(const ga_response *response, size_t index, const char **url, int *status);
/** How often a request was sent, or tried to be, for this answer: 1 and a retry each; redirects do not count.
 */
GA_API int ga_attempts(const ga_response *response);
/** The HTTP version: "1.1", "1.0" or "2"; "" for NULL. */
GA_API const char *ga_http_version(const ga_response *response);

/** Says what the request has cost in truth, where .cost was an estimate: what was too much is given back to
 *  .tokens_per_host, what was too little is owed. Also without .cost. Does not suspend.
 *  @return 0; GA_EUSAGE where it is below 0 or no number; GA_ENOTASK outside of a loop; for NULL the error
 *          before */
GA_API int ga_response_set_cost(ga_response *response, double cost);

/** A header's value, the first of that name, whatever its case; NULL when there is none, or for NULL. */
GA_API const char *ga_header(const ga_response *response, const char *name);
/** The header at this place, from 0, in the order received; false past the last. */
GA_API int ga_header_at(const ga_response *response, size_t index, ga_pair *header);
/** Where the head's Link fields (RFC 8288) lead for this relation, "next" for one, as an absolute URL. Does
 * not suspend.
 *  @return a string, the caller's to free; NULL when there is no such link, or it is no URL that could be
 *          called, or for NULL: the error stays as it is then; NULL with GA_ENOMEM */
GA_API GA_MUST_USE char *ga_link(const ga_response *response, const char *relation);

/** Fails when there is no response or its status is 400 or above.
 *  @return 0, GA_ESTATUS, or the code of the failure before */
GA_API int ga_raise_for_status(const ga_response *response);

/** The body as UTF-8 text, whatever its charset (from Content-Type, a BOM, else UTF-8; bytes that are invalid
 *  become U+FFFD). Reads it to its end. Suspends.
 *  @return a string, the caller's to free; NULL with GA_ETRUNCATED, GA_ETOOLARGE, GA_EPROTOCOL, GA_EDECODE,
 *          GA_ERESET, GA_ETIMEDOUT, GA_ECANCELED, GA_ENOMEM, or for NULL the error before */
GA_API GA_MUST_USE char *ga_text(ga_response *response);

/** The same, where a body whose charset neither a BOM nor Content-Type tells is in this one, "windows-1252"
 * or another label of the Encoding Standard, and not in UTF-8. Suspends.
 *  @return NULL with GA_EUSAGE (no such charset), or as ga_text does */
GA_API GA_MUST_USE char *ga_text_with_fallback(ga_response *response, const char *charset);

/** The body's bytes, read to its end; a NUL follows them. They are the response's. Suspends.
 *  @return NULL as ga_text does */
GA_API const void *ga_body(ga_response *response, size_t *size);

/** The body as a jansson value, the caller's to json_decref. Suspends.
 *  @return NULL with GA_EJSON, GA_ECONTENTTYPE (with .check_content_type, before the body is read), or as
 *          ga_text does */
GA_API GA_MUST_USE struct json_t *ga_json(ga_response *response);

/** Reads the next piece of the body, at most `size` bytes, as it arrives: what is not read stays at the
 *  server. Suspends.
 *
 *  This function and the three above undo content codings (RFC 9110 section 8.4.1), whether the request asked
 *  for them or not: gzip, deflate, br and zstd, up to five on top of each other. A body with any other coding
 *  comes as it is, and so do parts (status 206) and, with .no_decompress, all bodies. ga_header tells
 *  Content-Encoding as it was received.
 *
 *  @return the number of bytes, 0 at the end, or negative as ga_text fails */
GA_API GA_MUST_USE ssize_t ga_read(ga_response *response, void *buffer, size_t size);

/** Reads the body to its end into a file, decoded as ga_read does it, without holding more than a piece of
 *  it in memory. It is written under another name in the same directory, and renamed when it is whole: where
 *  this fails there is no part of it, and a file that was there is as it was. A file that is replaced hands
 *  its mode down, a new one has what the umask leaves; symbolic links are followed; what is no regular file
 *  is refused. Only the request's own max_body is a limit here. A status of 400 is saved as any other: see
 *  ga_raise_for_status. Suspends: threads wait for the disk.
 *  @return the number of bytes written; GA_ESYSTEM (ga_error()->os_error has errno: the disk is full, for
 *          one), GA_EUSAGE, GA_ETOOLARGE, GA_ENOMEM, or negative as ga_read fails */
GA_API GA_MUST_USE int64_t ga_save(ga_response *response, const char *path);

GA_END_DECLS

#endif
