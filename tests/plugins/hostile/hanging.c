/* Never comes back from a score. */
#define ON_SCORE                                                                                                       \
    {                                                                                                                  \
        volatile int forever = 1;                                                                                      \
        while (forever) {                                                                                              \
        }                                                                                                              \
    }
#include "base.h"
