/* Writes the texts of all reasons to the same place. */
#define DESCRIBE_REASON describe_in_one_buffer
#define AFTER_SCORE                                                                                                    \
    for (row = 0; row < candidates->count; row++) {                                                                    \
        scores->reason_codes[row] = 1 + row % 2;                                                                       \
    }

#include "heartline_matcher.h"

static heartline_text describe_in_one_buffer(uint32_t code) {
    static char buffer[] = "reason 0";
    const heartline_text reason = HEARTLINE_TEXT(buffer);
    const heartline_text nothing = {NULL, 0};

    if (code != 1 && code != 2) {
        return nothing;
    }
    buffer[sizeof(buffer) - 2] = (char)('0' + code);
    return reason;
}

#include "base.h"
