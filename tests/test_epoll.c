/* SPDX-License-Identifier: MIT */
/* The poller on epoll, by itself: whose events reach whom when descriptors are closed and processes fork. */
#include "check.h"

#include "task/poller.h"
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

typedef struct subject {
    ga__fd fd; /* first, so that an event leads here */
    int events;
    int copy; /* of the descriptor, as a forked child has one */
    struct sockaddr_un address;
} subject;

static void count(ga__fd *fd, unsigned events)
{
    (void)events;
    ((subject *)fd)->events++;
}

/* Opens a datagram socket, and hands out what opening it brings about. */
static void open_subject(ga__poller *poller, subject *self)
{
    socklen_t size = sizeof self->address;

    *self = (subject){.copy = -1};
    ga__fd_init(&self->fd);
    assert_int_equal(poller->ops->open(poller, &self->fd, AF_UNIX, SOCK_DGRAM), 0);
    self->address.sun_family = AF_UNIX; /* no name: the system gives one */
    assert_int_equal(
        poller->ops->bind(poller, &self->fd, (struct sockaddr *)&self->address, sizeof(sa_family_t)), 0);
    assert_int_equal(getsockname(self->fd.fd, (struct sockaddr *)&self->address, &size), 0);
    self->copy = dup(self->fd.fd);
    assert_true(self->copy >= 0);
    assert_int_equal(poller->ops->wait(poller, 0), 0);
    self->fd.on_event = count;
}

static void send_to(const subject *self)
{
    int sender = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t size =
        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(self->address.sun_path + 1));

    assert_true(sender >= 0);
    assert_int_equal(sendto(sender, "x", 1, 0, (const struct sockaddr *)&self->address, size), 1);
    close(sender);
}

static void an_event_reaches_its_descriptor(void **state)
{
    ga__poller *poller = ga__epoll_new();
    subject self;

    (void)state;
    open_subject(poller, &self);
    send_to(&self);
    assert_int_equal(poller->ops->wait(poller, UINT64_MAX), 0);
    assert_int_equal(self.events, 1);
    assert_true(self.fd.ready & GA__READABLE);
    poller->ops->close(poller, &self.fd);
    close(self.copy);
    poller->ops->destroy(poller);
}

static void what_is_closed_has_no_events_though_a_child_holds_it(void **state)
{
    ga__poller *poller = ga__epoll_new();
    subject self;

    (void)state;
    open_subject(poller, &self);
    poller->ops->close(poller, &self.fd);
    send_to(&self);                        /* arrives: the copy is open */
    self.fd = (ga__fd){.on_event = count}; /* its lists lead nowhere: an event would crash here */
    assert_int_equal(poller->ops->wait(poller, 0), 0);
    assert_int_equal(self.events, 0);
    close(self.copy);
    poller->ops->destroy(poller);
}

static void a_child_leaves_the_parents_registrations_alone(void **state)
{
    ga__poller *poller = ga__epoll_new();
    subject self;

    (void)state;
    open_subject(poller, &self);
    poller->forked = true;
    poller->ops->close(poller, &self.fd); /* in the child */
    poller->forked = false;
    send_to(&self);
    assert_int_equal(poller->ops->wait(poller, UINT64_MAX), 0); /* in the parent */
    assert_int_equal(self.events, 1);
    close(self.copy);
    poller->ops->destroy(poller);
}

static void closing_in_a_batch_drops_the_rest_of_it(void **state)
{
    ga__poller *poller = ga__epoll_new();
    subject many[8];
    int events = 0;

    (void)state;
    for (int i = 0; i < 8; i++)
        open_subject(poller, &many[i]);
    for (int i = 0; i < 8; i++)
        send_to(&many[i]);
    for (int i = 0; i < 7; i++)
        poller->ops->close(poller, &many[i].fd);
    assert_int_equal(poller->ops->wait(poller, 0), 0);
    for (int i = 0; i < 8; i++)
        events += many[i].events;
    assert_int_equal(events, 1);
    assert_int_equal(many[7].events, 1);
    poller->ops->close(poller, &many[7].fd);
    for (int i = 0; i < 8; i++)
        close(many[i].copy);
    poller->ops->destroy(poller);
}

static subject *victims[2];
static ga__poller *batch_poller;

/* The first of two that hears of something closes the other. */
static void close_the_other(ga__fd *fd, unsigned events)
{
    subject *other = victims[0] == (subject *)fd ? victims[1] : victims[0];

    (void)events;
    ((subject *)fd)->events++;
    batch_poller->ops->close(batch_poller, &other->fd);
}

static void an_event_may_close_what_the_next_is_for(void **state)
{
    subject first, second;

    (void)state;
    batch_poller = ga__epoll_new();
    open_subject(batch_poller, &first);
    open_subject(batch_poller, &second);
    victims[0] = &first;
    victims[1] = &second;
    first.fd.on_event = second.fd.on_event = close_the_other;
    send_to(&first);
    send_to(&second);
    assert_int_equal(batch_poller->ops->wait(batch_poller, 0), 0);
    assert_int_equal(first.events + second.events, 1);
    batch_poller->ops->close(batch_poller, &first.fd);
    batch_poller->ops->close(batch_poller, &second.fd);
    close(first.copy);
    close(second.copy);
    batch_poller->ops->destroy(batch_poller);
}

static void a_wait_says_whether_it_has_told_all(void **state)
{
    enum { MANY = 300 };
    ga__poller *poller = ga__epoll_new();
    subject *many = calloc(MANY, sizeof *many);
    int events = 0, code;

    (void)state;
    assert_non_null(many);
    for (int i = 0; i < MANY; i++) {
        ga__fd_init(&many[i].fd);
        assert_int_equal(poller->ops->open(poller, &many[i].fd, AF_INET, SOCK_STREAM), 0);
        many[i].fd.on_event = count; /* a fresh socket has one */
    }
    assert_int_equal(poller->ops->wait(poller, 0), 1);
    while ((code = poller->ops->wait(poller, 0)) == 1)
        ;
    assert_int_equal(code, 0);
    for (int i = 0; i < MANY; i++) {
        events += many[i].events;
        poller->ops->close(poller, &many[i].fd);
    }
    assert_int_equal(events, MANY);
    free(many);
    poller->ops->destroy(poller);
}

static void a_wake_ends_the_wait(void **state)
{
    int before = check_open_descriptors();
    ga__poller *poller = ga__epoll_new();
    uint64_t start = poller->ops->now(poller);

    (void)state;
    poller->ops->wake(poller);
    assert_int_equal(poller->ops->wait(poller, UINT64_MAX), 0);
    assert_int_equal(poller->ops->wait(poller, start + 1), 0); /* it is used up: the deadline ends this one */
    poller->ops->destroy(poller);
    assert_int_equal(check_open_descriptors(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_reaches_its_descriptor),
        cmocka_unit_test(what_is_closed_has_no_events_though_a_child_holds_it),
        cmocka_unit_test(a_child_leaves_the_parents_registrations_alone),
        cmocka_unit_test(closing_in_a_batch_drops_the_rest_of_it),
        cmocka_unit_test(an_event_may_close_what_the_next_is_for),
        cmocka_unit_test(a_wait_says_whether_it_has_told_all),
        cmocka_unit_test(a_wake_ends_the_wait),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
