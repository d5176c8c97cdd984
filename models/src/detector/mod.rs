//! Where the faces are: a port of YuNet-s.
