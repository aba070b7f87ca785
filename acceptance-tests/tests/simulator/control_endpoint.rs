//! The control endpoint, which other processes use over HTTP.

use acceptance_tests::simulator::{Call, Simulator};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::{sdk, simulator};

/// Status and body of one request.
async fn request(simulator: &Simulator, method: &str, path: &str, body: &Value) -> (u16, String) {
    let address = simulator.url().replace("http://", "");
    let body = body.to_string();
    let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

#[tokio::test]
async fn clusters_are_created_looked_at_and_deleted() {
    let simulator = simulator();
    let (status, body) = request(&simulator, "POST", "/_sim/clusters", &json!({ "identifier": "orders", "members": 1 })).await;
    assert_eq!(status, 200, "{body}");
    let created: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        created["members"],
        json!([{ "identifier": "orders-1", "writer": true, "status": "available", "parameter_group_status": "in-sync" }])
    );
    let (_, setting) = request(&simulator, "GET", "/_sim/clusters/orders/settings/rds.logical_replication", &Value::Null).await;
    assert_eq!(serde_json::from_str::<Value>(&setting).unwrap()["value"], "off");
    assert_eq!(request(&simulator, "POST", "/_sim/clusters", &json!({ "identifier": "orders" })).await.0, 400);
    assert_eq!(request(&simulator, "POST", "/_sim/clusters", &json!({ "identifier": "x", "unheard-of": 1 })).await.0, 422);
    let described = json!({ "identifier": "old", "engine_version": "11.9", "postgres": false });
    assert_eq!(request(&simulator, "POST", "/_sim/clusters", &described).await.0, 200);
    assert!(simulator.cluster("old").unwrap().server().is_err());

    let data = simulator.cluster("orders").unwrap().server().unwrap().data();
    assert_eq!(request(&simulator, "DELETE", "/_sim/clusters/orders", &Value::Null).await.0, 204);
    assert!(!data.exists());
    assert_eq!(request(&simulator, "GET", "/_sim/clusters/orders", &Value::Null).await.0, 404);
}

#[tokio::test]
async fn faults_are_ordered_and_calls_are_told() {
    let simulator = simulator();
    let fault = json!({ "action": "DescribeDBClusters", "fault": "throttling", "count": 1 });
    assert_eq!(request(&simulator, "POST", "/_sim/faults", &fault).await.0, 204);
    sdk(&simulator).describe_db_clusters().send().await.unwrap();
    let (_, body) = request(&simulator, "GET", "/_sim/calls", &Value::Null).await;
    let calls: Vec<Call> = serde_json::from_str(&body).unwrap();
    assert_eq!(calls, simulator.calls());
    assert_eq!(calls.iter().map(|call| call.error.as_deref()).collect::<Vec<_>>(), [Some("Throttling"), None]);
    assert_eq!(request(&simulator, "DELETE", "/_sim/calls", &Value::Null).await.0, 204);
    assert!(simulator.calls().is_empty());
}

#[tokio::test]
async fn secrets_roles_and_rotations_are_ordered() {
    let simulator = simulator();
    let answer = |(status, body): (u16, String)| {
        assert_eq!(status, 200, "{body}");
        serde_json::from_str::<Value>(&body).unwrap()
    };
    let put = json!({ "name": "s", "value": "one" });
    let arn = answer(request(&simulator, "POST", "/_sim/secrets", &put).await)["arn"].as_str().unwrap().to_owned();
    assert_eq!(simulator.secret(&arn).as_deref(), Some("one"));
    assert_eq!(request(&simulator, "DELETE", "/_sim/secrets", &json!({ "id": "s" })).await.0, 204);
    assert_eq!(simulator.secret("s"), None);
    let role = json!({ "name": "reader", "external_id": "x1" });
    let role = answer(request(&simulator, "POST", "/_sim/roles", &role).await);
    assert_eq!(role["arn"], "arn:aws:iam::123456789012:role/reader");
    assert_eq!(request(&simulator, "POST", "/_sim/time_of_day/advance", &json!({ "seconds": 60 })).await.0, 204);

    let managed = json!({ "identifier": "managed", "postgres": false, "managed_master_secret": true });
    answer(request(&simulator, "POST", "/_sim/clusters", &managed).await);
    let secret = simulator.cluster("managed").unwrap().master_secret_arn().unwrap();
    let before = simulator.secret(&secret).unwrap();
    answer(request(&simulator, "POST", "/_sim/clusters/managed/rotation", &Value::Null).await);
    assert_ne!(simulator.secret(&secret).unwrap(), before);
    let logins = answer(request(&simulator, "GET", "/_sim/clusters/managed/logins", &Value::Null).await);
    assert_eq!(logins, json!({ "accepted": [], "refused": [] }));
    let own = json!({ "identifier": "own", "postgres": false });
    answer(request(&simulator, "POST", "/_sim/clusters", &own).await);
    assert_eq!(request(&simulator, "POST", "/_sim/clusters/own/rotation", &Value::Null).await.0, 400);
}
