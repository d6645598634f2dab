/* RFC 6455 as a client speaks it, and Engine.IO's and Socket.IO's handshakes. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include "client.h"

enum { CLOSE = 8, PING = 9, PONG = 10 };

static const unsigned char MASK[4] = {0x4d, 0x61, 0x73, 0x6b};

size_t payload_start(size_t size) {
    return (size < 126 ? 2 : size < 65536 ? 4 : 10) + sizeof MASK;
}

static size_t frame_of(unsigned char opcode, unsigned char *frame, const char *payload, size_t size) {
    size_t start = payload_start(size);
    frame[0] = 0x80 | opcode;
    frame[1] = 0x80 | (size < 126 ? size : size < 65536 ? 126 : 127);
    for (size_t i = 2; i < start - sizeof MASK; i++)
        frame[i] = (uint64_t)size >> 8 * (start - sizeof MASK - 1 - i);
    memcpy(frame + start - sizeof MASK, MASK, sizeof MASK);
    for (size_t i = 0; i < size; i++)
        frame[start + i] = payload[i] ^ MASK[i % sizeof MASK];
    return start + size;
}

/* Write a text frame, which must have room for 14 bytes more than the text; return its size. */
size_t frame_text(unsigned char *frame, const char *text, size_t size) {
    return frame_of(1, frame, text, size);
}

/* Write a number at a position of the text in a frame. */
void frame_stamp(unsigned char *payload, size_t position, int64_t stamp) {
    for (int i = STAMP_DIGITS - 1; i >= 0; i--, stamp /= 10)
        payload[position + i] = ('0' + stamp % 10) ^ MASK[(position + i) % sizeof MASK];
}

void send_text(struct connection *connection, const char *text) {
    unsigned char frame[256];
    send_all(connection, frame, frame_text(frame, text, strlen(text)));
}

void upgrade(struct connection *connection) {
    char request[512];
    int size = snprintf(request, sizeof request,
                        "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
                        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                        options.port);
    send_all(connection, request, size);
}

static void control(struct connection *connection, int opcode, const char *payload, size_t size) {
    unsigned char frame[160];
    if (opcode == PING && size < 126)
        send_all(connection, frame, frame_of(PONG, frame, payload, size));
    if (opcode == CLOSE)
        lose(connection);
}

/* Handle one Engine.IO packet: `0` open, `1` close, `2` ping, `40` the answer to our joining, or a message. */
static void packet(struct connection *connection, const char *text, size_t size) {
    if (size && text[0] == '0')
        send_text(connection, "40");
    else if (size && text[0] == '2')
        send_text(connection, "3");
    else if (size > 1 && text[0] == '4' && text[1] == '0' && connection->state == JOINING)
        connection->state = JOINED, counts.joined++;
    else if (size > 1 && text[0] == '4' && text[1] == '2')
        message(connection, text + 2, size - 2);
    else if (size && (text[0] == '1' || text[0] == '4'))
        lose(connection);
}

/* Return the size of the frame at the beginning of the data, or 0 when there is more to come. */
static size_t frame_size(const unsigned char *data, size_t size, size_t *start) {
    if (size < 2)
        return 0;
    size_t length = data[1] & 0x7f;
    size_t width = length == 127 ? 8 : length == 126 ? 2 : 0;
    *start = 2 + width;
    if (size < *start)
        return 0;
    if (width)
        length = 0;
    for (size_t i = 0; i < width; i++)
        length = length << 8 | data[2 + i];
    return size < *start + length ? 0 : *start + length;
}

static size_t take_upgrade(struct connection *connection, char *data, size_t size) {
    const char *end = memmem(data, size, "\r\n\r\n", 4);
    if (!end)
        return 0;
    connection->state = JOINING;
    if (size < 12 || memcmp(data, "HTTP/1.1 101", 12) != 0)
        lose(connection);
    return end + 4 - data;
}

static size_t take(struct connection *connection, char *data, size_t size) {
    size_t used = connection->state == UPGRADING ? take_upgrade(connection, data, size) : 0;
    size_t start, frame;
    if (connection->state == UPGRADING)
        return 0;
    while (connection->state != GONE && (frame = frame_size((unsigned char *)data + used, size - used, &start))) {
        int opcode = data[used] & 0x0f;
        if (opcode >= CLOSE)
            control(connection, opcode, data + used + start, frame - start);
        else
            packet(connection, data + used + start, frame - start);
        used += frame;
    }
    return used;
}

void websocket_ready(struct source *source) {
    receive((struct connection *)source, take);
}
