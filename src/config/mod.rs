//! The configuration: typed as written, then validated; every limit is here, with its default.
