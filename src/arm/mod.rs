//! The door to Azure: requests, sign-in, retries, polling. Knows ids, versions, bodies and replies, no kinds.
