//! The endpoints of a cluster: they connect clients to its writer and its reader, through the gate while IAM authentication is
//! on.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Weak};

use anyhow::Result;
use tokio::net::TcpStream;

use super::catalogue::Values;
use super::cluster_postgres::{ClusterPostgres, Reader};
use super::iam::{self, Door, Keeper};
use super::proxy::{Proxy, relay};

/// Opens the writer's endpoint at this address; port 0 is any free one.
pub(crate) async fn open(cluster: &Arc<ClusterPostgres>, keeper: Keeper, address: SocketAddr) -> Result<()> {
    cluster.sync_replication().await;
    let weak = Arc::downgrade(cluster);
    let admit = move |client| admit(weak.clone(), keeper.clone(), client, false);
    cluster.keep_endpoint(Proxy::start(address, admit).await?);
    Ok(())
}

/// Starts a streaming replica, reachable at 127.0.0.2 on the writer's port (as on Aurora, where reader and writer endpoint share
/// their port) or, if the machine has no such address, at 127.0.0.1 on its own port.
pub(crate) async fn start_reader(cluster: &Arc<ClusterPostgres>, keeper: Keeper, values: &Values) -> Result<Arc<Reader>> {
    if let Some(reader) = cluster.reader() {
        return Ok(reader);
    }
    let server = cluster.start_standby(values).await?;
    let weak = Arc::downgrade(cluster);
    let admit = move |client| admit(weak.clone(), keeper.clone(), client, true);
    let shared_port = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2)), cluster.port());
    let endpoint = match Proxy::start(shared_port, admit.clone()).await {
        Ok(endpoint) => endpoint,
        Err(_) => Proxy::start(SocketAddr::from(([127, 0, 0, 1], 0)), admit).await?,
    };
    Ok(cluster.keep_reader(server, endpoint))
}

/// Connects a client of one of the endpoints.
async fn admit(cluster: Weak<ClusterPostgres>, keeper: Keeper, client: TcpStream, is_reader: bool) {
    let Some(cluster) = cluster.upgrade() else { return };
    if !is_reader {
        cluster.sync_replication().await;
    }
    let door = {
        let reader = cluster.reader();
        let server = if is_reader { reader.as_ref().map(|reader| &reader.server) } else { Some(cluster.server()) };
        let Some(server) = server else { return };
        Door {
            socket: server.socket_dir().join(format!(".s.PGSQL.{}", server.port())),
            port: server.port(),
            data: server.data(),
            tls: cluster.ca_certificate().is_some(),
            direct_tls: server.major() >= 17,
            is_reader,
        }
    };
    if keeper.is_on() {
        iam::admit(client, cluster, &keeper, door).await;
    } else {
        // The session must not keep the cluster alive.
        drop(cluster);
        relay(client, door.port).await;
    }
}
