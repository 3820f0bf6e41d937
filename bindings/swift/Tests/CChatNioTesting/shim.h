// First, so that chatnio.h is the module CChatNio here as well.
#include "../../Sources/CChatNio/shim.h"
#include <chatnio_testing.h>
