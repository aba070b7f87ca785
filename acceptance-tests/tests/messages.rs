//! The largest messages, and messages with false lengths, over the real socket: each is answered, and its cost in memory is
//! bounded by what was sent.

use std::fs;
use std::time::Duration;

use acceptance_tests::core_client::CoreClient;
use anyhow::{Context as _, Result, ensure};
use prost::Message as _;
use terraform_provider_clickpipes::proto::tfplugin6 as pb;
use tonic::{Code, Response, Status};

/// The largest message that the provider accepts, as Go providers do.
const LIMIT: usize = 256 << 20;
/// Time limit for any answer on a busy machine. It guards against answers that never come; their duration is not asserted.
const PATIENCE: Duration = Duration::from_secs(120);
const MIB: usize = 1 << 20;

/// A provider whose memory is watched.
struct Watched {
    core: CoreClient,
    schemas: pb::get_provider_schema::Response,
}

impl Watched {
    async fn start() -> Result<Self> {
        let mut core = CoreClient::start().await?;
        let schemas = core.provider.get_provider_schema(pb::get_provider_schema::Request {}).await?.into_inner();
        Ok(Self { core, schemas })
    }

    /// The most memory that the process has used since the last call, in bytes.
    fn peak(&self) -> Result<usize> {
        let pid = self.core.process.id();
        let status = fs::read_to_string(format!("/proc/{pid}/status")).context("this test needs Linux's /proc")?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
        fs::write(format!("/proc/{pid}/clear_refs"), "5").context("resetting the peak")?;
        peak.map(|peak: usize| peak << 10).context("no peak")
    }

    /// An object of the resource: `attribute` has these bytes for its value, and everything else is null.
    fn object(&self, type_name: &str, attribute: &str, value: &[u8]) -> Result<Option<pb::DynamicValue>> {
        let block = self.schemas.resource_schemas.get(type_name).and_then(|schema| schema.block.as_ref());
        let attributes = &block.context("no such resource")?.attributes;
        ensure!(attributes.iter().any(|known| known.name == attribute), "no {attribute} in {type_name}");
        let mut msgpack = vec![0xde];
        msgpack.extend(u16::try_from(attributes.len())?.to_be_bytes());
        for known in attributes {
            msgpack.extend([0xd9, u8::try_from(known.name.len())?]);
            msgpack.extend(known.name.as_bytes());
            if known.name == attribute { msgpack.extend(value) } else { msgpack.push(0xc0) }
        }
        Ok(Some(pb::DynamicValue { msgpack, json: Vec::new() }))
    }

    async fn answer<T>(&self, call: impl Future<Output = Result<Response<T>, Status>>) -> Result<Result<T, Status>> {
        let answer = tokio::time::timeout(PATIENCE, call).await.context("no answer")?;
        Ok(answer.map(Response::into_inner))
    }

    async fn validate(&self, type_name: &str, config: Option<pb::DynamicValue>) -> Result<Result<Vec<pb::Diagnostic>, Status>> {
        let request = validation(type_name, config);
        let answer = self.answer(self.core.provider.clone().validate_resource_config(request)).await?;
        Ok(answer.map(|answer| answer.diagnostics))
    }
}

fn validation(type_name: &str, config: Option<pb::DynamicValue>) -> pb::validate_resource_config::Request {
    let client_capabilities = Some(pb::ClientCapabilities { write_only_attributes_allowed: true, ..Default::default() });
    pb::validate_resource_config::Request { type_name: type_name.to_owned(), config, client_capabilities }
}

fn text(length: usize) -> Result<Vec<u8>> {
    Ok([&[0xdb][..], &u32::try_from(length)?.to_be_bytes(), &vec![b'x'; length]].concat())
}

/// A list of `length` members, each of which is `member`.
fn list(length: usize, member: &[u8]) -> Result<Vec<u8>> {
    Ok([&[0xdd][..], &u32::try_from(length)?.to_be_bytes(), &member.repeat(length)].concat())
}

const USER: &str = "clickpipes_replication_user";
const PUBLICATION: &str = "clickpipes_publication";

