//! Microsoft.Insights and Microsoft.AlertsManagement: components, private link scopes, diagnostic settings
//! (`azure-facts` 2.4 to 2.6).

use std::time::Duration;

use serde_json::{Value, json};

use crate::model::ResourceId;
use crate::sandbox::json::{fill_all, keep, set, text};
use crate::sandbox::reply::Refusal;
use crate::sandbox::world::{OpAct, Operation, Resource, World, stamp};

use super::{Card, Fill, Name, Place, Put, Wire, connections, versions};

const COMPONENT: &str = "Microsoft.Insights/components";
const SCOPED: &str = "Microsoft.Insights/privateLinkScopes/scopedResources";
const DETECTOR: &str = "Microsoft.AlertsManagement/smartDetectorAlertRules";
const ACTION_GROUP: &str = "Microsoft.Insights/actionGroups";

/// How long after a component its smart detector appears.
const SIBLING_DELAY: Duration = Duration::from_secs(30);

pub(super) const CARDS: &[Card] = &[
    Card {
        arm_type: COMPONENT,
        versions: versions::COMPONENTS,
        wire: &Wire { made: 200, ..Wire::AT_ONCE },
        etag: true,
        immutable: &["/kind"],
        check: check_component,
        fill: fill_component,
        view: |world, resource, body| show_scopes(world, resource, body, "/properties/PrivateLinkScopedResources"),
        in_use: not_scoped,
        ..Card::PLAIN
    },
    Card {
        arm_type: "Microsoft.Insights/privateLinkScopes",
        versions: versions::SCOPES,
        name: Name {
            fits: |name| {
                (1..=255).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
            },
            rule: "1 to 255 letters, digits, hyphens, underscores and dots",
            code: "InvalidResourceName",
        },
        place: Place::Global,
        wire: &Wire { at_once: true, ..Wire::PLAIN },
        check: check_scope,
        fill: |_, _, body| fill_all(body, "/properties", json!({})),
        view: |world, resource, body| {
            set(body, "/properties/privateEndpointConnections", connections(world, &resource.id));
        },
        in_use: scope_in_use,
        ..Card::PLAIN
    },
    Card {
        arm_type: SCOPED,
        versions: versions::SCOPES,
        place: Place::None,
        wire: &Wire { creating: "Provisioning", ..Wire::PLAIN },
        // Two writers on one scope conflict (`azure-facts` 2.5).
        locks: |id, _| id.parent().map(|scope| scope.key()).into_iter().collect(),
        check: check_scoped,
        ..Card::PLAIN
    },
    Card {
        arm_type: "Microsoft.Insights/privateLinkScopes/privateEndpointConnections",
        versions: versions::SCOPES,
        place: Place::None,
        ..Card::PLAIN
    },
    super::diagnostics::SETTINGS,
    Card {
        arm_type: ACTION_GROUP,
        versions: versions::ACTION_GROUPS,
        place: Place::Global,
        wire: &SIBLING,
        ..Card::PLAIN
    },
    Card { arm_type: DETECTOR, versions: versions::DETECTORS, place: Place::Global, wire: &SIBLING, ..Card::PLAIN },
];

const SIBLING: Wire = Wire { stateful: false, ..Wire::AT_ONCE };

fn bad(message: impl Into<String>) -> Refusal {
    Refusal::bad("BadRequest", message)
}

fn check_component(put: &Put<'_>) -> Result<(), Refusal> {
    if text(put.body, "/kind").is_empty() || text(put.body, "/properties/Application_Type").is_empty() {
        return Err(bad("Required fields 'kind' and 'Application_Type' must be given."));
    }
    if text(put.body, "/properties/WorkspaceResourceId").is_empty() {
        return Err(bad(
            "Classic Application Insights components can no longer be created: WorkspaceResourceId is required.",
        ));
    }
    Ok(())
}

fn fill_component(world: &mut World, of: &Fill<'_>, body: &mut Value) {
    const MADE: [&str; 2] = ["/properties/AppId", "/properties/InstrumentationKey"];
    let (name, place) = (of.id.name().to_owned(), text(body, "/location").to_owned());
    keep(body, of.old, &MADE);
    keep(body, of.old, &["/properties/CreationDate"]);
    for at in MADE {
        if text(body, at).is_empty() {
            let made = world.guid();
            set(body, at, made);
        }
    }
    let key = text(body, MADE[1]).to_owned();
    let connection = format!(
        "InstrumentationKey={key};IngestionEndpoint=https://{place}-1.in.applicationinsights.azure.com/;\
         LiveEndpoint=https://{place}.livediagnostics.monitor.azure.com/;ApplicationId={}",
        text(body, MADE[0])
    );
    fill_all(
        body,
        "/properties",
        json!({
            "ApplicationId": name, "Name": name, "ConnectionString": connection, "CreationDate": stamp(of.now),
            "TenantId": world.subscription, "IngestionMode": "LogAnalytics", "RetentionInDays": 90,
            "publicNetworkAccessForIngestion": "Enabled", "publicNetworkAccessForQuery": "Enabled", "Ver": "v2",
        }),
    );
    if of.old.is_none() {
        plan_siblings(world, of);
    }
}

