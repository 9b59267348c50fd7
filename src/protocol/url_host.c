/* SPDX-License-Identifier: MIT */
/*
 * The host parser: WHATWG URL, 3.5, for a special scheme. What comes out is canonical, so that two hosts are
 * the same exactly when their texts are, and has no byte that could end the host in a URL or a header. Called
 * by the URL parser.
 *
 * Names go through libidn2 only where they are not plain ASCII, or have an xn-- label to be verified: the
 * standard allows that shortcut, and names with an underscore or with hyphens in odd places are in use.
 */
#include "protocol/url_host.h"
#include "base/ascii.h"
#include "base/number.h"

#include <arpa/inet.h>
#include <idn2.h>
#include <stdio.h>

enum {
    DECODED_MAX = 4 * GA__HOST_MAX, /* the longest input: UTF-8 takes up to four bytes a character */
    IPV6_GROUPS = 8
};

static int refuse(const char **reason, const char *text)
{
    *reason = text;
    return GA_EURL;
}

/* The standard's forbidden domain code points. */
static bool is_forbidden(char c)
{
    return (unsigned char)c <= ' ' || c == 0x7f || strchr("#/:<>?@[\\]^|%", c);
}

static bool begins_alabel(const char *text, size_t size)
{
    return size >= 4 && ga__ascii_equal((ga__slice){text, 4}, GA__SLICE("xn--"));
}

/* What letters, digits, "-", "." and "_" become; 0 for what takes a closer look. */
static char plain_lower(char c)
{
    char lower = ga__ascii_lower(c);

    return (lower >= 'a' && lower <= 'z') || ga__ascii_is_digit(c) || c == '.' || c == '-' || c == '_' ? lower
                                                                                                       : 0;
}

/* Copies a name that needs neither decoding nor IDNA, in lower case; false where it is not such a name. */
static bool copy_plain(ga__host *host, const char *text, size_t size)
{
    bool label_begins = true;

    if (size > GA__HOST_MAX)
        return false;
    for (size_t i = 0; i < size; i++) {
        char c = plain_lower(text[i]);

        if (!c || (label_begins && c == 'x' && begins_alabel(text + i, size - i)))
            return false;
        host->text[i] = c;
        label_begins = c == '.';
    }
    host->text[size] = '\0';
    host->size = size;
    return true;
}

/* Percent-decodes the name. Reports the bytes beyond ASCII and the xn-- labels, which are IDNA's. */
static int decode(char *name, const char *text, size_t size, bool *idna, const char **reason)
{
    size_t length = 0;

    *idna = false;
    for (size_t i = 0; i < size; i++) {
        uint64_t byte = (unsigned char)text[i];

        if (byte == '%' && size - i > 2 && ga__parse_hex(text + i + 1, 2, &byte))
            i += 2;
        if (length == DECODED_MAX)
            return refuse(reason, "the host is longer than 255 bytes");
        if (byte < 0x80 && is_forbidden((char)byte))
            return refuse(reason, "the host has a character that is not allowed there; only letters, digits, "
                                  "hyphens and dots are, and an IPv6 address in [brackets]");
        name[length++] = ga__ascii_lower((char)byte);
        *idna |= byte >= 0x80;
    }
    name[length] = '\0';
    for (size_t i = 0; i < length; i++)
        *idna |= (i == 0 || name[i - 1] == '.') && begins_alabel(name + i, length - i);
    return 0;
}

/* The name in ASCII, to be freed with idn2_free. NULL with *code 0 where it is to be taken as it stands. */
static char *to_ascii(const char *name, int *code, const char **reason)
{
    char *ascii = NULL;
    int result = idn2_to_ascii_8z(name, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);

    *code = 0;
    if (result == IDN2_OK)
        return ascii;
    if (result == IDN2_MALLOC) {
        *code = GA_ENOMEM;
        *reason = "no memory";
    } else if (result == IDN2_ENCODING_ERROR) {
        *code = refuse(reason, "the host is not UTF-8");
    } else if (result == IDN2_TOO_BIG_DOMAIN || result == IDN2_TOO_BIG_LABEL ||
               result == IDN2_PUNYCODE_BIG_OUTPUT) {
        *code = refuse(reason, "the host is longer than 255 bytes, or a label of it than 63");
    } else if (result != IDN2_DISALLOWED || name[strspn(name, "-.0123456789_abcdefghijklmnopqrstuvwxyz")]) {
        *code = refuse(reason, "the host is not a valid internationalised domain name (IDNA)");
    }
    /* Left are labels such as xn--ls8h, a symbol: well formed, and nothing to IDNA 2008 alone. They are in
     * use. */
    return NULL;
}

static int parse_name(ga__host *host, const char *text, size_t size, const char **reason)
{
    char name[DECODED_MAX + 1];
    bool idna;
    int code = decode(name, text, size, &idna, reason);
    char *ascii = NULL;

    if (code == 0 && idna)
        ascii = to_ascii(name, &code, reason);
    if (code)
        return code;

    const char *result = ascii ? ascii : name;

    host->size = strlen(result);
    if (host->size > GA__HOST_MAX)
        code = refuse(reason, "the host is longer than 255 bytes");
    else if (host->size == 0)
        code = refuse(reason, "the host is empty once its invisible characters are removed");
    for (size_t i = 0; code == 0 && i <= host->size; i++) {
        host->text[i] = ga__ascii_lower(result[i]);
        if (i < host->size && is_forbidden(result[i]))
            code = refuse(reason, "the host has a character that is not allowed in domain names");
    }
    idn2_free(ascii);
    return code;
}

