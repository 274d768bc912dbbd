//! Frames: where they are cut, and what is said beside them.
