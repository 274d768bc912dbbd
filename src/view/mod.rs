//! TODO charter
