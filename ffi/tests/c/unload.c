/* A program that has loaded the library cannot unload it: `unload LIBRARY`, not linked with it. */
#include <chatnio.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition) ((condition) ? (void)0 : (void)(printf("not so: %s\n", #condition), exit(1)))

int main(int argc, char **argv) {
    CHECK(argc == 2);
    void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    CHECK(library != NULL);
    const char *(*version)(void);
    void *found = dlsym(library, "chatnio_version");
    CHECK(found != NULL);
    memcpy(&version, &found, sizeof version);
    const char *before = version();
    CHECK(dlclose(library) == 0);
    /* Code and data stay where they were. */
    CHECK(version() == before && strcmp(before, CHATNIO_VERSION) == 0);
    CHECK(dlopen(argv[1], RTLD_NOW | RTLD_NOLOAD) == library);
    return 0;
}
