/* SPDX-License-Identifier: MIT */
/*
 * What is shown of a job: on a terminal of any width, which is emulated here as far as the screen uses it; on
 * lines of a log; as JSON; and at the end.
 */
#include "check.h"

#include "bulk/job.h"
#include "bulk/json.h"
#include "cli/figures.h"
#include "cli/screen.h"
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <pty.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

enum { COLUMNS_MOST = 240, ROWS = 24, CELL = 4 };

/* --- a terminal ----------------------------------------------------------------------------------- */

/* Rows that scrolled off are counted, not kept. */
typedef struct emulator {
    int columns, row, column, scrolled;
    bool wrapped; /* a line went on beyond the last column, at any time */
    char cells[ROWS][COLUMNS_MOST][CELL + 1];
} emulator;

static emulator *emulator_new(int columns)
{
    emulator *made = calloc(1, sizeof *made);

    assert_non_null(made);
    made->columns = columns;
    return made;
}

static void feed_line(emulator *screen)
{
    if (++screen->row < ROWS)
        return;
    memmove(screen->cells[0], screen->cells[1], (ROWS - 1) * sizeof *screen->cells);
    memset(screen->cells[ROWS - 1], 0, sizeof *screen->cells);
    screen->row = ROWS - 1;
    screen->scrolled++;
}

static void clear_from(emulator *screen, int row, int column)
{
    for (int i = column; i < screen->columns; i++)
        screen->cells[row][i][0] = 0;
}

/* @return what follows the sequence; the test fails where it is one that not every terminal knows */
static const char *control(emulator *screen, const char *at)
{
    long count = strtol(at, (char **)&at, 10);

    switch (*at) {
    case 'A':
        screen->row -= (int)count;
        assert_true(screen->row >= 0);
        break;
    case 'K':
        clear_from(screen, screen->row, screen->column);
        break;
    case 'J':
        clear_from(screen, screen->row, screen->column);
        for (int row = screen->row + 1; row < ROWS; row++)
            clear_from(screen, row, 0);
        break;
    default:
        assert_int_equal(*at, 'm');
    }
    return at + 1;
}

static const char *print(emulator *screen, const char *at)
{
    size_t size = 1;

    while ((at[size] & 0xC0) == 0x80)
        size++;
    if (screen->column == screen->columns) {
        screen->wrapped = true;
        screen->column = 0;
        feed_line(screen);
    }
    assert_true(size <= CELL);
    memcpy(screen->cells[screen->row][screen->column], at, size);
    screen->cells[screen->row][screen->column++][size] = 0;
    return at + size;
}

static void feed(emulator *screen, const char *text)
{
    while (*text) {
        if (text[0] == '\x1b' && text[1] == '[') {
            text = control(screen, text + 2);
        } else if (*text == '\n') { /* as the system's line discipline has it */
            screen->column = 0;
            feed_line(screen);
            text++;
        } else if (*text == '\r') {
            screen->column = 0;
            text++;
        } else {
            text = print(screen, text);
        }
    }
}

/* All rows, each ended by LF, without what is blank at their and its end. */
static char *shown(const emulator *screen)
{
    ga__buffer text = GA__BUFFER_INIT;
    size_t end = 0;

    for (int row = 0; row < ROWS; row++) {
        size_t blank = text.size;

        for (int i = 0; i < screen->columns; i++) {
            const char *cell = screen->cells[row][i];

            ga__buffer_add(&text, *cell ? cell : " ");
            blank = *cell && *cell != ' ' ? text.size : blank;
        }
        text.size = blank;
        ga__buffer_add_char(&text, '\n');
        end = blank > end && blank > 0 && text.data[blank - 1] != '\n' ? text.size : end;
    }
    text.size = end;
    ga__buffer_add_char(&text, 0);
    return ga__buffer_take(&text);
}

/* --- a screen on it ------------------------------------------------------------------------------- */