/* Whether it is written as a number, though perhaps one that is too large: digits, or 0x and hexadecimal
 * digits. */
static bool is_number(const char *text, size_t size)
{
    bool hex = size >= 2 && text[0] == '0' && text[1] == 'x';

    if (size == 0)
        return false;
    for (size_t i = hex ? 2 : 0; i < size; i++)
        if (hex ? ga__ascii_hex(text[i]) < 0 : !ga__ascii_is_digit(text[i]))
            return false;
    return true;
}

/* The size of the text without a dot at its end. */
static size_t without_dot(const ga__host *host)
{
    return host->size > 1 && host->text[host->size - 1] == '.' ? host->size - 1 : host->size;
}

/* A host whose last label is a number is an IPv4 address, or nothing. */
static bool ends_in_number(const ga__host *host)
{
    size_t end = without_dot(host);
    const char *dot = memrchr(host->text, '.', end);
    const char *last = dot ? dot + 1 : host->text;

    return is_number(last, (size_t)(host->text + end - last));
}

/* A part of the address: decimal, octal with a leading 0, hexadecimal with 0x ("0x" alone is 0). */
static bool parse_part(const char *text, size_t size, uint64_t *value)
{
    if (size >= 2 && text[0] == '0' && text[1] == 'x') {
        *value = 0;
        return size == 2 || ga__parse_hex(text + 2, size - 2, value);
    }
    return ga__parse_unsigned(text, size, size > 1 && text[0] == '0' ? 8 : 10, value);
}

static void print_ipv4(ga__host *host, uint64_t address)
{
    char *at = host->text;

    for (int shift = 24; shift >= 0; shift -= 8) {
        at = ga__put_decimal(at, address >> shift & 255);
        *at++ = shift ? '.' : '\0';
    }
    host->kind = GA__HOST_IPV4;
    host->size = (size_t)(at - host->text) - 1;
}

/* Makes four decimal numbers of the host, which is in lower case: the last part fills what the others leave.
 */
static int parse_ipv4(ga__host *host, const char **reason)
{
    static const char bad[] =
        "the host ends in a number but is not an IPv4 address; one is written as 192.0.2.1";
    const char *at = host->text;
    const char *end = at + without_dot(host);
    uint64_t address = 0;

    for (unsigned left = 4; at <= end; left--) {
        const char *dot = memchr(at, '.', (size_t)(end - at));
        size_t size = (size_t)((dot ? dot : end) - at);
        uint64_t part;

        if (left == 0 || !parse_part(at, size, &part))
            return refuse(reason, bad);
        /* What this part may be: one byte, or all the bytes that are left. */
        if (part >> (dot ? 8 : 8 * left))
            return refuse(reason, bad);
        address |= dot ? part << 8 * (left - 1) : part;
        at += size + 1;
    }
    print_ipv4(host, address);
    return 0;
}

/* Where the longest run of two zero groups or more begins (the first of several), and its length; 0 where
 * there is none. */
static unsigned longest_zeros(const uint16_t *groups, unsigned *begin)
{
    unsigned longest = 1;

    for (unsigned i = 0, run = 0; i < IPV6_GROUPS; i++) {
        run = groups[i] ? 0 : run + 1;
        if (run > longest) {
            longest = run;
            *begin = i + 1 - run;
        }
    }
    return longest > 1 ? longest : 0;
}

/* RFC 5952, section 4. */
static void print_ipv6(ga__host *host, const unsigned char *address)
{
    uint16_t groups[IPV6_GROUPS];
    unsigned zeros_at = IPV6_GROUPS;
    char *at = host->text;

    for (unsigned i = 0; i < IPV6_GROUPS; i++, address += 2)
        groups[i] = (uint16_t)(address[0] << 8 | address[1]);
    unsigned zeros = longest_zeros(groups, &zeros_at);

    for (unsigned i = 0; i < IPV6_GROUPS; i++) {
        if (i == zeros_at) {
            at += sprintf(at, "::");
            i += zeros - 1;
        } else {
            bool separated = i == 0 || (zeros && i == zeros_at + zeros);

            at += sprintf(at, separated ? "%x" : ":%x", groups[i]);
        }
    }
    host->kind = GA__HOST_IPV6;
    host->size = (size_t)(at - host->text);
}

static int parse_ipv6(ga__host *host, const char *text, size_t size, const char **reason)
{
    char literal[INET6_ADDRSTRLEN];
    unsigned char address[16];
    size_t inner = size - 2; /* without the brackets */

    if (size < 2 || text[size - 1] != ']')
        return refuse(reason, "the host begins with [ but does not end with ]");
    if (memchr(text, '%', size))
        return refuse(reason, "the IPv6 address has a zone (%...), which a URL cannot have");
    if (inner < sizeof literal) {
        memcpy(literal, text + 1, inner);
        literal[inner] = '\0';
        if (inet_pton(AF_INET6, literal, address) == 1) {
            print_ipv6(host, address);
            return 0;
        }
    }
    return refuse(reason, "the host in [brackets] is not an IPv6 address");
}

int ga__host_parse(ga__host *host, const char *text, size_t size, const char **reason)
{
    int code = 0;

    host->kind = GA__HOST_NAME;
    if (size == 0)
        return refuse(reason, "the host is missing; write it after the //, as in http://example.com/");
    if (text[0] == '[')
        return parse_ipv6(host, text, size, reason);
    if (!copy_plain(host, text, size))
        code = parse_name(host, text, size, reason);
    if (code == 0 && ends_in_number(host))
        code = parse_ipv4(host, reason);
    return code;
}
