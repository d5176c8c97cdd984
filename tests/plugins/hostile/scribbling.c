/* Writes to the columns, which are only lent. */
#define AFTER_SCORE                                                                                                    \
    if (candidates->count > 0 && candidates->idle_ms != NULL) {                                                        \
        ((uint64_t *)(uintptr_t)candidates->idle_ms)[0]++;                                                             \
    }
#include "base.h"
