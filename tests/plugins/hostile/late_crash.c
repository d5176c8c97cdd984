/* Crashes when the process ends. */
#include <stdlib.h>

static void at_the_end(void) {
    abort();
}

#define ON_CREATE atexit(at_the_end);
#include "base.h"
