//! From readings of single modalities to one emotion vector.
