/*
 * A matcher in plain C that reads a custom attribute of the agents, the text "site", and explains its scores: the more
 * of the candidates are at an agent's site, the better, so that whoever needs help has colleagues around.
 *
 * Build it from the repository's root with one call:
 *   cc -std=c99 -O2 -fPIC -shared -fvisibility=hidden -I plugins/abi/include plugins/examples/c/site.c -o libsite.so
 */
#include "heartline_matcher.h"

#include <stdlib.h>
#include <string.h>

enum reason { REASON_COLLEAGUES = 1, REASON_UNKNOWN = 2 };

/* Nothing is configured and nothing is kept, but every instance has an address of its own. */
struct heartline_matcher {
    int unused;
};

static heartline_status init(const heartline_host *host) {
    (void)host;
    return HEARTLINE_OK;
}

/* The empty text: there is nothing to configure, so that the host refuses every key. */
static heartline_text config_schema(void) {
    static const heartline_text nothing = {NULL, 0};
    return nothing;
}

static heartline_status create(heartline_text config, heartline_matcher **matcher, heartline_message *message) {
    (void)config;
    (void)message;
    *matcher = calloc(1, sizeof(**matcher));
    return *matcher == NULL ? HEARTLINE_FAILED : HEARTLINE_OK;
}

static void destroy(heartline_matcher *matcher) {
    free(matcher);
}

/* Finds a custom attribute with texts by its name; NULL where no candidate has it, or it is of another kind. */
static const heartline_attribute *find_texts(const heartline_candidates *candidates, const char *name) {
    uint32_t index;

    for (index = 0; index < candidates->attribute_count; index++) {
        const heartline_attribute *attribute = &candidates->attributes[index];
        if (attribute->kind == HEARTLINE_ATTRIBUTE_TEXT && attribute->name.length == strlen(name) &&
            memcmp(attribute->name.data, name, attribute->name.length) == 0) {
            return attribute;
        }
    }
    return NULL;
}

static heartline_status score(heartline_matcher *matcher, const heartline_request *request,
                              const heartline_candidates *candidates, heartline_scores *scores,
                              heartline_message *message) {
    const heartline_attribute *sites = find_texts(candidates, "site");
    uint32_t *counts = calloc(sites == NULL ? 1 : sites->text_count + 1, sizeof(*counts));
    uint32_t row;

    (void)matcher;
    (void)request;
    (void)message;
    if (counts == NULL) {
        return HEARTLINE_FAILED;
    }
    /* Once over the column to count each site, once more to score: the work does not grow with the number of sites. */
    for (row = 0; sites != NULL && row < candidates->count; row++) {
        if (sites->text_ids[row] != HEARTLINE_NONE) {
            counts[sites->text_ids[row]]++;
        }
    }
    for (row = 0; row < candidates->count; row++) {
        const uint32_t site = sites == NULL ? HEARTLINE_NONE : sites->text_ids[row];
        const int known = site != HEARTLINE_NONE;

        scores->scores[row] = known ? (float)counts[site] / (float)candidates->count : 0.5f;
        scores->confidences[row] = known ? 1.0f : 0.0f; /* what is not known has no say */
        scores->reason_codes[row] = known ? REASON_COLLEAGUES : REASON_UNKNOWN;
        scores->eligible[row] = 1;
    }
    scores->count = candidates->count;
    free(counts);
    return HEARTLINE_OK;
}

static heartline_text describe_reason(uint32_t code) {
    static const heartline_text colleagues = HEARTLINE_TEXT("by the share of candidates at the same site");
    static const heartline_text unknown = HEARTLINE_TEXT("nobody knows the site");
    static const heartline_text nothing = {NULL, 0};

    switch (code) {
    case REASON_COLLEAGUES:
        return colleagues;
    case REASON_UNKNOWN:
        return unknown;
    default:
        return nothing;
    }
}

/* One factor: the site. Its name lives as long as the library, its subject points into the candidates of the call. */
static heartline_status explain_site(heartline_matcher *matcher, const heartline_request *request,
                                     const heartline_candidates *candidates, uint32_t row, heartline_factors *factors,
                                     heartline_message *message) {
    static const heartline_text name = HEARTLINE_TEXT("site");
    const heartline_attribute *sites = find_texts(candidates, "site");
    const uint32_t site = sites == NULL ? HEARTLINE_NONE : sites->text_ids[row];
    heartline_factor factor = {{NULL, 0}, {NULL, 0}, 0.5f, 1.0f, 0.5f, 0};
    uint32_t same = 0;
    uint32_t other;

    (void)matcher;
    (void)request;
    (void)message;
    factor.name = name;
    if (site != HEARTLINE_NONE) {
        for (other = 0; other < candidates->count; other++) {
            same += sites->text_ids[other] == site;
        }
        factor.subject = sites->texts[site];
        factor.value = factor.contribution = (float)same / (float)candidates->count;
    }
    if (factors->capacity > 0) {
        factors->factors[0] = factor;
        factors->count = 1;
    }
    return HEARTLINE_OK;
}

static const void *get_extension(heartline_text id) {
    static const heartline_explain explain = {sizeof(heartline_explain), 0, explain_site};
    const size_t length = sizeof(HEARTLINE_EXPLAIN) - 1;

    return id.length == length && memcmp(id.data, HEARTLINE_EXPLAIN, length) == 0 ? &explain : NULL;
}

HEARTLINE_EXPORT const heartline_entry heartline_matcher_entry = {
    sizeof(heartline_entry),
    HEARTLINE_ABI_MAJOR,
    HEARTLINE_ABI_MINOR,
    0,
    HEARTLINE_TEXT("example.site"),
    HEARTLINE_TEXT("Site"),
    HEARTLINE_TEXT("1.0.0"),
    HEARTLINE_TEXT("Prefers agents with many colleagues at their site."),
    init,
    config_schema,
    create,
    score,
    destroy,
    describe_reason,
    get_extension,
};