/// A password fills the message: the one argument that may be a text of any length.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_256_mib_is_taken_and_one_byte_more_is_refused() -> Result<()> {
    let watched = Watched::start().await?;
    let sized = |length: usize| Ok::<_, anyhow::Error>(validation(USER, watched.object(USER, "password_wo", &text(length)?)?));
    let around = sized(LIMIT - MIB)?.encoded_len() - (LIMIT - MIB);
    let fits = sized(LIMIT - around)?;
    assert_eq!(fits.encoded_len(), LIMIT);
    watched.peak()?;
    let diagnostics = watched.answer(watched.core.provider.clone().validate_resource_config(fits)).await??.diagnostics;
    let said: Vec<_> =
        diagnostics.iter().map(|diagnostic| (diagnostic.summary.as_str(), diagnostic.detail.len() < 1000)).collect();
    assert_eq!(said, [("Password version missing", true)], "it was read to its end, and is not repeated");
    let peak = watched.peak()?;
    assert!(peak < 5 * LIMIT, "{} MiB", peak / MIB);

    let too_large = sized(LIMIT - around + 1)?;
    let refusal = watched.answer(watched.core.provider.clone().validate_resource_config(too_large)).await?.unwrap_err();
    assert_eq!(refusal.code(), Code::OutOfRange, "{refusal:?}");
    assert!(refusal.message().contains("268435456"), "{refusal:?}");
    assert!(watched.peak()? < peak);
    // The process keeps running.
    assert!(watched.validate(PUBLICATION, watched.object(PUBLICATION, "name", &[0xc0])?).await?.is_ok());
    assert!(watched.core.close().await?.status.success());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn plans_and_states_of_256_mib_pass() -> Result<()> {
    let watched = Watched::start().await?;
    let length = LIMIT - MIB;
    watched.peak()?;
    let request = pb::plan_resource_change::Request {
        type_name: USER.to_owned(),
        config: watched.object(USER, "password_wo", &text(length)?)?,
        proposed_new_state: watched.object(USER, "name", &[0xa1, b'u'])?,
        ..Default::default()
    };
    let plan = watched.answer(watched.core.provider.clone().plan_resource_change(request)).await??;
    // The answer contains nothing of the password.
    assert!(plan.encoded_len() < 10_000, "{} bytes, {:?}", plan.encoded_len(), plan.diagnostics.first());
    let peak = watched.peak()?;
    assert!(peak < 5 * LIMIT, "{} MiB", peak / MIB);

    let json = format!("{{\"name\":\"p\",\"operations\":[\"{}\"]}}", "x".repeat(length)).into_bytes();
    let raw_state = Some(pb::RawState { json, ..Default::default() });
    let request = pb::upgrade_resource_state::Request { type_name: PUBLICATION.to_owned(), version: 0, raw_state };
    let answer = watched.answer(watched.core.provider.clone().upgrade_resource_state(request)).await??;
    assert_eq!(answer.diagnostics, []);
    assert!(answer.upgraded_state.context("no state")?.msgpack.len() > length);
    let peak = watched.peak()?;
    assert!(peak < 8 * LIMIT, "{} MiB", peak / MIB);
    assert!(watched.core.close().await?.status.success());
    Ok(())
}