/* What a case sees: made by `begin`, with the terminal of `open_screen`. */
static emulator *seen;
static ga__screen *screen;
static FILE *stream;
static char *written;
static size_t size, fed;

static ga__job_options job;
static ga__job_status status;

/* A job in its middle: 61,240 of 100,000 rows, at 50 requests per second. */
static int begin(void **state)
{
    (void)state;
    unsetenv("NO_COLOR");
    setenv("LC_ALL", "C.UTF-8", 1);
    seen = NULL;
    fed = 0;
    stream = open_memstream(&written, &size);
    job = (ga__job_options){.output = "out.jsonl"};
    memset(&status, 0, sizeof status);
    status.total = 100000;
    status.input_progress = -1;
    status.in_flight = 20;
    status.waiting = 3;
    status.rate = 50;
    status.kept = true;
    status.stats.rows = 61240;
    status.stats.retries = 241;
    status.stats.bytes = 8120000;
    status.stats.kinds[GA__KIND_OK] = 61002;
    status.stats.kinds[GA__KIND_HTTP] = 120;
    status.stats.kinds[GA__KIND_TIMEOUT] = 90;
    status.stats.kinds[GA__KIND_RESET] = 28;
    status.stats.statuses[0] = 118;
    status.stats.statuses[200] = 61002;
    status.stats.statuses[503] = 120;
    for (int i = 1; i <= 100; i++)
        ga__durations_add(&status.stats.service, i * 10);
    ga__durations_add(&status.stats.wait, 0.25);
    return stream ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    fclose(stream);
    free(written);
    free(seen);
    return 0;
}

static void open_screen(ga__screen_options options)
{
    options.err = stream;
    options.job = &job;
    if (options.columns > 0) {
        seen = emulator_new(options.columns);
        options.rows = options.rows ? options.rows : ROWS;
    }
    screen = ga__screen_new(&options);
    assert_non_null(screen);
}

/* The job's state that many seconds after its begin, at a steady rate. */
static void draw_at(double seconds)
{
    status.seconds = seconds;
    ga__screen_draw(screen, &status);
}

static const char *take(void)
{
    fflush(stream);
    const char *text = written + fed;

    fed = size;
    return text;
}

static void close_screen(int code, const char *reason)
{
    ga__screen_end(screen, &status, code, reason);
}

static void expect_shown(const char *wanted)
{
    feed(seen, take());
    char *text = shown(seen);

    assert_false(seen->wrapped);
    assert_string_equal(text, wanted);
    free(text);
}

/* A minute of 50 rows a second ends at the state that `begin` made. */
static void run_a_minute(void)
{
    uint64_t rows = status.stats.rows, ok = status.stats.kinds[0];

    for (unsigned i = 0; i <= 600; i++) {
        status.stats.rows = rows - (600 - i) * 5;
        status.stats.kinds[0] = ok - (600 - i) * 5;
        draw_at(1140 + i * 0.1);
    }
}

/* --- on a terminal -------------------------------------------------------------------------------- */

static void the_region_fits_80_columns(void **state)
{
    (void)state;
    open_screen((ga__screen_options){.columns = 80});
    run_a_minute();
    expect_shown("\n61,240 of 100,000  61.2 %  ███████████████████████▉░░░░░░░░░░░░░░░  ETA 12m 55s\n"
                 "50.0 of 50/s  20 in flight  3 waiting  241 retries  8.12 MB  20m 00s\n"
                 "61,002 ok  238 failed  http: 120  timeout: 90  reset: 28\n"
                 "p50 500 ms  p90 897 ms  p99 1.00 s\n");
    close_screen(0, NULL);
}

