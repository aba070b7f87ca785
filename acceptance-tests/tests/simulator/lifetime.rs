//! Nothing is left behind.

use std::io::BufRead;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use acceptance_tests::simulator::ClusterSpec;

use crate::simulator;

fn is_running(pid: &str) -> bool {
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid.parse().unwrap()), None).is_ok()
}

fn postmaster(data: &Path) -> String {
    std::fs::read_to_string(data.join("postmaster.pid")).unwrap().lines().next().unwrap().to_owned()
}

#[tokio::test]
async fn dropping_a_simulator_ends_its_servers_and_removes_their_folders() {
    let simulator = simulator();
    let cluster = simulator.create_cluster(ClusterSpec::new("orders")).await.unwrap();
    cluster.start_reader().await.unwrap();
    let data = cluster.server().unwrap().data();
    let pid = postmaster(&data);
    assert!(is_running(&pid));
    // The handle still exists; its simulator does not.
    drop(simulator);
    assert!(!is_running(&pid));
    assert!(!data.exists());
    assert!(cluster.admin("postgres").await.is_err());
}

#[test]
fn killing_the_program_ends_its_servers_and_removes_their_folders() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_aurora-sim"))
        .args(["--port", "0", "--cluster", "orders"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = std::io::BufReader::new(program.stdout.take().unwrap()).lines().map_while(Result::ok);
    let log = lines.filter_map(|line| line.split_once("log ").map(|(_, path)| path.to_owned())).next().unwrap();
    let folder = Path::new(&log).parent().unwrap().to_owned();
    let pid = postmaster(&folder.join("data"));
    program.kill().unwrap();
    program.wait().unwrap();
    while folder.exists() || is_running(&pid) {
        std::thread::sleep(Duration::from_millis(20));
    }
}
