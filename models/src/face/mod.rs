//! Emotion from a face: a convolutional network on aligned grey crops.
