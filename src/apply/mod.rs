//! Carries a plan out. Decides nothing: no comparing, no parameters.
