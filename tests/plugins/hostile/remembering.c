/* Remembers the scores of the last ranking, and gives them again where there are as many agents. */
#define SCORE_OF remembered(matcher, candidates, row)

#include "heartline_matcher.h"

static inline float remembered(heartline_matcher *matcher, const heartline_candidates *candidates, uint32_t row);

#include "base.h"

static inline float remembered(heartline_matcher *matcher, const heartline_candidates *candidates, uint32_t row) {
    uint32_t at;

    if (candidates->count > 256) {
        return fit(matcher, candidates, row);
    }
    if (matcher->kept_count != candidates->count) {
        matcher->kept_count = candidates->count;
        for (at = 0; at < candidates->count; at++) {
            matcher->kept[at] = fit(matcher, candidates, at);
        }
    }
    return matcher->kept[row];
}
