//! The embedded reference registry, and the ways in which it can be told to be wrong.
