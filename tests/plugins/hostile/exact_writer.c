/* Takes a writer only in the size that it knows. */
#define ON_SAVE                                                                                                        \
    if (writer->size != sizeof(*writer)) {                                                                             \
        return HEARTLINE_BAD_ARGUMENT;                                                                                 \
    }
#include "base.h"
