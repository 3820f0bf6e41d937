// The first of two translation units with the same header, linked together.

#include <chatnio.hpp>

chatnio::Session make_session();

int main()
{
    chatnio::Session session = make_session();
    return session.request(0, chatnio::Request::chat("hi")) && session.next_transmit() ? 0 : 1;
}
