//! The environment as one ARM deployment template, for `what-if` and for scanners. Pure text; holds no secret.
//!
//! A template of a resource group: each resource stands at the top, where every scanner looks. The group itself is of
//! the subscription, so it comes in a nested deployment, which also sets its tags.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::entry::{Entry, sorted};
use crate::model::late::{secret_name, visit_strings};
use crate::model::{Address, Late, ResourceId};

const SCHEMA: &str = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#";
const OF_SUBSCRIPTION: &str =
    "https://schema.management.azure.com/schemas/2018-05-01/subscriptionDeploymentTemplate.json#";
const DEPLOYMENTS: &str = "2022-09-01";
const GROUP: &str = "Microsoft.Resources/resourceGroups";

/// The template. Members in the order in which people look for them.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Template {
    #[serde(rename = "$schema")]
    schema: &'static str,
    content_version: &'static str,
    metadata: Value,
    parameters: BTreeMap<String, Value>,
    resources: Vec<Resource>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Resource {
    #[serde(rename = "type")]
    arm_type: String,
    api_version: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    #[serde(flatten)]
    body: Map<String, Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    depends_on: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Value>,
}

/// Draws the template. `accepted` says for a resource which complaints of a scanner were accepted, as `CHECK: reason`.
#[must_use]
pub fn arm(entries: &[Entry], accepted: &dyn Fn(&Entry) -> Vec<String>) -> Template {
    let sorted = sorted(entries);
    let group = sorted.iter().find(|entry| entry.id.arm_type() == GROUP);
    let home = group.map(|entry| entry.id.clone()).or_else(|| {
        let first = sorted.first()?;
        Some(ResourceId::group(first.id.subscription()?, first.id.resource_group()?))
    });
    let writer = Writer { home: home.unwrap_or_else(|| ResourceId::new("")), all: &sorted };
    let turns = turns(&sorted);
    Template {
        schema: SCHEMA,
        content_version: "1.0.0.0",
        metadata: json!({
            "_generator": {"name": "privaml", "version": env!("CARGO_PKG_VERSION")},
            "resourceGroup": group.map(|entry| json!({"name": entry.id.name(), "location": entry.body["location"]})),
        }),
        parameters: parameters(entries),
        resources: sorted.iter().map(|entry| writer.resource(entry, turns.get(&entry.address), accepted)).collect(),
    }
}

/// One parameter for each secret that some body names.
fn parameters(entries: &[Entry]) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    for entry in entries {
        visit_strings(&entry.body, &mut |text| {
            if let Some(name) = secret_name(text) {
                let description = format!("The secret {name}; privaml keeps its own sealed and never exports it.");
                let parameter = json!({"type": "securestring", "metadata": {"description": description}});
                all.insert(parameter_name(name), parameter);
            }
        });
    }
    all
}

/// `jumpbox_password` → `jumpboxPassword`, as templates spell it.
fn parameter_name(secret: &str) -> String {
    let mut words = secret.split('_');
    let mut name = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        name.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        name.push_str(letters.as_str());
    }
    name
}

/// For writers that take turns, whoever goes before: ARM's own scheduler does not know that Azure takes them one by one.
fn turns<'a>(sorted: &[&'a Entry]) -> BTreeMap<&'a Address, &'a Entry> {
    let mut last: BTreeMap<ResourceId, &Entry> = BTreeMap::new();
    let before = sorted.iter().filter_map(|entry| Some((&entry.address, last.insert(entry.turn()?, entry)?)));
    before.collect()
}

struct Writer<'a> {
    home: ResourceId,
    all: &'a [&'a Entry],
}

