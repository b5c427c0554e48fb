//! Faults on demand: which request meets one, and what it does. Chosen by count, never by chance.

use serde::{Deserialize, Serialize};

use super::reply::Request;

/// One fault, used up by the requests it strikes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The method it waits for; `None`: any.
    #[serde(default)]
    pub method: Option<String>,
    /// A part of the path it waits for, without case; empty: any.
    #[serde(default)]
    pub path: String,
    /// Matching requests to let pass first.
    #[serde(default)]
    pub skip: u32,
    /// Matching requests to strike after those.
    pub times: u32,
    /// What happens.
    pub what: Misfortune,
}

/// What a struck request meets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Misfortune {
    /// 429 with this `Retry-After`, in seconds; no effect.
    Throttle {
        /// Seconds.
        retry_after: u64,
    },
    /// 500 `InternalServerError`; no effect.
    ServerError,
    /// 403 `AuthorizationFailed`: the caller lacks a role; no effect.
    Forbid,
    /// The request takes effect and its reply never arrives.
    DropReply,
    /// The request is accepted and its operation fails in the end with this error.
    FailOperation {
        /// Azure's code, such as `GatewayAllocationFailed`.
        code: String,
        /// Azure's text.
        message: String,
    },
}

impl Fault {
    /// Strikes the first request that `method` (any if empty) and `path` match.
    #[must_use]
    pub fn once(method: &str, path: &str, what: Misfortune) -> Self {
        let method = (!method.is_empty()).then(|| method.to_owned());
        Self { method, path: path.to_owned(), skip: 0, times: 1, what }
    }

    /// Lets `count` matching requests pass first.
    #[must_use]
    pub const fn after(mut self, count: u32) -> Self {
        self.skip = count;
        self
    }

    fn matches(&self, request: &Request) -> bool {
        self.method.as_ref().is_none_or(|method| method.eq_ignore_ascii_case(&request.method))
            && request.path.to_ascii_lowercase().contains(&self.path.to_ascii_lowercase())
    }
}

/// The misfortune of this request, if any; counts down.
pub(super) fn strike(faults: &mut Vec<Fault>, request: &Request) -> Option<Misfortune> {
    let at = faults.iter().position(|fault| fault.matches(request))?;
    let fault = &mut faults[at];
    if fault.skip > 0 {
        fault.skip -= 1;
        return None;
    }
    fault.times = fault.times.saturating_sub(1);
    let what = fault.what.clone();
    if fault.times == 0 {
        faults.remove(at);
    }
    Some(what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nth_matching_request_is_struck_once() {
        let mut faults = vec![Fault::once("PUT", "/vaults/", Misfortune::ServerError).after(1)];
        let (put, get) = (Request::new("PUT", "/x/Vaults/y"), Request::new("GET", "/x/vaults/y"));
        let struck: Vec<bool> = [&get, &put, &get, &put, &put].map(|r| strike(&mut faults, r).is_some()).to_vec();
        assert_eq!(struck, [false, false, false, true, false]);
    }
}
