/*
 * The C ABI of Heartline's matchers, version 1.0.
 *
 * A matcher is a shared library that scores call-centre agents for one customer. It exports one symbol, the constant
 * `heartline_matcher_entry`, and needs no symbol of the host: whatever it may call is in a table that `init` gets.
 *
 * Rules that hold everywhere
 *   Text       UTF-8, a pointer and a length in bytes, no ending NUL. A length of 0 is the empty text, its pointer may
 *              be NULL; with any other length it is never NULL. Names and tags are the same where their bytes are.
 *              Text that a matcher hands out must be UTF-8 and live as long as the library does, unless its comment
 *              says less.
 *   Ownership  Nobody frees what the other side allocated. Pointers given to a function are borrowed until it returns,
 *              unless its comment says otherwise; a matcher copies what it wants to keep.
 *   Growth     A structure that begins with `size` may grow at its end in a later minor version. Whoever fills it sets
 *              `size` to sizeof of the structure it knows; whoever reads it looks at a field only if `size` covers it.
 *              A structure without `size` never changes within a major version. Reserved fields are 0.
 *   Threads    Tags in the comments: [loader] the one thread that loads the library, [any] any thread, also several at
 *              once, [instance] any thread, but never two at once for the same instance: all functions with this tag
 *              count together. A matcher may have threads of its own, which end before the instance they work for.
 *   Errors     A function that can fail returns HEARTLINE_OK or another heartline_status and never unwinds: no C++
 *              exception and no panic may cross this boundary, and no function may call exit, abort or longjmp. After
 *              another status than HEARTLINE_OK the host uses nothing of what the function wrote but the message.
 *   Fields     Flags are 0 or 1. Ranges such as [0, 1] include their ends, (0, 1] leaves out its beginning. Unless a
 *              comment says otherwise, numbers are finite and inside their ranges, and pointers are not NULL.
 *   Trust      A matcher runs inside the server's process with the server's rights. The host checks every answer, but
 *              it cannot check what a matcher does to memory that is not its own. Load only what you trust.
 *   Unloading  A library is never unmapped. To replace one, load the new file beside the old.
 *   Extensions What not every matcher has is in structures of functions that `get_extension` hands out by a string id;
 *              their ids and structures are at the end of this file.
 *   Process    A host may run a matcher in a process of its own. Nothing in this contract changes there.
 */
#ifndef HEARTLINE_MATCHER_H
#define HEARTLINE_MATCHER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A host accepts a matcher when both majors are equal and the matcher's minor is not above the host's. */
#define HEARTLINE_ABI_MAJOR 1u
#define HEARTLINE_ABI_MINOR 0u

#define HEARTLINE_CATEGORY_COUNT 7
#define HEARTLINE_TRAIT_COUNT 5

/* An index that points at nothing. */
#define HEARTLINE_NONE UINT32_MAX

/* The level of a native speaker. Levels are CEFR numbers: A1 is 1, A2 2, B1 3, B2 4, C1 5 and C2 6. */
#define HEARTLINE_LEVEL_NATIVE 7.0f

/* Makes the entry visible whatever the compiler's default is. */
#if defined(_WIN32)
#define HEARTLINE_EXPORT __declspec(dllexport)
#else
#define HEARTLINE_EXPORT __attribute__((visibility("default")))
#endif

/* Order of heartline_emotion.categories. */
enum heartline_category {
    HEARTLINE_NEUTRAL = 0,
    HEARTLINE_HAPPINESS = 1,
    HEARTLINE_SURPRISE = 2,
    HEARTLINE_SADNESS = 3,
    HEARTLINE_ANGER = 4,
    HEARTLINE_DISGUST = 5,
    HEARTLINE_FEAR = 6
};

/* Order of a row of heartline_candidates.attitudes. */
enum heartline_trait {
    HEARTLINE_WARMTH = 0,
    HEARTLINE_CALM = 1,
    HEARTLINE_PATIENCE = 2,
    HEARTLINE_CLARITY = 3,
    HEARTLINE_ENERGY = 4
};

