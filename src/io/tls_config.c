/* SPDX-License-Identifier: MIT */
/*
 * TLS configurations: an OpenSSL context, and the sessions of earlier connections by peer. The store of
 * sessions is one list, the latest first, short enough to be searched. OpenSSL's own store is off: it knows
 * sessions by their id, and not whom they are with.
 *
 * What verifies certificates is ga__tls_verify (tls_verify.c).
 */
#include "io/tls_config.h"

#include "base/list.h"
#include "io/tls_pin.h"
#include "io/tls_verify.h"
#include "task/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <string.h>
#include <unistd.h>

enum {
    SESSIONS = 256,          /* kept at most */
    SESSIONS_PER_PEER = 16,  /* so that one peer does not crowd out the others */
    READ_BUFFER = 64 * 1024, /* what one recv may bring: several records */
    ALPN_MOST = 64
};

struct ga__tls_config {
    int references;
    SSL_CTX *context;
    char *pins; /* or NULL */
    ga__list sessions;
    size_t session_count;
    unsigned char alpn[ALPN_MOST]; /* as on the wire: each name after its length */
    unsigned alpn_size;
};

typedef struct session {
    ga__link link;
    SSL_SESSION *session;
    char peer[];
} session;

/* --- failing -------------------------------------------------------------------------------------- */

/* Records that something did not work, with OpenSSL's reason. */
static int refused(const char *what, const char *name)
{
    unsigned long error = ERR_peek_error();
    const char *reason = ERR_reason_error_string(error);
    int os_error = ERR_SYSTEM_ERROR(error) ? ERR_GET_REASON(error) : 0;

    ERR_clear_error();
    ga__fail(GA_ETLS, "%s%s%s cannot be used: %s", what, name ? " " : "", name ? name : "",
             os_error ? strerror(os_error)
             : reason ? reason
                      : "OpenSSL gives no reason");
    ga__error_edit()->tls_error = error;
    ga__error_edit()->os_error = os_error;
    return GA_ETLS;
}

static int unreadable(const char *what, const char *name)
{
    int error = errno;

    ga__fail(GA_ETLS, "%s %s cannot be read: %s", what, name, strerror(error));
    ga__error_edit()->os_error = error;
    return GA_ETLS;
}

/* --- what to trust -------------------------------------------------------------------------------- */

/* OpenSSL passes over a variable that names nothing readable, and then no certificate verifies and nobody
 * knows why. */
static int check_environment(const char *variable)
{
    const char *path = secure_getenv(variable);

    if (!path || !*path || access(path, R_OK) == 0)
        return 0;
    return unreadable(variable, path);
}

/* OpenSSL passes over files that it has no descriptor for, too, and would trust nobody from then on. */
static int check_descriptor(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    if (fd >= 0)
        close(fd);
    else if (errno == EMFILE || errno == ENFILE)
        return ga__fail(GA_EFDS, "the system's CA certificates cannot be read: no file descriptor is left "
                                 "(raise the limit: ulimit -n)");
    return 0;
}

static int trust_system(SSL_CTX *context)
{
    int code = check_environment("SSL_CERT_FILE");

    /* SSL_CERT_DIR is a list of directories, so that some may be missing */
    if (!code)
        code = check_descriptor();
    if (code)
        return code;
    if (!SSL_CTX_set_default_verify_paths(context))
        return refused("the system's CA certificates", NULL);
    return 0;
}

static int trust_text(SSL_CTX *context, const char *text)
{
    BIO *bio = BIO_new_mem_buf(text, -1);
    X509 *certificate;
    int count = 0;

    if (!bio)
        return ga__fail(GA_ENOMEM, "no memory for CA certificates");
    while ((certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
        count += X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate);
        X509_free(certificate);
    }
    BIO_free(bio);
    if (count == 0)
        return refused("the text of CA certificates", NULL);
    ERR_clear_error(); /* the end of the text was one */
    return 0;
}

