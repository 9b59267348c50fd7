/* SPDX-License-Identifier: MIT */
/*
 * Strings that would break out of where they belong, in every option that takes one: each is refused before a
 * byte is sent, or arrives harmless within one whole request; and no message hands control characters on to a
 * terminal or a log.
 */
#include "http1_feed.h"
#include "peer.h"

#include "base/ascii.h"

/* Both structs of options, and room for what the evil is put into. */
typedef struct attempt {
    ga_session_options session;
    ga_request_options request;
    const char *method;
    const char *evil;
    const char *url; /* the peer's */
    char https_url[128];
    char text[512];
    char host[64]; /* and port, of the peer */
    ga_pair pairs[2];
    ga_part parts[2];
    const char *list[2];
} attempt;

typedef enum outcome {
    REFUSED, /* nothing is sent */
    HARMLESS /* or one request arrives, and is what it was to be */
} outcome;

typedef struct option_row {
    const char *name;
    void (*set)(attempt *self);
    outcome outcome;
} option_row;

/* The evil between the two parts. */
static const char *within(attempt *self, const char *before, const char *after)
{
    snprintf(self->text, sizeof self->text, "%s%s%s", before, self->evil, after);
    return self->text;
}

/* As userinfo of the peer's URL. */
static const char *as_user(attempt *self)
{
    snprintf(self->text, sizeof self->text, "http://a%sb:c@%s", self->evil, self->host);
    return self->text;
}

static const ga_pair *pair(attempt *self, const char *name, const char *value)
{
    self->pairs[0] = (ga_pair){name, value};
    self->pairs[1] = (ga_pair){NULL, NULL};
    return self->pairs;
}

static const ga_part *part(attempt *self, ga_part given)
{
    self->parts[0] = given;
    self->parts[1] = (ga_part){.name = NULL};
    return self->parts;
}

#define SETS(name, statement)                       \
    static void set_##name(attempt *self GA_UNUSED) \
    {                                               \
        statement;                                  \
    }

SETS(method, self->method = within(self, "GET", ""))
SETS(url_path, self->request.url = within(self, self->url, "x"))
SETS(url_query, {
    char start[200];

    snprintf(start, sizeof start, "%s?q=", self->url);
    self->request.url = within(self, start, "x");
})
SETS(url_host, self->request.url = within(self, "http://127.0.0.1", ":80/"))
SETS(url_user, self->request.url = as_user(self))
SETS(base_url, {
    self->session.base_url = within(self, self->url, "/");
    self->request.url = "x";
})
SETS(params_name, self->request.params = pair(self, within(self, "a", "b"), "x"))
SETS(params_value, self->request.params = pair(self, "x", within(self, "a", "b")))
SETS(session_header_name, self->session.headers = pair(self, within(self, "a", "b"), "x"))
SETS(session_header_value, self->session.headers = pair(self, "x", within(self, "a", "b")))
SETS(session_user_agent, self->session.user_agent = within(self, "a", "b"))
SETS(header_name, self->request.headers = pair(self, within(self, "a", "b"), "x"))
SETS(header_value, self->request.headers = pair(self, "x", within(self, "a", "b")))
SETS(host_header, self->request.headers = pair(self, "Host", within(self, "a", "b")))
SETS(cookie_header, self->request.headers = pair(self, "Cookie", within(self, "a=", "b")))
SETS(content_type, {
    self->request.text = "x";
    self->request.content_type = within(self, "a/b", "");
})
SETS(content_type_header, {
    self->request.text = "x";
    self->request.headers = pair(self, "Content-Type", within(self, "a/b", ""));
})
SETS(cookie_name, self->request.cookies = pair(self, within(self, "a", "b"), "x"))
SETS(cookie_value, self->request.cookies = pair(self, "x", within(self, "a", "b")))
SETS(session_user, (self->session.user = within(self, "a", "b"), self->session.password = "p"))
SETS(session_password, (self->session.user = "u", self->session.password = within(self, "a", "b")))
SETS(session_bearer, self->session.bearer = within(self, "a", "b"))
SETS(user, (self->request.user = within(self, "a", "b"), self->request.password = "p"))
SETS(password, (self->request.user = "u", self->request.password = within(self, "a", "b")))
SETS(bearer, self->request.bearer = within(self, "a", "b"))
SETS(digest_user, {
    self->request.digest = 1;
    self->request.user = within(self, "a", "b");
    self->request.password = "p";
})
SETS(session_compress, (self->session.compress = within(self, "gzip", ""), self->request.text = "x"))
SETS(compress, (self->request.compress = within(self, "gzip", ""), self->request.text = "x"))
SETS(form_name, self->request.form = pair(self, within(self, "a", "b"), "x"))
SETS(form_value, self->request.form = pair(self, "x", within(self, "a", "b")))
SETS(part_name, self->request.multipart = part(self, (ga_part){.name = within(self, "a", "b"), .value = "x"}))
SETS(part_filename,
     self->request.multipart = part(self,
                                    (ga_part){.name = "a", .filename = within(self, "a", "b"), .value = "x"}))
