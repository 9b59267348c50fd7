/* SPDX-License-Identifier: MIT */
/*
 * What the tests share: counting descriptors, files, ports, and programs started as peers. Whatever goes
 * wrong here fails the test that asked for it. Children get SIGKILL when the test dies, so that a crashed
 * test leaves no server behind.
 */
#include "check.h"

#include "base/buffer.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_S = 30 };

bool check_slowed(void)
{
    const char *preloaded = getenv("LD_PRELOAD");

    /* valgrind loads a library of its own into what it runs. */
    return CHECK_SANITIZED || (preloaded && strstr(preloaded, "vgpreload"));
}

void check_part(const char *text, const char *part, bool wanted, const char *file, int line)
{
    if (text && !strstr(text, part) == !wanted)
        return;
    print_error("\"%s\" %s \"%s\"\n", text ? text : "(none)", wanted ? "does not contain" : "contains", part);
    _fail(file, line);
}

ga__url check_url(const char *text)
{
    const char *reason;
    ga__url url;

    assert_int_equal(ga__url_parse(&url, text, strlen(text), NULL, &reason), 0);
    return url;
}

/* Without "." and "..". */
static int count_entries(const char *path)
{
    DIR *directory = opendir(path);
    int count = 0;

    assert_non_null(directory);
    while (readdir(directory))
        count++;
    closedir(directory);
    return count - 2;
}

int check_open_descriptors(void)
{
    return count_entries("/proc/self/fd") - 1; /* without the directory's own */
}

int check_threads(void)
{
    return count_entries("/proc/self/task");
}

double check_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static struct sockaddr_in loopback(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

int check_free_port(void)
{
    struct sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    close(fd);
    return ntohs(address.sin_port);
}

void check_wait_for_port(int port)
{
    struct sockaddr_in address = loopback(port);
    double end = check_now() + PATIENCE_S;
    bool connected = false;

    while (!connected && check_now() < end) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_true(fd >= 0);
        connected = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
        close(fd);
        if (!connected)
            usleep(20000);
    }
    if (!connected)
        fail_msg("nobody listens on port %d after %d s", port, PATIENCE_S);
}

char *check_mkdtemp(void)
{
    const char *root = getenv("GATHER_BUILD");
    char *path = NULL;

    assert_true(asprintf(&path, "%s/test-XXXXXX", root ? root : "/tmp") > 0);
    assert_non_null(mkdtemp(path));
    return path;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status;
    (void)type;
    (void)place;
    return remove(path);
}

void check_rmdir(const char *path)
{
    assert_int_equal(nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
}

void check_write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");

    if (!file)
        fail_msg("cannot write %s: %s", path, strerror(errno));
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

char *check_directory;

int check_make_directory(void **state)
{
    (void)state;
    check_directory = check_mkdtemp();
    return 0;
}

int check_remove_directory(void **state)
{
    (void)state;
    check_rmdir(check_directory);
    free(check_directory);
    return 0;
}

char *check_path(const char *name)
{
    char *path = NULL;

    assert_true(asprintf(&path, "%s/%s", check_directory, name) > 0);
    return path;
}

char *check_new_file(const char *name, const char *text)
{
    char *path = check_path(name);

    check_write_file(path, text);
    return path;
}

/* Reads to the end, or to the first newline, which is dropped. False when the other side takes too long. */
static bool read_until(int fd, bool line, ga__buffer *text)
{
    char c;

    for (;;) {
        struct pollfd poller = {.fd = fd, .events = POLLIN};

        if (poll(&poller, 1, PATIENCE_S * 1000) <= 0)
            return false;
        ssize_t size = read(fd, &c, 1);

        if (size < 0)
            return false;
        if (size == 0)
            return !line || text->size > 0;
        if (line && c == '\n')
            return true;
        ga__buffer_add_char(text, c);
    }
}

char *check_read_file(const char *path)
{
    ga__buffer text = GA__BUFFER_INIT;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        fail_msg("cannot read %s: %s", path, strerror(errno));
    assert_true(read_until(fd, false, &text));
    close(fd);
    return ga__buffer_take(&text);
}

check_process check_start(const char *const *argv)
{
    int pipe_ends[2];

    assert_int_equal(pipe2(pipe_ends, O_CLOEXEC), 0);
    pid_t parent = getpid();
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(127);
        dup2(pipe_ends[1], STDOUT_FILENO);
        execvp(argv[0], (char *const *)(uintptr_t)argv);
        fprintf(stderr, "cannot start %s: %s\n", argv[0], strerror(errno));
        _exit(127);
    }
    close(pipe_ends[1]);
    return (check_process){.pid = pid, .out = pipe_ends[0]};
}

char *check_read_line(check_process *process)
{
    ga__buffer text = GA__BUFFER_INIT;

    if (!read_until(process->out, true, &text)) {
        ga__buffer_free(&text);
        fail_msg("process %d printed no line in %d s", (int)process->pid, PATIENCE_S);
    }
    return ga__buffer_take(&text);
}

int check_stop(check_process *process)
{
    double end = check_now() + PATIENCE_S;
    int status = 0;

    kill(process->pid, SIGTERM);
    while (waitpid(process->pid, &status, WNOHANG) == 0) {
        if (check_now() > end)
            kill(process->pid, SIGKILL);
        usleep(5000);
    }
    close(process->out);
    *process = (check_process){.pid = -1, .out = -1};
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

char *check_built(const char *name)
{
    const char *root = getenv("GATHER_BUILD");

    if (!root)
        fail_msg("GATHER_BUILD is not set: run the tests with script/test, or set it to the build directory");
    char *path = NULL;

    assert_true(asprintf(&path, "%s/%s", root, name) > 0);
    return path;
}
