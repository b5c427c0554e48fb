//! Application Insights, workspace based: telemetry of the ML workspace.

use azure_mgmt_applicationinsights::package_2022_06_15::models::{
    ApplicationInsightsComponent, ApplicationInsightsComponentProperties, ComponentsResource, PublicNetworkAccessType,
    application_insights_component_properties as words,
};
use serde_json::{Value, json};

use super::Kind;
use super::body::{self, Place};
use crate::model::ResourceId;

/// The card. Its data lies in the log workspace, so it holds none itself.
pub static KIND: Kind = Kind {
    name: "app_insights",
    arm_type: "Microsoft.Insights/components",
    api_version: "2020-02-02",
    immutable: &["/location", "/kind", "/properties/Application_Type"],
    caseless: &[
        "/properties/Flow_Type",
        "/properties/Request_Source",
        "/properties/publicNetworkAccessForIngestion",
        "/properties/publicNetworkAccessForQuery",
    ],
    ..Kind::PLAIN
};

/// A component whose data goes to `workspace`; `open`: whether it may be written and read from outside the scope.
#[must_use]
pub fn body(place: Place, workspace: &ResourceId, open: bool) -> Value {
    let access = if open { PublicNetworkAccessType::Enabled } else { PublicNetworkAccessType::Disabled };
    let properties = ApplicationInsightsComponentProperties {
        flow_type: Some(words::FlowType::Bluefield),
        request_source: Some(words::RequestSource::Rest),
        workspace_resource_id: Some(workspace.to_string()),
        ingestion_mode: Some(words::IngestionMode::LogAnalytics),
        public_network_access_for_ingestion: Some(access.clone()),
        public_network_access_for_query: Some(access),
        // Azure ML writes its telemetry with the connection string, which is local authentication.
        disable_local_auth: Some(false),
        ..ApplicationInsightsComponentProperties::new(words::ApplicationType::Web)
    };
    let place = ComponentsResource { tags: Some(place.tags()), ..ComponentsResource::new(place.location()) };
    let component = ApplicationInsightsComponent {
        properties: Some(properties),
        ..ApplicationInsightsComponent::new(place, "web".to_owned())
    };
    // The model writes 100.0; Azure answers 100, and the two are different JSON numbers.
    body::with(&component, json!({"properties": {"SamplingPercentage": 100}}))
}