SETS(part_content_type,
     self->request.multipart =
         part(self, (ga_part){.name = "a", .content_type = within(self, "a/b", ""), .value = "x"}))
SETS(part_header_name,
     self->request.multipart =
         part(self, (ga_part){.name = "a", .headers = pair(self, within(self, "a", "b"), "x"), .value = "x"}))
SETS(part_header_value,
     self->request.multipart =
         part(self, (ga_part){.name = "a", .headers = pair(self, "x", within(self, "a", "b")), .value = "x"}))
SETS(part_file,
     self->request.multipart = part(self, (ga_part){.name = "a", .file = within(self, "/none/", "b")}))
SETS(multipart_type, {
    self->request.multipart = part(self, (ga_part){.name = "a", .value = "x"});
    self->request.content_type = within(self, "multipart/mixed", "");
})
SETS(body_file, self->request.body_file = within(self, "/none/", "b"))
SETS(text_body, self->request.text = within(self, "a", "b"))
SETS(json_body, self->request.json_text = within(self, "\"", "\""))
SETS(idempotency_key, self->request.idempotency_key = within(self, "a", "b"))
SETS(session_proxy, self->session.proxy = within(self, self->url, ""))
SETS(session_proxy_user, self->session.proxy = as_user(self))
SETS(session_proxies, self->session.proxies = pair(self, "http", within(self, self->url, "")))
SETS(session_proxies_scheme, self->session.proxies = pair(self, within(self, "http", ""), self->url))
SETS(session_no_proxy, (self->session.proxy = self->url, self->session.no_proxy = within(self, "a", "b")))
SETS(session_proxy_header, {
    self->session.proxy = self->url;
    self->session.proxy_headers = pair(self, "x", within(self, "a", "b"));
})
SETS(proxy, self->request.proxy = within(self, self->url, ""))
SETS(proxy_header_name, {
    self->request.proxy = self->url;
    self->request.proxy_headers = pair(self, within(self, "a", "b"), "x");
})
SETS(proxy_header_value, {
    self->request.proxy = self->url;
    self->request.proxy_headers = pair(self, "x", within(self, "a", "b"));
})
SETS(resolve_name, self->session.resolve = pair(self, within(self, "a", "b"), "127.0.0.1"))
SETS(resolve_address, self->session.resolve = pair(self, "a", within(self, "127.0.0.1", "")))
SETS(connect_to, (self->list[0] = within(self, "a", "b:1:c:2"), self->session.connect_to = self->list))
SETS(local_address, self->session.local_address = within(self, "127.0.0.1", ""))
SETS(tls_pin, (self->session.tls_pin = within(self, "sha256//", ""), self->session.insecure = 1))
SETS(server_name, {
    self->session.server_name = within(self, "a", "b");
    self->request.url = self->https_url;
})
SETS(request_server_name,
     (self->request.server_name = within(self, "a", "b"), self->request.url = self->https_url))
