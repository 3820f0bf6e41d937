/* What a compiler is to warn of: nothing of it is ever run. */
#include <chatnio.h>

void ignored(chatnio_client *client, chatnio_request *request, chatnio_event *event) {
    chatnio_request *made;
    chatnio_request_new(CHATNIO_REQUEST_CHAT, &made);
    chatnio_client_ask(client, request, event);
}

/* Whether a stop went out, nobody need know. */
void fine(chatnio_client *client) { chatnio_client_stop(client, NULL); }
