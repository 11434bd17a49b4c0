//! docs/EVENTS.md and the code list the same subjects.

use std::collections::BTreeSet;

use fluxplane_proto::SUBJECTS;

const DOCS: &str = include_str!("../../docs/EVENTS.md");

#[test]
fn every_subject_is_documented_and_every_documented_subject_exists() {
    let coded: BTreeSet<String> = SUBJECTS
        .iter()
        .map(|entry| entry.subject.to_owned())
        .collect();
    let documented: BTreeSet<String> = DOCS
        .lines()
        .filter_map(|line| line.strip_prefix("| `fluxplane.")?.split('`').next())
        .map(|name| format!("fluxplane.{name}"))
        .collect();
    assert_eq!(documented, coded);
}

#[test]
fn a_subject_is_used_once_and_names_its_producer() {
    let mut seen = BTreeSet::new();
    for subject in SUBJECTS {
        assert!(
            seen.insert(subject.subject),
            "{} is used twice",
            subject.subject
        );
        let service = subject.subject.split('.').nth(1).unwrap();
        assert!(
            subject.message.starts_with(&format!("{service}::")),
            "{subject:?}"
        );
    }
}
