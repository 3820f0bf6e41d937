// The second one.

#include <chatnio.hpp>

chatnio::Session make_session();

chatnio::Session make_session() { return chatnio::Session(0, chatnio::Auth("sk-x")); }
