/* Two threads that count without a lock, around calls of the library: ThreadSanitizer must report it. */
#include "server.h"

static int stops;

static void *stop(void *context) {
    for (int at = 0; at < 1000; at++) {
        OK(chatnio_stopper_stop(context, NULL));
        stops++;
    }
    return NULL;
}

int main(void) {
    struct server server;
    server_start(&server, 0, false, NULL, 1);
    chatnio_client *client = server_client(&server, NULL, NULL);
    chatnio_stopper *stopper = NULL;
    OK(chatnio_client_stopper(client, &stopper));
    pthread_t threads[2];
    for (int at = 0; at < 2; at++) {
        start_thread(&threads[at], stop, stopper);
    }
    for (int at = 0; at < 2; at++) {
        CHECK(pthread_join(threads[at], NULL) == 0);
    }
    CHECK(stops > 0);
    chatnio_stopper_free(stopper);
    chatnio_client_free(client);
    server_join(&server);
    return done();
}
