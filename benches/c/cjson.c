/* cJSON: each message into its tree, the fields looked up, the tree freed. `cjson FILE CHUNKS` */
#include "contender.h"

#include <cjson/cJSON.h>

static size_t decode(struct message message)
{
    cJSON *frame = cJSON_ParseWithLength(message.data, message.len);
    if (frame == NULL) {
        fail("a bad message");
    }
    const cJSON *text = cJSON_GetObjectItemCaseSensitive(frame, "message");
    const cJSON *quota = cJSON_GetObjectItemCaseSensitive(frame, "quota");
    const cJSON *end = cJSON_GetObjectItemCaseSensitive(frame, "end");
    size_t seen = text->valuestring[0] != '\0' && quota->valuedouble >= 0 && !cJSON_IsTrue(end);
    cJSON_Delete(frame);
    return seen;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fail("usage: cjson FILE CHUNKS");
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
