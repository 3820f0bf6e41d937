#include <chatnio.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    if (argc != 4) return fprintf(stderr, "usage: %s URL TOKEN QUESTION\n", argv[0]), 2;
    chatnio_auth *auth = NULL;
    chatnio_request *request = NULL;
    chatnio_client *client = NULL;
    chatnio_event event = CHATNIO_EVENT_INIT;
    int32_t status = chatnio_auth_new(argv[2], strlen(argv[2]), &auth);
    if (!status) status = chatnio_request_new(CHATNIO_REQUEST_CHAT, &request);
    if (!status) status = chatnio_request_set_message(request, argv[3], strlen(argv[3]));
    if (!status) status = chatnio_client_new(NULL, auth, argv[1], strlen(argv[1]), &client, NULL);
    if (!status) status = chatnio_client_ask(client, request, &event);

    if (status) fprintf(stderr, "%s\n", chatnio_status_message(status));
    else {
        chatnio_text text = event.answer->text;
        if (text.len > 0) printf("%.*s\n", (int)text.len, text.data);
        /* Out of quota, unknown model, ...: the server answers instead of the model. Or the answer was cut short. */
        chatnio_text why = event.answer->notice.data ? event.answer->notice : event.answer->reason;
        if (why.data) fprintf(stderr, "%.*s\n", (int)why.len, why.data);
    }

    chatnio_client_free(client);
    chatnio_request_free(request);
    chatnio_auth_free(auth);
    return status || event.outcome != CHATNIO_OUTCOME_COMPLETE;
}
