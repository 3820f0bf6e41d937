/* The event log: what an event says as JSON, from its public fields alone. The same in every language:
 *
 *     {"event":"delta","turn":1,"text":"Hello","quota":0.1}
 *     {"event":"stray","text":"","quota":0.1,"end":true}
 *     {"event":"warning","line":7,"message":"skipped: the message is empty: it would never be answered"}
 *     {"event":"end","turn":1,"request":"chat","outcome":"complete","text":"Hello","notice":null,...}
 *
 * Keys in this order, no spaces, raw UTF-8, LF. There is no delta for an empty piece. */
#ifndef EVENT_LOG_H
#define EVENT_LOG_H

#include "bytes.h"

static inline void log_view(struct bytes *log, chatnio_text view) {
    bytes_add(log, view.data, view.len);
}

static inline void log_string(struct bytes *log, chatnio_text text) {
    static const char NAMED[] = "\"\\\b\f\n\r\t";
    static const char NAMES[] = "\"\\bfnrt";
    bytes_text(log, "\"");
    for (size_t at = 0; at < text.len; at++) {
        unsigned char byte = (unsigned char)text.data[at];
        const char *named = byte != 0 ? strchr(NAMED, byte) : NULL;
        if (named != NULL) {
            char escape[] = {'\\', NAMES[named - NAMED]};
            bytes_add(log, escape, sizeof escape);
        } else if (byte < 0x20) {
            char escape[8];
            snprintf(escape, sizeof escape, "\\u%04x", byte);
            bytes_text(log, escape);
        } else {
            bytes_add(log, &byte, 1);
        }
    }
    bytes_text(log, "\"");
}

static inline void log_bool(struct bytes *log, bool value) {
    bytes_text(log, value ? "true" : "false");
}

static inline void log_delta(struct bytes *log, uint64_t turn, chatnio_text text, chatnio_text quota) {
    if (text.len > 0) {
        bytes_text(log, "{\"event\":\"delta\",\"turn\":");
        bytes_number(log, (long long)turn);
        bytes_text(log, ",\"text\":");
        log_string(log, text);
        bytes_text(log, ",\"quota\":");
        log_view(log, quota);
        bytes_text(log, "}\n");
    }
}

static inline void log_end(struct bytes *log, const chatnio_answer *answer) {
    bytes_text(log, "{\"event\":\"end\",\"turn\":");
    bytes_number(log, (long long)answer->turn);
    bytes_text(log, ",\"request\":\"");
    bytes_text(log, chatnio_request_type_name(answer->request_type));
    bytes_text(log, "\",\"outcome\":\"");
    bytes_text(log, chatnio_outcome_name(answer->outcome));
    bytes_text(log, "\",\"text\":");
    log_string(log, answer->text);
    bytes_text(log, ",\"notice\":");
    if (answer->notice.data != NULL) {
        log_string(log, answer->notice);
    } else {
        bytes_text(log, "null");
    }
    bytes_text(log, ",\"quota\":");
    log_view(log, answer->quota_text);
    bytes_text(log, ",\"keyword\":");
    log_string(log, answer->keyword);
    bytes_text(log, ",\"conversation\":");
    if (answer->has_conversation) {
        bytes_number(log, answer->conversation);
    } else {
        bytes_text(log, "null");
    }
    bytes_text(log, ",\"plan\":");
    log_bool(log, answer->plan);
    bytes_text(log, ",\"chunks\":");
    bytes_number(log, (long long)answer->chunks);
    bytes_text(log, "}\n");
}

/* `line` is that of the transcript; 0 when the message is none of it. */
static inline void log_warning(struct bytes *log, size_t line, chatnio_text message) {
    bytes_text(log, "{\"event\":\"warning\",\"line\":");
    if (line > 0) {
        bytes_number(log, (long long)line);
    } else {
        bytes_text(log, "null");
    }
    bytes_text(log, ",\"message\":");
    log_string(log, message);
    bytes_text(log, "}\n");
}

static inline void log_event(struct bytes *log, const chatnio_event *event, size_t line) {
    switch (event->kind) {
    case CHATNIO_EVENT_DELTA:
        log_delta(log, event->turn, event->text, event->quota_text);
        break;
    case CHATNIO_EVENT_END:
        log_delta(log, event->turn, event->text, event->answer->quota_text);
        log_end(log, event->answer);
        break;
    case CHATNIO_EVENT_STRAY:
        bytes_text(log, "{\"event\":\"stray\",\"text\":");
        log_string(log, event->text);
        bytes_text(log, ",\"quota\":");
        log_view(log, event->quota_text);
        bytes_text(log, ",\"end\":");
        log_bool(log, event->frame_end);
        bytes_text(log, "}\n");
        break;
    case CHATNIO_EVENT_MALFORMED:
        log_warning(log, line, event->text);
        break;
    default:
        break;
    }
}

#endif
