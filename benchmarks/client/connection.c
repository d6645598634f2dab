/* One TCP connection: open, send, receive. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client.h"

static char buffer[1 << 20];

void open_connection(struct connection *connection, void (*ready)(struct source *)) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(options.port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connection->source.ready = ready;
    connection->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connection->fd < 0)
        fail("socket");
    if (connect(connection->fd, (struct sockaddr *)&address, sizeof address) < 0)
        fail("connect");
    int one = 1;
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    watch(connection->fd, &connection->source);
}

void send_all(struct connection *connection, const void *data, size_t size) {
    while (size && connection->state != GONE) {
        ssize_t sent = send(connection->fd, data, size, MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR)
            lose(connection);
        if (sent > 0)
            data = (const char *)data + sent, size -= sent;
    }
}

/* Read what is there, let `take` use what is complete in it, and keep the rest for the next time. */
void receive(struct connection *connection, size_t (*take)(struct connection *, char *, size_t)) {
    size_t size = connection->rest_bytes;
    if (size)
        memcpy(buffer, connection->rest, size);
    ssize_t received = recv(connection->fd, buffer + size, sizeof buffer - size, MSG_DONTWAIT);
    if (received < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (received <= 0) {
        lose(connection);
        return;
    }
    size += received;
    size_t used = take(connection, buffer, size);
    free(connection->rest);
    connection->rest = NULL;
    connection->rest_bytes = connection->state == GONE ? 0 : size - used;
    if (connection->rest_bytes)
        connection->rest = memcpy(malloc(connection->rest_bytes), buffer + used, connection->rest_bytes);
}

void lose(struct connection *connection) {
    if (connection->state == JOINED)
        counts.dropped++;
    else if (connection->state != GONE)
        counts.failed++;
    if (connection->state != GONE)
        close(connection->fd);
    connection->state = GONE;
}
