//! Logs and telemetry, and the private link scope that lets the network reach them privately.

use super::scene::{Scene, desired};
use crate::kind::{app_insights, log_workspace, monitor_scope, scoped_resource};
use crate::model::Desired;

pub(super) fn draw(scene: &Scene) -> Vec<Desired> {
    let (names, place) = (&scene.names, scene.place());
    // Hardened: telemetry comes in through the scope's endpoint only. Logs that Azure's services send are not affected.
    let open = !scene.is_hardened();
    let logs = log_workspace::Says {
        retention_days: scene.config.monitor.retention_days,
        daily_cap_gb: scene.config.monitor.daily_cap_gb,
        ingestion: open,
    };
    vec![
        desired("log_workspace", "core", names.logs(), log_workspace::body(place, &logs)),
        desired("app_insights", "core", names.insights(), app_insights::body(place, &names.logs(), open)),
        desired("monitor_scope", "core", names.monitor_scope(), monitor_scope::body(place)),
        desired("scoped_resource", "logs", names.scoped("log"), scoped_resource::body(&names.logs())),
        desired("scoped_resource", "insights", names.scoped("appi"), scoped_resource::body(&names.insights())),
    ]
}
