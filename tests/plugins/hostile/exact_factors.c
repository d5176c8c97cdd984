/* Takes the room for factors only in the size that it knows. */
#define ON_EXPLAIN                                                                                                     \
    if (factors->size != sizeof(*factors)) {                                                                           \
        return HEARTLINE_BAD_ARGUMENT;                                                                                 \
    }
#include "base.h"
