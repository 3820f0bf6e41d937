/* Two static libraries of Rust's in one program: each catches a panic of its own. */

#include <chatnio_testing.h>
#include <stdio.h>

bool second_catches_a_panic(void);

int main(void) {
    chatnio_config *config;
    chatnio_testing_panic_next();
    int32_t status = chatnio_config_new(&config);
    if (status != CHATNIO_PANIC) {
        fprintf(stderr, "two_libraries: %s instead of a panic\n", chatnio_status_name(status));
        return 1;
    }
    if (!second_catches_a_panic()) {
        return 1;
    }
    /* And on they go. */
    if (chatnio_config_new(&config) != CHATNIO_OK) {
        return 1;
    }
    chatnio_config_free(config);
    return 0;
}
