/* The blocking level by C: whole answers, event by event. `client URL QUESTION CHUNKS [CA-FILE]` */
#include "contender.h"

#include <chatnio.h>

static chatnio_client *connect_to(const char *url, const char *ca)
{
    chatnio_config *config = NULL;
    chatnio_error *error = NULL;
    chatnio_client *client;
    if (ca != NULL && (chatnio_config_new(&config) != CHATNIO_OK ||
                       chatnio_config_set_trust(config, CHATNIO_TRUST_ADDED_ONLY) != CHATNIO_OK ||
                       chatnio_config_add_root_file(config, ca, strlen(ca)) != CHATNIO_OK)) {
        fail("the certificate cannot be used");
    }
    if (chatnio_client_new(config, NULL, url, strlen(url), &client, &error) != CHATNIO_OK) {
        chatnio_text message;
        chatnio_error_message(error, &message);
        fprintf(stderr, "%.*s\n", (int)message.len, message.data);
        exit(1);
    }
    chatnio_config_free(config);
    return client;
}

int main(int argc, char **argv)
{
    if (argc != 4 && argc != 5) {
        fail("usage: client URL QUESTION CHUNKS [CA-FILE]");
    }
    size_t chunks = strtoul(argv[3], NULL, 10);
    chatnio_client *client = connect_to(argv[1], argv[4]);
    chatnio_request *request;
    if (chatnio_request_new(CHATNIO_REQUEST_CHAT, &request) != CHATNIO_OK ||
        chatnio_request_set_message(request, argv[2], strlen(argv[2])) != CHATNIO_OK) {
        fail("no request");
    }
    while (next_batch()) {
        size_t seen = 0;
        chatnio_event event = {.size = sizeof event};
        struct watch watch = start();
        if (chatnio_client_request(client, request) != CHATNIO_OK) {
            fail("no question can be asked");
        }
        do {
            if (chatnio_client_next(client, -1, &event) != CHATNIO_OK) {
                fail("no answer");
            }
            seen += event.kind == CHATNIO_EVENT_DELTA;
        } while (event.kind != CHATNIO_EVENT_END);
        stop(watch, chunks);
        if (seen != chunks) {
            fail("a chunk is missing");
        }
    }
    chatnio_request_free(request);
    chatnio_client_free(client);
    return 0;
}
