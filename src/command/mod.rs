//! One verb a file: gathers inputs, calls pure code, hands effects over.
