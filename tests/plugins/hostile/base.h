/*
 * A matcher that does everything right, with every extension, in pieces: each file here defines one piece itself to get
 * one thing wrong, and includes this one after it.
 *
 * What may be defined before: MAJOR, MINOR, VERSION, SCHEMA; ON_CREATE, ON_DESTROY, ON_SCORE (before the rows are
 * written), AFTER_SCORE, ON_EXPLAIN, ON_LEARN, ON_SAVE, ON_LOAD: statements; SCORE_OF (the score of a row), FACTOR (a
 * factor's contribution), COUNT (the rows that it says it wrote), SAVED (the number in a state): expressions; SCORE,
 * CONFIG_SCHEMA, DESCRIBE_REASON: the functions in the entry; ANY_CONFIG, ANY_REASON: that there is nothing it refuses.
 */
#ifndef BASE_H
#define BASE_H

#include "heartline_matcher.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifndef MAJOR
#define MAJOR HEARTLINE_ABI_MAJOR
#endif
#ifndef MINOR
#define MINOR HEARTLINE_ABI_MINOR
#endif
#ifndef VERSION
#define VERSION "1.0.0"
#endif
#ifndef SCHEMA
#define SCHEMA "{\"type\": \"object\", \"additionalProperties\": false}"
#endif
#ifndef ON_CREATE
#define ON_CREATE
#endif
#ifndef ON_DESTROY
#define ON_DESTROY
#endif
#ifndef ON_SCORE
#define ON_SCORE
#endif
#ifndef AFTER_SCORE
#define AFTER_SCORE
#endif
#ifndef ON_EXPLAIN
#define ON_EXPLAIN
#endif
#ifndef ON_LEARN
#define ON_LEARN
#endif
#ifndef ON_SAVE
#define ON_SAVE
#endif
#ifndef ON_LOAD
#define ON_LOAD
#endif
#ifndef COUNT
#define COUNT candidates->count
#endif
#ifndef SCORE_OF
#define SCORE_OF fit(matcher, candidates, row)
#endif
#ifndef FACTOR
#define FACTOR SCORE_OF
#endif
#ifndef SAVED
#define SAVED matcher->learned
#endif
#ifndef SCORE
#define SCORE score
#endif
#ifndef CONFIG_SCHEMA
#define CONFIG_SCHEMA config_schema
#endif
#ifndef DESCRIBE_REASON
#define DESCRIBE_REASON describe_reason
#endif

struct heartline_matcher {
    uint32_t learned; /* outcomes */
    uint32_t calls;
    uint32_t kept_count;
    float kept[256]; /* for a matcher that remembers what it should not */
};

static const heartline_host *host;

static heartline_status init(const heartline_host *given) {
    host = given;
    return HEARTLINE_OK;
}

static inline heartline_text config_schema(void) {
    const heartline_text schema = HEARTLINE_TEXT(SCHEMA);
    return schema;
}

static heartline_status create(heartline_text config, heartline_matcher **made, heartline_message *message) {
    static const char words[] = "expected {}";
    heartline_matcher *matcher;

    ON_CREATE
#ifndef ANY_CONFIG
    if (config.length != 2 || memcmp(config.data, "{}", 2) != 0) {
        memcpy(message->data, words, sizeof(words) - 1);
        message->length = sizeof(words) - 1;
        return HEARTLINE_BAD_CONFIG;
    }
#endif
    (void)config;
    (void)message;
    (void)words;
    matcher = calloc(1, sizeof(*matcher));
    if (matcher == NULL) {
        return HEARTLINE_FAILED;
    }
    *made = matcher;
    return HEARTLINE_OK;
}

static inline float fit(const heartline_matcher *matcher, const heartline_candidates *candidates, uint32_t row) {
    const uint64_t idle_ms = candidates->idle_ms == NULL ? 0 : candidates->idle_ms[row];
    const float share = (float)(idle_ms % 1000u) / 1000.0f;
    return matcher->learned == 0 ? share : 1.0f - share;
}

static inline heartline_status score(heartline_matcher *matcher, const heartline_request *request,
                                     const heartline_candidates *candidates, heartline_scores *scores,
                                     heartline_message *message) {
    uint32_t row;

    (void)request;
    (void)message;
    matcher->calls++;
    ON_SCORE
    for (row = 0; row < candidates->count; row++) {
        scores->scores[row] = SCORE_OF;
        scores->confidences[row] = 1.0f;
        scores->eligible[row] = 1;
        scores->reason_codes[row] = 1;
    }
    scores->count = COUNT;
    AFTER_SCORE
    return HEARTLINE_OK;
}