impl Writer<'_> {
    fn resource(&self, entry: &Entry, before: Option<&&Entry>, accepted: &dyn Fn(&Entry) -> Vec<String>) -> Resource {
        let accepted = accepted(entry);
        let mut resource = Resource {
            arm_type: entry.id.arm_type(),
            api_version: entry.api_version.clone(),
            name: names(&entry.id).join("/"),
            scope: self.scope(&entry.id),
            body: self.body(entry),
            depends_on: Vec::new(),
            metadata: (!accepted.is_empty()).then(|| json!({"checkov": accepted})),
        };
        if resource.arm_type == GROUP {
            return Self::group(&resource);
        }
        let needs = self.all.iter().filter(|one| entry.needs.contains(&one.address) && one.id.arm_type() != GROUP);
        let ids: BTreeSet<String> =
            needs.chain(before).filter_map(|one| self.expression(&one.id)).map(|text| format!("[{text}]")).collect();
        resource.depends_on = ids.into_iter().collect();
        resource
    }

    fn body(&self, entry: &Entry) -> Map<String, Value> {
        let said = entry.body.as_object().into_iter().flatten();
        let said = said.filter(|(name, _)| !["id", "name", "type", "apiVersion"].contains(&name.as_str()));
        said.map(|(name, value)| (name.clone(), self.value(name, value))).collect()
    }

    /// The group, in a deployment of its own to the subscription.
    fn group(group: &Resource) -> Resource {
        let location = group.body.get("location").cloned().unwrap_or_default();
        let template = json!({"$schema": OF_SUBSCRIPTION, "contentVersion": "1.0.0.0", "resources": [group]});
        let properties = json!({"mode": "Incremental", "expressionEvaluationOptions": {"scope": "inner"},
            "template": template});
        let body = [
            ("subscriptionId", Value::from("[subscription().subscriptionId]")),
            ("location", location),
            ("properties", properties),
        ];
        Resource {
            arm_type: "Microsoft.Resources/deployments".to_owned(),
            api_version: DEPLOYMENTS.to_owned(),
            name: "privaml-resource-group".to_owned(),
            scope: None,
            body: body.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            depends_on: Vec::new(),
            metadata: None,
        }
    }

    /// What an extension extends; `None` for whatever lives in the group itself.
    fn scope(&self, id: &ResourceId) -> Option<String> {
        let at = id.as_str().to_ascii_lowercase().rfind("/providers/")?;
        let scope = ResourceId::new(&id.as_str()[..at]);
        (scope.arm_type() != GROUP).then(|| self.expression(&scope).map(|text| format!("[{text}]")))?
    }

    fn value(&self, name: &str, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::from(self.text(name, text)),
            Value::Array(items) => items.iter().map(|item| self.value(name, item)).collect(),
            Value::Object(map) => {
                Value::Object(map.iter().map(|(name, value)| (name.clone(), self.value(name, value))).collect())
            }
            other => other.clone(),
        }
    }

    fn text(&self, name: &str, text: &str) -> String {
        if let Some(secret) = secret_name(text) {
            return format!("[parameters('{}')]", parameter_name(secret));
        }
        if let Some(late) = Late::parse(text).and_then(|late| self.reference(&late)) {
            return format!("[{late}]");
        }
        // Whoever deploys the template does so in a tenant of their own.
        if name == "tenantId" {
            return "[subscription().tenantId]".to_owned();
        }
        match self.expression(&ResourceId::new(text)).filter(|_| text.starts_with("/subscriptions/")) {
            Some(expression) => format!("[{expression}]"),
            None if text.starts_with('[') && text.ends_with(']') => format!("[{text}"),
            None => text.to_owned(),
        }
    }

    /// What only Azure knows, read from the resource at the time of deployment.
    fn reference(&self, late: &Late) -> Option<String> {
        let of = self.all.iter().find(|entry| entry.address == late.of)?;
        let id = self.expression(&of.id)?;
        let path: String = late.at.split('/').skip(1).fold(String::new(), |path, part| match part.parse::<usize>() {
            Ok(index) => format!("{path}[{index}]"),
            Err(_) => format!("{path}.{part}"),
        });
        Some(format!("reference({id}, '{}', 'Full'){path}", of.api_version))
    }

    /// An id as an expression that fits wherever the template is deployed; `None` for ids elsewhere.
    fn expression(&self, id: &ResourceId) -> Option<String> {
        if *id == self.home {
            return Some("resourceGroup().id".to_owned());
        }
        let subscription = self.home.parent()?;
        let (function, scope) = if id.is_within(&self.home) {
            ("resourceId", &self.home)
        } else if id.is_within(&subscription) {
            ("subscriptionResourceId", &subscription)
        } else {
            return None;
        };
        let mut parts = id.as_str()[scope.as_str().len()..].split("/providers/").skip(1);
        let first = format!("{function}({})", arguments(parts.next()?)?);
        parts.try_fold(first, |inner, part| Some(format!("extensionResourceId({inner}, {})", arguments(part)?)))
    }
}

/// `Namespace/type/name/type/name` → `'Namespace/type/type', 'name', 'name'`.
fn arguments(part: &str) -> Option<String> {
    let segments: Vec<&str> = part.split('/').collect();
    if segments.len() < 3 || segments.len().is_multiple_of(2) {
        return None;
    }
    let types = segments[1..].iter().step_by(2).fold(segments[0].to_owned(), |all, one| format!("{all}/{one}"));
    let names = segments[2..].iter().step_by(2);
    let texts = std::iter::once(types).chain(names.map(|name| (*name).to_owned()));
    Some(texts.map(|text| format!("'{}'", text.replace('\'', "''"))).collect::<Vec<_>>().join(", "))
}

/// Names of a resource and of what it is a child of, outermost first.
fn names(id: &ResourceId) -> Vec<String> {
    let lower = id.as_str().to_ascii_lowercase();
    let Some(at) = lower.rfind("/providers/") else { return vec![id.name().to_owned()] };
    let segments = id.as_str()[at + "/providers/".len()..].split('/').skip(2).step_by(2);
    segments.map(ToOwned::to_owned).collect()
}

#[cfg(test)]
mod tests;