/* How a call ended; any other value counts as HEARTLINE_FAILED. */
typedef int32_t heartline_status;
#define HEARTLINE_OK 0           /* all went well */
#define HEARTLINE_FAILED 1       /* failed, for reasons that the message tells */
#define HEARTLINE_BAD_CONFIG 2   /* the configuration is not acceptable; the message says why */
#define HEARTLINE_BAD_ARGUMENT 3 /* the caller broke this contract */
#define HEARTLINE_PANICKED 4     /* the instance panicked and answers nothing but this from now on */
#define HEARTLINE_OUT_OF_TIME 5  /* stopped because the time limit would be overrun */
#define HEARTLINE_BAD_STATE 6    /* the bytes are no state of this matcher, or one of a format it cannot read */

/* How important a log line is; any other value counts as HEARTLINE_LOG_DEBUG. */
#define HEARTLINE_LOG_ERROR 1u
#define HEARTLINE_LOG_WARN 2u
#define HEARTLINE_LOG_INFO 3u
#define HEARTLINE_LOG_DEBUG 4u

/* Borrowed UTF-8 text. */
typedef struct heartline_text {
    const char *data;
    size_t length;
} heartline_text;

/* A text from a string literal, also in a static initialiser. */
#define HEARTLINE_TEXT(literal) { (literal), sizeof(literal) - 1 }

/* A place for a few words about what went wrong. The host owns it and has set `length` to 0; a matcher may write up to
 * `capacity` bytes of UTF-8 at `data`, without an ending NUL, and then sets `length`. Nothing written is fine, and what
 * was written counts only with another status than HEARTLINE_OK. `data` is NULL only where `capacity` is 0. Valid until
 * the function returns. */
typedef struct heartline_message {
    uint32_t size;
    uint32_t capacity;
    char *data;
    uint32_t length;
    uint32_t reserved;
} heartline_message;

/* The host's functions. The table and everything in it stay valid for the rest of the process, so a matcher may keep
 * the pointer that `init` gets, and may call the functions from then on, during a call of the host or not. Texts that
 * are passed are borrowed until the function returns. None of them fails: what cannot be done is dropped. */
typedef struct heartline_host {
    uint32_t size;
    uint32_t abi_major;
    uint32_t abi_minor;
    uint32_t reserved;
    heartline_text name;
    heartline_text version;
    void *context; /* pass it as the first argument of the functions below */
    /* [any] Writes a line to the host's log. Long lines are cut, lines beyond so many a second are dropped and counted,
     * and what is not UTF-8 is written with replacement characters. Never NULL. */
    void (*log)(void *context, uint32_t level, heartline_text message);
    /* [any] Sets a metric of this matcher. Names are lower-case letters, digits and '_'; further names than the host
     * has room for, and values that are not finite, are dropped. Never NULL. */
    void (*metric)(void *context, heartline_text name, double value);
    /* [any] Gives a host extension by its id: a structure of functions, valid for the rest of the process, or NULL
     * where the host has none of that id; a host of 1.0 has none at all. Never NULL itself. */
    const void *(*get_extension)(void *context, heartline_text id);
} heartline_host;

/* How much one modality had a say in an emotion vector; all 0 where the modality is missing. */
typedef struct heartline_modality {
    uint64_t age_ms;   /* age of the newest reading, media time */
    float weight;      /* in the fusion, [0, 1] */
    float quality;     /* [0, 1] */
    uint32_t readings; /* how many there were; 0: the modality is missing */
    uint32_t reserved;
} heartline_modality;

/* The emotion vector: what was observed of the customer, not what is known of their feelings. All numbers are finite
 * and inside their ranges, except worst_valence. */
