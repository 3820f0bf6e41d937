#include <chatnio.h>
