//! Lists whose order has no meaning: compared as sets, kept in the order the practitioner wrote.

use std::collections::BTreeSet;

use super::Value;

/// True when both hold the same members, in any order. Lists that hold unknown members are never the same.
#[must_use]
pub fn same_members(one: &Value, other: &Value) -> bool {
    let (Value::List(one), Value::List(other)) = (one, other) else { return false };
    if one.len() != other.len() || one.iter().chain(other).any(Value::contains_unknown) {
        return false;
    }
    let mut one: Vec<&Value> = one.iter().collect();
    let mut other: Vec<&Value> = other.iter().collect();
    one.sort();
    other.sort();
    one == other
}

/// What Read reports for such a list: `prior`'s order, without what is gone, then what is new, sorted.
#[must_use]
pub fn keep_order(prior: &[String], observed: &BTreeSet<String>) -> Vec<String> {
    let known: BTreeSet<&String> = prior.iter().collect();
    let kept = prior.iter().filter(|name| observed.contains(*name));
    kept.chain(observed.iter().filter(|name| !known.contains(name))).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(names: &[&str]) -> Value {
        Value::List(names.iter().map(|name| Value::from(*name)).collect())
    }

    #[test]
    fn another_order_is_the_same_list() {
        assert!(same_members(&strings(&["a", "b"]), &strings(&["b", "a"])));
        assert!(!same_members(&strings(&["a", "a"]), &strings(&["a", "b"])));
        assert!(!same_members(&strings(&["a"]), &Value::Null));
        assert!(!same_members(&Value::List(vec![Value::Unknown]), &Value::List(vec![Value::Unknown])));
    }

    #[test]
    fn read_keeps_the_written_order_and_appends_what_is_new() {
        let prior = ["c", "gone", "a"].map(str::to_owned);
        let observed = ["a", "z", "b", "c"].map(str::to_owned).into();
        assert_eq!(keep_order(&prior, &observed), ["c", "a", "b", "z"]);
    }
}
