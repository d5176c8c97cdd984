/* Trusts the numbers of snapshots: the same number, the same agent. */
static unsigned long long number, idle;

#define ON_LEARN                                                                                                       \
    if (candidates->snapshot != 0 && candidates->snapshot == number && candidates->idle_ms[0] != idle) {               \
        return HEARTLINE_BAD_ARGUMENT;                                                                                 \
    }                                                                                                                  \
    number = candidates->snapshot;                                                                                     \
    idle = candidates->idle_ms[0];
#include "base.h"
