/* Takes an outcome only in the size that it knows. */
#define ON_LEARN                                                                                                       \
    if (outcome->size != sizeof(*outcome)) {                                                                           \
        return HEARTLINE_BAD_ARGUMENT;                                                                                 \
    }
#include "base.h"
