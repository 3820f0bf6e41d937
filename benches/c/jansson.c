/* jansson: each message into its tree, the fields looked up, the tree freed. `jansson FILE CHUNKS` */
#include "contender.h"

#include <jansson.h>

static size_t decode(struct message message)
{
    json_t *frame = json_loadb(message.data, message.len, 0, NULL);
    if (frame == NULL) {
        fail("a bad message");
    }
    const json_t *text = json_object_get(frame, "message");
    const json_t *quota = json_object_get(frame, "quota");
    const json_t *end = json_object_get(frame, "end");
    size_t seen = json_string_length(text) > 0 && json_number_value(quota) >= 0 && !json_is_true(end);
    json_decref(frame);
    return seen;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fail("usage: jansson FILE CHUNKS");
    }
    struct messages messages = read_messages(argv[1]);
    size_t times = times_of(&messages, argv[2]);
    while (next_batch()) {
        size_t seen = 0;
        struct watch watch = start();
        for (size_t i = 0; i < times; i++) {
            for (size_t j = 0; j < messages.count; j++) {
                seen += decode(messages.all[j]);
            }
        }
        stop(watch, times * messages.count);
        if (seen != times * messages.count) {
            fail("a message was not decoded");
        }
    }
    return 0;
}
