/* The macros of the header, as C has them: structs ready to be filled, and literals as the two arguments of a text. */
#include "link.h"

#define IS_READY(type, initialiser)                                                                                    \
    do {                                                                                                               \
        type made = initialiser;                                                                                       \
        type zero;                                                                                                     \
        memset(&zero, 0, sizeof zero);                                                                                 \
        EQUAL(sizeof(type), made.size);                                                                                \
        /* As far as its last field: what comes behind that is nobody's. */                                           \
        made.size = 0;                                                                                                 \
        EQUAL(0, memcmp(&made, &zero, sizeof zero));                                                                   \
    } while (0)

static void initialisers(void) {
    IS_READY(chatnio_event, CHATNIO_EVENT_INIT);
    IS_READY(chatnio_answer, CHATNIO_ANSWER_INIT);
    IS_READY(chatnio_counters, CHATNIO_COUNTERS_INIT);
    IS_READY(chatnio_wants, CHATNIO_WANTS_INIT);
    IS_READY(chatnio_step, CHATNIO_STEP_INIT);
    IS_READY(chatnio_rest_conversation, CHATNIO_REST_CONVERSATION_INIT);
    IS_READY(chatnio_rest_message, CHATNIO_REST_MESSAGE_INIT);
    IS_READY(chatnio_rest_model, CHATNIO_REST_MODEL_INIT);
    IS_READY(chatnio_rest_charge, CHATNIO_REST_CHARGE_INIT);
    IS_READY(chatnio_rest_share, CHATNIO_REST_SHARE_INIT);
    IS_READY(chatnio_rest_subscription, CHATNIO_REST_SUBSCRIPTION_INIT);
}

/* One that is given to the library is one that it takes. */
static void used(void) {
    chatnio_auth *auth = NULL;
    chatnio_request *request = NULL;
    chatnio_session *session = NULL;
    chatnio_event event = CHATNIO_EVENT_INIT;
    chatnio_counters counters = CHATNIO_COUNTERS_INIT;
    chatnio_text message;
    OK(chatnio_auth_new(CHATNIO_LITERAL("sk-x"), &auth));
    OK(chatnio_request_new(CHATNIO_REQUEST_CHAT, &request));
    OK(chatnio_request_set_message(request, CHATNIO_LITERAL("a \0 in it"
                                                            ", and two pieces")));
    OK(chatnio_session_new(NULL, auth, START, &session, NULL));
    OK(chatnio_session_request(session, START, request));
    OK(chatnio_session_next_transmit(session, &message));
    TEXT_IS("{\"token\":\"sk-x\",\"id\":-1}", message);
    OK(chatnio_session_next_transmit(session, &message));
    CHECK(contains(message.data, message.len, "a \\u0000 in it, and two pieces"));
    OK(chatnio_session_receive(session, START, CHATNIO_LITERAL("{\"message\":\"\",\"end\":true,\"quota\":0}"), &event));
    EQUAL(CHATNIO_EVENT_END, event.kind);
    OK(chatnio_session_counters(session, &counters));
    EQUAL(0, counters.strays);
    chatnio_session_free(session);
    chatnio_request_free(request);
    chatnio_auth_free(auth);
}

int main(void) {
    initialisers();
    used();
    return done();
}