typedef struct heartline_emotion {
    uint32_t size;
    uint32_t abstain;                           /* 1: too little to say; what follows are weak guesses */
    float categories[HEARTLINE_CATEGORY_COUNT]; /* probabilities that sum to 1, in the order of heartline_category */
    float valence;                              /* [-1, 1] */
    float arousal;                              /* [-1, 1] */
    float dominance;                            /* [-1, 1] */
    float satisfaction;                         /* [0, 1] */
    float frustration;                          /* [0, 1] */
    float confusion;                            /* [0, 1] */
    float concern;                              /* [0, 1]: how strongly one issue is repeated */
    float confidence;                           /* [0, 1] */
    float valence_per_minute;                   /* slope over the session */
    float arousal_per_minute;                   /* slope over the session */
    float worst_valence;                        /* of the session's worst moment; NaN: none yet */
    uint32_t worst_category;                    /* heartline_category, or HEARTLINE_NONE: none yet */
    uint32_t reserved;
    uint64_t worst_at_ms; /* media time */
    uint64_t at_ms;       /* media time */
    heartline_modality text;
    heartline_modality voice;
    heartline_modality face;
} heartline_emotion;

/* A skill the issue asks for. */
typedef struct heartline_skill_need {
    heartline_text name;
    uint32_t skill; /* index in heartline_candidates.skill_names, or HEARTLINE_NONE: no candidate has it */
    float level;    /* proficiency asked for, 1 to 5 */
    uint32_t must_have; /* 1: cannot be served without; 0: helps */
    uint32_t reserved;
} heartline_skill_need;

/* A language that the customer speaks in this call. */
typedef struct heartline_spoken {
    heartline_text tag; /* BCP 47, never empty */
    float share;        /* of what the customer said, (0, 1]; the shares of a request sum to at most 1 */
    float level;        /* how well the customer speaks it: CEFR number; NaN: unknown */
} heartline_spoken;

/* One customer who waits for an agent. */
typedef struct heartline_request {
    uint32_t size;
    uint32_t need_count;
    const heartline_emotion *emotion;  /* never NULL */
    const heartline_skill_need *needs; /* may be NULL where need_count is 0 */
    const heartline_spoken *languages; /* the largest share first; may be NULL where language_count is 0 */
    uint32_t language_count;           /* 0: the customer's language is unknown; above 1: the customer mixes them */
    uint32_t interpreter;              /* 1: an interpreter can be brought into the call; 0: not */
    float complexity;                  /* of the issue, [0, 1] */
    uint32_t reserved;
    uint64_t waiting_ms;               /* how long the customer has waited */
    uint64_t time_limit_us;            /* for the answer, counted from the call; 0: none. Whoever would overrun it had
                                        * better return HEARTLINE_OUT_OF_TIME: the host goes on without a late answer */
} heartline_request;

/* How an agent's past calls ended. Upset calls are counted in both pairs. All 0: nothing is known. */
typedef struct heartline_outcomes {
    uint32_t resolved;
    uint32_t unresolved;
    uint32_t upset_resolved;
    uint32_t upset_unresolved;
} heartline_outcomes;

/* What a column of heartline_attribute holds; a matcher passes over columns of any other value. */
#define HEARTLINE_ATTRIBUTE_NUMBER 1u
#define HEARTLINE_ATTRIBUTE_FLAG 2u
#define HEARTLINE_ATTRIBUTE_TEXT 3u

/* An attribute that whoever runs the server gave to agents: one column, of the one kind that `kind` says. It is never
 * NULL where heartline_candidates.count is above 0. */
typedef struct heartline_attribute {
    heartline_text name;
    uint32_t kind;
    uint32_t text_count;         /* of `texts`; 0 unless the kind is text */
    const double *numbers;       /* count; NaN: not known of this candidate. NULL unless the kind is number */
    const uint8_t *flags;        /* count; 0, 1, or 255: not known of this candidate. NULL unless the kind is flag */
    const uint32_t *text_ids;    /* count; indices in `texts`, or HEARTLINE_NONE. NULL unless the kind is text */
    const heartline_text *texts; /* every value of any candidate, once. NULL only where text_count is 0 */
} heartline_attribute;