fn plan_siblings(world: &mut World, of: &Fill<'_>) {
    let guid = world.guid();
    let timer = Operation {
        act: OpAct::Sibling,
        target: of.id.key(),
        arm_type: COMPONENT.to_owned(),
        started: of.now,
        ends: of.now + SIBLING_DELAY,
        done: false,
        holds: std::collections::BTreeSet::new(),
        failure: None,
        purge: false,
    };
    world.operations.insert(guid, timer);
}

/// The action group and the rule that Azure makes by itself beside a component.
pub(in crate::sandbox) fn make_siblings(world: &mut World, component: &str, now: Duration) {
    let Some(id) = world.resources.get(component).map(|r| r.id.clone()) else { return };
    let Some(group) = id.parent() else { return };
    let actions = group.provider(ACTION_GROUP, "Application Insights Smart Detection");
    let rule = group.provider(DETECTOR, &format!("Failure Anomalies - {}", id.name()));
    let acting = json!({"groupShortName": "SmartDetect", "enabled": true, "armRoleReceivers": [
        {"name": "Monitoring Contributor", "roleId": "749f88d5-cbae-40b8-bcfc-e573ddc772fa", "useCommonAlertSchema": true},
        {"name": "Monitoring Reader", "roleId": "43d0d8ad-25c7-4714-9337-8ba259a9fe05", "useCommonAlertSchema": true}]});
    let detecting = json!({"state": "Enabled", "severity": "Sev3", "frequency": "PT1M",
        "description": "Failure Anomalies notifies you of an unusual rise in the rate of failed HTTP requests or \
         dependency calls.",
        "detector": {"id": "FailureAnomaliesDetector"}, "scope": [id.as_str()], "actionGroups": {"groupIds": [actions.as_str()]}});
    for (id, arm_type, properties) in [(actions, ACTION_GROUP, acting), (rule, DETECTOR, detecting)] {
        let body = json!({"id": id.as_str(), "name": id.name(), "type": arm_type, "location": "global", "tags": {},
            "properties": properties});
        world.resources.entry(id.key()).or_insert_with(|| Resource::made(id, arm_type, body, now));
    }
}

fn check_scope(put: &Put<'_>) -> Result<(), Refusal> {
    for mode in ["queryAccessMode", "ingestionAccessMode"] {
        let given = text(put.body, &format!("/properties/accessModeSettings/{mode}"));
        if !["Open", "PrivateOnly"].contains(&given) {
            return Err(bad(format!("accessModeSettings.{mode} must be 'Open' or 'PrivateOnly'.")));
        }
    }
    Ok(())
}

fn scope_in_use(world: &World, scope: &Resource) -> Result<(), Refusal> {
    let nested = world.below(&scope.id).any(|r| r.arm_type == SCOPED);
    if nested || !connections(world, &scope.id).is_empty() {
        let message = "Can not delete resource before nested resources are deleted.";
        return Err(Refusal::conflict("CannotDeleteResource", message));
    }
    Ok(())
}

fn check_scoped(put: &Put<'_>) -> Result<(), Refusal> {
    const LINKABLE: [&str; 3] = [
        "microsoft.operationalinsights/workspaces",
        "microsoft.insights/components",
        "microsoft.insights/datacollectionendpoints",
    ];
    let linked = ResourceId::new(text(put.body, "/properties/linkedResourceId"));
    if !LINKABLE.contains(&linked.arm_type().to_ascii_lowercase().as_str()) {
        return Err(bad(format!("The resource '{linked}' cannot be linked to a private link scope.")));
    }
    Ok(())
}

fn scopings<'a>(world: &'a World, resource: &'a Resource) -> impl Iterator<Item = &'a Resource> {
    world
        .of_type(SCOPED)
        .filter(|s| text(&s.body, "/properties/linkedResourceId").eq_ignore_ascii_case(resource.id.as_str()))
}

/// Shows in which scopes a resource is.
pub(super) fn show_scopes(world: &World, resource: &Resource, body: &mut Value, at: &str) {
    let found: Vec<Value> =
        scopings(world, resource).map(|s| json!({"ResourceId": s.id.as_str(), "ScopeId": s.id.as_str()})).collect();
    if !found.is_empty() {
        set(body, at, found);
    }
}

/// A workspace or component in a scope cannot be deleted before its scoped resource (`azure-facts` 2.3).
pub(super) fn not_scoped(world: &World, resource: &Resource) -> Result<(), Refusal> {
    match scopings(world, resource).next() {
        Some(scoped) => Err(Refusal::conflict(
            "CannotDeleteResource",
            format!(
                "The resource is linked to the private link scope by '{}'. Delete the scoped resource first.",
                scoped.id
            ),
        )),
        None => Ok(()),
    }
}
