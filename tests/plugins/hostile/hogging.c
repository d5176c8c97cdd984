/* Takes all the memory that there is. */
#define ON_SCORE                                                                                                       \
    for (;;) {                                                                                                         \
        volatile char *taken = malloc(1 << 20);                                                                        \
        size_t at;                                                                                                     \
        for (at = 0; taken != NULL && at < (1 << 20); at += 4096) {                                                    \
            taken[at] = 1;                                                                                             \
        }                                                                                                              \
    }
#include "base.h"
