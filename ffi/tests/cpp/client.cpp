// A blocking client against `chatnio serve`: client URL [ROOTS].

#include "check.hpp"

#include <arpa/inet.h>
#include <chatnio_testing.h>
#include <csignal>
#include <string>
#include <sys/socket.h>
#include <sys/time.h>
#include <thread>
#include <unistd.h>

using namespace chatnio;

static const char ANSWER[] = "Hello! How can I help?";

static void asking(std::string_view url, const Config &config)
{
    Client client(url, Auth("sk-x"), config);
    std::string text, whole;
    for (const Event &event : client.ask(Request::chat("hi").model("hello"))) {
        if (event.kind() == CHATNIO_EVENT_DELTA || event.kind() == CHATNIO_EVENT_END) {
            text += event.text();
        }
        if (event.kind() == CHATNIO_EVENT_END) {
            whole = event.answer()->text();
        }
    }
    CHECK(text == ANSWER && whole == ANSWER);

    // No turn runs: nothing to wait for.
    CHECK(!client.next(std::chrono::milliseconds(0)) && !client.wait() && !client.answer());
    for (const Event &event : client.events()) {
        CHECK(event.kind() != CHATNIO_EVENT_END);
    }

    const Event end = client.ask_and_wait(Request::chat("hi").model("hello"));
    CHECK(end.kind() == CHATNIO_EVENT_END && end.answer()->text() == ANSWER && end.turn() == 2);
    CHECK(client.conversation().kind == CHATNIO_CONVERSATION_NEW && client.counters().malformed == 0);
    CHECK(client.memory() > 0 && !client.transcript() && client.state() == CHATNIO_STATE_IDLE);

    // A range that is left goes on.
    for (const Event &event : client.ask(Request::chat("hi").model("slow"))) {
        if (event.kind() == CHATNIO_EVENT_DELTA && !event.text().empty()) {
            break;
        }
    }
    CHECK(client.answer()->text() == "one " && !client.request(Request::chat("too early")));
    CHECK(test::throws(CHATNIO_BUSY, [&] { client.ask(Request::chat("too early")); }));
    CHECK(client.stop() && !client.stop());
    std::int32_t outcome = 0;
    for (const Event &event : client.events()) {
        outcome = event.outcome();
    }
    CHECK(outcome == CHATNIO_OUTCOME_STOPPED);

    CHECK(client.request(Request::chat("hi").model("slow")));
    CHECK(client.close()->interruption() == CHATNIO_INTERRUPTION_CLOSED_BY_HOST);
    CHECK(test::throws(CHATNIO_CLOSED, [&] { client.next(); }));
    CHECK(!client.reconnect());
    CHECK(client.ask_and_wait(Request::chat("hi").model("hello")).answer()->text() == ANSWER);
    CHECK(!client.close());
}

static void from_another_thread(std::string_view url, const Config &config)
{
    Client client(url, Auth("sk-x"), config);
    const Stopper stopper = client.stopper();
    CHECK(!stopper.stop()); // Nothing runs.
    CHECK(client.request(Request::chat("hi").model("slow")));
    std::thread other([&] { stopper.stop(); });
    const std::optional<Event> end = client.wait();
    other.join();
    CHECK(end->outcome() == CHATNIO_OUTCOME_STOPPED);

    CHECK(client.request(Request::chat("hi").model("silent")));
    std::thread closing([&] { stopper.close(); });
    CHECK(client.wait()->outcome() == CHATNIO_OUTCOME_INTERRUPTED);
    closing.join();
    CHECK(test::throws(CHATNIO_CLOSED, [&] { client.wait(std::chrono::milliseconds(100)); }));

    // It may outlive its client.
    const Stopper late = std::make_unique<Client>(url, Auth("sk-x"), config)->stopper();
    CHECK(!late.stop());
    late.close();

    // One that is there before ends the connect.
    const Stopper early;
    early.close();
    CHECK(test::throws(CHATNIO_CLOSED, [&] { Client(url, early, Auth("sk-x"), config); }));
}

