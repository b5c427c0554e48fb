//! Cutting a range into subnets the way Terraform's `cidrsubnets` does. Pure arithmetic; knows no parameters.

use ipnet::Ipv4Net;
use thiserror::Error;

use super::Network;

/// What the Terraform project cuts: a spare block, the firewall's, Bastion's, the shared one.
const NEW_BITS: [u8; 4] = [6, 2, 4, 3];

/// Why a range could not be cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Error {
    /// A subnet would be smaller than one address.
    #[error("/{prefix} with {new_bits} more bits exceeds 32")]
    TooFine {
        /// Prefix length of the range.
        prefix: u8,
        /// Bits asked for.
        new_bits: u8,
    },
    /// The blocks do not fit.
    #[error("no room left for a /{prefix}")]
    Full {
        /// Prefix length of the block that no longer fits.
        prefix: u8,
    },
}

/// Consecutive subnets of a range, each at the next aligned address after the one before.
///
/// # Errors
/// When a subnet would have more than 32 bits or the range is used up.
pub fn cidrsubnets(range: Ipv4Net, new_bits: &[u8]) -> Result<Vec<Ipv4Net>, Error> {
    let prefix = range.prefix_len();
    let end = u64::from(u32::from(range.broadcast())) + 1;
    let mut next = u64::from(u32::from(range.network()));
    let mut cut = Vec::with_capacity(new_bits.len());
    for &bits in new_bits {
        let length = prefix.checked_add(bits).filter(|l| *l <= 32);
        let length = length.ok_or(Error::TooFine { prefix, new_bits: bits })?;
        let size = 1_u64 << (32 - length);
        let start = next.next_multiple_of(size);
        next = start + size;
        let full = Error::Full { prefix: length };
        if next > end {
            return Err(full);
        }
        let address = u32::try_from(start).map_err(|_| full)?;
        cut.push(Ipv4Net::new(address.into(), length).map_err(|_| full)?);
    }
    Ok(cut)
}

impl Network {
    /// The three subnets of a range, as the Terraform project cuts them.
    ///
    /// # Errors
    /// For a range smaller than /26.
    pub fn cut(range: Ipv4Net) -> Result<Self, Error> {
        match cidrsubnets(range, &NEW_BITS)?[..] {
            [_, firewall, bastion, shared] => Ok(Self { firewall, bastion, shared }),
            _ => Err(Error::Full { prefix: range.prefix_len() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(range: &str, bits: &[u8]) -> Vec<String> {
        let cut = cidrsubnets(range.parse().unwrap(), bits).unwrap();
        cut.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_default_range_is_cut_as_terraform_cuts_it() {
        assert_eq!(cut("10.1.0.0/22", &NEW_BITS), ["10.1.0.0/28", "10.1.1.0/24", "10.1.2.0/26", "10.1.2.128/25"]);
    }

    /// The examples of Terraform's manual.
    #[test]
    fn terraforms_own_examples() {
        assert_eq!(cut("10.1.0.0/16", &[4, 4, 8, 4]), ["10.1.0.0/20", "10.1.16.0/20", "10.1.32.0/24", "10.1.48.0/20"]);
        assert_eq!(cut("10.0.0.0/24", &[1, 1]), ["10.0.0.0/25", "10.0.0.128/25"]);
    }

    #[test]
    fn a_range_that_is_used_up_or_too_fine_is_refused() {
        let range: Ipv4Net = "10.0.0.0/24".parse().unwrap();
        assert_eq!(cidrsubnets(range, &[1, 1, 8]), Err(Error::Full { prefix: 32 }));
        assert_eq!(cidrsubnets(range, &[9]), Err(Error::TooFine { prefix: 24, new_bits: 9 }));
        assert_eq!(cidrsubnets(range, &[255]), Err(Error::TooFine { prefix: 24, new_bits: 255 }));
    }

    #[test]
    fn the_end_of_the_address_space_is_no_obstacle() {
        assert_eq!(cut("255.255.255.0/24", &[1, 1]), ["255.255.255.0/25", "255.255.255.128/25"]);
        assert_eq!(cut("0.0.0.0/0", &[1, 1]), ["0.0.0.0/1", "128.0.0.0/1"]);
    }

    proptest! {
        #[test]
        fn blocks_are_aligned_disjoint_in_order_and_inside(
            address: u32, prefix in 0_u8..=30, bits in prop::collection::vec(1_u8..=8, 1..6)
        ) {
            let range = Ipv4Net::new(address.into(), prefix).unwrap().trunc();
            let Ok(blocks) = cidrsubnets(range, &bits) else { return Ok(()) };
            prop_assert_eq!(blocks.len(), bits.len());
            for (block, more) in blocks.iter().zip(&bits) {
                prop_assert_eq!(block.prefix_len(), prefix + more);
                prop_assert_eq!(block.trunc(), *block);
                prop_assert!(range.contains(block));
            }
            for pair in blocks.windows(2) {
                prop_assert!(pair[0].broadcast() < pair[1].network());
            }
        }

        /// No block could have started earlier: the gap before it is smaller than the block.
        #[test]
        fn blocks_leave_no_room_before_them(bits in prop::collection::vec(1_u8..=8, 2..6)) {
            let range: Ipv4Net = "10.0.0.0/8".parse().unwrap();
            let Ok(blocks) = cidrsubnets(range, &bits) else { return Ok(()) };
            for pair in blocks.windows(2) {
                let gap = u32::from(pair[1].network()) - u32::from(pair[0].broadcast()) - 1;
                prop_assert!(gap < 1 << (32 - pair[1].prefix_len()));
            }
        }
    }
}
