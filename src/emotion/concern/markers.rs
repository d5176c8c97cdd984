//! Words that say "again", "already told you" or "solved", in English and in Chinese. Data, no code.

/// A phrase that tells repetition, and how strongly, in (0, 1].
pub(super) type Marker = (&'static str, f32);

/// Said or tried before, in so many words (1), kept up (0.6), or merely not over (0.3).
pub(super) const REPEATED_ENGLISH: &[Marker] = &[
    ("second time", 0.8),
    ("third time", 1.0),
    ("fourth time", 1.0),
    ("fifth time", 1.0),
    ("tenth time", 1.0),
    ("two times", 0.6),
    ("three times", 1.0),
    ("four times", 1.0),
    ("five times", 1.0),
    ("ten times", 1.0),
    ("so many times", 1.0),
    ("several times", 0.8),
    ("many times", 0.8),
    ("how many times", 1.0),
    ("how often", 0.6),
    ("already told", 1.0),
    ("already said", 1.0),
    ("already explained", 1.0),
    ("already asked", 1.0),
    ("already called", 0.8),
    ("told you", 0.8),
    ("keep telling", 1.0),
    ("keep asking", 1.0),
    ("keep saying", 1.0),
    ("keep calling", 0.8),
    ("kept calling", 0.8),
    ("as i said", 0.8),
    ("like i said", 0.8),
    ("i said", 0.6),
    ("repeat myself", 1.0),
    ("repeating myself", 1.0),
    ("over and over", 1.0),
    ("once more", 0.6),
    ("last time", 0.6),
    ("every time", 0.6),
    ("every day", 0.6),
    ("back to", 0.3),
    ("again", 0.5),
    ("still", 0.3),
    ("yet", 0.2),
    ("keeps", 0.4),
];

/// As above.
pub(super) const REPEATED_CHINESE: &[Marker] = &[
    ("第二次", 0.8),
    ("第三次", 1.0),
    ("第四次", 1.0),
    ("第五次", 1.0),
    ("第几次", 1.0),
    ("两次", 0.6),
    ("三次", 0.8),
    ("好几次", 0.8),
    ("几遍", 1.0),
    ("多少次", 1.0),
    ("多少遍", 1.0),
    ("很多次", 1.0),
    ("好多遍", 1.0),
    ("无数次", 1.0),
    ("三遍", 1.0),
    ("说过了", 0.8),
    ("已经说", 1.0),
    ("早就说", 1.0),
    ("刚才说", 0.8),
    ("刚说", 0.8),
    ("再说一遍", 1.0),
    ("再说一次", 1.0),
    ("重复", 0.8),
    ("反复", 0.8),
    ("再三", 1.0),
    ("每次都", 0.6),
    ("天天", 0.6),
    ("一直", 0.5),
    ("总是", 0.5),
    ("老是", 0.5),
    ("又", 0.4),
    ("还是", 0.4),
    ("还没", 0.3),
    ("仍然", 0.4),
    ("到底", 0.4),
    ("依然", 0.4),
];

/// The issue is over. Blocked by the words below where they stand just before.
pub(super) const RESOLVED_ENGLISH: &[&str] = &[
    "resolved",
    "solved",
    "sorted",
    "fixed now",
    "is fixed",
    "works now",
    "working now",
    "works again",
    "fine now",
    "is fine",
    "all good",
    "received it",
    "got it now",
    "has arrived",
    "just arrived",
    "came through",
    "got my refund",
    "got the refund",
    "received my refund",
    "received the refund",
    "got my money",
    "no longer a problem",
    "not a problem anymore",
    "taken care of",
    "never mind",
    "nevermind",
    "they've got it",
    "found it",
    "have it now",
    "have the parcel now",
    "got it back",
    "i'm in",
];

/// What turns "resolved" into its opposite, a wish or somebody's claim, within a few words before it.
pub(super) const UNRESOLVED_ENGLISH: &[&str] = &[
    "not", "never", "isn't", "wasn't", "hasn't", "haven't", "aren't", "don't", "didn't", "nothing", "nobody",
    "be", "get", "getting", "until", "when", "if", "unless", "still", "should", "said", "says", "told",
    "supposed", "promised", "want", "need",
];

/// As above.
pub(super) const RESOLVED_CHINESE: &[&str] = &[
    "解决了",
    "已解决",
    "搞定了",
    "收到了",
    "已经收到",
    "没问题了",
    "没事了",
    "退好了",
    "到账了",
    "已到账",
    "恢复正常",
    "正常了",
    "修好了",
    "已经好了",
    "现在好了",
    "可以了",
    "找到了",
    "拿到了",
    "登上去了",
    "能用了",
];

/// As above, within a few characters before it.
pub(super) const UNRESOLVED_CHINESE: &[&str] =
    &["没", "未", "不", "说", "才", "等", "要", "如果", "以为", "算"];

/// What makes a clause a question, in which nothing is over.
pub(super) const QUESTION_CHINESE: &[&str] = &["吗", "呢", "什么时候", "何时", "怎么", "?", "？"];

/// Directly before a mention, these say that it is not the issue.
pub(super) const DENIED_ENGLISH: &[&str] = &[
    "not about",
    "isn't about",
    "don't want",
    "do not want",
    "don't need",
    "do not need",
    "no need for",
    "not asking for",
    "nothing to do with",
    "instead of",
    "rather than",
    "not talking about",
    "it's not",
];

/// Words that may stand between such a denial and the mention.
pub(super) const ARTICLES: &[&str] = &["a", "an", "the", "my", "your", "any", "this", "that"];

/// As above.
pub(super) const DENIED_CHINESE: &[&str] = &[
    "不要",
    "不用",
    "不需要",
    "不想",
    "不想要",
    "不是",
    "不是要",
    "不是因为",
    "不是说",
    "无需",
    "不必",
    "没说要",
];