SETS(request_tls_pin, {
    self->session.insecure = 1;
    self->request.tls_pin = within(self, "sha256//", "");
    self->request.url = self->https_url;
})
SETS(request_ca_file,
     (self->request.ca_file = within(self, "/none/", "b"), self->request.url = self->https_url))
SETS(request_cert_file,
     (self->request.cert_file = within(self, "/none/", "b"), self->request.url = self->https_url))
SETS(request_user_agent, self->request.user_agent = within(self, "a", "b"))
SETS(har, self->session.har = within(self, "/none/", "b"))
SETS(interface, self->session.interface = within(self, "a", "b"))
SETS(unix_socket, self->session.unix_socket = within(self, "/none/", "b"))
SETS(ca_file, self->session.ca_file = within(self, "/none/", "b"))
SETS(ca_path, self->session.ca_path = within(self, "/none/", "b"))
SETS(cert_file, self->session.cert_file = within(self, "/none/", "b"))
SETS(key_file, (self->session.cert_file = "/none", self->session.key_file = within(self, "/none/", "b")))

static const option_row rows[] = {
#define ROW(name, outcome)         \
    {                              \
#name, set_##name, outcome \
    }
    ROW(method, REFUSED),
    ROW(url_path, REFUSED),
    ROW(url_query, REFUSED),
    ROW(url_host, REFUSED),
    ROW(url_user, REFUSED),
    ROW(base_url, REFUSED),
    ROW(params_name, HARMLESS),
    ROW(params_value, HARMLESS),
    ROW(session_header_name, REFUSED),
    ROW(session_header_value, REFUSED),
    ROW(session_user_agent, REFUSED),
    ROW(header_name, REFUSED),
    ROW(header_value, REFUSED),
    ROW(host_header, REFUSED),
    ROW(cookie_header, REFUSED),
    ROW(content_type, REFUSED),
    ROW(content_type_header, REFUSED),
    ROW(cookie_name, REFUSED),
    ROW(cookie_value, REFUSED),
    ROW(session_user, REFUSED),
    ROW(session_password, REFUSED),
    ROW(session_bearer, REFUSED),
    ROW(user, REFUSED),
    ROW(password, REFUSED),
    ROW(bearer, REFUSED),
    ROW(digest_user, REFUSED),
    ROW(session_compress, REFUSED),
    ROW(compress, REFUSED),
    ROW(form_name, HARMLESS),
    ROW(form_value, HARMLESS),
    ROW(part_name, HARMLESS),
    ROW(part_filename, HARMLESS),
    ROW(part_content_type, REFUSED),
    ROW(part_header_name, REFUSED),
    ROW(part_header_value, REFUSED),
    ROW(part_file, REFUSED),
    ROW(multipart_type, REFUSED),
    ROW(body_file, REFUSED),
    ROW(text_body, HARMLESS),
    ROW(json_body, HARMLESS),
    ROW(idempotency_key, REFUSED),
    ROW(session_proxy, REFUSED),
    ROW(session_proxy_user, REFUSED),
    ROW(session_proxies, REFUSED),
    ROW(session_proxies_scheme, REFUSED),
    ROW(session_no_proxy, HARMLESS),
    ROW(session_proxy_header, REFUSED),
    ROW(proxy, REFUSED),
    ROW(proxy_header_name, REFUSED),
    ROW(proxy_header_value, REFUSED),
    ROW(resolve_name, REFUSED),
    ROW(resolve_address, REFUSED),
    ROW(connect_to, REFUSED),
    ROW(local_address, REFUSED),
    ROW(tls_pin, REFUSED),
    ROW(server_name, REFUSED),
    ROW(request_server_name, REFUSED),
    ROW(request_tls_pin, REFUSED),
    ROW(request_ca_file, REFUSED),
    ROW(request_cert_file, REFUSED),
    ROW(request_user_agent, REFUSED),
    ROW(har, REFUSED),
    ROW(interface, REFUSED),
    ROW(unix_socket, REFUSED),
    ROW(ca_file, REFUSED),
    ROW(ca_path, REFUSED),
    ROW(cert_file, REFUSED),
    ROW(key_file, REFUSED),
};