static void on_40_columns_parts_go_on_further_lines(void **state)
{
    (void)state;
    snprintf(status.pause, sizeof status.pause, "api.example cools down for 42 s (429, Retry-After: 42)");
    open_screen((ga__screen_options){.columns = 40});
    run_a_minute();
    expect_shown("\n61,240 of 100,000  61.2 %  ETA 12m 55s\n"
                 "50.0 of 50/s  20 in flight  3 waiting\n"
                 "241 retries  8.12 MB  20m 00s\n"
                 "api.example cools down for 42 s (429,\n"
                 "Retry-After: 42)\n"
                 "61,002 ok  238 failed  http: 120\n"
                 "timeout: 90  reset: 28\n"
                 "p50 500 ms  p90 897 ms  p99 1.00 s\n");
    close_screen(0, NULL);
}

static void on_200_columns_the_bar_does_not_grow_for_ever(void **state)
{
    (void)state;
    open_screen((ga__screen_options){.columns = 200});
    run_a_minute();
    expect_shown("\n61,240 of 100,000  61.2 %  "
                 "████████████████████████████████████▋░░░░░░░░░░░░░░░░░░░░░░░  ETA 12m 55s\n"
                 "50.0 of 50/s  20 in flight  3 waiting  241 retries  8.12 MB  20m 00s\n"
                 "61,002 ok  238 failed  http: 120  timeout: 90  reset: 28\n"
                 "p50 500 ms  p90 897 ms  p99 1.00 s\n");
    close_screen(0, NULL);
}

/* Whatever the width, nothing wraps, and the cursor is left where the region begins. */
static void no_width_is_too_small(void **state)
{
    (void)state;
    snprintf(status.pause, sizeof status.pause, "api.example cools down for 42 s (429, Retry-After: 42)");
    status.stats.skipped = 1000;
    status.stopping = true;
    for (int columns = 2; columns < COLUMNS_MOST; columns++) {
        open_screen((ga__screen_options){.columns = columns});
        for (int i = 0; i < 3; i++)
            draw_at(100 + i);
        feed(seen, take());
        assert_false(seen->wrapped);
        assert_int_equal(seen->row, 0);
        assert_int_equal(seen->column, 0);
        close_screen(0, NULL);
        take();
        free(seen);
    }
    seen = NULL;
}

static void a_low_terminal_gets_the_first_lines(void **state)
{
    (void)state;
    open_screen((ga__screen_options){.columns = 80, .rows = 3});
    draw_at(2);
    expect_shown("61,240 of 100,000  61.2 %  ███████████████████████▉░░░░░░░░░░░░░░░  ETA 12m 55s\n"
                 "0.00 of 50/s  20 in flight  3 waiting  241 retries  8.12 MB  2 s\n");
    close_screen(0, NULL);
}

static void where_utf8_is_not_spoken_the_bar_is_ascii(void **state)
{
    (void)state;
    setenv("LC_ALL", "C", 1);
    open_screen((ga__screen_options){.columns = 60, .rows = 2});
    draw_at(1);
    expect_shown("61,240 of 100,000  61.2 %  ###########........  ETA 12m 55s\n");
    close_screen(0, NULL);
}

static void it_is_drawn_at_most_ten_times_a_second(void **state)
{
    size_t drawings = 0;

    (void)state;
    open_screen((ga__screen_options){.columns = 80});
    draw_at(0.1);
    assert_string_equal(take(), ""); /* a job of an instant has no region */
    for (int i = 0; i < 1000; i++) {
        draw_at(1 + i * 0.01);
        drawings += *take() != 0;
    }
    assert_in_range(drawings, 90, 101);
    close_screen(0, NULL);
}

#define REGION                                                                                                                                                        \
    "61,240 of 100,000  61.2 %  ███████████████████████▉░░░░░░░░░░░░░░░  ETA 12m 55s\n" \
    "0.00 of 50/s  20 in flight  3 waiting  241 retries  8.12 MB  2 s\n"                                                                                              \
    "61,002 ok  238 failed  http: 120  timeout: 90  reset: 28\n"                                                                                                      \
    "p50 500 ms  p90 897 ms  p99 1.00 s\n"

