// Every transcript, replayed through a session, brings the events of the log beside it: transcripts FOLDER.
//
// The log is written here from what the public interface says of each event, not by the library's own writer.

#include "check.hpp"

#include <chatnio_testing.h>
#include <filesystem>
#include <fstream>
#include <sstream>

using namespace chatnio;

/** Writes events as JSON, one a line: keys in this order, no spaces, raw UTF-8, quotas as they were received. */
class EventLog {
public:
    void event(const Event &event, std::size_t line)
    {
        if (event.kind() == CHATNIO_EVENT_DELTA) {
            delta(event);
        } else if (event.kind() == CHATNIO_EVENT_END) {
            delta(event);
            end(event.answer().value());
        } else if (event.kind() == CHATNIO_EVENT_STRAY) {
            out_ += R"({"event":"stray","text":)" + quoted(event.text());
            out_ += R"(,"quota":)" + std::string(event.quota_text());
            out_ += R"(,"end":)" + std::string(event.frame_end() ? "true" : "false") + "}\n";
        } else if (event.kind() == CHATNIO_EVENT_MALFORMED) {
            warning(event.text(), line);
        }
    }

    void warning(std::string_view message, std::size_t line)
    {
        out_ += R"({"event":"warning","line":)" + std::to_string(line) + R"(,"message":)" + quoted(message) + "}\n";
    }

    const std::string &text() const { return out_; }

private:
    static std::string quoted(std::string_view text)
    {
        std::string out = "\"";
        for (const char c : text) {
            switch (c) {
            case '"': out += "\\\""; break;
            case '\\': out += "\\\\"; break;
            case '\b': out += "\\b"; break;
            case '\f': out += "\\f"; break;
            case '\n': out += "\\n"; break;
            case '\r': out += "\\r"; break;
            case '\t': out += "\\t"; break;
            default:
                if (static_cast<unsigned char>(c) < 0x20) {
                    char escape[7];
                    std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(c));
                    out += escape;
                } else {
                    out += c;
                }
            }
        }
        return out + "\"";
    }

    /** A piece, also the one that came with the end; none for an empty one. */
    void delta(const Event &event)
    {
        if (!event.text().empty()) {
            out_ += R"({"event":"delta","turn":)" + std::to_string(event.turn()) + R"(,"text":)" + quoted(event.text());
            out_ += R"(,"quota":)" + std::string(event.quota_text()) + "}\n";
        }
    }

    void end(const Answer &answer)
    {
        out_ += R"({"event":"end","turn":)" + std::to_string(answer.turn());
        out_ += R"(,"request":)" + quoted(chatnio::request_type_name(answer.request_type()));
        out_ += R"(,"outcome":)" + quoted(chatnio::outcome_name(answer.outcome()));
        out_ += R"(,"text":)" + quoted(answer.text());
        out_ += R"(,"notice":)" + (answer.notice().data() != nullptr ? quoted(answer.notice()) : "null");
        out_ += R"(,"quota":)" + std::string(answer.quota_text());
        out_ += R"(,"keyword":)" + quoted(answer.keyword());
        out_ += R"(,"conversation":)" + (answer.conversation() ? std::to_string(*answer.conversation()) : "null");
        out_ += R"(,"plan":)" + std::string(answer.plan() ? "true" : "false");
        out_ += R"(,"chunks":)" + std::to_string(answer.chunks()) + "}\n";
    }

    std::string out_;
};

static std::string log_of(const std::string &text)
{
    Replay replay{Transcript(text)};
    Session session(0, replay.auth());
    EventLog log;
    while (const std::optional<Step> step = replay.next_step(session.state())) {
        switch (step->kind()) {
        case CHATNIO_STEP_REQUEST:
            try {
                CHECK(session.request(0, step->request()));
            } catch (const Error &error) {
                log.warning(std::string("skipped: ") + error.what(), step->line());
            }
            while (session.next_transmit()) {
            }
            break;
        case CHATNIO_STEP_RECEIVE:
            log.event(session.receive(0, step->text()), step->line());
            // The frames behind the first are due at once.
            while (const std::optional<Event> more = session.handle_timeout(0))
                log.event(*more, step->line());
            break;
        case CHATNIO_STEP_CLOSED:
            log.event(session.closed(CHATNIO_CLOSE_SERVER).value_or(Event()), step->line());
            break;
        case CHATNIO_STEP_WARNING:
            log.warning(step->text(), step->line());
            break;
        default:
            CHECK(!"known");
        }
    }
    log.event(session.closed(CHATNIO_CLOSE_HOST).value_or(Event()), 0);
    return log.text();
}

static std::string read(const std::filesystem::path &path)
{
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    CHECK(file.good());
    return text.str();
}

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    unsigned compared = 0, wrong = 0;
    for (const auto &entry : std::filesystem::recursive_directory_iterator(argv[1])) {
        std::filesystem::path path = entry.path();
        if (path.extension() != ".txt") {
            continue;
        }
        compared++;
        const std::string log = log_of(read(path));
        if (log != read(path.replace_extension(".log"))) {
            std::fprintf(stderr, "%s is not what came:\n%s", path.c_str(), log.c_str());
            wrong++;
        }
    }
    CHECK(compared > 30 && wrong == 0);
    CHECK(chatnio_testing_live_handles() == 0);
    std::printf("transcripts: %u compared, %u checks\n", compared, test::checks.load());
}
