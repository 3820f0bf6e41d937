// The library's table of servers that each do one thing wrong, of the files of `loopback/with-faults`.

#ifndef FAULTS_HPP
#define FAULTS_HPP

#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "check.hpp"

namespace test {

/** A line of the table: see docs/testing.md. */
struct Row {
    std::string fault, over, url, by;
    std::chrono::milliseconds limit, others, least, most;
    std::string status, text, second, second_text;
};

/** The lines up to the empty one, without the first, which names the columns and says how many rows follow. */
inline std::vector<Row> rows(const std::string &path)
{
    std::ifstream file(path, std::ios::binary);
    std::vector<Row> rows;
    std::string head, line;
    std::getline(file, head);
    while (std::getline(file, line) && !line.empty()) {
        std::string cells[12];
        std::size_t from = 0;
        for (std::string &cell : cells) {
            const std::size_t to = std::min(line.find('\t', from), line.size());
            cell = line.substr(from, to - from);
            from = to + 1;
        }
        const auto time = [&](int cell) { return std::chrono::milliseconds(std::stol(cells[cell])); };
        rows.push_back({cells[0], cells[1], cells[2], cells[3], time(4), time(5), time(6), time(7), cells[8], cells[9], cells[10],
                        cells[11]});
    }
    CHECK(rows.size() == std::stoul(head.substr(head.rfind('\t') + 1)));
    return rows;
}

/** Tries all rows, some at once: most of them wait. */
template <typename Try>
void try_rows(const std::vector<Row> &table, Try try_row)
{
    std::atomic<std::size_t> next{0};
    const auto some = [&] {
        for (std::size_t at; (at = next++) < table.size();) {
            try_row(table[at]);
        }
    };
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 16; thread++) {
        threads.emplace_back(some);
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
}

} // namespace test

#endif
