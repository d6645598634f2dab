/* Time, processor time, and tickers. */
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "client.h"

struct ticker {
    struct source source;
    int fd;
    int64_t next, interval;
    void (*fire)(int64_t due);
};

static int64_t monotonic(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * SECOND + time.tv_nsec;
}

int64_t now(void) {
    static int64_t start;
    if (!start)
        start = monotonic() - 1;
    return monotonic() - start;
}

int64_t cpu_time(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * SECOND + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1000;
}

/* The processor time of the server's process, when it was named. */
int64_t server_cpu_time(void) {
    clockid_t clock;
    struct timespec time;
    if (!options.server || clock_getcpuclockid(options.server, &clock) || clock_gettime(clock, &time))
        return 0;
    return time.tv_sec * SECOND + time.tv_nsec;
}

/* Fire for every interval that has passed, each with the time at which it was due. */
static void tick(struct source *source) {
    struct ticker *ticker = (struct ticker *)source;
    uint64_t passed;
    if (read(ticker->fd, &passed, sizeof passed) != sizeof passed)
        return;
    for (; passed; passed--, ticker->next += ticker->interval)
        ticker->fire(ticker->next);
}

void every(double per_second, void (*fire)(int64_t due)) {
    struct ticker *ticker = calloc(1, sizeof *ticker);
    ticker->source.ready = tick;
    ticker->fire = fire;
    ticker->interval = SECOND / per_second;
    ticker->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    struct timespec interval = {ticker->interval / SECOND, ticker->interval % SECOND};
    struct itimerspec timer = {interval, interval};
    ticker->next = now() + ticker->interval;
    if (ticker->fd < 0 || timerfd_settime(ticker->fd, 0, &timer, NULL) < 0)
        fail("timerfd");
    watch(ticker->fd, &ticker->source);
}
