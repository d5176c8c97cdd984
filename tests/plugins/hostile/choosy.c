/* Refuses outcomes of which nobody said how they ended, as it may; a state without outcomes is no bytes. */
#define ON_LEARN                                                                                                       \
    if (outcome->result != HEARTLINE_RESULT_RESOLVED && outcome->result != HEARTLINE_RESULT_UNRESOLVED) {              \
        return HEARTLINE_FAILED;                                                                                       \
    }
#define ON_SAVE                                                                                                        \
    if (saved == 0) {                                                                                                  \
        return writer->write(writer->context, NULL, 0);                                                                \
    }
#define ON_LOAD                                                                                                        \
    if (length == 0) {                                                                                                 \
        matcher->learned = 0;                                                                                          \
        return HEARTLINE_OK;                                                                                           \
    }
#include "base.h"
