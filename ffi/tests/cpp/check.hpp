// What the C++ tests check with.

#ifndef CHECK_HPP
#define CHECK_HPP

#include <chatnio.hpp>

#include <atomic>
#include <cstdio>
#include <cstdlib>

namespace test {

// Some tests check in several threads.
inline std::atomic<unsigned> checks{0};

inline void check(bool as_expected, const char *what, const char *file, int line)
{
    checks++;
    if (!as_expected) {
        std::fprintf(stderr, "%s:%d: not true: %s\n", file, line, what);
        std::exit(1);
    }
}

/** Whether `call` throws an `Error` of this status, with a text. */
template <typename Call>
bool throws(std::int32_t status, Call call)
{
    try {
        call();
    } catch (const chatnio::Error &error) {
        if (error.status() != status) {
            std::fprintf(stderr, "%s: %s\n", chatnio::status_name(error.status()).data(), error.what());
        }
        return error.status() == status && error.what()[0] != '\0';
    }
    return false;
}

} // namespace test

#define CHECK(condition) test::check(static_cast<bool>(condition), #condition, __FILE__, __LINE__)

#endif
