/* Leaves words that are no UTF-8. */
#define ON_SCORE                                                                                                       \
    memcpy(message->data, "\xff\xfe", 2);                                                                              \
    message->length = 2;                                                                                               \
    return HEARTLINE_FAILED;
#include "base.h"
