/* Has another schema each time, although all of them allow the same. */
#define CONFIG_SCHEMA counting_schema

#include "heartline_matcher.h"

static heartline_text counting_schema(void) {
    static const char *const schemas[] = {"{\"type\": \"object\", \"title\": \"once\"}",
                                          "{\"type\": \"object\", \"title\": \"more\"}"};
    static unsigned calls;
    heartline_text schema = {schemas[calls++ % 2], sizeof("{\"type\": \"object\", \"title\": \"once\"}") - 1};

    return schema;
}

#include "base.h"