static void what_is_said_stands_above_the_region(void **state)
{
    (void)state;
    open_screen((ga__screen_options){.columns = 80});
    draw_at(1);
    take();
    ga__screen_say(screen, "rows.jsonl:%d: no \"url\" \x1b[2J", 7);
    assert_string_equal(take(), "");
    ga__screen_say(screen, "another");
    draw_at(2);
    expect_shown("rows.jsonl:7: no \"url\" ?[2J\n"
                 "another\n"
                 "\n" REGION);
    close_screen(0, NULL);
}

/* What comes in between, ^C echoed or a line of a library's, stays above what is drawn next. */
static void foreign_lines_do_not_break_the_region(void **state)
{
    (void)state;
    open_screen((ga__screen_options){.columns = 80});
    draw_at(1);
    feed(seen, take());
    feed(seen, "^C");
    draw_at(2);
    expect_shown("\n" REGION);
    feed(seen, "a library's warning\n");
    draw_at(2.1);
    expect_shown("a library's warning\n\n" REGION);
    close_screen(0, NULL);
}

static void the_end_clears_the_region(void **state)
{
    (void)state;
    open_screen((ga__screen_options){.columns = 80});
    draw_at(1);
    ga__screen_say(screen, "the last words");
    status.seconds = 1229.6;
    close_screen(1, NULL);
    expect_shown("the last words\n"
                 "61,240 of 100,000 rows:  61,002 ok  238 failed\n"
                 "  failed   http: 120  timeout: 90  reset: 28\n"
                 "  status   200: 61,002  503: 120  no answer: 118\n"
                 "  service  p50 500 ms    p90 897 ms    p99 1.00 s    most 1.00 s\n"
                 "  queue    p50 0.25 ms   p90 0.25 ms   p99 0.25 ms   most 0.25 ms\n"
                 "  traffic  241 retries  8.12 MB received\n"
                 "  time     20m 30s  50.0 requests/s\n"
                 "  output   out.jsonl\n"
                 "To see the rows that failed: gather failed out.jsonl. To try them again: the\n"
                 "same command with --retry-failed.\n");
}

/* --- a terminal of the system's ------------------------------------------------------------------- */

static int keyboard; /* the other end of the terminal */

static FILE *open_terminal(int columns)
{
    struct winsize about = {.ws_col = (unsigned short)columns, .ws_row = ROWS};
    int other;

    assert_int_equal(openpty(&keyboard, &other, NULL, NULL, &about), 0);
    fcntl(keyboard, F_SETFL, O_NONBLOCK);
    FILE *terminal = fdopen(other, "w");

    assert_non_null(terminal);
    return terminal;
}

/* What came to the terminal: something, for which it waits, or nothing. The system hands it over at its
 * leisure. */
static const char *take_typed(bool something)
{
    static char text[16384];
    struct pollfd entry = {.fd = keyboard, .events = POLLIN};
    size_t taken = 0;

    while (poll(&entry, 1, something && taken == 0 ? 5000 : 50) == 1) {
        ssize_t count = read(keyboard, text + taken, sizeof text - 1 - taken);

        if (count <= 0)
            break;
        taken += (size_t)count;
    }
    text[taken] = 0;
    return text;
}

static ga__screen *screen_on(FILE *terminal)
{
    ga__screen *made = ga__screen_new(&(ga__screen_options){.err = terminal, .job = &job});

    assert_non_null(made);
    return made;
}

static void a_terminal_is_asked_for_its_width_at_each_drawing(void **state)
{
    struct winsize narrow = {.ws_col = 40, .ws_row = ROWS};

    (void)state;
    setenv("TERM", "xterm", 1);
    FILE *terminal = open_terminal(200);
    ga__screen *live = screen_on(terminal);

    status.seconds = 1;
    ga__screen_draw(live, &status);
    const char *text = take_typed(true);

    assert_non_null(strstr(text, "░"));
    assert_non_null(strstr(text, "\x1b[32m"));
    assert_int_equal(ioctl(keyboard, TIOCSWINSZ, &narrow), 0);
    status.seconds = 2;
    ga__screen_draw(live, &status);
    text = take_typed(true);
    assert_null(strstr(text, "░"));
    ga__screen_end(live, &status, 0, NULL);
    fclose(terminal);
    close(keyboard);
}

