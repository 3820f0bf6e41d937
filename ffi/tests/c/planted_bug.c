/* Bugs that a tool must report, or it looks at nothing.
 *
 *     planted_bug use | leak | overflow */
#include "check.h"

#include <limits.h>

int main(int argc, char **argv) {
    CHECK(argc == 2);
    if (strcmp(argv[1], "leak") == 0) {
        /* Several: the last one may still be seen in a register. */
        for (int at = 0; at < 16; at++) {
            CHECK(new_session(NULL, NULL, 0) != NULL);
        }
        return 0;
    }
    chatnio_session *session = new_session(NULL, NULL, 0);
    chatnio_event event = new_event();
    receive(session, 0, "{\"message\":\"gone\"}", &event);
    chatnio_session_free(session);
    if (strcmp(argv[1], "use") == 0) {
        /* A view after its session. */
        return event.raw.data[0] == '{' ? 0 : 1;
    }
    int number = INT_MAX - 2 + argc;
    number += argc;
    return number > 0 ? 0 : 1;
}
