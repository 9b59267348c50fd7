/* SPDX-License-Identifier: MIT */
/*
 * libcurl_multi --url URL -n REQUESTS -c CONCURRENCY [--cacert FILE]
 *
 * The same work as fetch, done the usual way with libcurl's multi interface: a peer to be measured beside.
 * Its easy handles are reused, as its documentation advises.
 */
#include "usage.h"

#include <curl/curl.h>

static bench_options options;
static long started, ok, failed;

static size_t drop_body(char *data, size_t size, size_t count, void *arg)
{
    (void)data;
    (void)arg;
    return size * count;
}

static CURL *new_handle(void)
{
    CURL *easy = curl_easy_init();

    if (!easy)
        abort();
    curl_easy_setopt(easy, CURLOPT_URL, options.url);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, drop_body);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    if (options.ca_file)
        curl_easy_setopt(easy, CURLOPT_CAINFO, options.ca_file);
    return easy;
}

static void start(CURLM *multi, CURL *easy)
{
    started++;
    curl_multi_add_handle(multi, easy);
}

static void finish(CURLM *multi, const CURLMsg *message)
{
    CURL *easy = message->easy_handle;

    if (message->data.result == CURLE_OK)
        ok++;
    else if (failed++ == 0)
        fprintf(stderr, "libcurl_multi: the first failure: %s\n", curl_easy_strerror(message->data.result));
    curl_multi_remove_handle(multi, easy);
    if (started < options.requests)
        start(multi, easy);
    else
        curl_easy_cleanup(easy);
}

int main(int argc, char **argv)
{
    int running, left;
    CURLMsg *message;

    bench_parse(&options, argc, argv);
    curl_global_init(CURL_GLOBAL_ALL);
    double begin = bench_now();
    CURLM *multi = curl_multi_init();

    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)options.concurrency);
    for (int i = 0; i < options.concurrency && started < options.requests; i++)
        start(multi, new_handle());
    while (ok + failed < options.requests) {
        curl_multi_perform(multi, &running);
        while ((message = curl_multi_info_read(multi, &left)))
            finish(multi, message);
        if (ok + failed < options.requests)
            curl_multi_poll(multi, NULL, 0, 1000, NULL);
    }
    curl_multi_cleanup(multi);
    bench_print("libcurl multi", ok, failed, bench_now() - begin);
    return failed > 0;
}