static void destroy(heartline_matcher *matcher) {
    ON_DESTROY
    free(matcher);
}

static inline heartline_text describe_reason(uint32_t code) {
    static const heartline_text reason = HEARTLINE_TEXT("by the time without a new task");
    static const heartline_text nothing = {NULL, 0};
#ifdef ANY_REASON
    (void)nothing;
    (void)code;
    return reason;
#else
    return code == 1 ? reason : nothing;
#endif
}

static heartline_status explain(heartline_matcher *matcher, const heartline_request *request,
                                const heartline_candidates *candidates, uint32_t row, heartline_factors *factors,
                                heartline_message *message) {
    static const heartline_text name = HEARTLINE_TEXT("idle time");

    (void)request;
    (void)message;
    ON_EXPLAIN
    if (factors->capacity > 0) {
        memset(factors->factors, 0, sizeof(*factors->factors));
        factors->factors->name = name;
        factors->factors->weight = 1.0f;
        factors->factors->contribution = FACTOR;
        factors->count = 1;
    }
    (void)matcher;
    (void)candidates;
    (void)row;
    return HEARTLINE_OK;
}

static heartline_status learn(heartline_matcher *matcher, const heartline_request *request,
                              const heartline_candidates *candidates, const heartline_outcome *outcome,
                              heartline_message *message) {
    (void)request;
    (void)candidates;
    (void)message;
    ON_LEARN
    if (outcome->result == HEARTLINE_RESULT_RESOLVED) {
        matcher->learned++;
    }
    return HEARTLINE_OK;
}

/* A state is eight bytes: the number of outcomes and its complement, which tells a state from other bytes. */
static heartline_status save(heartline_matcher *matcher, const heartline_writer *writer, heartline_message *message) {
    const uint32_t saved = SAVED;
    uint8_t bytes[8];
    int place;

    (void)message;
    ON_SAVE
    for (place = 0; place < 4; place++) {
        bytes[place] = (uint8_t)(saved >> (8 * place));
        bytes[place + 4] = (uint8_t)(255 - bytes[place]);
    }
    return writer->write(writer->context, bytes, sizeof(bytes));
}

static heartline_status load(heartline_matcher *matcher, const uint8_t *data, size_t length,
                             heartline_message *message) {
    uint32_t loaded = 0;
    int place;

    (void)message;
    ON_LOAD
    if (length != 8) {
        return HEARTLINE_BAD_STATE;
    }
    for (place = 0; place < 4; place++) {
        if (data[place] + data[place + 4] != 255) {
            return HEARTLINE_BAD_STATE;
        }
        loaded |= (uint32_t)data[place] << (8 * place);
    }
    matcher->learned = loaded;
    return HEARTLINE_OK;
}

static const void *get_extension(heartline_text id) {
    static const heartline_explain explaining = {sizeof(explaining), 0, explain};
    static const heartline_learn learning = {sizeof(learning), 0, learn};
    static const heartline_state keeping = {sizeof(keeping), 0, save, load};
    const struct {
        const char *id;
        const void *table;
    } known[] = {{HEARTLINE_EXPLAIN, &explaining}, {HEARTLINE_LEARN, &learning}, {HEARTLINE_STATE, &keeping}};
    size_t place;

    for (place = 0; place < sizeof(known) / sizeof(known[0]); place++) {
        if (id.length == strlen(known[place].id) && memcmp(id.data, known[place].id, id.length) == 0) {
            return known[place].table;
        }
    }
    return NULL;
}

HEARTLINE_EXPORT const heartline_entry heartline_matcher_entry = {
    sizeof(heartline_entry),
    MAJOR,
    MINOR,
    0,
    HEARTLINE_TEXT("test.hostile"),
    HEARTLINE_TEXT("Hostile"),
    HEARTLINE_TEXT(VERSION),
    HEARTLINE_TEXT("Gets one thing wrong, or nothing at all."),
    init,
    CONFIG_SCHEMA,
    create,
    SCORE,
    destroy,
    DESCRIBE_REASON,
    get_extension,
};

#endif