static int trust(SSL_CTX *context, const ga__tls_options *options)
{
    if (options->ca_pem)
        return trust_text(context, options->ca_pem);
    if (!options->ca_file && !options->ca_path)
        return trust_system(context);
    if (options->ca_file && access(options->ca_file, R_OK) < 0)
        return unreadable("ca_file", options->ca_file);
    if (options->ca_file && !SSL_CTX_load_verify_file(context, options->ca_file))
        return refused("ca_file", options->ca_file);
    if (options->ca_path && access(options->ca_path, R_OK | X_OK) < 0)
        return unreadable("ca_path", options->ca_path);
    if (options->ca_path && !SSL_CTX_load_verify_dir(context, options->ca_path))
        return refused("ca_path", options->ca_path);
    return 0;
}

/* --- own certificates ----------------------------------------------------------------------------- */

/* OpenSSL would ask for a passphrase on the terminal, and hold up the loop until somebody gives it. */
static int no_passphrase(char *buffer, int size, int writing, void *encrypted)
{
    (void)buffer;
    (void)size;
    (void)writing;
    *(bool *)encrypted = true;
    return -1;
}

static int use_key(SSL_CTX *context, const char *file)
{
    bool encrypted = false;

    SSL_CTX_set_default_passwd_cb(context, no_passphrase);
    SSL_CTX_set_default_passwd_cb_userdata(context, &encrypted);
    /* also fails where the key does not fit the certificate */
    int used = SSL_CTX_use_PrivateKey_file(context, file, SSL_FILETYPE_PEM);

    SSL_CTX_set_default_passwd_cb(context, NULL);
    SSL_CTX_set_default_passwd_cb_userdata(context, NULL);
    if (used == 1)
        return 0;
    if (!encrypted)
        return refused("key_file", file);
    ERR_clear_error();
    return ga__fail(GA_ETLS,
                    "key_file %s is encrypted, and its passphrase is not asked for: give the key as `openssl "
                    "pkey -in %s` writes it, in a file that only its owner may read",
                    file, file);
}

static int identify(SSL_CTX *context, const ga__tls_options *options)
{
    const char *key = options->key_file ? options->key_file : options->cert_file;

    if (!options->cert_file)
        return options->key_file ? ga__fail(GA_EUSAGE, "key_file %s without a cert_file", key) : 0;
    if (access(options->cert_file, R_OK) < 0)
        return unreadable("cert_file", options->cert_file);
    if (access(key, R_OK) < 0)
        return unreadable("key_file", key);
    if (SSL_CTX_use_certificate_chain_file(context, options->cert_file) != 1)
        return refused("cert_file", options->cert_file);
    return use_key(context, key);
}

static int identify_by_text(SSL_CTX *context, const char *certificate, const char *key)
{
    BIO *certificates = BIO_new_mem_buf(certificate, -1);
    BIO *keys = BIO_new_mem_buf(key, -1);
    X509 *own = certificates ? PEM_read_bio_X509_AUX(certificates, NULL, NULL, NULL) : NULL;
    EVP_PKEY *private_key = keys ? PEM_read_bio_PrivateKey(keys, NULL, NULL, NULL) : NULL;
    X509 *next;
    bool ok = own && private_key && SSL_CTX_use_certificate(context, own) == 1 &&
              SSL_CTX_use_PrivateKey(context, private_key) == 1;

    while (ok && (next = PEM_read_bio_X509(certificates, NULL, NULL, NULL)) != NULL) {
        ok = SSL_CTX_add0_chain_cert(context, next) == 1;
        if (!ok)
            X509_free(next);
    }
    int code = ok ? 0 : refused("the server's certificate and key", NULL);

    ERR_clear_error();
    EVP_PKEY_free(private_key);
    X509_free(own);
    BIO_free(keys);
    BIO_free(certificates);
    return code;
}

/* --- ALPN ----------------------------------------------------------------------------------------- */

