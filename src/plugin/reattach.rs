//! The line that attaches Terraform to a provider that was started by hand.

use serde_json::json;

use super::protocol::PROTOCOL_VERSION;

/// Without a host name, so that Terraform and OpenTofu each complete it with their own registry.
const SOURCE_ADDRESS: &str = "clickpipes/clickpipes";

/// A shell assignment of `TF_REATTACH_PROVIDERS` for the provider that listens on `socket`.
pub(super) fn assignment(socket: &str, pid: u32) -> String {
    let providers = json!({
        SOURCE_ADDRESS: {
            "Protocol": "grpc",
            "ProtocolVersion": PROTOCOL_VERSION,
            "Pid": pid,
            // "Leave it running when you are done."
            "Test": true,
            "Addr": { "Network": "unix", "String": socket },
        }
    });
    format!("TF_REATTACH_PROVIDERS='{}'", providers.to_string().replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_assignment_survives_a_shell() {
        assert_eq!(
            assignment("/tmp/o'neil/p.sock", 7),
            "TF_REATTACH_PROVIDERS='{\"clickpipes/clickpipes\":{\"Addr\":{\"Network\":\"unix\",\"String\":\"/tmp/o'\\''neil/p.sock\"},\
             \"Pid\":7,\"Protocol\":\"grpc\",\"ProtocolVersion\":6,\"Test\":true}}'"
        );
    }
}
