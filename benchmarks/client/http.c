/* GET /json over keep-alive connections, one request under way on each. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "client.h"

static const char REQUEST[] = "GET /json HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n\r\n";
static const char LENGTH[] = "\r\ncontent-length:";

void http_ask(struct connection *connection) {
    connection->asked_at = now();
    counts.unanswered++;
    send_all(connection, REQUEST, sizeof REQUEST - 1);
}

static size_t take(struct connection *connection, char *data, size_t size) {
    char *head = memmem(data, size, "\r\n\r\n", 4);
    if (!head)
        return 0;
    *head = 0;
    char *length = strcasestr(data, LENGTH);
    *head = '\r';
    size_t whole = head + 4 - data + (length ? strtoul(length + sizeof LENGTH - 1, NULL, 10) : 0);
    if (size < whole)
        return 0;
    counts.unanswered--;
    counts.wrong += !length || memcmp(data, "HTTP/1.1 200", 12) != 0;
    counts.events += in_window(now());
    sample(connection->asked_at);
    if (!over(now()))
        http_ask(connection);
    return whole;
}

void http_ready(struct source *source) {
    receive((struct connection *)source, take);
}
