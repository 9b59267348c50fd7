/* SPDX-License-Identifier: MIT */
/*
 * Failure is a value. A function that returns a pointer returns NULL, one that returns an int returns
 * a negative GA_E... code; what happened in detail is the calling task's own last error.
 *
 * Every function takes NULL where the call before it failed, and then leaves that error as it is, so a
 * chain of calls needs one check at its end.
 */
#ifndef GATHER_ERROR_H
#define GATHER_ERROR_H

#include <gather/base.h>

GA_BEGIN_DECLS

/** What went wrong: a closed list. All are negative. */
typedef enum ga_code {
    GA_OK = 0,
    /* the runtime */
    GA_ECANCELED = -1, /**< the scope or group was cancelled; the operation did not happen */
    GA_ETIMEDOUT = -2, /**< a deadline passed; ga_error()->timeout names which */
    GA_EDEADLK = -3,   /**< every task waits for another; nothing can wake them */
    GA_ENOTASK = -4,   /**< a call that suspends was made outside a task */
    GA_EUSAGE = -5,    /**< an argument or the order of calls is wrong */
    GA_ECLOSED = -6,   /**< the object is closed */
    GA_ENOMEM = -7,    /**< no memory, or no more memory mappings for stacks */
    GA_EFDS = -8,      /**< no more file descriptors */
    GA_ESYSTEM = -9,   /**< another system error; ga_error()->os_error has errno */
    GA_EFORKED = -10,  /**< the process forked; the child must not use the parent's loop */
    GA_EAGAIN = -11,   /**< a try_ function would have had to wait */
    /* the request */
    GA_EURL = -20,           /**< the URL cannot be parsed */
    GA_ESCHEME = -21,        /**< the URL's scheme is neither http nor https */
    GA_EHEADER = -22,        /**< a method, header name or header value has a character that is not allowed */
    GA_ENOTREPLAYABLE = -23, /**< the body was consumed and cannot be sent again */
    /* reaching the server */
    GA_EDNS = -30,         /**< the name does not resolve; ga_error()->dns_error has c-ares' code */
    GA_EREFUSED = -31,     /**< no address accepted the connection: refused */
    GA_EUNREACHABLE = -32, /**< no address can be reached */
    GA_ECONNECT = -33,     /**< connecting failed otherwise; ga_error()->os_error has errno */
    GA_ETLS = -34,         /**< the TLS handshake or record layer failed */
    GA_ECERT = -35,        /**< the server's certificate does not verify */
    GA_EPROXY = -36,       /**< the proxy cannot be reached, refused, or said something else than it should */
    GA_EPIN = -37,         /**< the server's public key is none of those in tls_pin */
    /* the answer */
    GA_EDISCONNECTED = -40, /**< the server closed the connection before a whole response head */
    GA_ERESET = -41,        /**< the connection was reset */
    GA_EPROTOCOL = -42,     /**< the answer breaks the HTTP syntax */
    GA_EHEADTOOBIG = -43,   /**< the response head is larger than the limits allow */
    GA_ETRUNCATED = -44,    /**< the body ended early */
    GA_ETOOLARGE = -45,     /**< the body is larger than max_body */
    GA_EREDIRECT = -46,     /**< a redirect that cannot be followed, or too many */
    GA_ESTATUS = -47,       /**< ga_raise_for_status: the status is 400 or above */
    GA_EDECODE = -48,       /**< the content coding is broken or expands beyond the limits */
    GA_ECONTENTTYPE = -49,  /**< the content type is not the one asked for */
    GA_EJSON = -50,         /**< the body is not JSON */
    GA_ERATELIMITED = -51,  /**< the server asks to wait for longer than is allowed to wait */
    GA_ETOOCOSTLY = -52     /**< the request costs more than the limit of tokens ever grants */
} ga_code;

/** How far a request got when it failed. */
typedef enum ga_phase {
    GA_PHASE_NONE = 0,
    GA_PHASE_PREPARE, /**< building the request */
    GA_PHASE_POOL,    /**< in line for a connection */
    GA_PHASE_DNS,
    GA_PHASE_CONNECT,
    GA_PHASE_TLS,
    GA_PHASE_WRITE,      /**< sending the request */
    GA_PHASE_FIRST_BYTE, /**< waiting for the response head */
    GA_PHASE_READ,       /**< reading the body */
    GA_PHASE_DECODE,     /**< undoing the body's content codings, making text or JSON of it */
    GA_PHASE_PACE        /**< waiting for its turn at the host, or before another attempt */
} ga_phase;

/** Whether a server may have acted on the request: what decides if it is safe to send it again. Of a call
 * that made several attempts, or followed a redirect, it is said of all of them. */
typedef enum ga_sent {
    GA_SENT_NO = 0,   /**< certainly not: no byte was written */
    GA_SENT_MAYBE,    /**< some bytes were written, no answer came */
    GA_SENT_ANSWERED, /**< the server began to answer */
    GA_SENT_REFUSED   /**< certainly not: it was sent, and the server would not have it now (429, 503, or what
                           HTTP/2 has for that) */
} ga_sent;

/** The detail of a failure. Strings live until the task's next failure. */
typedef struct ga_error_detail {
    int code;            /**< GA_E..., GA_OK when there was none */
    const char *message; /**< for a person: what was tried, on what, what happened; never NULL. One line
                              without control characters, whatever the server said */
    const char *url;     /**< the URL without userinfo, or NULL */
    ga_phase phase;
    const char *timeout; /**< with GA_ETIMEDOUT: "total", "connect", ... or "scope"; else NULL */
    ga_sent sent;
    int attempt;             /**< 1 for the first try; 0 outside a request */
    int reused;              /**< whether the connection was a kept one */
    int status;              /**< the HTTP status, or 0 */
    int os_error;            /**< errno, or 0 */
    int dns_error;           /**< ARES_E..., or 0 */
    unsigned long tls_error; /**< OpenSSL's error code, or its X509_V_ERR_... with GA_ECERT; or 0 */
    uint64_t bytes_sent;
    uint64_t bytes_received;
    double retry_after; /**< with GA_ERATELIMITED: seconds until the server wants to be asked again; else 0 */
} ga_error_detail;

/** The calling task's last failure, never NULL; outside a task the thread's. A task's error is its
 *  own: it lasts until the task's next failure, and success does not clear it. Does not suspend. */
GA_API const ga_error_detail *ga_error(void);

/** The message of the calling task's last failure; "" when there was none. */
GA_API const char *ga_error_message(void);

/** Forgets the calling task's last failure. */
GA_API void ga_error_clear(void);

/** Fails with a message of the caller's own: `return ga_fail(GA_EUSAGE, "row %d has no name", row);`
 *  A control character in it becomes "?".
 *  @return code */
GA_API int ga_fail(int code, const char *format, ...) GA_PRINTF(2, 3);

/** The name of a code, "GA_EDNS". */
GA_API const char *ga_code_name(int code);

/** The name of a phase, "first_byte". */
GA_API const char *ga_phase_name(ga_phase phase);

/** Who is told of errors that nobody read: a task that failed in a group that was closed without a look
 *  at the task's error. The default prints one line to stderr. NULL restores the default.
 *  One handler serves all threads; set it before the first ga_run. It is no task: it cannot suspend. */
typedef void ga_unread_error_handler(const char *task, const char *where, const ga_error_detail *error);
GA_API void ga_on_unread_error(ga_unread_error_handler *handler);

GA_END_DECLS

#endif
