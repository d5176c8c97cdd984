/* Takes the room for words only in the size that it knows. */
#define ON_SCORE                                                                                                       \
    if (message->size != sizeof(*message)) {                                                                           \
        return HEARTLINE_BAD_ARGUMENT;                                                                                 \
    }
#include "base.h"
