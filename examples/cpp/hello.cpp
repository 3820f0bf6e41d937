#include <chatnio.hpp>
#include <iostream>

int main(int argc, char **argv)
{
    if (argc != 4) return std::cerr << "usage: " << argv[0] << " URL TOKEN QUESTION\n", 2;
    try {
        chatnio::Client client(argv[1], chatnio::Auth(argv[2]));
        for (const chatnio::Event &event : client.ask(chatnio::Request::chat(argv[3]))) {
            if (event.kind() == CHATNIO_EVENT_DELTA || event.kind() == CHATNIO_EVENT_END) std::cout << event.text() << std::flush;
            if (event.kind() != CHATNIO_EVENT_END || event.outcome() == CHATNIO_OUTCOME_COMPLETE) continue;
            // Out of quota, unknown model, ...: the server answers instead of the model. Or the answer was cut short.
            std::string_view notice = event.answer()->notice();
            return std::cerr << (notice.data() ? notice : event.answer()->reason()) << '\n', 1;
        }
        std::cout << '\n';
    } catch (const chatnio::Error &error) {
        return std::cerr << error.what() << '\n', 1;
    }
}
