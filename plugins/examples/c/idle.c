/*
 * A matcher in plain C: prefers agents who have been idle for long and have room for another task.
 *
 * Build it from the repository's root with one call:
 *   cc -std=c99 -O2 -fPIC -shared -fvisibility=hidden -I plugins/abi/include plugins/examples/c/idle.c -o libidle.so
 *
 * Its configuration has one optional key, {"full_score_seconds": 600}: the idle time that gives the full score.
 */
#include "heartline_matcher.h"

#include <stdlib.h>
#include <string.h>

enum reason { REASON_IDLE = 1, REASON_FULL = 2 };

/* The instance: what the configuration said. The header leaves the type open for each matcher to define. */
struct heartline_matcher {
    double full_score_ms;
};

static const heartline_host *host;

static heartline_status init(const heartline_host *given) {
    host = given;
    return HEARTLINE_OK;
}

static heartline_text config_schema(void) {
    static const heartline_text schema = HEARTLINE_TEXT(
        "{\"type\": \"object\", \"additionalProperties\": false, \"properties\": {\"full_score_seconds\": "
        "{\"description\": \"The idle time that gives the full score.\", \"type\": \"number\", \"minimum\": 1, "
        "\"maximum\": 86400, \"default\": 600}}}");
    return schema;
}

/* Leaves a few words for the host, as many as there is room for. */
static void say(heartline_message *message, const char *words) {
    size_t length = strlen(words);
    if (length > message->capacity) {
        length = message->capacity;
    }
    memcpy(message->data, words, length);
    message->length = (uint32_t)length;
}

/* Skips what may stand between the tokens of JSON. */
static const char *skip_space(const char *at) {
    return at + strspn(at, " \t\r\n");
}

/* Reads {} or {"full_score_seconds": number}; anything else is refused. A larger configuration wants a JSON library. */
static int parse(const char *at, double *seconds) {
    static const char key[] = "\"full_score_seconds\"";
    char *end;

    at = skip_space(at);
    if (*at++ != '{') {
        return 0;
    }
    at = skip_space(at);
    if (*at != '}') {
        if (strncmp(at, key, sizeof(key) - 1) != 0) {
            return 0;
        }
        at = skip_space(at + sizeof(key) - 1);
        if (*at++ != ':') {
            return 0;
        }
        *seconds = strtod(at, &end);
        if (end == at || !(*seconds >= 1.0 && *seconds <= 86400.0)) {
            return 0;
        }
        at = skip_space(end);
    }
    return *at == '}' && *skip_space(at + 1) == '\0';
}

static heartline_status create(heartline_text config, heartline_matcher **matcher, heartline_message *message) {
    static const char ready[] = "the idle matcher is ready";
    const heartline_text line = HEARTLINE_TEXT(ready);
    double seconds = 600.0;
    /* Text has no ending NUL, and the functions of C want one. */
    char *text = malloc(config.length + 1);
    heartline_matcher *made = malloc(sizeof(*made));
    int valid;

    if (text == NULL || made == NULL) {
        free(text);
        free(made);
        say(message, "out of memory");
        return HEARTLINE_FAILED;
    }
    if (config.length > 0) {
        memcpy(text, config.data, config.length);
    }
    text[config.length] = '\0';
    valid = parse(text, &seconds);
    free(text);
    if (!valid) {
        free(made);
        say(message, "expected {\"full_score_seconds\": 1 to 86400} or {}");
        return HEARTLINE_BAD_CONFIG;
    }
    made->full_score_ms = seconds * 1000.0;
    *matcher = made;
    host->log(host->context, HEARTLINE_LOG_INFO, line);
    return HEARTLINE_OK;
}

static heartline_status score(heartline_matcher *matcher, const heartline_request *request,
                              const heartline_candidates *candidates, heartline_scores *scores,
                              heartline_message *message) {
    static const char name[] = "busy_agents";
    const heartline_text metric = HEARTLINE_TEXT(name);
    uint32_t busy = 0;
    uint32_t row;

    (void)request; /* idle time does not depend on the customer */
    (void)message;
    for (row = 0; row < candidates->count; row++) {
        /* A column of which nothing is known is NULL; the header says what a matcher reads then. */
        const uint64_t idle_ms = candidates->idle_ms == NULL ? 0 : candidates->idle_ms[row];
        const uint32_t tasks = candidates->active_tasks == NULL ? 0 : candidates->active_tasks[row];
        const uint32_t capacity = candidates->capacities == NULL ? 1 : candidates->capacities[row];
        const double share = (double)idle_ms / matcher->full_score_ms;
        const int full = tasks >= capacity;

        scores->scores[row] = full ? 0.0f : (float)(share < 1.0 ? share : 1.0);
        scores->confidences[row] = 1.0f;
        scores->eligible[row] = full ? 0 : 1;
        scores->reason_codes[row] = full ? REASON_FULL : REASON_IDLE;
        busy += full ? 1 : 0;
    }
    scores->count = candidates->count;
    host->metric(host->context, metric, busy);
    return HEARTLINE_OK;
}

static void destroy(heartline_matcher *matcher) {
    free(matcher);
}

static heartline_text describe_reason(uint32_t code) {
    static const heartline_text idle = HEARTLINE_TEXT("by the time without a new task");
    static const heartline_text full = HEARTLINE_TEXT("has no room for another task");
    static const heartline_text nothing = {NULL, 0};

    switch (code) {
    case REASON_IDLE:
        return idle;
    case REASON_FULL:
        return full;
    default:
        return nothing;
    }
}

HEARTLINE_EXPORT const heartline_entry heartline_matcher_entry = {
    sizeof(heartline_entry),
    HEARTLINE_ABI_MAJOR,
    HEARTLINE_ABI_MINOR,
    0,
    HEARTLINE_TEXT("example.idle"),
    HEARTLINE_TEXT("Idle time"),
    HEARTLINE_TEXT("1.0.0"),
    HEARTLINE_TEXT("Prefers agents who have been idle for long and have room for another task."),
    init,
    config_schema,
    create,
    score,
    destroy,
    describe_reason,
    NULL,
};
