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

/// Whether Azure gives the address to anybody: the broadcast address is the fifth that it keeps. Counts, and does not
/// walk: a subnet may be as large as a /2.
fn is_usable(range: Ipv4Net, address: Ipv4Addr) -> bool {
    let (first, last) = (u32::from(range.network()), u32::from(range.broadcast()));
    let offset = u32::from(address).checked_sub(first);
    offset.is_some_and(|offset| offset as usize >= RESERVED && u32::from(address) < last)
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
    let chosen = match wanted {
        Some(address) if !is_usable(range, address) => {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_addresses_of_a_subnet_are_azures() {
        let usable = |range: &str, address: &str| is_usable(range.parse().unwrap(), address.parse().unwrap());
        for (address, is) in [("10.0.0.3", false), ("10.0.0.4", true), ("10.0.0.6", true), ("10.0.0.7", false)] {
            assert_eq!(usable("10.0.0.0/29", address), is, "{address}");
        }
        assert!(!usable("10.0.0.0/29", "10.0.0.12") && !usable("10.0.1.0/24", "10.0.0.9"));
        assert!(!usable("10.0.0.0/30", "10.0.0.2") && !usable("10.0.0.0/32", "10.0.0.0"));
        assert!(usable("0.0.0.0/0", "200.0.0.1"));
    }
}
