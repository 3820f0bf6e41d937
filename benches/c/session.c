/* The message level by C: each message into a session whose question is being answered. `session FILE CHUNKS` */
#include "contender.h"

#include <chatnio.h>

static const char OPENER[] =
    "{\"conversation\":1,\"quota\":0,\"keyword\":\"\",\"message\":\"\",\"end\":false,\"plan\":false}\n";

static size_t receive(chatnio_session *session, const char *message, size_t len)
{
    chatnio_event event = {.size = sizeof event};
    if (chatnio_session_receive(session, 1000, message, len, &event) != CHATNIO_OK) {
        fail("a bad message");
    }
    return event.kind == CHATNIO_EVENT_DELTA && event.text.len > 0;
}

static chatnio_session *answering(void)
{
    chatnio_session *session;
    chatnio_request *request;
    if (chatnio_session_new(NULL, NULL, 1000, &session, NULL) != CHATNIO_OK ||
        chatnio_request_new(CHATNIO_REQUEST_CHAT, &request) != CHATNIO_OK ||
        chatnio_request_set_message(request, "hi", 2) != CHATNIO_OK ||
        chatnio_session_request(session, 1000, request) != CHATNIO_OK) {
        fail("no session");
    }
    chatnio_request_free(request);
    chatnio_text message;
    while (chatnio_session_next_transmit(session, &message) == CHATNIO_OK) {
    }
    receive(session, OPENER, sizeof OPENER - 1);
    return session;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fail("usage: session FILE CHUNKS");
    }
    struct messages messages = read_messages(argv[1]);
    size_t times = times_of(&messages, argv[2]);
    while (next_batch()) {
        chatnio_session *session = answering();
        size_t seen = 0;
        struct watch watch = start();
        for (size_t i = 0; i < times; i++) {
            for (size_t j = 0; j < messages.count; j++) {
                seen += receive(session, messages.all[j].data, messages.all[j].len);
            }
        }
        stop(watch, times * messages.count);
        chatnio_session_free(session);
        if (seen != times * messages.count) {
            fail("a message was not received");
        }
    }
    return 0;
}
