/* A load client for Socket.IO servers: Engine.IO 4 and Socket.IO 5 on raw websockets; one thread, one epoll. */
#ifndef CLIENT_H
#define CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SECOND 1000000000LL
#define HANDSHAKES_AT_ONCE 50
#define STAMP_DIGITS 16

/* What epoll watches: a connection or a ticker; it comes first in both. */
struct source {
    void (*ready)(struct source *);
};

enum state { UPGRADING, JOINING, JOINED, GONE };

struct connection {
    struct source source;
    int fd;
    enum state state;
    char *rest; /* of what was received: a message whose end has not come yet */
    size_t rest_bytes;
    int64_t asked_at;
};

struct options {
    int port, server, clients, active, bytes, fanout;
    double rate, fanout_rate, seconds;
    bool http;
};

struct counts {
    int64_t joined, failed, dropped, wrong, events, deliveries, unanswered;
};

extern struct options options;
extern struct counts counts;
extern struct connection *connections;

/* clock.c */
int64_t now(void); /* nanoseconds since the start */
int64_t cpu_time(void);
int64_t server_cpu_time(void);
void every(double per_second, void (*fire)(int64_t due));

/* loop.c */
void fail(const char *what);
void watch(int fd, struct source *source);
void wait_for_events(int milliseconds);

/* connection.c */
void open_connection(struct connection *connection, void (*ready)(struct source *));
void send_all(struct connection *connection, const void *data, size_t size);
void receive(struct connection *connection, size_t (*take)(struct connection *, char *, size_t));
void lose(struct connection *connection);

/* websocket.c */
size_t frame_text(unsigned char *frame, const char *text, size_t size);
void frame_stamp(unsigned char *frame, size_t position, int64_t stamp);
size_t payload_start(size_t size);
void send_text(struct connection *connection, const char *text);
void websocket_ready(struct source *source);
void upgrade(struct connection *connection);

/* load.c */
void message(struct connection *connection, const char *text, size_t size);
void run_load(void);
bool in_window(int64_t moment);
bool over(int64_t moment);
void sample(int64_t asked_at);
double cpu_share(void);
double server_cpu_share(void);
double percentile(double share);

/* http.c */
void http_ready(struct source *source);
void http_ask(struct connection *connection);

#endif
