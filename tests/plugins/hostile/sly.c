/* Refuses every outcome but the first, and yet learns from it. */
#define ON_LEARN                                                                                                       \
    matcher->learned++;                                                                                                \
    if (matcher->learned > 1) {                                                                                        \
        matcher->learned += 6;                                                                                         \
        return HEARTLINE_FAILED;                                                                                       \
    }
#include "base.h"
