//! Which private addresses of a subnet are taken, and by whom. Azure keeps the first four and the last of each.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use crate::model::ResourceId;

use super::inline;
use super::json::{text, texts};
use super::reply::Refusal;
use super::world::World;

/// Addresses at the start of a subnet that Azure keeps: network, gateway, two for DNS.
const RESERVED: usize = 4;

/// The range of a subnet, from either of its two spellings.
pub(super) fn range(subnet: &serde_json::Value) -> Option<Ipv4Net> {
    let single = text(subnet, "/properties/addressPrefix");
    let first = if single.is_empty() {
        texts(subnet, "/properties/addressPrefixes").first().copied().unwrap_or_default()
    } else {
        single
    };
    first.parse().ok()
}

/// The addresses that the holder has in any subnet, in order.
pub(super) fn held(world: &World, holder: &str) -> Vec<Ipv4Addr> {
    world.leases.values().flatten().filter(|(_, by)| *by == holder).map(|(address, _)| *address).collect()
}

/// Gives `holder` the lowest free address of `subnet`, or the one it wants.
pub(super) fn lease(
    world: &mut World,
    holder: &str,
    subnet: &ResourceId,
    wanted: Option<Ipv4Addr>,
) -> Result<Ipv4Addr, Refusal> {
    let range = inline::find(world, subnet)
        .and_then(range)
        .ok_or_else(|| Refusal::bad("InvalidResourceReference", format!("Subnet {subnet} was not found.")))?;
    let taken = world.leases.entry(subnet.key()).or_default();
    // The broadcast address is the fifth that Azure keeps.
    let usable = |address: &Ipv4Addr| range.hosts().skip(RESERVED - 1).any(|host| host == *address);
    let chosen = match wanted {
        Some(address) if !usable(&address) => {
            let message =
                format!("Private static IP address {address} does not belong to the range of subnet prefix {range}.");
            return Err(Refusal::bad("PrivateIPAddressNotInSubnet", message));
        }
        Some(address) if taken.get(&address).is_some_and(|by| by != holder) => {
            let message =
                format!("IP configuration is using the private IP address {address} which is already allocated.");
            return Err(Refusal::bad("PrivateIPAddressIsAllocated", message));
        }
        Some(address) => Some(address),
        None => range.hosts().skip(RESERVED - 1).find(|host| !taken.contains_key(host)),
    };
    let Some(address) = chosen else {
        let message = format!("Subnet {} with address prefix {range} does not have enough capacity.", subnet.name());
        return Err(Refusal::bad("SubnetIsFull", message));
    };
    taken.insert(address, holder.to_owned());
    Ok(address)
}

/// Gives back every address of the holder.
pub(super) fn release(world: &mut World, holder: &str) {
    for taken in world.leases.values_mut() {
        taken.retain(|_, by| by != holder);
    }
    world.leases.retain(|_, taken| !taken.is_empty());
}
