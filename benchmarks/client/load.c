/* What the clients do: echo and ask for fan-outs, as fast as answers come or at a rate, for a measured time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"

#define WARM_UP (SECOND / 2)
#define LAST_ANSWERS (5 * SECOND)
#define NAP_MICROSECONDS 1000
#define ECHO "[\"echo\",\""
#define NEWS "[\"news\","

static int64_t begin, end, cpu_used, server_cpu_used;
static float *samples;
static size_t sample_count, sample_room;
static unsigned char *echo_frame;
static size_t echo_frame_bytes, echo_text_bytes;
static int64_t round_deliveries, woken_at;

bool in_window(int64_t moment) {
    return moment >= begin && moment < end;
}

bool over(int64_t moment) {
    return moment >= end;
}

/* Keep how long an answer took, in milliseconds, when it was asked for in the window. */
void sample(int64_t asked_at) {
    if (!in_window(asked_at))
        return;
    if (sample_count == sample_room)
        samples = realloc(samples, (sample_room = sample_room * 2 + 65536) * sizeof *samples);
    samples[sample_count++] = (now() - asked_at) / 1e6;
}

/* The text of an echo is as long as asked for and begins with the time at which it was due. */
static void prepare_echo(void) {
    const char *head = "42" ECHO, *tail = "\"]";
    echo_text_bytes = strlen(head) + options.bytes + strlen(tail);
    char *text = malloc(echo_text_bytes + 1);
    memset(text, 'x', echo_text_bytes);
    memcpy(text, head, strlen(head));
    memcpy(text + strlen(head) + options.bytes, tail, strlen(tail));
    echo_frame = malloc(echo_text_bytes + 14);
    echo_frame_bytes = frame_text(echo_frame, text, echo_text_bytes);
    free(text);
}

static void echo(struct connection *connection, int64_t due) {
    frame_stamp(echo_frame + payload_start(echo_text_bytes), strlen("42" ECHO), due);
    counts.unanswered++;
    send_all(connection, echo_frame, echo_frame_bytes);
}

static void echo_next(int64_t due) {
    static int turn;
    if (due < end)
        echo(&connections[turn++ % options.active], due);
}

static void ask_fanout(int64_t due) {
    char text[64];
    snprintf(text, sizeof text, "42[\"fanout\",%d]", options.fanout);
    if (due < end)
        send_text(&connections[options.clients - 1], text);
}

static void echoed(struct connection *connection, const char *text, size_t size) {
    int64_t moment = now();
    counts.unanswered--;
    counts.events += in_window(moment);
    if (size != echo_text_bytes - 2)
        counts.wrong++;
    else
        sample(strtoll(text + strlen(ECHO), NULL, 10));
    if (!options.rate && moment < end)
        echo(connection, moment);
}

static void delivered(void) {
    counts.deliveries += in_window(woken_at);
    if (!options.fanout_rate && ++round_deliveries >= options.fanout * (counts.joined - counts.dropped)) {
        round_deliveries = 0;
        ask_fanout(woken_at);
    }
}

/* Wait for events. Where only deliveries are counted, let some come together first: to take each by itself costs a
 * client more than it costs a server to send it, and then the client would be what is measured. */
static void work(void) {
    if (options.fanout && !options.fanout_rate)
        usleep(NAP_MICROSECONDS);
    wait_for_events(1);
    woken_at = now();
}

/* Handle an event from the server. */
void message(struct connection *connection, const char *text, size_t size) {
    if (size > strlen(NEWS) && !memcmp(text, NEWS, strlen(NEWS)))
        delivered();
    else if (size > strlen(ECHO) && !memcmp(text, ECHO, strlen(ECHO)))
        echoed(connection, text, size);
    else
        counts.wrong++;
}

static void start(void) {
    prepare_echo();
    for (int i = 0; i < options.active && !options.rate; i++)
        options.http ? http_ask(&connections[i]) : echo(&connections[i], now());
    if (options.active && options.rate)
        every(options.active * options.rate, echo_next);
    if (options.fanout && options.fanout_rate)
        every(options.fanout_rate, ask_fanout);
    else if (options.fanout)
        ask_fanout(now());
}

void run_load(void) {
    begin = now() + WARM_UP;
    end = begin + options.seconds * SECOND;
    start();
    while (now() < begin)
        work();
    int64_t cpu = cpu_time(), server_cpu = server_cpu_time();
    while (now() < end)
        work();
    cpu_used = cpu_time() - cpu, server_cpu_used = server_cpu_time() - server_cpu;
    while (counts.unanswered > 0 && now() < end + LAST_ANSWERS)
        work();
}

double cpu_share(void) {
    return options.seconds ? cpu_used / (options.seconds * SECOND) : 0;
}

double server_cpu_share(void) {
    return options.seconds ? server_cpu_used / (options.seconds * SECOND) : 0;
}

static int compare(const void *a, const void *b) {
    return (*(const float *)a > *(const float *)b) - (*(const float *)a < *(const float *)b);
}

double percentile(double share) {
    qsort(samples, sample_count, sizeof *samples, compare);
    return sample_count ? samples[(size_t)(share * (sample_count - 1))] : 0;
}