/* "h2,http/1.1" to its form on the wire. */
static int set_alpn(ga__tls_config *config, const char *names)
{
    unsigned size = 0;

    while (names && *names) {
        size_t name = strcspn(names, ",");

        if (name == 0 || size + 1 + name > ALPN_MOST)
            return ga__fail(GA_EUSAGE, "the list of ALPN protocols is too long, or one is empty");
        config->alpn[size] = (unsigned char)name;
        memcpy(config->alpn + size + 1, names, name);
        size += 1 + (unsigned)name;
        names += name + (names[name] == ',');
    }
    config->alpn_size = size;
    return 0;
}

static int choose_protocol(SSL *tls, const unsigned char **chosen, unsigned char *size,
                           const unsigned char *offered, unsigned offered_size, void *argument)
{
    const ga__tls_config *config = argument;
    unsigned char *place;

    (void)tls;
    if (SSL_select_next_proto(&place, size, config->alpn, config->alpn_size, offered, offered_size) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_NOACK;
    *chosen = place;
    return SSL_TLSEXT_ERR_OK;
}

/* OpenSSL has a session that may be resumed. @return 1: its reference is taken over */
static int keep_session(SSL *tls, SSL_SESSION *resumable)
{
    ga__tls_peer *peer = SSL_get_app_data(tls);

    if (!peer)
        return 0;
    ga__tls_config_keep_session(peer->config, peer->host_port, resumable);
    return 1;
}

/* --- making and freeing --------------------------------------------------------------------------- */

static ga__tls_config *config_new(const SSL_METHOD *method)
{
    ga__tls_config *config = calloc(1, sizeof *config);

    ERR_clear_error(); /* what others left in the thread's queue would be taken for ours */
    if (!config)
        goto no_memory;
    config->references = 1;
    ga__list_init(&config->sessions);
    config->context = SSL_CTX_new(method);
    if (!config->context)
        goto no_memory;
    SSL_CTX_set_mode(config->context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                          SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_options(config->context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_read_ahead(config->context, 1);
    SSL_CTX_set_default_read_buffer_len(config->context, READ_BUFFER);
    return config;

no_memory:
    ERR_clear_error();
    free(config);
    ga__fail(GA_ENOMEM, "no memory for TLS");
    return NULL;
}

static int set_version(SSL_CTX *context, int version)
{
    if (version != 0 && version != 12 && version != 13)
        return ga__fail(GA_EUSAGE, "tls_version_min is %d: 12 and 13 are known", version);
    SSL_CTX_set_min_proto_version(context, version == 13 ? TLS1_3_VERSION : TLS1_2_VERSION);
    return 0;
}

static int set_pins(ga__tls_config *config, const char *pins)
{
    if (!pins)
        return 0;
    if (!ga__tls_pins_valid(pins))
        return ga__fail(GA_EUSAGE,
                        "tls_pin \"%.200s\": \"sha256//BASE64\" is expected, several with \";\" "
                        "between them, of 32 bytes each",
                        pins);
    config->pins = strdup(pins);
    return config->pins ? 0 : ga__fail(GA_ENOMEM, "no memory for TLS");
}

static int set_up_client(ga__tls_config *config, const ga__tls_options *options)
{
    SSL_CTX *context = config->context;
    int code = set_version(context, options->version_min);

    if (!code)
        code = set_pins(config, options->pin);
    if (!code)
        code = set_alpn(config, options->alpn);
    if (!code && !options->insecure)
        code = trust(context, options);
    if (!code)
        code = identify(context, options);
    if (code)
        return code;
    /* No callback where nothing is verified: what it notes would be taken for why a handshake failed. */
    SSL_CTX_set_verify(context, options->insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER,
                       options->insecure ? NULL : ga__tls_verify);
    if (config->alpn_size && SSL_CTX_set_alpn_protos(context, config->alpn, config->alpn_size) != 0)
        return ga__fail(GA_ENOMEM, "no memory for TLS");
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, keep_session);
    return 0;
}

ga__tls_config *ga__tls_config_new(const ga__tls_options *options)
{
    ga__tls_config *config = config_new(TLS_client_method());

    if (config && set_up_client(config, options) < 0) {
        ga__tls_config_unref(config);
        return NULL;
    }
    return config;
}

ga__tls_config *ga__tls_config_server(const char *certificate, const char *key, const char *alpn)
{
    ga__tls_config *config = config_new(TLS_server_method());

    if (!config)
        return NULL;
    if (set_version(config->context, 0) < 0 || set_alpn(config, alpn) < 0 ||
        identify_by_text(config->context, certificate, key) < 0) {
        ga__tls_config_unref(config);
        return NULL;
    }
    if (config->alpn_size)
        SSL_CTX_set_alpn_select_cb(config->context, choose_protocol, config);
    SSL_CTX_set_session_cache_mode(config->context, SSL_SESS_CACHE_OFF); /* tickets need no store */
    return config;
}

ga__tls_config *ga__tls_config_ref(ga__tls_config *config)
{
    config->references++;
    return config;
}

static void session_free(ga__tls_config *config, session *kept)
{
    ga__unlink(&kept->link);
    config->session_count--;
    SSL_SESSION_free(kept->session);
    free(kept);
}

void ga__tls_config_unref(ga__tls_config *config)
{
    if (!config || --config->references > 0)
        return;
    while (!ga__list_empty(&config->sessions))
        session_free(config, GA__OF(config->sessions.next, session, link));
    SSL_CTX_free(config->context);
    free(config->pins);
    free(config);
}

SSL_CTX *ga__tls_config_context(const ga__tls_config *config)
{
    return config->context;
}

const char *ga__tls_config_pins(const ga__tls_config *config)
{
    return config->pins;
}

/* --- sessions ------------------------------------------------------------------------------------- */

SSL_SESSION *ga__tls_config_take_session(ga__tls_config *config, const char *peer)
{
    for (ga__link *link = config->sessions.next, *next; link != &config->sessions; link = next) {
        session *kept = GA__OF(link, session, link);

        next = link->next;
        if (strcmp(kept->peer, peer) != 0)
            continue;
        SSL_SESSION *found = kept->session;

        SSL_SESSION_up_ref(found);
        /* A TLS 1.3 ticket used twice would let an onlooker link both connections (RFC 8446, C.4). */
        if (!SSL_SESSION_is_resumable(found) || SSL_SESSION_get_protocol_version(found) == TLS1_3_VERSION)
            session_free(config, kept);
        if (SSL_SESSION_is_resumable(found))
            return found;
        SSL_SESSION_free(found);
    }
    return NULL;
}

/* Drops the oldest session, and the peer's oldest where that one has its share. */
static void make_room(ga__tls_config *config, const char *peer)
{
    session *oldest = NULL;
    int count = 0;

    for (ga__link *link = config->sessions.next; link != &config->sessions; link = link->next) {
        session *kept = GA__OF(link, session, link);

        if (strcmp(kept->peer, peer) == 0) {
            oldest = kept;
            count++;
        }
    }
    if (count >= SESSIONS_PER_PEER)
        session_free(config, oldest);
    else if (config->session_count >= SESSIONS)
        session_free(config, GA__OF(config->sessions.prev, session, link));
}

void ga__tls_config_keep_session(ga__tls_config *config, const char *peer, SSL_SESSION *resumable)
{
    size_t size = strlen(peer) + 1;
    session *kept = malloc(sizeof *kept + size);

    if (!kept) {
        SSL_SESSION_free(resumable);
        return;
    }
    make_room(config, peer);
    kept->link = (ga__link){0};
    kept->session = resumable;
    memcpy(kept->peer, peer, size);
    ga__list_push_front(&config->sessions, &kept->link);
    config->session_count++;
}