static void over_a_socket(std::string_view url)
{
    const Connection where(url, 0);
    const auto connect_socket = [&] {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(where.port());
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const int fd = socket(AF_INET, SOCK_STREAM, 0);
        CHECK(fd >= 0 && connect(fd, reinterpret_cast<sockaddr *>(&address), sizeof address) == 0);
        return fd;
    };
    const int first = connect_socket(), second = connect_socket();
    Client client = Client::over_socket(first, url, Auth("sk-x"));
    ::close(first); // It works on a duplicate.
    CHECK(client.ask_and_wait(Request::chat("hi").model("hello")).answer()->text() == ANSWER);
    CHECK(test::throws(CHATNIO_GIVEN_SOCKET, [&] { client.reconnect(); }));
    CHECK(!client.reconnect_socket(second));
    ::close(second);
    CHECK(client.ask_and_wait(Request::chat("hi").model("hello")).answer()->text() == ANSWER);
    CHECK(test::throws(CHATNIO_INVALID, [&] { Client::over_socket(-1, url); }));
}

/** Signals while waiting: an end of the wait where it has a limit, thrown where it has none, and nothing is lost. */
static void interruptions(std::string_view url)
{
    struct sigaction action {};
    action.sa_handler = [](int) {};
    CHECK(sigaction(SIGALRM, &action, nullptr) == 0);
    const itimerval often = {{0, 5000}, {0, 5000}}, never{};

    Client client(url, Auth("sk-x"));
    CHECK(client.request(Request::chat("hi").model("slow")));
    CHECK(setitimer(ITIMER_REAL, &often, nullptr) == 0);
    const auto next_is_thrown = [&] {
        try {
            client.next();
        } catch (const Error &error) {
            CHECK(error.status() == CHATNIO_INTERRUPTED && !error.is_fatal());
            return true;
        }
        return false;
    };
    while (!next_is_thrown()) {
    }
    // Far longer than the time to the next signal.
    while (client.next(std::chrono::hours(1))) {
    }
    while (client.wait(std::chrono::hours(1))) {
    }
    CHECK(setitimer(ITIMER_REAL, &never, nullptr) == 0);

    CHECK(client.stop());
    std::optional<Event> end;
    while (!(end = client.wait(std::chrono::milliseconds(100)))) {
    }
    CHECK(end->outcome() == CHATNIO_OUTCOME_STOPPED && end->answer()->text().substr(0, 7) == "one w0 ");
}

/** Without a limit a wait goes on where no turn runs, too. */
static void idling(std::string_view url)
{
    Config config;
    config.keep_alive(std::chrono::milliseconds(20));
    Client client(url, Auth("sk-x"), config);
    // Sent, so that the connection is one that has something to be kept alive.
    client.ask_and_wait(Request::chat("hi").model("hello"));
    CHECK(client.next().kind() == CHATNIO_EVENT_KEEP_ALIVE && client.state() == CHATNIO_STATE_IDLE);
}

static void failures(std::string_view url)
{
    try {
        Client client("ws://127.0.0.1:1");
        CHECK(!"connected");
    } catch (const Error &error) {
        CHECK(error.status() == CHATNIO_CONNECT && error.is_fatal() && error.is_retryable() && error.code() == 0 && !error.body());
        CHECK(std::string_view(error.what()).find("127.0.0.1") != std::string_view::npos);
    }
    try {
        Client client(std::string(url) + "/nowhere");
        CHECK(!"connected");
    } catch (const Error &error) {
        const Error copy = error;
        CHECK(copy.status() == CHATNIO_HTTP && copy.code() == 404);
        CHECK(copy.body()->find("not found") != std::string_view::npos);
    }
    Client client(url);
    CHECK(!client.close() && client.end_code() == 0 && !client.refusal_body());
    CHECK(test::throws(CHATNIO_PLAIN_TOKEN, [] { Client("ws://example.com", Auth("sk-x")); }));
}

int main(int argc, char **argv)
{
    CHECK(argc > 1);
    {
        Config config;
        if (argc > 2) {
            config.add_root_file(argv[2]);
            CHECK(test::throws(CHATNIO_TLS_UNKNOWN_ISSUER, [&] { Client client(argv[1]); }));
        } else {
            over_a_socket(argv[1]);
            interruptions(argv[1]);
            idling(argv[1]);
            failures(argv[1]);
        }
        asking(argv[1], config);
        from_another_thread(argv[1], config);
    }
    CHECK(chatnio_testing_live_handles() == 0);
    std::printf("client: %u checks\n", test::checks.load());
}
