//! Emotion from tone of voice: the lower blocks of a speech encoder and an attention-pooling head.
