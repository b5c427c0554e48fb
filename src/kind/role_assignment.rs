//! Role assignment: who may do what on a resource. Extends any resource.

use azure_mgmt_authorization::package_2022_04_01::models::{
    RoleAssignmentCreateParameters, RoleAssignmentProperties, role_assignment_properties::PrincipalType,
};
use serde_json::Value;
use uuid::Uuid;

use super::{Kind, body};
use crate::model::{Address, ResourceId};

/// The card. Nothing of an assignment can be changed; a description is not sent, because Azure may not keep it.
pub static KIND: Kind = Kind {
    name: "role_assignment",
    arm_type: "Microsoft.Authorization/roleAssignments",
    api_version: "2022-04-01",
    tagged: false,
    immutable: &["/properties"],
    caseless: &["/properties/principalId", "/properties/principalType"],
    ..Kind::PLAIN
};

/// The roles in use, by the ids that Azure gives them in every tenant (`azure-facts` 2.20).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Sees the resource.
    Reader,
    /// Pulls images.
    AcrPull,
    /// Reads and writes blobs.
    BlobContributor,
    /// Reads and writes files whatever their own permissions say.
    FileContributor,
    /// Uses the workspace, cannot change it.
    DataScientist,
}

impl Role {
    const fn id(self) -> &'static str {
        match self {
            Self::Reader => "acdd72a7-3385-48ef-bd42-f606fba81ae7",
            Self::AcrPull => "7f951dda-4ed3-4680-a7ca-43fe172d538d",
            Self::BlobContributor => "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
            Self::FileContributor => "69566ab7-960f-475b-8e7c-b3118f30c6bd",
            Self::DataScientist => "f6c7c914-8db3-469d-8ca1-694a8f32e121",
        }
    }
}

/// Who gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// An application or managed identity; the id may be a `Late` text.
    Service(String),
    /// A person's object id.
    User(String),
    /// A group's object id.
    Group(String),
}

/// The id of the assignment at `scope`. Its name is derived, so that it is known at plan time and the same every time.
#[must_use]
pub fn id(scope: &ResourceId, role: Role, address: &Address) -> ResourceId {
    let seed = format!("{}|{}|{address}", scope.key(), role.id());
    let name = Uuid::new_v5(&Uuid::NAMESPACE_URL, seed.as_bytes());
    scope.provider(KIND.arm_type, &name.to_string())
}

/// Gives `role` to `principal`. The type of the principal is always said: a fresh identity is not yet known
/// everywhere, and without it Azure answers 400 `PrincipalNotFound`.
#[must_use]
pub fn body(subscription: &str, role: Role, principal: &Principal) -> Value {
    let definition =
        format!("/subscriptions/{subscription}/providers/Microsoft.Authorization/roleDefinitions/{}", role.id());
    let (id, kind) = match principal {
        Principal::Service(id) => (id, PrincipalType::ServicePrincipal),
        Principal::User(id) => (id, PrincipalType::User),
        Principal::Group(id) => (id, PrincipalType::Group),
    };
    body::of(&RoleAssignmentCreateParameters::new(RoleAssignmentProperties {
        principal_type: Some(kind),
        ..RoleAssignmentProperties::new(definition, id.clone())
    }))
}
