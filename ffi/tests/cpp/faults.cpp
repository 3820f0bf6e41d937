// Servers that each do one thing wrong: what a client makes of each is what the table says. faults FOLDER, with the files
// of `loopback/with-faults`.

#include "check.hpp"
#include "faults.hpp"

#include <mutex>
#include <optional>
#include <string>
#include <vector>

using namespace chatnio;
using test::Row;

static constexpr std::string_view TOKEN = "sk-secret";

/** No row needs as long: whatever hangs fails. */
static constexpr std::chrono::milliseconds LONG{30000};

/** The deadline that a row names, so that it passes soon. */
static constexpr std::chrono::milliseconds SHORT{300};

/** A handshake's, within which a part of it is to come, on a busy machine, too. */
static constexpr std::chrono::milliseconds SHORT_HANDSHAKE{3000};

/** All deadlines are long, except the one that the row names: a client that waits for another gets another status. */
static Config config_of(const Row &row, const std::string &roots)
{
    const auto within = [&](std::string_view name, auto soon) { return row.by == name ? soon : LONG; };
    Config config;
    config.connect(within("connect", SHORT)).handshake(within("handshake", SHORT_HANDSHAKE)).first_frame(within("first_frame", SHORT));
    config.next_frame(within("next_frame", SHORT)).ping_after(LONG).pong_within(LONG).close(LONG).connect_retries(0);
    config.max_message(64 << 10).max_answer(1 << 20).trust(CHATNIO_TRUST_ADDED_ONLY).add_root_file(roots);
    return config;
}

/** Why there is no connection: the status without its prefix, and for two of them the code. */
static std::string end_of(const Error &error, std::int32_t code)
{
    const std::string_view text = error.what();
    CHECK(!text.empty() && text.find(TOKEN) == std::string_view::npos);
    std::string name(status_name(error.status()).substr(std::string_view("CHATNIO_").size()));
    if (error.status() == CHATNIO_CLOSED_BY_SERVER && code == 0) {
        name += " -";
    } else if (error.status() == CHATNIO_CLOSED_BY_SERVER || error.status() == CHATNIO_HTTP) {
        name += " " + std::to_string(code);
    }
    return name;
}

/** Asks one question to its end; `text` is what has come. */
static std::string ask(const Row &row, const Config &config, std::string &text)
{
    std::optional<Client> made;
    try {
        made.emplace(row.url, Auth(TOKEN), config);
    } catch (const Error &error) {
        return end_of(error, error.code());
    }
    Client &client = *made;
    try {
        CHECK(client.request(Request::chat("hi")));
        for (;;) {
            const std::optional<Event> event = client.next(LONG);
            if (!event) {
                return "late";
            }
            if (event->kind() == CHATNIO_EVENT_DELTA || event->kind() == CHATNIO_EVENT_END) {
                text += event->text();
            }
            if (event->kind() == CHATNIO_EVENT_END && event->outcome() != CHATNIO_OUTCOME_INTERRUPTED) {
                return std::string(outcome_name(event->outcome()));
            }
            // Otherwise the next call says why.
            if (event->kind() == CHATNIO_EVENT_END && client.state() != CHATNIO_STATE_CLOSED) {
                return std::string(interruption_name(event->interruption()));
            }
        }
    } catch (const Error &error) {
        return end_of(error, client.end_code());
    }
}

/** Without white space at its end, at most 40 characters. */
static std::string compared(const std::string &text)
{
    const std::size_t length = text.find_last_not_of(' ') + 1;
    std::size_t characters = 0, at = 0;
    for (; at < length; at++) {
        const bool begins = (static_cast<unsigned char>(text[at]) & 0xc0) != 0x80;
        if (begins && characters++ == 40) {
            break;
        }
    }
    return text.substr(0, at);
}

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    const std::string folder = argv[1];
    const std::vector<Row> table = test::rows(folder + "/table");
    std::mutex mutex;
    std::size_t wrong = 0;
    test::try_rows(table, [&](const Row &row) {
        std::string text;
        const std::string status = ask(row, config_of(row, folder + "/ca.pem"), text);
        if (status != row.status || compared(text) != row.text) {
            const std::lock_guard<std::mutex> lock(mutex);
            wrong++;
            std::fprintf(stderr, "%s, %s: %s \"%s\" instead of %s \"%s\"\n", row.fault.c_str(), row.over.c_str(),
                         status.c_str(), compared(text).c_str(), row.status.c_str(), row.text.c_str());
        }
    });
    CHECK(wrong == 0);
}
