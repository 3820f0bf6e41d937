// A session, driven by hand: what goes in, what comes out, and what becomes of time.

#include "check.hpp"

#include <chatnio_testing.h>

using namespace chatnio;

static const char OPENER[] = R"({"conversation":29,"quota":0,"message":"","end":false})";
static const char PIECE[] = R"({"quota":0.10,"message":"Hel","end":false,"title":{"a":[1]}})";
static const char LAST[] = R"({"quota":2.50E-1,"message":"lo","end":true})";

static void a_turn()
{
    Config config;
    config.record(true);
    Session session(0, Auth("sk-secret"), config);
    CHECK(session.state() == CHATNIO_STATE_IDLE && !session.answer());
    CHECK(session.request(0, Request::chat("hi").model("m")));
    CHECK(session.state() == CHATNIO_STATE_ASKING);
    CHECK(session.next_transmit()->find("sk-secret") != std::string_view::npos);
    CHECK(session.next_transmit()->find("\"hi\"") != std::string_view::npos);
    CHECK(!session.next_transmit());
    CHECK(session.deadline() != UINT64_MAX);

    Event event = session.receive(1, OPENER);
    CHECK(event.kind() == CHATNIO_EVENT_OPENED && event.turn() == 1 && event.text().data() == nullptr);
    CHECK(event.conversation().kind == CHATNIO_CONVERSATION_NEW && event.conversation().id == 29);
    CHECK(session.conversation().id == 29);

    event = session.receive(2, PIECE);
    CHECK(event.kind() == CHATNIO_EVENT_DELTA && event.text() == "Hel" && event.raw() == PIECE && !event.frame_end());
    CHECK(event.quota() == 0.1 && event.quota_text() == "0.10" && !event.answer());
    CHECK(event.field("title") == R"({"a":[1]})" && !event.field("none"));
    CHECK(test::throws(CHATNIO_NOT_UTF8, [&] { event.field("\xff"); }));
    CHECK(session.answer()->text() == "Hel" && session.answer()->outcome() == CHATNIO_OUTCOME_NONE);

    event = session.receive(3, "nonsense");
    CHECK(event.kind() == CHATNIO_EVENT_MALFORMED && event.status() == CHATNIO_MALFORMED && !event.text().empty());
    CHECK(event.raw() == "nonsense");
    CHECK(session.receive_binary(3).kind() == CHATNIO_EVENT_MALFORMED);
    CHECK(test::throws(CHATNIO_NOT_UTF8, [&] { (void)session.receive(3, "\xff"); }));

    event = session.receive(4, LAST);
    CHECK(event.kind() == CHATNIO_EVENT_END && event.text() == "lo" && event.frame_end());
    CHECK(event.outcome() == CHATNIO_OUTCOME_COMPLETE && event.interruption() == CHATNIO_INTERRUPTION_NONE);
    const Answer answer = event.answer().value();
    CHECK(answer.text() == "Hello" && answer.turn() == 1 && answer.request_type() == CHATNIO_REQUEST_CHAT);
    CHECK(answer.outcome() == CHATNIO_OUTCOME_COMPLETE && answer.interruption() == CHATNIO_INTERRUPTION_NONE);
    CHECK(answer.quota() == 0.25 && answer.quota_text() == "2.50E-1" && answer.conversation() == 29);
    CHECK(answer.chunks() == 2 && answer.malformed() == 2 && !answer.plan() && answer.keyword().empty());
    CHECK(answer.notice().data() == nullptr && answer.reason().data() == nullptr);

    CHECK(session.receive(5, PIECE).kind() == CHATNIO_EVENT_STRAY);
    const Counters counters = session.counters();
    CHECK(counters.strays == 1 && counters.malformed == 2 && counters.repeated_stops == 0);
    CHECK(session.memory() > 0);

    const Transcript transcript = session.transcript().value();
    CHECK(transcript.text().find("sk-secret") == std::string_view::npos);
    CHECK(transcript.text().find(R"(< RECV {"quota":2.50E-1)") != std::string_view::npos);
    CHECK(Transcript(transcript.text()).text() == transcript.text());
}

static void time()
{
    Config config;
    config.first_frame(std::chrono::milliseconds(500)).after_stop(std::chrono::milliseconds(300));
    config.stop_repeats(nullptr, 0);
    Session session(1000, nullptr, config);
    CHECK(!session.transcript());
    CHECK(!session.stop(1000)); // No turn runs.
    CHECK(session.request(1000, Request::chat("hi")));
    CHECK(session.deadline() == 1500 && !session.handle_timeout(1499));
    CHECK(session.stop(1200) && !session.stop(1200));
    CHECK(session.deadline() == 1500);

    const std::optional<Event> end = session.handle_timeout(1500);
    CHECK(end && end->kind() == CHATNIO_EVENT_END && end->outcome() == CHATNIO_OUTCOME_INTERRUPTED);
    CHECK(!end->answer()->reason().empty());
    CHECK(session.state() == CHATNIO_STATE_DRAINING && !session.request(1500, Request::chat("again")));
    CHECK(!session.reconnect(1600) && session.state() == CHATNIO_STATE_IDLE);

    CHECK(session.request(1600, Request::chat("again")));
    CHECK(session.reconnect(1700)->interruption() == CHATNIO_INTERRUPTION_RECONNECTED);
    CHECK(!session.closed(CHATNIO_CLOSE_SERVER));
    CHECK(test::throws(CHATNIO_CLOSED, [&] { (void)session.request(1700, Request::chat("again")); }));
}

static void of_a_request()
{
    Session session(0);
    Request request = Request::chat("hi");
    request.first_frame(std::chrono::seconds(0)).next_frame(std::chrono::seconds(3));
    request.answer_within(std::chrono::milliseconds(700));
    CHECK(session.request(0, request) && session.deadline() == 700);
    CHECK(session.handle_timeout(700)->interruption() == CHATNIO_INTERRUPTION_ANSWER_DEADLINE);
    CHECK(test::throws(CHATNIO_INVALID, [&] { request.first_frame(std::chrono::seconds(-1)); }));
}

static void settling()
{
    Config config;
    config.settle(std::chrono::milliseconds(400));
    Session session(0, nullptr, config);
    CHECK(session.request(0, Request::chat("hi")) && session.next_transmit() && session.next_transmit());
    CHECK(session.receive(0, R"({"message":"","quota":0.5,"end":true})").kind() == CHATNIO_EVENT_END);
    CHECK(session.request(100, Request::remove(0)) && !session.next_transmit());
    CHECK(session.deadline() == 400 && !session.handle_timeout(400));
    CHECK(session.next_transmit() == R"({"type":"remove","message":"0"})");
}

int main()
{
    a_turn();
    time();
    of_a_request();
    settling();
    CHECK(chatnio_testing_live_handles() == 0);
    std::printf("session: %u checks\n", test::checks.load());
}
