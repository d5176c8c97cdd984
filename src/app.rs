//! Builds the rooms from a configuration, runs them and drains them.