/* All candidates, as columns with one row a candidate. Skills and languages are compressed rows: the entries of
 * candidate i are those from offsets[i] to offsets[i + 1], without the end. Offsets begin with 0 and never fall; the
 * last one is the length of the ids and of the levels. Ids are below the length of their table, each once a candidate
 * and in no particular order. The columns are the host's own memory, not a copy made for the call: read-only, and
 * borrowed until the call returns. Any column of this structure may be NULL where nothing of its kind is known of any
 * candidate, and always where count is 0; the comments say what a matcher reads then. A column of an attribute is there
 * wherever its attribute is. NULL offsets: no candidate has entries, and ids and levels are NULL too. A table of texts
 * is NULL only where its count is 0. */
typedef struct heartline_candidates {
    uint32_t size;
    uint32_t count;
    uint32_t skill_name_count;
    uint32_t language_tag_count;
    uint32_t attribute_count;
    uint32_t reserved;
    uint64_t snapshot; /* calls with the same number have the same values in all columns, maybe at other addresses, so
                        * what was worked out from them may be kept (never the pointers); 0: says nothing */
    const heartline_text *skill_names;   /* every skill of any candidate, once */
    const heartline_text *language_tags; /* every language of any candidate, once; BCP 47 */
    const uint32_t *skill_offsets;       /* count + 1 */
    const uint32_t *skill_ids;
    const float *skill_levels;        /* proficiency, 1 to 5 */
    const uint32_t *language_offsets; /* count + 1 */
    const uint32_t *language_ids;
    const float *language_levels;        /* CEFR number */
    const float *attitudes;              /* count rows of HEARTLINE_TRAIT_COUNT, [0, 1]; NaN: unknown. NULL: all NaN */
    const uint32_t *active_tasks;        /* count. NULL: all 0 */
    const uint32_t *capacities;          /* count. NULL: all 1 */
    const uint64_t *idle_ms;             /* count. NULL: all 0 */
    const heartline_outcomes *outcomes;  /* count. NULL: all 0 */
    const heartline_attribute *attributes; /* attribute_count, in the order of their names' bytes, each name once */
} heartline_candidates;

/* The answer. The host owns the columns, which are NULL only where `capacity` is 0, and has filled them with values
 * that are no answer; the matcher writes every row and sets `count` to heartline_candidates.count. A row left out, a
 * number that is not finite or outside its range, or a reason code that describe_reason does not know makes the whole
 * answer invalid. */
typedef struct heartline_scores {
    uint32_t size;
    uint32_t capacity; /* rows of each column: the number of candidates */
    uint32_t count;    /* written by the matcher */
    uint32_t reserved;
    float *scores;          /* [0, 1]: how well the candidate fits */
    float *confidences;     /* [0, 1]: how sure the matcher is */
    uint32_t *reason_codes; /* why */
    uint8_t *eligible;      /* 1: may take the call, 0: may not */
} heartline_scores;

/* An instance; only the matcher knows what is inside. */
typedef struct heartline_matcher heartline_matcher;

/* What a matcher exports: `HEARTLINE_EXPORT const heartline_entry heartline_matcher_entry = {...};`. Read-only and
 * valid as long as the library is loaded. `size`, `abi_major` and `abi_minor` are sizeof(heartline_entry),
 * HEARTLINE_ABI_MAJOR and HEARTLINE_ABI_MINOR of the header that the matcher was built with; these three stay where
 * they are in every version there will be. No text is empty. A required function that is NULL makes the host refuse
 * the library. */
