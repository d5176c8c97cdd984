/* Forgets 4 KiB of every score. */
#define ON_SCORE                                                                                                       \
    {                                                                                                                  \
        volatile char *kept = malloc(4096);                                                                            \
        if (kept != NULL) {                                                                                            \
            kept[0] = 1;                                                                                               \
            kept[4095] = 1;                                                                                            \
        }                                                                                                              \
    }
#include "base.h"
