//! An IAM policy of the caller, as JSON: statements that allow actions on ARNs, both with wildcards. Everything else is denied.

use serde::Deserialize;

use super::account::ACCOUNT;
use super::error::ApiError;
use super::identities::Identities;
use super::request::Request;
use super::service::Service;

/// An identity-based policy.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(crate) struct PolicyDocument {
    #[serde(rename = "Version")]
    _version: Version,
    statement: Vec<Statement>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
enum Version {
    #[serde(rename = "2012-10-17")]
    Current,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Statement {
    #[serde(default, rename = "Sid")]
    _sid: String,
    #[serde(rename = "Effect")]
    _effect: Effect,
    action: OneOrMore,
    resource: OneOrMore,
}

/// Denials and conditions are not simulated.
#[derive(Debug, Clone, Copy, Deserialize)]
enum Effect {
    Allow,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl OneOrMore {
    fn any(&self, matches: impl Fn(&str) -> bool) -> bool {
        match self {
            Self::One(pattern) => matches(pattern),
            Self::More(patterns) => patterns.iter().any(|pattern| matches(pattern)),
        }
    }
}

impl PolicyDocument {
    /// Refuses a call that is not allowed, with the action and the ARN in AWS's words.
    pub(crate) fn admit(&self, identities: &Identities, request: &Request) -> Result<(), ApiError> {
        for (action, arn) in needed(request) {
            let is_allowed = self.statement.iter().any(|statement| {
                // Actions are compared without case, ARNs with it.
                let acts = |pattern: &str| matches(&pattern.to_lowercase(), &action.to_lowercase());
                statement.action.any(acts) && statement.resource.any(|pattern| matches(pattern, &arn))
            });
            if !is_allowed {
                let caller = identities.caller(request.access_key.as_deref().unwrap_or_default()).0;
                return Err(ApiError::not_allowed(request.service, &caller, &action, &arn));
            }
        }
        Ok(())
    }
}

/// The actions that a call needs, each with the ARN that it must be allowed on. GetCallerIdentity needs none.
fn needed(request: &Request) -> Vec<(String, String)> {
    let action = format!("{}:{}", request.service.name(), request.action);
    match request.service {
        Service::Sts if request.action == "GetCallerIdentity" => Vec::new(),
        Service::Sts => vec![(action, request.get("RoleArn").unwrap_or("*").to_owned())],
        Service::SecretsManager => vec![(action, request.get("SecretId").unwrap_or("*").to_owned())],
        Service::Rds => of_rds(request, action),
    }
}

fn of_rds(request: &Request, action: String) -> Vec<(String, String)> {
    let arn = |kind: &str, parameter: &str| {
        // Without a name, a call is about all objects of the kind, whatever it filters by.
        let name = request.get(parameter).unwrap_or("*");
        if name.starts_with("arn:") {
            return name.to_owned();
        }
        format!("arn:aws:rds:{}:{ACCOUNT}:{kind}:{}", request.region, name.to_lowercase())
    };
    let cluster = || arn("cluster", "DBClusterIdentifier");
    let instance = || arn("db", "DBInstanceIdentifier");
    let group = || arn("cluster-pg", "DBClusterParameterGroupName");
    let names_group = request.get("DBClusterParameterGroupName").is_some();
    let of = |arn: String| (action.clone(), arn);
    match request.action.as_str() {
        "DescribeDBEngineVersions" | "DescribeEngineDefaultClusterParameters" => vec![of("*".to_owned())],
        "DescribeGlobalClusters" => vec![of(format!("arn:aws:rds::{ACCOUNT}:global-cluster:*"))],
        "ListTagsForResource" | "AddTagsToResource" | "RemoveTagsFromResource" => {
            vec![of(request.get("ResourceName").unwrap_or("*").to_owned())]
        }
        "CreateDBInstance" => vec![of(instance()), of(cluster())],
        name if name.contains("DBInstance") => vec![of(instance())],
        name if name.contains("ClusterParameter") => {
            let tags = ("rds:AddTagsToResource".to_owned(), group());
            let is_tagged = name.starts_with("Create") && !request.list("Tags").is_empty();
            [of(group())].into_iter().chain(is_tagged.then_some(tags)).collect()
        }
        _ if names_group => vec![of(cluster()), of(group())],
        _ => vec![of(cluster())],
    }
}

/// Whether the text is one that the pattern means: `*` is any text, `?` any character.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.chars().next() {
        None => text.is_empty(),
        Some('*') => {
            let rest = &pattern[1..];
            text.char_indices().map(|(at, _)| at).chain([text.len()]).any(|at| matches(rest, &text[at..]))
        }
        Some(expected) => {
            let mut found = text.chars();
            found.next().is_some_and(|found| expected == '?' || expected == found)
                && matches(&pattern[expected.len_utf8()..], found.as_str())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::service::Signature;

    fn admit(policy: &str, body: &str) -> Result<(), String> {
        let policy: PolicyDocument = serde_json::from_str(policy).unwrap();
        let request = Request::decode(Service::Rds, body.as_bytes(), &Signature::default(), "us-east-1").unwrap();
        policy
            .admit(&Identities::default(), &request)
            .map_err(|error| format!("{} {}: {}", error.status, error.code, error.message))
    }

    #[test]
    fn only_what_is_allowed_passes_and_the_refusal_has_the_words_of_aws() {
        let policy = r#"{ "Version": "2012-10-17", "Statement": [
            { "Effect": "Allow", "Action": ["rds:Describe*", "rds:modifydbcluster"], "Resource": "arn:aws:rds:*:123456789012:cluster:shop-*" },
            { "Sid": "Groups", "Effect": "Allow", "Action": "rds:*DBClusterParameterGroup", "Resource": ["arn:aws:rds:us-east-?:*:cluster-pg:own"] }
        ] }"#;
        let allowed = [
            "Action=DescribeDBClusters&DBClusterIdentifier=SHOP-1",
            "Action=ModifyDBCluster&DBClusterIdentifier=shop-1",
            "Action=CreateDBClusterParameterGroup&DBClusterParameterGroupName=own",
        ];
        for body in allowed {
            assert_eq!(admit(policy, body), Ok(()), "{body}");
        }
        let user = "arn:aws:iam::123456789012:user/simulated";
        for (body, action, arn) in [
            ("Action=DescribeDBClusters", "rds:DescribeDBClusters", "arn:aws:rds:us-east-1:123456789012:cluster:*"),
            (
                "Action=ModifyDBCluster&DBClusterIdentifier=shop-1&DBClusterParameterGroupName=own",
                "rds:ModifyDBCluster",
                "arn:aws:rds:us-east-1:123456789012:cluster-pg:own",
            ),
            (
                "Action=CreateDBClusterParameterGroup&DBClusterParameterGroupName=own&Tags.Tag.1.Key=a",
                "rds:AddTagsToResource",
                "arn:aws:rds:us-east-1:123456789012:cluster-pg:own",
            ),
            ("Action=DescribeDBEngineVersions", "rds:DescribeDBEngineVersions", "*"),
        ] {
            let refused = format!(
                "403 AccessDenied: User: {user} is not authorized to perform: {action} on resource: {arn} because no identity-based policy allows the {action} action"
            );
            assert_eq!(admit(policy, body), Err(refused), "{body}");
        }
    }

    #[test]
    fn what_is_not_simulated_is_no_policy() {
        for policy in [
            r#"{ "Version": "2012-10-17", "Statement": [{ "Effect": "Deny", "Action": "*", "Resource": "*" }] }"#,
            r#"{ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {} }] }"#,
        ] {
            assert!(serde_json::from_str::<PolicyDocument>(policy).is_err(), "{policy}");
        }
    }
}
