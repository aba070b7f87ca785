//! A broken rule as core reports it: a summary, and a detail that names the object.

use std::fmt;

use super::super::path::Path;
use super::Problem;
use super::action::Action;

const BUG: &str = "This is a bug in the provider, which should be reported in the provider's own issue tracker.";
const INVALID_PLAN: &str = "Provider produced invalid plan";
const INVALID_OBJECT: &str = "Provider produced invalid object";
const INVALID_RESULT: &str = "Provider returned invalid result object after apply";
const INVALID_UPGRADE: &str = "Invalid resource state upgrade";
const FINAL_PLAN: &str = "Provider produced inconsistent final plan";
const WRITE_ONLY: &str = "Write-only attributes cannot be read back from the provider.";

/// A broken rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The title.
    pub summary: String,
    /// What, where.
    pub detail: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.summary, self.detail)
    }
}

impl Violation {
    pub(in super::super) fn new(summary: &str, detail: impl Into<String>) -> Self {
        Self { summary: summary.to_owned(), detail: detail.into() }
    }

    pub(in super::super) fn invalid_plan(address: &str, problem: &Problem) -> Self {
        let separator = if problem.path == Path::root() { ": " } else { "" };
        Self::new(INVALID_PLAN, format!("Provider planned an invalid value for {address}{separator}{problem}. {BUG}"))
    }

    pub(in super::super) fn write_only_planned(address: &str, path: &Path) -> Self {
        let detail =
            format!("Provider returned a value for the write-only attribute \"{address}{path}\" during planning. {WRITE_ONLY}");
        Self::new(INVALID_PLAN, detail)
    }

    pub(in super::super) fn destroy_planned(address: &str) -> Self {
        Self::new(INVALID_PLAN, format!("Provider planned a non-null destroy value for {address}. {BUG}"))
    }

    pub(in super::super) fn replacement(address: &str, path: &Path) -> Self {
        let detail = format!(
            "Provider has indicated \"requires replacement\" on {address} for a non-existent attribute path {path}. {BUG}"
        );
        Self::new(INVALID_PLAN, detail)
    }

    pub(in super::super) fn final_value(address: &str, problem: &Problem) -> Self {
        let detail = format!(
            "When expanding the plan for {address} to include new values learned so far during apply, provider produced an invalid new \
             value for {problem}. {BUG}"
        );
        Self::new(FINAL_PLAN, detail)
    }

    pub(in super::super) fn final_action(address: &str, planned: Action, now: Action) -> Self {
        let detail = format!(
            "When expanding the plan for {address} to include new values learned so far during apply, provider changed the planned \
             action from {planned} to {now}. {BUG}"
        );
        Self::new(FINAL_PLAN, detail)
    }

    pub(in super::super) fn inconsistent_result(address: &str, problem: &Problem) -> Self {
        let detail = format!("When applying changes to {address}, provider produced an unexpected new value: {problem}. {BUG}");
        Self::new("Provider produced inconsistent result after apply", detail)
    }

    pub(in super::super) fn unknown_result(address: &str, path: &Path) -> Self {
        let detail = format!(
            "After the apply operation, the provider still indicated an unknown value for {address}{path}. All values must be known \
             after apply."
        );
        Self::new(INVALID_RESULT, detail)
    }

    pub(in super::super) fn null_result(address: &str, action: Action) -> Self {
        let detail = format!(
            "After applying a {action} plan, the provider returned a null object for {address}. Only destroying should always produce \
             a null value."
        );
        Self::new(INVALID_RESULT, detail)
    }

    pub(in super::super) fn object_left(address: &str) -> Self {
        let detail = format!(
            "After applying a Delete plan, the provider returned a non-null object for {address}. Destroying should always produce a \
             null value."
        );
        Self::new(INVALID_RESULT, detail)
    }

    pub(in super::super) fn write_only_stored(address: &str, path: &Path, when: &str) -> Self {
        let detail = format!("Provider returned a value for the write-only attribute \"{address}{path}\" {when}. {WRITE_ONLY}");
        Self::new(INVALID_OBJECT, detail)
    }

    pub(in super::super) fn unknown_read(address: &str, path: &Path) -> Self {
        let detail = format!(
            "Provider produced an invalid value for {address} during refresh: {path}: the returned state contains unknown values"
        );
        Self::new(INVALID_OBJECT, detail)
    }

    pub(in super::super) fn upgrade(address: &str, problem: &Problem) -> Self {
        let detail = format!(
            "The provider upgraded the state for {address} from a previous version, but produced an invalid result: {problem}."
        );
        Self::new(INVALID_UPGRADE, detail)
    }

    pub(in super::super) fn deferred(address: &str) -> Self {
        let detail = format!(
            "The provider signaled a deferred action for \"{address}\", but in this context deferrals are disabled. {BUG}"
        );
        Self::new("Provider deferred changes when Terraform did not allow deferrals", detail)
    }

    pub(in super::super) fn legacy(address: &str) -> Self {
        let detail = format!("The answer about {address} asks for the tolerance that only providers on a legacy SDK need.");
        Self::new("Provider claims the legacy type system", detail)
    }

    pub(in super::super) fn private_lost(address: &str, when: &str) -> Self {
        Self::new("Provider lost private data", format!("The private data of {address} came back empty {when}."))
    }

    pub(in super::super) fn absent(address: &str, when: &str) -> Self {
        let detail = format!(
            "The answer about {address} has no state at all {when}. Terraform takes that for null and forgets the object; what is gone \
             must be said in so many words, by a nil."
        );
        Self::new("Provider gave no state", detail)
    }

    pub(in super::super) fn undecodable(address: &str, when: &str, error: &str) -> Self {
        Self::new("Plugin error", format!("The state of {address} cannot be decoded {when}: {error}"))
    }

    pub(in super::super) fn severity(address: &str, summary: &str) -> Self {
        let detail = format!("\"{summary}\" for {address} is neither an error nor a warning, and nobody would see it.");
        Self::new("Diagnostic without a severity", detail)
    }
}
