//! Frames of every link type.
