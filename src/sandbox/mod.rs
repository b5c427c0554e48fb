//! An ARM that fits in memory. Does not import `arm` or `plan`: it must not share the client's reading of ARM.
