/* Takes the room for scores only in the size that it knows. */
#define ON_SCORE                                                                                                       \
    if (scores->size != sizeof(*scores)) {                                                                             \
        return HEARTLINE_BAD_ARGUMENT;                                                                                 \
    }
#include "base.h"