static void no_color_is_heeded(void **state)
{
    (void)state;
    setenv("TERM", "xterm", 1);
    setenv("NO_COLOR", "1", 1);
    FILE *terminal = open_terminal(80);
    ga__screen *live = screen_on(terminal);

    status.seconds = 1;
    ga__screen_draw(live, &status);
    const char *text = take_typed(true);

    assert_non_null(strstr(text, "\x1b[4A")); /* it is drawn */
    assert_null(strstr(text, "m61"));
    assert_null(strstr(text, "\x1b[3"));
    assert_null(strstr(text, "\x1b[0m"));
    ga__screen_end(live, &status, 1, "the end");
    assert_null(strstr(take_typed(true), "\x1b[0m"));
    fclose(terminal);
    close(keyboard);
}

static void a_dumb_terminal_gets_lines(void **state)
{
    (void)state;
    setenv("TERM", "dumb", 1);
    FILE *terminal = open_terminal(80);
    ga__screen *plain = screen_on(terminal);

    status.seconds = 1;
    ga__screen_draw(plain, &status);
    assert_string_equal(take_typed(false), "");
    status.seconds = 30;
    ga__screen_draw(plain, &status);
    const char *text = take_typed(true);

    assert_non_null(strstr(text, "[00:00:30] 61,240 of 100,000"));
    assert_null(strchr(text, '\x1b'));
    ga__screen_end(plain, &status, 0, NULL);
    assert_null(strchr(take_typed(true), '\x1b'));
    fclose(terminal);
    close(keyboard);
}

/* Nothing waits for a terminal that takes nothing, and what was to be said is said later. */
static void a_terminal_that_is_held_holds_nobody(void **state)
{
    (void)state;
    setenv("TERM", "xterm", 1);
    FILE *terminal = open_terminal(80);
    ga__screen *live = screen_on(terminal);

    status.seconds = 1;
    ga__screen_draw(live, &status);
    take_typed(true);
    tcflow(fileno(terminal), TCOOFF); /* ^S */
    for (int i = 0; i < 10000; i++) {
        status.seconds += 0.1;
        ga__screen_draw(live, &status);
    }
    ga__screen_say(live, "it is said later");
    assert_string_equal(take_typed(false), "");
    tcflow(fileno(terminal), TCOON);
    status.seconds += 1;
    ga__screen_draw(live, &status);
    assert_non_null(strstr(take_typed(true), "it is said later\r\n"));
    ga__screen_end(live, &status, 0, NULL);
    fclose(terminal);
    close(keyboard);
}

static void abandoning_clears_the_region(void **state)
{
    (void)state;
    setenv("TERM", "xterm", 1);
    FILE *terminal = open_terminal(80);
    ga__screen *live = screen_on(terminal);

    ga__screen_abandon();
    assert_string_equal(take_typed(false), "");
    status.seconds = 1;
    ga__screen_draw(live, &status);
    take_typed(true);
    ga__screen_abandon();
    assert_string_equal(take_typed(true), "\r\x1b[J");
    ga__screen_end(live, &status, 0, NULL);
    take_typed(true);
    ga__screen_abandon();
    assert_string_equal(take_typed(false), "");
    fclose(terminal);
    close(keyboard);
}

/* --- lines and JSON ------------------------------------------------------------------------------- */

