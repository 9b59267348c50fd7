/* SPDX-License-Identifier: MIT */
/* The versions of the command and of the libraries that it runs with, which need not be those it was made
 * with. */
#include "cli/version.h"

#include <gather/base.h>

#include <ares.h>
#include <brotli/decode.h>
#include <idn2.h>
#include <jansson.h>
#include <libpsl.h>
#include <nghttp2/nghttp2.h>
#include <openssl/crypto.h>
#include <sqlite3.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

void ga__append_version(ga__buffer *out)
{
    uint32_t brotli = BrotliDecoderVersion();

    ga__buffer_printf(out, "gather %s\n", ga_version());
    ga__buffer_printf(out, "OpenSSL %s, nghttp2 %s, c-ares %s, libidn2 %s, libpsl %.*s,\n",
                      OpenSSL_version(OPENSSL_VERSION_STRING), nghttp2_version(0)->version_str,
                      ares_version(NULL), idn2_check_version(NULL), (int)strcspn(psl_get_version(), " "),
                      psl_get_version());
    ga__buffer_printf(out, "zlib %s, brotli %u.%u.%u, zstd %s, SQLite %s, jansson %s\n", zlibVersion(),
                      brotli >> 24, brotli >> 12 & 0xfff, brotli & 0xfff, ZSTD_versionString(),
                      sqlite3_libversion(), jansson_version_str());
}