typedef struct heartline_entry {
    uint32_t size;
    uint32_t abi_major;
    uint32_t abi_minor;
    uint32_t reserved;
    heartline_text id; /* lower-case letters, digits, '.', '-', '_'; stable */
    heartline_text name;
    heartline_text version;
    heartline_text description;

    /* [loader] Prepares the library. Called once before everything else; called again only after it has failed.
     * `host` is never NULL and stays valid for the rest of the process. Another status than HEARTLINE_OK: the matcher
     * cannot be used, nothing else is called. Required. */
    heartline_status (*init)(const heartline_host *host);

    /* [any] Gives the JSON schema of the configuration, an object; the empty text where there is nothing to
     * configure. The text lives as long as the library and is the same at every call. May be called as soon as `init`
     * has succeeded. The host holds a configuration to the schema before it calls `create`, and refuses a matcher
     * whose schema is none. Required. */
    heartline_text (*config_schema)(void);

    /* [any] Makes an instance, one of any number. `config` is a JSON object, at least "{}", borrowed for the call. On
     * HEARTLINE_OK the instance is in *matcher, not NULL, and the host ends it with `destroy`; otherwise there is
     * nothing to destroy: HEARTLINE_BAD_CONFIG is for a configuration that is not acceptable although the schema
     * allows it, HEARTLINE_FAILED for everything else. No two instances that live at once have the same address.
     * `matcher` and `message` are never NULL. Required. */
    heartline_status (*create)(heartline_text config, heartline_matcher **matcher, heartline_message *message);

    /* [instance] Scores all candidates for one request. `matcher` is an instance that has not been destroyed; no
     * pointer is NULL. Everything is borrowed for the call. Whatever is in `scores` counts only on HEARTLINE_OK;
     * after another status the instance may be called again, or ended. The same input gives the same answer, also of
     * another instance with the same configuration, until `learn` or `load` of an extension below has changed what
     * the instance knows: clocks and random numbers have no say. Required. */
    heartline_status (*score)(heartline_matcher *matcher, const heartline_request *request,
                              const heartline_candidates *candidates, heartline_scores *scores,
                              heartline_message *message);

    /* [instance] Ends an instance, which is not used again, whatever its last call returned. `matcher` is never NULL.
     * Cannot fail. Required. */
    void (*destroy)(heartline_matcher *matcher);

    /* [any] Says what a reason code means, in a few words for people; the empty text where the code means nothing.
     * The text lives as long as the library and is the same at every call. May be called as soon as `init` has
     * succeeded, also while an instance scores. Required. */
    heartline_text (*describe_reason)(uint32_t code);

    /* [any] Gives an extension of the matcher by its id, which is borrowed for the call: the structure of that id,
     * valid as long as the library, or NULL where the matcher has none. The same at every call. May be called as soon
     * as `init` has succeeded, with ids that this header does not name. May be NULL itself: no extensions. */
    const void *(*get_extension)(heartline_text id);
} heartline_entry;

/* The extensions of version 1.0. Whoever fills one of these structures sets `size`; one that is too short, or has a
 * required function that is NULL, is taken for none. */

/* Extension: explains a score by its factors. */
#define HEARTLINE_EXPLAIN "heartline.explain"

/* One factor of a score. The host reads it before it does anything else with the instance. */
typedef struct heartline_factor {
    heartline_text name;    /* what kind of factor, in a few words; lives as long as the library */
    heartline_text subject; /* what it is about, such as a skill's name; empty: nothing in particular. Lives as long as
                             * the library, or points into the request or the candidates of the call */
    float value;            /* what was found, [0, 1] */
    float weight;           /* how much it counts beside the other factors, [0, 1] */
    float contribution;     /* what it adds to the score, [-1, 1] */
    uint32_t reserved;
} heartline_factor;

/* Room for factors. The host owns it and has set `count` to 0; a matcher writes up to `capacity` factors, the
 * weightiest first, and sets `count`. `factors` is NULL only where `capacity` is 0. */
typedef struct heartline_factors {
    uint32_t size;
    uint32_t capacity;
    uint32_t count;
    uint32_t reserved;
    heartline_factor *factors;
} heartline_factors;

