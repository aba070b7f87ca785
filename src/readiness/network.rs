//! The verdict on whether the pipe's addresses are let in. Pure.

use std::net::IpAddr;

use super::check::{Verdicts, fail, judge, listed, skip};
use super::facts::{Block, Facts, Rule};

/// The verdict.
pub(super) fn verdicts(facts: &Facts) -> Verdicts {
    let verdict = match &facts.pipe.rules {
        Some(rules) if !facts.pipe.addresses.is_empty() => {
            let port = facts.port;
            let is_let_in = |block: &&Block| rules.iter().any(|rule| rule.admits(block, port));
            let shut: Vec<String> =
                facts.pipe.addresses.iter().filter(|block| !is_let_in(block)).map(|block| block.to_string()).collect();
            judge(shut.is_empty(), format!("All addresses of the pipe may connect to port {port}."), || {
                let blocks = shut.iter().map(|block| format!("{block:?}")).collect::<Vec<_>>().join(", ");
                let rule = format!(
                    "ingress {{\n  protocol    = \"tcp\"\n  from_port   = {port}\n  to_port     = {port}\n  cidr_blocks = [{blocks}]\n}}"
                );
                fail(format!("The security group does not let in these addresses on port {port}: {}.", listed(&shut)), rule)
            })
        }
        _ => skip("security_group_ingress and egress_ips are not both given."),
    };
    Verdicts::from([("net.sg_allows", verdict)])
}

impl Rule {
    fn admits(&self, block: &Block, port: u16) -> bool {
        self.is_tcp && self.ports.contains(&port.into()) && self.blocks.iter().any(|own| own.contains(block))
    }
}

impl Block {
    fn contains(&self, other: &Self) -> bool {
        let shifted = |address: IpAddr, width: u32| {
            let number = match address {
                IpAddr::V4(address) => u128::from(u32::from(address)),
                IpAddr::V6(address) => u128::from(address),
            };
            let rest = width.saturating_sub(self.length.into());
            number.checked_shr(rest).unwrap_or(0)
        };
        let width = if self.address.is_ipv4() { 32 } else { 128 };
        self.address.is_ipv4() == other.address.is_ipv4()
            && self.length <= other.length
            && shifted(self.address, width) == shifted(other.address, width)
    }
}

impl std::fmt::Display for Block {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

/// A text that is no block of addresses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is neither an address nor a block of addresses such as 203.0.113.0/24")]
pub(crate) struct InvalidBlock {
    text: String,
}

impl std::str::FromStr for Block {
    type Err = InvalidBlock;

    fn from_str(text: &str) -> Result<Self, InvalidBlock> {
        let invalid = || InvalidBlock { text: text.to_owned() };
        let (address, length) = text.split_once('/').map_or((text, None), |(address, length)| (address, Some(length)));
        let address: IpAddr = address.parse().map_err(|_| invalid())?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let length = length.map_or(Ok(width), str::parse).map_err(|_| invalid())?;
        if length <= width { Ok(Self { address, length }) } else { Err(invalid()) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::Status;
    use super::super::fixture::fit;
    use super::*;

    fn block(text: &str) -> Block {
        text.parse().unwrap()
    }

    #[test]
    fn a_block_contains_what_begins_like_it() {
        for (outer, inner, expected) in [
            ("10.0.0.0/8", "10.1.2.3", true),
            ("10.0.0.0/8", "11.1.2.3", false),
            ("10.1.2.3/32", "10.1.2.0/24", false),
            ("0.0.0.0/0", "203.0.113.7", true),
            ("::/0", "203.0.113.7", false),
            ("2001:db8::/32", "2001:db8:1::1", true),
        ] {
            assert_eq!(block(outer).contains(&block(inner)), expected, "{outer} {inner}");
        }
        for invalid in ["", "10.0.0.0/33", "10.0.0", "10.0.0.0/-1", "x/8", "10.0.0.0/"] {
            assert!(invalid.parse::<Block>().is_err(), "{invalid}");
        }
    }

    #[test]
    fn every_address_needs_a_rule_with_its_port() {
        let status = |ports, is_tcp, outer: &str| {
            let mut facts = fit();
            facts.pipe.addresses = vec![block("203.0.113.7"), block("203.0.113.8")];
            facts.pipe.rules = Some(vec![Rule { blocks: vec![block(outer)], ports, is_tcp }]);
            verdicts(&facts).remove("net.sg_allows").unwrap()
        };
        assert_eq!(status(5432..=5432, true, "203.0.113.0/24").status, Status::Pass);
        assert_eq!(status(0..=65535, true, "0.0.0.0/0").status, Status::Pass);
        assert_eq!(status(5432..=5432, false, "0.0.0.0/0").status, Status::Fail);
        assert_eq!(status(443..=443, true, "0.0.0.0/0").status, Status::Fail);
        let one = status(5432..=5432, true, "203.0.113.7/32");
        assert!(one.message.ends_with("5432: 203.0.113.8/32."), "{one:?}");
    }
}
