//! What Aurora PostgreSQL does differently by version. Pure.

/// A version of the engine, such as 16.4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version {
    pub(crate) major: u32,
    pub(crate) minor: u32,
}

/// The minor versions of PostgreSQL whose logical decoding may ask for more memory than there can be; the next one has the fix.
const GREEDY: [(u32, u32); 5] = [(13, 21), (14, 18), (15, 13), (16, 9), (17, 5)];

/// A known fault of logical decoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DecodingFault {
    /// The error that it ends with.
    pub(crate) error: &'static str,
    /// The version that has the fix.
    pub(crate) fixed: Version,
}

impl Version {
    /// The version that the text begins with (`16.4`, `16.4-limitless`).
    pub(crate) fn of(text: &str) -> Option<Self> {
        let mut numbers = text.split(['.', '-']);
        let major = numbers.next()?.parse().ok()?;
        let minor = numbers.next().and_then(|minor| minor.parse().ok()).unwrap_or(0);
        Some(Self { major, minor })
    }

    /// Whether it is at least the given minor version of its major; for a major without one, whether it is later than all of them.
    fn has(self, since: &[(u32, u32)]) -> bool {
        let first = since.iter().find(|(major, _)| *major == self.major);
        let latest = since.iter().map(|(major, _)| *major).max().unwrap_or(0);
        first.map_or(self.major > latest, |(_, minor)| self.minor >= *minor)
    }

    /// Whether readers keep running while the writer restarts
    /// (AWS, "Rebooting an Amazon Aurora DB cluster with read availability").
    pub(crate) fn keeps_readers(self) -> bool {
        self.has(&[(12, 14), (13, 10), (14, 7), (15, 2)])
    }

    /// Whether the readers in the secondary regions of a global database keep running while the writer of the primary restarts.
    pub(crate) fn keeps_secondaries(self) -> bool {
        self.has(&[(12, 16), (13, 12), (14, 9), (15, 4)])
    }

    /// Whether a cluster with Babelfish has logical replication.
    pub(crate) fn replicates_babelfish(self) -> bool {
        self.has(&[(15, 7), (16, 3)])
    }

    /// A known fault of its logical decoding.
    pub(crate) fn decoding_fault(self) -> Option<DecodingFault> {
        let fixed = Self { minor: self.minor + 1, ..self };
        if (self.major, self.minor) == (16, 1) {
            return Some(DecodingFault { error: "could not map filenumber", fixed });
        }
        let is_greedy = GREEDY.contains(&(self.major, self.minor));
        is_greedy.then_some(DecodingFault { error: "invalid memory alloc request size", fixed })
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        Version::of(text).unwrap()
    }

    #[test]
    fn a_version_is_read_from_its_beginning() {
        assert_eq!(version("16.4-limitless"), Version { major: 16, minor: 4 });
        assert_eq!(version("17"), Version { major: 17, minor: 0 });
        assert_eq!(Version::of("serverless"), None);
    }

    #[test]
    fn each_fact_begins_with_its_minor_versions_and_holds_in_later_majors() {
        let holds = |fact: fn(Version) -> bool, texts: &[&str]| texts.iter().map(|text| fact(version(text))).collect::<Vec<_>>();
        let (old, new) = (["11.21", "12.13", "13.9", "14.6", "15.1"], ["12.14", "13.10", "14.7", "15.2", "16.1", "17.4", "18.3"]);
        assert!(!holds(Version::keeps_readers, &old).contains(&true) && !holds(Version::keeps_readers, &new).contains(&false));
        let (old, new) = (["11.21", "12.15", "13.11", "14.8", "15.3"], ["12.16", "13.12", "14.9", "15.4", "16.1", "17.4"]);
        assert!(
            !holds(Version::keeps_secondaries, &old).contains(&true) && !holds(Version::keeps_secondaries, &new).contains(&false)
        );
        let (old, new) = (["13.18", "14.15", "15.6", "16.2"], ["15.7", "15.12", "16.3", "17.4"]);
        assert!(!holds(Version::replicates_babelfish, &old).contains(&true));
        assert!(!holds(Version::replicates_babelfish, &new).contains(&false));
    }

    #[test]
    fn known_faults_of_logical_decoding_name_the_version_with_the_fix() {
        for (text, error, fixed) in [
            ("16.1", "could not map filenumber", "16.2"),
            ("13.21", "invalid memory alloc request size", "13.22"),
            ("14.18", "invalid memory alloc request size", "14.19"),
            ("15.13", "invalid memory alloc request size", "15.14"),
            ("16.9", "invalid memory alloc request size", "16.10"),
            ("17.5", "invalid memory alloc request size", "17.6"),
        ] {
            let fault = version(text).decoding_fault().unwrap();
            assert_eq!((fault.error, fault.fixed.to_string().as_str()), (error, fixed));
        }
        assert!(
            ["12.9", "15.12", "15.14", "16.2", "16.10", "17.4", "18.3"]
                .iter()
                .all(|text| version(text).decoding_fault().is_none())
        );
    }
}