static void a_line_comes_every_30_s(void **state)
{
    int lines = 0;

    (void)state;
    snprintf(status.pause, sizeof status.pause, "api.example cools down for 42 s");
    open_screen((ga__screen_options){.mode = GA__SCREEN_AUTO}); /* a stream of memory is no terminal */
    for (int i = 0; i <= 1000; i++) {
        draw_at(i * 0.1);
        const char *text = take();

        if (!*text)
            continue;
        lines++;
        assert_int_equal(i, 300 * lines);
        assert_null(strchr(text, '\x1b'));
        if (lines == 1)
            assert_string_equal(
                text,
                "[00:00:30] 61,240 of 100,000  61.2 %, 0.00 of 50/s, 20 in flight, 238 failed (http: 120, "
                "timeout: 90, reset: 28), 241 retries, p50 500 ms, p99 1.00 s, ETA 12m 55s; api.example "
                "cools down for 42 s\n");
    }
    assert_int_equal(lines, 3);
    close_screen(0, NULL);
}

static void somebody_who_asks_gets_a_line_at_once(void **state)
{
    (void)state;
    memset(&status.stats, 0, sizeof status.stats);
    status.total = 0;
    status.input_progress = 0.25;
    open_screen((ga__screen_options){.mode = GA__SCREEN_NONE, .quiet = true});
    draw_at(7);
    assert_string_equal(take(), "");
    ga__screen_tell(screen, &status);
    assert_string_equal(take(),
                        "[00:00:07] 0 done  about 25.0 %, 0.00 of 50/s, 20 in flight, 0 failed, ETA -\n");
    close_screen(0, NULL);
    assert_string_equal(take(), "");
}

static ga__slice member_of(ga__slice object, const char *name)
{
    ga__slice value = {0};

    if (!ga__json_member(object, ga__slice_of(name), &value))
        fail_msg("there is no \"%s\" in %.*s", name, (int)object.size, object.data);
    return value;
}

static void check_member(ga__slice object, const char *name, const char *wanted)
{
    ga__slice value = member_of(object, name);

    if (!ga__slice_equal(value, ga__slice_of(wanted)))
        fail_msg("\"%s\" is %.*s, not %s", name, (int)value.size, value.data, wanted);
}

static void json_is_an_object_a_line(void **state)
{
    ga__json_problem problem;

    (void)state;
    snprintf(status.pause, sizeof status.pause, "\"quoted\"");
    open_screen((ga__screen_options){.mode = GA__SCREEN_JSON});
    draw_at(9.9);
    assert_string_equal(take(), "");
    draw_at(10);
    ga__slice line = ga__slice_of(take());

    assert_true(ga__json_check(line, &problem));
    assert_ptr_equal(memchr(line.data, '\n', line.size), line.data + line.size - 1);
    check_member(line, "event", "\"progress\"");
    check_member(line, "done", "61240");
    check_member(line, "total", "100000");
    check_member(line, "failed", "238");
    check_member(line, "limit", "50");
    check_member(line, "pause", "\"\\\"quoted\\\"\"");
    check_member(member_of(line, "kinds"), "timeout", "90");
    check_member(member_of(line, "statuses"), "503", "120");
    check_member(member_of(line, "service_ms"), "count", "100");
    close_screen(3, "the \"key\" is wrong");
    line = ga__slice_of(take());
    assert_true(ga__json_check(line, &problem));
    check_member(line, "event", "\"end\"");
    check_member(line, "code", "3");
    check_member(line, "reason", "\"the \\\"key\\\" is wrong\"");
    check_member(line, "output", "\"out.jsonl\"");
}

/* --- the end -------------------------------------------------------------------------------------- */

static void quiet_says_only_what_one_must_know(void **state)
{
    (void)state;
    open_screen((ga__screen_options){.quiet = true});
    draw_at(31);
    assert_string_equal(take(), "");
    close_screen(3, "the server asks to wait 86,400 s");
    assert_string_equal(take(), "gather: 238 of 61,240 rows failed\n"
                                "gather: the server asks to wait 86,400 s\n");
    memset(&status.stats, 0, sizeof status.stats);
    status.stats.rows = 1;
    open_screen((ga__screen_options){.quiet = true});
    close_screen(0, NULL);
    assert_string_equal(take(), "");
}