/// The maximum cost of a message of a mebibyte, with any content: each byte may be a value, a fault with its place, or both.
const MOST_FOR_A_MIB: usize = 128 * MIB;

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_announces_more_than_it_holds_costs_nothing() -> Result<()> {
    let watched = Watched::start().await?;
    watched.peak()?;
    let idle = watched.peak()?;
    let heads: [&[u8]; 8] = [
        &[0xdd, 0xff, 0xff, 0xff, 0xff],
        &[0xdf, 0xff, 0xff, 0xff, 0xff],
        &[0xdb, 0xff, 0xff, 0xff, 0xff],
        &[0xc6, 0xff, 0xff, 0xff, 0xff],
        &[0xc9, 0xff, 0xff, 0xff, 0xff, 0x0c],
        &[0xdd, 0x7f, 0xff, 0xff, 0xff, 0x91],
        &[0xdf, 0x00, 0xff, 0xff, 0xff, 0xa0],
        &[0xc8, 0xff, 0xff, 0x0c],
    ];
    for (type_name, schema) in &watched.schemas.resource_schemas {
        for attribute in &schema.block.as_ref().context("no block")?.attributes {
            for head in heads {
                let value = watched.object(type_name, &attribute.name, head)?;
                let diagnostics = watched.validate(type_name, value.clone()).await??;
                ensure!(!diagnostics.is_empty(), "{type_name}.{} {head:02x?} is taken", attribute.name);
                let request = pb::plan_resource_change::Request {
                    type_name: type_name.clone(),
                    prior_state: value.clone(),
                    proposed_new_state: value.clone(),
                    config: value,
                    ..Default::default()
                };
                let plan = watched.answer(watched.core.provider.clone().plan_resource_change(request)).await??;
                ensure!(!plan.diagnostics.is_empty(), "{type_name}.{} {head:02x?} is planned", attribute.name);
            }
        }
    }
    let grown = watched.peak()?.saturating_sub(idle);
    assert!(grown < 32 * MIB, "{} MiB", grown / MIB);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mebibyte_of_anything_costs_a_bounded_multiple() -> Result<()> {
    let watched = Watched::start().await?;
    watched.peak()?;
    let idle = watched.peak()?;
    let names: Vec<u8> = (0..MIB / 16).flat_map(|number| [&[0xaa][..], format!("s.t{number:07}").as_bytes()].concat()).collect();
    let names = [&[0xdd][..], &u32::try_from(MIB / 16)?.to_be_bytes(), &names].concat();
    let values: [(&str, &str, Vec<u8>); 8] = [
        ("nulls", "tables", list(MIB, &[0xc0])?),
        ("unknowns", "tables", list(MIB / 3, &[0xd4, 0, 0])?),
        ("empty names", "tables", list(MIB, &[0xa0])?),
        ("the same name", "tables", list(MIB / 4, &[0xa3, b's', b'.', b't'])?),
        ("a name without a table", "tables", list(MIB / 2, &[0xa1, b's'])?),
        ("names", "tables", names),
        ("empty operations", "publish", list(MIB, &[0xa0])?),
        ("a long name", "tables", list(1, &text(MIB)?)?),
    ];
    for (what, attribute, value) in values {
        let value = watched.object(PUBLICATION, attribute, &value)?;
        let diagnostics = watched.validate(PUBLICATION, value).await??;
        // However much is wrong, the message stays readable.
        assert!(diagnostics.len() < 250, "{what}: {} diagnostics", diagnostics.len());
        let said: usize = diagnostics.iter().map(pb::Diagnostic::encoded_len).sum();
        assert!(said < MIB, "{what}: {said} bytes are said");
        let grown = watched.peak()?.saturating_sub(idle);
        println!("{what}: {} MiB", grown / MIB);
        assert!(grown < MOST_FOR_A_MIB, "{what}: {} MiB", grown / MIB);
    }
    let states: [(&str, String); 5] = [
        ("numbers", format!("{{\"gone\":[0{}]}}", ",0".repeat(MIB / 2))),
        ("maps", format!("{{\"gone\":[{{}}{}]}}", ",{}".repeat(MIB / 3))),
        ("nulls of a list", format!("{{\"tables\":[null{}]}}", ",null".repeat(MIB / 5))),
        ("a nest", "{\"gone\":".to_owned() + &"[".repeat(MIB)),
        (
            "attributes",
            format!("{{{}\"name\":\"p\"}}", (0..MIB / 16).map(|number| format!("\"a{number:08}\":0,")).collect::<String>()),
        ),
    ];
    for (what, json) in states {
        let raw_state = Some(pb::RawState { json: json.into_bytes(), ..Default::default() });
        let request = pb::upgrade_resource_state::Request { type_name: PUBLICATION.to_owned(), version: 0, raw_state };
        watched.answer(watched.core.provider.clone().upgrade_resource_state(request)).await??;
        let grown = watched.peak()?.saturating_sub(idle);
        println!("{what}: {} MiB", grown / MIB);
        assert!(grown < MOST_FOR_A_MIB, "{what}: {} MiB", grown / MIB);
    }
    assert!(watched.core.close().await?.status.success());
    Ok(())
}
