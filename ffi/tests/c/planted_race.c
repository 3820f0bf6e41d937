/* Races, which ThreadSanitizer must report:
 *
 *     planted_race             two threads count without a lock, around calls of the library
 *     planted_race library     two threads use one handle at once: what races is in the library */
#include "server.h"

static int stops;

static void *stop(void *context) {
    for (int at = 0; at < 1000; at++) {
        OK(chatnio_stopper_stop(context, NULL));
        stops++;
    }
    return NULL;
}

static void *configure(void *context) {
    for (int64_t at = 1; at <= 1000; at++) {
        OK(chatnio_request_set_max_tokens(context, at));
    }
    return NULL;
}

static void in_two_threads(void *(*run)(void *), void *context) {
    pthread_t threads[2];
    for (int at = 0; at < 2; at++) {
        start_thread(&threads[at], run, context);
    }
    for (int at = 0; at < 2; at++) {
        CHECK(pthread_join(threads[at], NULL) == 0);
    }
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "library") == 0) {
        chatnio_request *request = new_chat("hi", "slow");
        in_two_threads(configure, request);
        chatnio_request_free(request);
        return done();
    }
    struct server server;
    server_start(&server, 0, false, NULL, 1);
    chatnio_client *client = server_client(&server, NULL, NULL);
    chatnio_stopper *stopper = NULL;
    OK(chatnio_client_stopper(client, &stopper));
    in_two_threads(stop, stopper);
    CHECK(stops > 0);
    chatnio_stopper_free(stopper);
    chatnio_client_free(client);
    server_join(&server);
    return done();
}
