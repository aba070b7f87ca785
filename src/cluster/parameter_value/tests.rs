use super::super::allowed_values::{items, permits};
use super::*;

/// The parameters of every family, as the tests' simulator has them: name, kind, allowed values, default, first and last major.
fn catalogue() -> Vec<(&'static str, Kind, &'static str, &'static str)> {
    let lines = include_str!("../../../acceptance-tests/src/simulator/catalogue.txt").lines();
    let decode = |line: &'static str| {
        let fields: Vec<&'static str> = line.split('|').map(str::trim).collect();
        let [name, _, data_type, allowed, default, ..] = fields[..] else { panic!("{line}") };
        (name, Kind::of(Some(data_type), Some(allowed)), allowed, default)
    };
    let found: Vec<_> = lines.filter(|line| !line.starts_with('#')).map(decode).collect();
    assert!(found.len() > 70, "{}", found.len());
    found
}

/// Ways to write a value that AWS allows, beside its own.
fn spellings(parameter: &str, kind: Kind, value: &str) -> Vec<String> {
    let mut all = vec![value.to_owned()];
    match kind {
        Kind::Text => {}
        Kind::Word => all.push(value.to_uppercase()),
        Kind::List => all.push(value.replace(',', ", ").to_uppercase()),
        Kind::Switch if value == "1" => all.extend(["on", "ON", "true", "t", "yes", " 1"].map(str::to_owned)),
        Kind::Switch => all.extend(["off", "Off", "false", "no", "0 "].map(str::to_owned)),
        Kind::Number => {
            all.extend([format!("{value}.0"), format!(" {value}")]);
            let unit = UNITS.get(parameter).copied().filter(|unit| *unit != "8kB");
            all.extend(unit.map(|unit| format!("{value} {unit}")));
            let divisible = |by: i64| value.parse::<i64>().ok().filter(|number| number % by == 0).map(|number| number / by);
            match unit {
                Some("ms") => all.extend(divisible(1000).map(|seconds| format!("{seconds}s"))),
                Some("s") => all.extend(divisible(60).map(|minutes| format!("{minutes}min"))),
                Some("kB") => all.extend(divisible(1024).map(|mebibytes| format!("{mebibytes}MB"))),
                _ => {}
            }
        }
    }
    all
}

/// Values that AWS allows, no two of which mean the same.
fn values(kind: Kind, allowed: &'static str) -> Vec<String> {
    let listed: Vec<&str> = items(allowed).filter(|item| !item.is_empty()).collect();
    match kind {
        Kind::Number => {
            let separator = allowed.char_indices().skip(1).find(|(_, c)| *c == '-').map_or(allowed.len(), |(at, _)| at);
            let (low, high) = (&allowed[..separator], allowed.get(separator + 1..).unwrap_or_default());
            let low: i64 = low.parse().unwrap_or(0);
            [low, low + 1, 60_000, 61_440, high.parse().unwrap_or(7)].map(|number| number.to_string()).to_vec()
        }
        Kind::List => vec![listed[..2].join(","), listed[0].to_owned(), listed.join(",")],
        Kind::Text => ["a", "A", "1", "on", "a b"].map(str::to_owned).to_vec(),
        Kind::Switch | Kind::Word => listed.into_iter().map(str::to_owned).collect(),
    }
}

#[test]
fn values_are_equal_by_meaning_in_the_catalogue_of_every_family() {
    for (name, kind, allowed, default) in catalogue() {
        let mut values = values(kind, allowed);
        values.sort();
        values.dedup();
        for (index, value) in values.iter().enumerate() {
            for spelling in spellings(name, kind, value) {
                assert!(same(name, kind, value, &spelling) && same(name, kind, &spelling, value), "{name}: {value} {spelling}");
                let sent = notation(name, kind, &spelling);
                assert!(same(name, kind, &sent, value), "{name}: {spelling} is sent as {sent}");
                assert_eq!(notation(name, kind, &sent), sent, "{name}");
                let in_range = value == "60000" || value == "61440";
                assert!(in_range || permits(allowed, kind, &sent), "{name}: {sent} of {allowed}");
                for other in values.iter().skip(index + 1) {
                    assert!(!same(name, kind, &spelling, other), "{name}: {spelling} {other}");
                }
            }
        }
        // A default is never a reason for a change.
        if default != "-" {
            assert!(same(name, kind, default, default) && notation(name, kind, default) == default, "{name}: {default}");
            assert!(allowed.is_empty() || permits(allowed, kind, default), "{name}: {default} of {allowed}");
        }
    }
}

#[test]
fn units_are_those_of_the_parameter_and_their_case_matters() {
    let number = |name: &str, text: &str| notation(name, Kind::Number, text);
    assert_eq!(number("wal_sender_timeout", "1min"), "60000");
    assert_eq!(number("wal_sender_timeout", "1.5 s"), "1500");
    assert_eq!(number("shared_buffers", "128MB"), "16384");
    assert_eq!(number("idle_in_transaction_session_timeout", "1d"), "86400000");
    assert_eq!(number("max_slot_wal_keep_size", "10GB"), "10240");
    // Unknown to PostgreSQL: they are refused as they are.
    for (name, text) in [("wal_sender_timeout", "1MIN"), ("wal_sender_timeout", "1MB"), ("max_wal_senders", "1min")] {
        assert_eq!(number(name, text), text);
        assert!(!permits("0-3600000", Kind::Number, text), "{text}");
    }
    assert!(!same("max_wal_senders", Kind::Number, "010", "10"), "this is 8");
    assert!(same("random_page_cost", Kind::Number, "1.10", "1.1"));
}

#[test]
fn a_text_is_compared_as_it_is() {
    assert!(!same("application_name", Kind::Text, "Shop", "shop"));
    assert!(!same("application_name", Kind::Text, "1", "on"));
    assert!(same("wal_compression", Kind::Word, "on", "true") && !same("wal_compression", Kind::Word, "on", "lz4"));
    assert_eq!(Kind::of(None, Some("0-1")), Kind::Switch);
    assert_eq!(Kind::of(None, Some("5-100")), Kind::Number);
    assert_eq!(Kind::of(None, Some("TLSv1.2,TLSv1.3")), Kind::Word);
}
