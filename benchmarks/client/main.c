/* Options, the connecting of all clients, and the result as one line of JSON. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "client.h"

#define GIVE_UP (120 * SECOND)

struct options options = {.clients = 1, .bytes = 64};
struct counts counts;
struct connection *connections;
static double connect_seconds, connect_cpu, connect_server_cpu;

static const char USAGE[] =
    "usage: client --port P [--server PID] [--clients N] [--active A] [--bytes B] [--rate R]\n"
    "              [--fanout K] [--fanout-rate R] [--seconds S] [--http]\n"
    "N clients connect; A of them echo B bytes, each R times a second or (0) as soon as the answer is there; one asks\n"
    "for K broadcasts to all, R times a second or (0) as soon as all have come. With --http, A of them GET /json.\n";

static void read_options(int argc, char **argv) {
    static const struct option known[] = {
        {"port", 1, 0, 'p'},   {"server", 1, 0, 'S'},      {"clients", 1, 0, 'c'}, {"active", 1, 0, 'a'},
        {"bytes", 1, 0, 'b'},  {"rate", 1, 0, 'r'},        {"http", 0, 0, 'h'},    {"seconds", 1, 0, 's'},
        {"fanout", 1, 0, 'f'}, {"fanout-rate", 1, 0, 'F'}, {0}};
    for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        switch (option) {
        case 'p': options.port = atoi(optarg); break;
        case 'S': options.server = atoi(optarg); break;
        case 'c': options.clients = atoi(optarg); break;
        case 'a': options.active = atoi(optarg); break;
        case 'b': options.bytes = atoi(optarg); break;
        case 'r': options.rate = atof(optarg); break;
        case 'f': options.fanout = atoi(optarg); break;
        case 'F': options.fanout_rate = atof(optarg); break;
        case 's': options.seconds = atof(optarg); break;
        case 'h': options.http = true; break;
        default: options.port = 0;
        }
    }
    if (!options.port || options.clients < 1 || options.active > options.clients || options.bytes < STAMP_DIGITS) {
        fputs(USAGE, stderr);
        exit(2);
    }
}

static void raise_file_limit(void) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max < (rlim_t)options.clients + 20)
        fputs("client: the limit of open files is too low for so many clients\n", stderr), exit(1);
}

static void open_next(int i) {
    open_connection(&connections[i], options.http ? http_ready : websocket_ready);
    if (options.http)
        connections[i].state = JOINED, counts.joined++;
    else
        upgrade(&connections[i]);
}

static void connect_all(void) {
    int64_t begin = now(), cpu = cpu_time(), server_cpu = server_cpu_time();
    connections = calloc(options.clients, sizeof *connections);
    for (int opened = 0; counts.joined + counts.failed + counts.dropped < options.clients && now() < begin + GIVE_UP;) {
        while (opened < options.clients && opened - counts.joined - counts.failed < HANDSHAKES_AT_ONCE)
            open_next(opened++);
        wait_for_events(1);
    }
    connect_seconds = (now() - begin) / 1e9;
    connect_cpu = (cpu_time() - cpu) / 1e9 / connect_seconds;
    connect_server_cpu = (server_cpu_time() - server_cpu) / 1e9 / connect_seconds;
    printf("connected\n");
    fflush(stdout);
}

static void print_result(void) {
    double seconds = options.seconds ? options.seconds : 1;
    printf("{\"joined\": %ld, \"failed\": %ld, \"dropped\": %ld, \"wrong\": %ld, \"unanswered\": %ld, ", counts.joined,
           options.clients - counts.joined, counts.dropped, counts.wrong, counts.unanswered);
    printf("\"connects_per_second\": %.1f, \"connect_cpu\": %.3f, \"connect_server_cpu\": %.3f, ",
           counts.joined / connect_seconds, connect_cpu, connect_server_cpu);
    printf("\"events_per_second\": %.1f, \"deliveries_per_second\": %.1f, ", counts.events / seconds,
           counts.deliveries / seconds);
    printf("\"p50_ms\": %.3f, \"p99_ms\": %.3f, ", percentile(0.50), percentile(0.99));
    printf("\"cpu\": %.3f, \"server_cpu\": %.3f}\n", cpu_share(), server_cpu_share());
}

int main(int argc, char **argv) {
    read_options(argc, argv);
    raise_file_limit();
    connect_all();
    if (options.seconds)
        run_load();
    print_result();
    return 0;
}
