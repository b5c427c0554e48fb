//! What an apply asks of the cloud: the seam that tests fill with a fake. The real one is `arm::Client`.

use std::time::Duration;

use serde_json::Value;

use crate::arm::{Client, Notes, Sent};
use crate::model::{Cause, Operation, ResourceId};

/// The requests that steps are made of. Errors arrive as causes, Azure's code and status kept.
pub trait Cloud: Sync {
    /// The resource as it is; `None` if there is none.
    fn get(&self, id: &ResourceId, api_version: &str) -> impl Future<Output = Result<Option<Value>, Cause>> + Send;

    /// Creates or updates.
    fn put(
        &self,
        id: &ResourceId,
        api_version: &str,
        body: &Value,
        notes: Notes<'_>,
    ) -> impl Future<Output = Result<Sent, Cause>> + Send;

    /// Removes, with an extra query such as `force=true`.
    fn delete(
        &self,
        id: &ResourceId,
        api_version: &str,
        query: &str,
        notes: Notes<'_>,
    ) -> impl Future<Output = Result<Sent, Cause>> + Send;

    /// Waits for the end of an operation; an error is its failure.
    fn wait(
        &self,
        operation: &Operation,
        resource: &ResourceId,
        api_version: &str,
        expected: Duration,
        notes: Notes<'_>,
    ) -> impl Future<Output = Result<(), Cause>> + Send;

    /// Time on the run's clock.
    fn now(&self) -> Duration;

    /// Waits on the run's clock.
    fn sleep(&self, pause: Duration) -> impl Future<Output = ()> + Send;
}

impl Cloud for Client {
    async fn get(&self, id: &ResourceId, api_version: &str) -> Result<Option<Value>, Cause> {
        Self::get(self, id, api_version).await.map_err(Into::into)
    }

    async fn put(&self, id: &ResourceId, api_version: &str, body: &Value, notes: Notes<'_>) -> Result<Sent, Cause> {
        Self::put(self, id, api_version, body, notes).await.map_err(Into::into)
    }

    async fn delete(&self, id: &ResourceId, api_version: &str, query: &str, notes: Notes<'_>) -> Result<Sent, Cause> {
        Self::delete(self, id, api_version, query, notes).await.map_err(Into::into)
    }

    async fn wait(
        &self,
        operation: &Operation,
        resource: &ResourceId,
        api_version: &str,
        expected: Duration,
        notes: Notes<'_>,
    ) -> Result<(), Cause> {
        Self::wait(self, operation, resource, api_version, expected, notes).await.map_err(Into::into)
    }

    fn now(&self) -> Duration {
        self.clock().now()
    }

    async fn sleep(&self, pause: Duration) {
        self.clock().sleep(pause).await;
    }
}
