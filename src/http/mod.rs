//! The wire: routes, wire types and the one place where a status code is chosen.
