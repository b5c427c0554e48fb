//! Shows plans and events. Knows nothing else, and is the only one to print.
