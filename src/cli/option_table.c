/* SPDX-License-Identifier: MIT */
/*
 * The table of all options, in the order in which help and the manual tell them. What is new here is parsed,
 * told and completed without another line elsewhere; a test sees to it that lines of help fit.
 */
#include "cli/option.h"

#include "cli/options.h"

#define JOB(member) .place = offsetof(ga__options, job.member)
#define OWN(member) .place = offsetof(ga__options, member)
#define REQUEST .group = GA__GROUP_REQUEST
#define PACE .group = GA__GROUP_PACE
#define FAILURE .group = GA__GROUP_FAILURE
#define OUTPUT .group = GA__GROUP_OUTPUT
#define PAGING .group = GA__GROUP_PAGING
#define RUN .group = GA__GROUP_RUN
#define RARE .rare = true
#define EMPTY .may_be_empty = true
#define BETWEEN(low, high) .least = (low), .most = (high)
#define YEAR (366 * 86400.0)

const ga__option ga__option_table[] = {
    /* --- the request */
    {"request", 'X', "METHOD", GA__OPTION_TEXT, REQUEST, JOB(method), .example = "POST",
     .help = "GET, or POST where there is a body", .text = "A row's own `method` goes before it."},
    {"header", 'H', "LINE|@FILE", GA__OPTION_HEADER, REQUEST, JOB(headers),
     .example = "Authorization: Bearer ${env:API_KEY}",
     .help = "a header, \"Name: value\"; a file has one a line",
     .text =
         "May be given several times. `${env:KEY}` is the environment's KEY, which is never shown; `{col}` a "
         "column of the row. \"Name:\" without a value takes a header away that would be sent otherwise, as "
         "User-Agent, Accept, Accept-Encoding and a body's Content-Type; \"Name;\" sends one without a "
         "value. "
         "Lines of a file that are blank or begin with # do not count."},
    {"data", 'd', "DATA|@FILE", GA__OPTION_DATA, REQUEST, JOB(data), EMPTY, .example = "q={col}&page=1",
     .help = "a body: a form, with {col} filled in; POST",
     .text =
         "Several are joined by \"&\". From a file (`@-`: from standard input) line ends are taken out, as "
         "curl does. Its type is application/x-www-form-urlencoded, unless a header says otherwise."},
    {"json", 0, "JSON|@FILE", GA__OPTION_JSON, REQUEST, JOB(json), .example = "{\"name\":\"{col}\"}",
     .help = "a JSON body, with {col} filled in; POST",
     .text = "Its type is application/json. A column is escaped as a JSON string's text has it, so it "
             "cannot break out of its quotes; `{+col}` puts it in as it is, for numbers. Braces that name no "
             "column are JSON's own."},
    {"form", 'F', "NAME=VALUE", GA__OPTION_PAIRS, REQUEST, JOB(form), RARE, .example = "file=@{path}",
     .help = "a part of a multipart form; POST",
     .text = "May be given several times. `NAME=@FILE` sends a file."},
    {"user", 'u', "NAME:PASSWORD", GA__OPTION_USER, REQUEST, JOB(user), .example = "me:${env:PASSWORD}",
     .help = "log in with a name and a password",
     .text = "Without a password it is asked for on the terminal."},
    {"bearer", 0, "TOKEN", GA__OPTION_SECRET, REQUEST, OWN(bearer), RARE, .example = "${env:API_KEY}",
     .help = "log in with a token",
     .text = "The same as -H \"Authorization: Bearer TOKEN\". `${env:KEY}` keeps it out of the list of "
             "processes."},
    {"user-agent", 'A', "TEXT", GA__OPTION_TEXT, REQUEST, JOB(user_agent), RARE,
     .example = "nightly-sync/1.0", .help = "who asks"},
    {"cookie", 'b', "NAME=VALUE", GA__OPTION_TEXT, REQUEST, OWN(cookie), RARE,
     .example = "session=${env:SESSION}", .help = "cookies, as their header has them"},
    {"url", 0, "TEMPLATE", GA__OPTION_TEXT, REQUEST, JOB(url_template),
     .example = "https://api.example/items/{sku}", .help = "the URL of a row, with {col} from its columns",
     .text =
         "A column is percent-encoded, `{+col}` put in as it is, and `{{col}}` is the text {col}. A JSON row "
         "without a `url` is the body then, and POST the default."},
    {"base-url", 0, "URL", GA__OPTION_TEXT, REQUEST, JOB(base_url), .example = "https://api.example",
     .help = "what rows with a path only are relative to"},
    {"id", 0, "COL|PATH", GA__OPTION_TEXT, REQUEST, JOB(id), .example = "sku",
     .help = "what names a row: a column, or a JSON path",
     .text = "Without it, the row's own `id` or `custom_id` does; a row without any is known by what it asks "
             "for."},
    {"keep", 0, "COLS", GA__OPTION_COLUMNS, REQUEST, JOB(keep), .example = "name,city",
     .help = "columns to copy into the result"},
    {"location", 'L', NULL, GA__OPTION_FLAG, REQUEST, JOB(follow), .help = "follow redirects"},
    {"max-redirs", 0, "N", GA__OPTION_INT, REQUEST, JOB(max_redirects), RARE, BETWEEN(1, 1000),
     .example = "5", .help = "at most this many, with -L (10)"},
    {"insecure", 'k', NULL, GA__OPTION_FLAG, REQUEST, JOB(insecure), .help = "do not verify certificates"},
    {"cacert", 0, "FILE", GA__OPTION_FILE, REQUEST, JOB(ca_file), RARE, .example = "ca.pem",
     .help = "trust these authorities (the system's)"},
    {"capath", 0, "DIR", GA__OPTION_FILE, REQUEST, JOB(ca_path), RARE, .example = "/etc/ssl/certs",
     .help = "the same, as a directory of hashed names"},
    {"cert", 'E', "FILE", GA__OPTION_FILE, REQUEST, JOB(cert_file), RARE, .example = "client.pem",
     .help = "the client's certificate, PEM"},
    {"key", 0, "FILE", GA__OPTION_FILE, REQUEST, JOB(key_file), RARE, .example = "client.key",
     .help = "its key, where it is in another file"},
    {"proxy", 'x', "URL", GA__OPTION_SECRET, REQUEST, JOB(proxy), EMPTY,
     .example = "http://proxy.example:3128", .help = "an http, https or socks5h one (environment's)"},
    {"noproxy", 0, "HOSTS", GA__OPTION_TEXT, REQUEST, JOB(no_proxy), RARE, EMPTY,
     .example = "localhost,.internal", .help = "reached without the proxy, with commas"},
    {"connect-to", 0, "H:P:H2:P2", GA__OPTION_TEXTS, REQUEST, JOB(connect_to), RARE,
     .example = "api.example:443:127.0.0.1:8443", .help = "connect there instead"},
    {"resolve", 0, "H:P:ADDRESS", GA__OPTION_TEXTS, REQUEST, JOB(resolve), RARE,
     .example = "api.example:443:192.0.2.1", .help = "the address of a host"},
    {"unix-socket", 0, "PATH", GA__OPTION_FILE, REQUEST, JOB(unix_socket), RARE, .example = "/run/api.sock",
     .help = "connect through this socket"},
    {"interface", 0, "ADDRESS", GA__OPTION_TEXT, REQUEST, JOB(local_address), RARE, .example = "192.0.2.7",
     .help = "connect from this IP address"},
    {"http1.1", 0, NULL, GA__OPTION_SET, REQUEST, JOB(http), RARE, BETWEEN(11, 11),
     .help = "keep to HTTP/1.1"},
    {"http2", 0, NULL, GA__OPTION_SET, REQUEST, JOB(http), RARE, BETWEEN(2, 2),
     .help = "HTTP/2, over plain TCP too", .text = "Over TLS HTTP/2 is used anyway where the server agrees."},
    {"compressed", 0, NULL, GA__OPTION_OFF, REQUEST, JOB(no_compressed), RARE,
     .help = "ask for compressed answers (on)", .text = "`--no-compressed` turns it off."},
    {"globoff", 'g', NULL, GA__OPTION_FLAG, REQUEST, JOB(no_globs),
     .help = "[] and {} in URLs are their own"},

    /* --- the pace */
    {"concurrency", 'c', "N", GA__OPTION_INT, PACE, JOB(concurrency), BETWEEN(1, 10000), .example = "40",
     .help = "calls at once (20); also -j, -P"},
    {"per-host", 0, "N", GA__OPTION_INT, PACE, JOB(per_host), BETWEEN(1, 10000), .example = "4",
     .help = "calls at once to each host"},
    {"rate", 0, "N[/U]", GA__OPTION_RATE, PACE, JOB(rate), .example = "500/m",
     .help = "requests per second; 500/m, 5/15s",
     .text = "Retries count, and are sent no faster. After a pause nothing is caught up."},
    {"rate-per-host", 0, "N[/U]", GA__OPTION_RATE, PACE, JOB(rate_per_host), RARE, .example = "5",
     .help = "the same, for each host by itself"},
    {"tokens", 0, "N/U", GA__OPTION_RATE_PER, PACE, JOB(tokens), .example = "200000/m",
     .help = "tokens of a language model, 200000/m",
     .text = "A row's are its `cost`, else a quarter of its body's bytes and its `max_tokens`; they are put "
             "right by "
             "what the answer says was used (.usage.total_tokens). A row above the limit fails at once, "
             "as `too_big`."},
    {"burst", 0, "N", GA__OPTION_INT, PACE, JOB(burst), RARE, BETWEEN(1, 1000000), .example = "10",
     .help = "requests that may go at once at a rate (1)"},
    {"no-adapt", 0, NULL, GA__OPTION_FLAG, PACE, JOB(no_adapt), RARE,
     .help = "keep to the rate, whatever servers say",
     .text = "Without it, a 429 or 503 slows a host's calls down to 0.7 of the rate, and 20 s without one "
             "make them "
             "5 % faster. Waits that a server asks for are kept in any case."},

    /* --- failures */
    {"retry", 0, "N", GA__OPTION_INT, FAILURE, JOB(retries), BETWEEN(0, 1000), .example = "4",
     .help = "attempts after the first (4)",
     .text = "What was certainly not sent, 429 and 503 are tried again always; 408, 500, 502, 504 and what "
             "broke off "
             "after it was sent, where repeating does no harm; no other failure is."},
    {"retry-max-time", 0, "TIME", GA__OPTION_DURATION, FAILURE, JOB(retry_max_time), RARE,
     BETWEEN(0.001, YEAR), .example = "10m", .help = "no retry of a row after this long"},
    {"connect-timeout", 0, "TIME", GA__OPTION_DURATION, FAILURE, JOB(connect_timeout), RARE,
     BETWEEN(0.001, YEAR), .example = "5", .help = "to connect, TLS included (10)"},
    {"max-time", 'm', "TIME", GA__OPTION_DURATION, FAILURE, JOB(max_time), BETWEEN(0.001, YEAR),
     .example = "2m", .help = "for an attempt; seconds, 500ms, 2m (60)"},
    {"max-body", 0, "SIZE", GA__OPTION_SIZE, FAILURE, JOB(max_body), RARE, BETWEEN(1, 1099511627776.0),
     .example = "64M", .help = "of an answer; bytes, 64K, 1G (16M)"},
    {"expect", 0, "CODES", GA__OPTION_TEXT, FAILURE, JOB(expect), .example = "200-399,405",
     .help = "statuses that are a success (200-299)"},
    {"idempotent", 0, NULL, GA__OPTION_FLAG, FAILURE, JOB(idempotent),
     .help = "repeating does no harm, POST too",
     .text = "Without it, a POST or PATCH that may have reached the server is never sent again."},
    {"idempotency-key", 0, NULL, GA__OPTION_FLAG, FAILURE, JOB(idempotency_keys),
     .help = "send such a header, the same for a row",
     .text = "Its value is made from the row, and the same in each attempt and each run; so the server "
             "can tell a repetition, and rows are retried as with `--idempotent`."},
    {"max-wait", 0, "TIME", GA__OPTION_DURATION, FAILURE, JOB(max_wait), BETWEEN(0, YEAR), .example = "1h",
     .help = "stop where a server asks for more (15m)",
     .text = "The job ends with exit status 3 then, and says when to come back."},
    {"max-errors", 0, "N|N%", GA__OPTION_SHARE, FAILURE, JOB(max_errors), .example = "10%",
     .help = "stop at so many; % of the last 100 rows (50%)",
     .text = "`none`: never. It ends with exit status 3."},

    /* --- the output */
    {"output", 'o', "FILE", GA__OPTION_FILE, OUTPUT, JOB(output), .example = "out.jsonl",
     .help = ".jsonl .csv .tsv .db, or 'DIR/{id}.json'",
     .text =
         "The end of the name says the form. A name with a column in braces is a file for each row's body; "
         "their records go to an index.jsonl in the directory; it is not for rows with pages. Without `-o`, "
         "records go to standard output as JSON Lines, and there is nothing to resume from."},
    {"raw", 0, NULL, GA__OPTION_FLAG, OUTPUT, JOB(raw), .help = "bodies as they are, in the input's order",
     .text = "To standard output: `gather --raw URL | jq .`"},
    {"ordered", 0, NULL, GA__OPTION_FLAG, OUTPUT, JOB(ordered), .help = "records in the input's order"},
    {"extract", 0, "NAME=PATH", GA__OPTION_TEXTS, OUTPUT, JOB(extract),
     .example = "answer=.choices[0].message.content", .help = "a value of the JSON answer; a part of jq",
     .text = "May be given several times. A path alone is its own name. Paths are `.a.b[0]`, `.a[\"x y\"]`, "
             "`.items[]`, which gives an array of all, and `.[-1]`."},
    {"headers", 'i', NULL, GA__OPTION_FLAG, OUTPUT, JOB(with_headers), RARE,
     .help = "the answer's headers in the record"},
    {"no-body", 0, NULL, GA__OPTION_FLAG, OUTPUT, JOB(no_body), .help = "no bodies in the record"},
    {"failed-out", 0, "FILE", GA__OPTION_FILE, OUTPUT, JOB(failed_out), .example = "bad.jsonl",
     .help = "rows that failed, as an input"},
    {"table", 0, "NAME", GA__OPTION_TEXT, OUTPUT, JOB(table), RARE, .example = "items",
     .help = "of a .db (results)"},
    {"html", 0, "FILE", GA__OPTION_FILE, OUTPUT, OWN(html), RARE, .example = "report.html",
     .help = "of `gather report`: a page with plots"},

    /* --- paging */
    {"next", 0, "link|PATH", GA__OPTION_TEXT, PAGING, JOB(next), .example = "link",
     .help = "where an answer names the next page",
     .text =
         "`link`: its Link header, as rel=next. A path leads to a URL in the JSON; `NAME=PATH` to what the "
         "parameter NAME of the URL is to be, such as a cursor."},
    {"items", 0, "PATH", GA__OPTION_TEXT, PAGING, JOB(items), .example = ".[]", .help = "the list in a page"},
    {"max-pages", 0, "N", GA__OPTION_UINT32, PAGING, JOB(max_pages), RARE, BETWEEN(1, 4294967295.0),
     .example = "100", .help = "of a row (all)"},

    /* --- the run */
    {"resume", 0, NULL, GA__OPTION_FLAG, RUN, JOB(resume), .help = "go on with -o where it stopped",
     .text = "Begins where there is nothing yet, so a command may always have it."},
    {"retry-failed", 0, NULL, GA__OPTION_FLAG, RUN, JOB(retry_failed),
     .help = "resume, and try failed rows again"},
    {"fresh", 0, NULL, GA__OPTION_FLAG, RUN, JOB(fresh), .help = "throw away what -o has, and begin anew"},
    {"sync", 0, "batch|each|none", GA__OPTION_CHOICE, RUN, JOB(sync), RARE, .choices = "batch|each|none",
     .example = "each", .help = "when it is on disk (batch)",
     .text =
         "After power loss, `batch` may repeat the last second of rows at the server, never in the output; "
         "`each` repeats none and is slower; `none` leaves it to the system. None of this is about a process "
         "that "
         "is killed: then nothing is lost anyway."},
    {"max-duration", 0, "TIME", GA__OPTION_DURATION, RUN, JOB(max_duration), BETWEEN(0.001, YEAR),
     .example = "2h", .help = "stop after this long, to be resumed"},
    {"limit", 0, "N", GA__OPTION_UINT64, RUN, JOB(limit), BETWEEN(1, 9007199254740992.0), .example = "100",
     .help = "only the first rows"},
    {"shard", 0, "I/N", GA__OPTION_SHARD, RUN, JOB(shard), RARE, .example = "1/4",
     .help = "only this part of the rows, from 1/N to N/N",
     .text = "By their keys, so that N machines share a list; each needs its own output, and a part of the "
             "rate."},
    {"threads", 0, "N", GA__OPTION_INT, RUN, JOB(threads), BETWEEN(1, 64), .example = "2",
     .help = "loops, over one input and one pace (1)"},
    {"dry-run", 0, NULL, GA__OPTION_FLAG, RUN, OWN(dry_run),
     .help = "print the first requests, send nothing"},
    {"progress", 0, "HOW", GA__OPTION_CHOICE, RUN, OWN(progress), .choices = "auto|plain|json|none",
     .example = "plain", .help = "auto, plain, json or none (auto)",
     .text = "On standard error. `auto` is a live region on a terminal, else as `plain`, a line every 30 s."},
    {"quiet", 'q', NULL, GA__OPTION_FLAG, RUN, OWN(quiet), .help = "nothing but errors; also -s"},
    {"verbose", 'v', NULL, GA__OPTION_FLAG, RUN, OWN(verbose), .help = "say more"},
    {"trace", 0, NULL, GA__OPTION_FLAG, RUN, JOB(trace), RARE, .help = "each step of each call, on stderr",
     .text = "Headers and parameters whose names say that they are secret are redacted."},
    {"log-json", 0, "FILE", GA__OPTION_FILE, RUN, JOB(log), RARE, .example = "log.jsonl",
     .help = "a line of JSON for each event"},
    {"metrics", 0, "FILE", GA__OPTION_FILE, RUN, JOB(metrics), RARE, .example = "gather.prom",
     .help = "numbers for Prometheus, every 10 s"},
    {"config", 0, "FILE", GA__OPTION_FILE, RUN, OWN(config), RARE, .example = "/dev/null",
     .help = "options, a NAME = VALUE a line"},
    {"completion", 0, "SHELL", GA__OPTION_ACTION, RUN, RARE, .choices = "bash|zsh|fish", .example = "bash",
     .help = "prints what bash, zsh or fish completes"},
    {"help", 'h', NULL, GA__OPTION_ACTION, RUN, .help = "this; --help all; --help rate, or another option"},
    {"version", 'V', NULL, GA__OPTION_ACTION, RUN, .help = "its version, and its libraries'"},

    /* --- other names */
    {"jobs", 'j', NULL, GA__OPTION_ALIAS, .of = "concurrency"},
    {"parallel-max", 'P', NULL, GA__OPTION_ALIAS, .of = "concurrency"},
    {"timeout", 0, NULL, GA__OPTION_ALIAS, .of = "max-time"},
    {"retries", 0, NULL, GA__OPTION_ALIAS, .of = "retry"},
    {"silent", 's', NULL, GA__OPTION_ALIAS, .of = "quiet"},
    {"include", 0, NULL, GA__OPTION_ALIAS, .of = "headers"},
    {"oauth2-bearer", 0, NULL, GA__OPTION_ALIAS, .of = "bearer"},
};

const size_t ga__option_count = sizeof ga__option_table / sizeof *ga__option_table;

_Static_assert(sizeof ga__option_table / sizeof *ga__option_table <= GA__OPTIONS_MOST,
               "raise GA__OPTIONS_MOST");
