/* The event loop. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "client.h"

#define EVENTS 1024

static int poller = -1;

void fail(const char *what) {
    perror(what);
    exit(1);
}

void watch(int fd, struct source *source) {
    if (poller < 0 && (poller = epoll_create1(0)) < 0)
        fail("epoll_create1");
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = source};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) < 0)
        fail("epoll_ctl");
}

void wait_for_events(int milliseconds) {
    struct epoll_event events[EVENTS];
    int count = epoll_wait(poller, events, EVENTS, milliseconds);
    for (int i = 0; i < count; i++) {
        struct source *source = events[i].data.ptr;
        source->ready(source);
    }
}