typedef struct heartline_explain {
    uint32_t size;
    uint32_t reserved;
    /* [instance] Explains the score that `score` gives candidate `row`, which is below heartline_candidates.count, for
     * the same input. No pointer is NULL; everything is borrowed for the call. The contributions of all factors sum to
     * the score of an eligible candidate, within 0.01, unless there were more factors than there is room; of one who is
     * not eligible they say why. Explaining changes no later answer. Required. */
    heartline_status (*explain)(heartline_matcher *matcher, const heartline_request *request,
                                const heartline_candidates *candidates, uint32_t row, heartline_factors *factors,
                                heartline_message *message);
} heartline_explain;

/* Extension: learns from how calls ended. */
#define HEARTLINE_LEARN "heartline.learn"

/* heartline_outcome.result; any other value counts as HEARTLINE_RESULT_UNKNOWN. */
#define HEARTLINE_RESULT_UNKNOWN 0u
#define HEARTLINE_RESULT_RESOLVED 1u
#define HEARTLINE_RESULT_UNRESOLVED 2u

/* How a customer's call ended. */
typedef struct heartline_outcome {
    uint32_t size;
    uint32_t result;      /* HEARTLINE_RESULT_... */
    uint32_t transferred; /* 1: to another agent; 0: not */
    float rating;         /* the customer's own, [0, 1]; NaN: none */
    float valence_change; /* of the emotion vector from the ranking to the end, [-2, 2]; NaN: unknown */
    uint32_t reserved;
    uint64_t handling_ms; /* 0: unknown */
} heartline_outcome;

typedef struct heartline_learn {
    uint32_t size;
    uint32_t reserved;
    /* [instance] Takes note of how a call ended. `request` is what the ranking was asked with; `candidates` has one
     * row, the agent who took the call, as at the ranking. No pointer is NULL; everything is borrowed for the call.
     * The same outcomes in the same order lead to the same answers of `score`. HEARTLINE_FAILED is for an outcome that
     * the matcher cannot use, such as one of which it knows too little. After another status than HEARTLINE_OK nothing
     * was learned. Required. */
    heartline_status (*learn)(heartline_matcher *matcher, const heartline_request *request,
                              const heartline_candidates *candidates, const heartline_outcome *outcome,
                              heartline_message *message);
} heartline_learn;

/* Extension: what an instance has learned, as bytes that outlive it. */
#define HEARTLINE_STATE "heartline.state"

/* Where bytes go. The host owns it; valid until the function that got it returns. */
typedef struct heartline_writer {
    uint32_t size;
    uint32_t reserved;
    void *context; /* pass it as the first argument of `write` */
    /* To be called on the thread of the call that got the writer, any number of times. Takes `length` bytes, which
     * follow those of earlier calls; `data` is borrowed, and may be NULL where length is 0. Another status than
     * HEARTLINE_OK means that there is no room for more; return it. Never NULL. */
    heartline_status (*write)(void *context, const uint8_t *data, size_t length);
} heartline_writer;

typedef struct heartline_state {
    uint32_t size;
    uint32_t reserved;
    /* [instance] Writes the state, which may be no bytes at all. Equal states are equal bytes, on every machine; saving
     * changes nothing. No pointer is NULL. Required. */
    heartline_status (*save)(heartline_matcher *matcher, const heartline_writer *writer, heartline_message *message);
    /* [instance] Replaces the state by one that `save` wrote, of this version of the matcher or of an earlier one
     * that it still reads; afterwards `save` gives the same bytes, or their form in this version. Bytes that cannot
     * be read give HEARTLINE_BAD_STATE and change nothing. `data` is borrowed for the call, and NULL only where
     * length is 0. Required. */
    heartline_status (*load)(heartline_matcher *matcher, const uint8_t *data, size_t length,
                             heartline_message *message);
} heartline_state;

/* Declared here so that a matcher's definition is checked against it, and has C linkage in C++. */
extern HEARTLINE_EXPORT const heartline_entry heartline_matcher_entry;

#ifdef __cplusplus
}
#endif

#endif