/* What the requests are followed by, when they are let out. */
#define SMUGGLED "X-Evil: 1\r\n\r\nGET /evil HTTP/1.1\r\nHost: evil\r\n\r\n"

static const char *const evils[] = {
    "\r\n" SMUGGLED,
    "\n" SMUGGLED,
    "\r" SMUGGLED,
    "\r\n X-Evil: folded",
    "\x01",
    "\x08",
    "\v",
    "\f",
    "\x1b[2J",
    "\x1f",
    "\x7f",
    "\n",
    "\r",
    "\r\n",
};

enum { ROWS = sizeof rows / sizeof *rows, EVILS = sizeof evils / sizeof *evils };

static void expect_printable_message(const option_row *row, const attempt *self)
{
    const char *message = ga_error_message();

    if (!*message || ga__ascii_has_control(ga__slice_of(message)))
        fail_msg("%s, 0x%02x: the message is \"%s\"", row->name, (unsigned)(unsigned char)*self->evil,
                 message);
}

/* What has arrived is one request, as the parser of servers sees it, without what would be smuggled in. */
static void expect_one_request(const option_row *row, peer_server *peer)
{
    feed_result fed = feed_request(peer->last.data, peer->last.size, NULL, FEED_WHOLE);
    char *head_end = strstr(peer->last.data, "\r\n\r\n");

    if (fed.code != GA__HTTP1_DONE || fed.surplus > 0)
        fail_msg("%s: the request is not one: %s", row->name, peer->last.data);
    *head_end = '\0';
    if (strstr(peer->last.data, "\nX-Evil") || strstr(peer->last.data, "\nGET"))
        fail_msg("%s: it was let through: %s", row->name, peer->last.data);
    assert_int_equal(peer->requests, 1);
    feed_free(&fed);
}

static void try_one(peer_server *peer, const option_row *row, const char *evil, int http)
{
    attempt self = {.session = {.size_ = sizeof self.session, .http = http},
                    .request = {.size_ = sizeof self.request, .timeout = 5},
                    .method = "POST",
                    .evil = evil};
    ga_response *response = NULL;
    char url[128];

    snprintf(url, sizeof url, "%s", peer_url(peer, "/"));
    snprintf(self.host, sizeof self.host, "%s", strstr(url, "127.0.0.1"));
    snprintf(self.https_url, sizeof self.https_url, "https://%s", self.host);
    self.url = self.request.url = url;
    row->set(&self);
    peer->requests = peer->connections = 0;
    ga_error_clear();
    ga_session *session = ga_session_new_with(&self.session);

    if (session)
        response = ga_request_with(session, self.method, &self.request);
    if (!response)
        expect_printable_message(row, &self);
    if (row->outcome == REFUSED && (response || peer->connections > 0))
        fail_msg("%s, 0x%02x: not refused, %s", row->name, (unsigned)(unsigned char)*evil,
                 response ? peer->last.data : ga_error_message());
    if (response)
        expect_one_request(row, peer);
    else
        assert_int_equal(ga_error()->sent, GA_SENT_NO);
    ga_response_free(response);
    ga_session_free(session);
    peer_await(&peer->open, 0);
}

CASE(nothing_breaks_out_of_an_option)
{
    peer_server peer;

    peer_start(&peer, peers, peer_always_empty);
    for (size_t i = 0; i < ROWS; i++)
        for (size_t e = 0; e < EVILS; e++)
            try_one(&peer, &rows[i], evils[e], 0);
    peer_stop(&peer);
}

/* HTTP/2 has no lines to break, and refuses the same. */
CASE(nothing_breaks_out_of_an_option_over_http2)
{
    peer_server peer;

    peer_start(&peer, peers, peer_always_empty);
    for (size_t i = 0; i < ROWS; i++)
        for (size_t e = 0; e < EVILS && rows[i].outcome == REFUSED; e++)
            try_one(&peer, &rows[i], evils[e], 2);
    peer_stop(&peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_breaks_out_of_an_option),
        cmocka_unit_test(nothing_breaks_out_of_an_option_over_http2),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
