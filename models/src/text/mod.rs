//! Emotion from words: a pruned multilingual encoder with several heads.