static void names_are_told_as_a_shell_takes_them(void **state)
{
    (void)state;
    job.output = "it's {id}.jsonl";
    open_screen((ga__screen_options){.mode = GA__SCREEN_NONE});
    close_screen(1, NULL);
    const char *text = take();

    assert_non_null(strstr(text, "gather failed 'it'\\''s {id}.jsonl'."));
}

static void without_a_journal_there_is_other_advice(void **state)
{
    (void)state;
    job.output = NULL;
    status.kept = false;
    open_screen((ga__screen_options){.mode = GA__SCREEN_NONE});
    close_screen(1, NULL);
    const char *text = take();

    assert_null(strstr(text, "gather failed out"));
    assert_non_null(strstr(text, "With -o FILE"));
}

static void figures_are_for_people(void **state)
{
    static const struct {
        double number;
        const char *ms, *duration;
    } cases[] = {
        {0, "0.00 ms", "0 s"},          {0.004, "0.00 ms", "4.00 ms"},
        {9.996, "10.0 ms", "10 s"},     {182.4, "182 ms", "3m 02s"},
        {999.6, "1.00 s", "16m 40s"},   {12345, "12.3 s", "3h 25m"},
        {59949, "59.9 s", "16h 39m"},   {59999.9, "1m 00s", "16h 40m"},
        {3600000, "1h 00m", "41d 16h"}, {-1, "-", "-"},
        {(double)INFINITY, "-", "-"},   {(double)NAN, "-", "-"},
    };
    ga__buffer out = GA__BUFFER_INIT;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ga__buffer_clear(&out);
        ga__append_ms(&out, cases[i].number);
        assert_string_equal(out.data, cases[i].ms);
        ga__buffer_clear(&out);
        ga__append_duration(&out, cases[i].number);
        assert_string_equal(out.data, cases[i].duration);
    }
    ga__buffer_clear(&out);
    ga__append_count(&out, UINT64_MAX);
    ga__buffer_add_char(&out, ' ');
    ga__append_bytes(&out, 999);
    ga__buffer_add_char(&out, ' ');
    ga__append_bytes(&out, 999999);
    ga__buffer_add_char(&out, ' ');
    ga__append_bytes(&out, UINT64_MAX);
    ga__buffer_add_char(&out, ' ');
    ga__append_share(&out, 0.99999);
    ga__buffer_add_char(&out, ' ');
    ga__append_share(&out, 1e-9);
    assert_string_equal(out.data, "18,446,744,073,709,551,615 999 B 1.00 MB 18.4 EB 99.9 % 0.1 %");
    ga__buffer_free(&out);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        CASE(the_region_fits_80_columns),
        CASE(on_40_columns_parts_go_on_further_lines),
        CASE(on_200_columns_the_bar_does_not_grow_for_ever),
        CASE(no_width_is_too_small),
        CASE(a_low_terminal_gets_the_first_lines),
        CASE(where_utf8_is_not_spoken_the_bar_is_ascii),
        CASE(it_is_drawn_at_most_ten_times_a_second),
        CASE(what_is_said_stands_above_the_region),
        CASE(foreign_lines_do_not_break_the_region),
        CASE(the_end_clears_the_region),
        CASE(a_terminal_is_asked_for_its_width_at_each_drawing),
        CASE(no_color_is_heeded),
        CASE(a_dumb_terminal_gets_lines),
        CASE(a_terminal_that_is_held_holds_nobody),
        CASE(abandoning_clears_the_region),
        CASE(a_line_comes_every_30_s),
        CASE(somebody_who_asks_gets_a_line_at_once),
        CASE(json_is_an_object_a_line),
        CASE(quiet_says_only_what_one_must_know),
        CASE(names_are_told_as_a_shell_takes_them),
        CASE(without_a_journal_there_is_other_advice),
        cmocka_unit_test(figures_are_for_people),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
