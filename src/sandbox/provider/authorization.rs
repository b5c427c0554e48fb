//! Microsoft.Authorization: role assignments and locks (`azure-facts` 2.20). Roles themselves are not evaluated.

use std::time::Duration;

use serde_json::Value;
use uuid::Uuid;

use crate::sandbox::json::{alike, fill, set, text};
use crate::sandbox::reply::Refusal;
use crate::sandbox::world::{World, stamp};

use super::{Card, Fill, Name, Place, Put, Wire, versions};

const ASSIGNMENT: &str = "Microsoft.Authorization/roleAssignments";

/// Until a fresh identity is known in the whole directory, an assignment must say `principalType`.
const REPLICATION: Duration = Duration::from_secs(60);

pub(super) const CARDS: &[Card] = &[
    Card {
        arm_type: ASSIGNMENT,
        versions: versions::ROLES,
        name: Name { fits: |name| Uuid::try_parse(name).is_ok(), rule: "a GUID", code: "InvalidRoleAssignmentId" },
        place: Place::None,
        wire: &Wire { stateful: false, ..Wire::AT_ONCE },
        check,
        fill: fill_assignment,
        ..Card::PLAIN
    },
    Card {
        arm_type: "Microsoft.Authorization/locks",
        versions: versions::LOCKS,
        place: Place::None,
        wire: &Wire { stateful: false, ..Wire::AT_ONCE },
        ..Card::PLAIN
    },
];

fn check(put: &Put<'_>) -> Result<(), Refusal> {
    const FIXED: [&str; 2] = ["/properties/roleDefinitionId", "/properties/principalId"];
    let principal = text(put.body, "/properties/principalId");
    check_role(put)?;
    if let Some(old) = put.old {
        let same = FIXED.iter().all(|at| match (old.body.pointer(at), put.body.pointer(at)) {
            (Some(a), Some(b)) => alike(a, b),
            _ => false,
        });
        return if same {
            Ok(())
        } else {
            Err(Refusal::bad(
                "RoleAssignmentUpdateNotPermitted",
                "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.",
            ))
        };
    }
    check_principal(put, principal)?;
    let scope = put.id.parent();
    let twin = put.world.of_type(ASSIGNMENT).find(|other| {
        other.id.parent() == scope
            && FIXED.iter().all(|at| text(&other.body, at).eq_ignore_ascii_case(text(put.body, at)))
    });
    match twin {
        Some(twin) => Err(Refusal::conflict(
            "RoleAssignmentExists",
            format!(
                "The role assignment already exists. The ID of the existing role assignment is {}.",
                twin.id.name().replace('-', "")
            ),
        )),
        None => Ok(()),
    }
}

fn check_role(put: &Put<'_>) -> Result<(), Refusal> {
    let role = text(put.body, "/properties/roleDefinitionId");
    let guid = role.rsplit('/').next().unwrap_or_default();
    let named = role.to_ascii_lowercase().contains("/providers/microsoft.authorization/roledefinitions/");
    if named && Uuid::try_parse(guid).is_ok() {
        return Ok(());
    }
    Err(Refusal::bad(
        "InvalidRoleDefinitionId",
        format!("The role definition ID '{role}' is not valid. The role definition ID must be a GUID."),
    ))
}

fn check_principal(put: &Put<'_>, principal: &str) -> Result<(), Refusal> {
    let kind = text(put.body, "/properties/principalType");
    let missing = || {
        Refusal::bad(
            "PrincipalNotFound",
            format!(
                "Principal {} does not exist in the directory {}. Check that you have the correct principal ID. If \
                 you are creating this principal and then immediately assigning a role, this error might be related \
                 to a replication delay. In this case, set the role assignment principalType property to a value, \
                  such as ServicePrincipal, User, or Group. See https://aka.ms/docs-principaltype",
                principal.replace('-', ""),
                put.world.tenant,
            ),
        )
    };
    if Uuid::try_parse(principal).is_err() {
        return Err(Refusal::bad(
            "InvalidPrincipalId",
            format!("The principal ID '{principal}' is not valid. Principal ID must be a GUID."),
        ));
    }
    if matches!(kind, "User" | "Group" | "ForeignGroup") {
        return Ok(());
    }
    if !put.world.knows_principal(principal) {
        return Err(missing());
    }
    let fresh = put.world.identity(principal).is_some_and(|r| put.now < r.created + REPLICATION);
    if fresh && kind.is_empty() { Err(missing()) } else { Ok(()) }
}

fn fill_assignment(_: &mut World, of: &Fill<'_>, body: &mut Value) {
    let scope = of.id.parent().map(|id| id.to_string()).unwrap_or_default();
    set(body, "/properties/scope", scope);
    fill(body, "/properties/principalType", "ServicePrincipal");
    fill(body, "/properties/createdOn", stamp(of.now));
    set(body, "/properties/updatedOn", stamp(of.now));
}
