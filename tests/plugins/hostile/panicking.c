/* Panics, behind a fence of its own. */
#define ON_SCORE                                                                                                       \
    memcpy(message->data, "no mood", 7);                                                                               \
    message->length = 7;                                                                                               \
    return HEARTLINE_PANICKED;
#include "base.h"
