//! Whether services of the last release can still talk to this one.
//!
//! A field keeps its number, type and shape for ever; one that goes leaves its number reserved. Methods and enum values
//! stay. `proto/baseline.binpb` is the descriptor set of the last release.

use std::{collections::BTreeMap, fs, path::Path, process::ExitCode};

use anyhow::{Context as _, Result};
use prost::Message as _;
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorSet,
    ServiceDescriptorProto,
};

const BASELINE: &str = "proto/baseline.binpb";

pub(crate) fn run(root: &Path, accept: bool) -> Result<ExitCode> {
    let file = root.join(BASELINE);
    if accept {
        fs::write(&file, fluxplane_proto::DESCRIPTORS)?;
        return Ok(ExitCode::SUCCESS);
    }
    let baseline = fs::read(&file).with_context(|| format!("read {}", file.display()))?;
    let old = Catalogue::new(&baseline).context(BASELINE)?;
    let new = Catalogue::new(fluxplane_proto::DESCRIPTORS)?;
    let broken = breaks(&old, &new);
    anyhow::ensure!(
        broken.is_empty(),
        "the last release could not talk to this one:\n{}",
        broken.join("\n")
    );
    Ok(ExitCode::SUCCESS)
}

/// Everything in a descriptor set, by full name.
#[derive(Default)]
struct Catalogue {
    messages: BTreeMap<String, DescriptorProto>,
    enums: BTreeMap<String, EnumDescriptorProto>,
    services: BTreeMap<String, ServiceDescriptorProto>,
}

impl Catalogue {
    fn new(descriptors: &[u8]) -> Result<Self> {
        let set = FileDescriptorSet::decode(descriptors).context("decode descriptor set")?;
        let mut catalogue = Self::default();
        for file in set.file {
            let package = file.package().to_owned();
            if !package.starts_with("fluxplane.") {
                continue;
            }
            for message in file.message_type {
                catalogue.add_message(&package, message);
            }
            for descriptor in file.enum_type {
                catalogue
                    .enums
                    .insert(format!("{package}.{}", descriptor.name()), descriptor);
            }
            for service in file.service {
                catalogue
                    .services
                    .insert(format!("{package}.{}", service.name()), service);
            }
        }
        Ok(catalogue)
    }

    fn add_message(&mut self, scope: &str, message: DescriptorProto) {
        let name = format!("{scope}.{}", message.name());
        for nested in &message.nested_type {
            self.add_message(&name, nested.clone());
        }
        for nested in &message.enum_type {
            self.enums
                .insert(format!("{name}.{}", nested.name()), nested.clone());
        }
        self.messages.insert(name, message);
    }
}

fn breaks(old: &Catalogue, new: &Catalogue) -> Vec<String> {
    let mut broken = Vec::new();
    for (name, message) in &old.messages {
        match new.messages.get(name) {
            Some(now) => message_breaks(name, message, now, &mut broken),
            None => broken.push(format!("  message {name} is gone")),
        }
    }
    for (name, descriptor) in &old.enums {
        let Some(now) = new.enums.get(name) else {
            broken.push(format!("  enum {name} is gone"));
            continue;
        };
        for value in &descriptor.value {
            let kept = now
                .value
                .iter()
                .any(|v| v.number() == value.number() && v.name() == value.name());
            if !kept {
                broken.push(format!(
                    "  enum value {name}.{} changed or is gone",
                    value.name()
                ));
            }
        }
    }
    for (name, service) in &old.services {
        let Some(now) = new.services.get(name) else {
            broken.push(format!("  service {name} is gone"));
            continue;
        };
        for method in service
            .method
            .iter()
            .filter(|method| !now.method.contains(method))
        {
            broken.push(format!(
                "  method {name}/{} changed or is gone",
                method.name()
            ));
        }
    }
    broken
}

fn message_breaks(
    name: &str,
    old: &DescriptorProto,
    new: &DescriptorProto,
    broken: &mut Vec<String>,
) {
    for field in &old.field {
        let now = new
            .field
            .iter()
            .find(|other| other.number() == field.number());
        match now {
            Some(now) if same_on_the_wire(field, now) => {}
            Some(_) => {
                let text = format!("  field {name}.{} changed its type or name", field.name());
                broken.push(text);
            }
            None if is_reserved(new, field.number()) => {}
            None => {
                let number = field.number();
                let text = format!("  field {name}.{} is gone; reserve {number}", field.name());
                broken.push(text);
            }
        }
    }
}

fn same_on_the_wire(old: &FieldDescriptorProto, new: &FieldDescriptorProto) -> bool {
    old.name() == new.name()
        && old.r#type() == new.r#type()
        && old.type_name() == new.type_name()
        && old.label() == new.label()
}

fn is_reserved(message: &DescriptorProto, number: i32) -> bool {
    message
        .reserved_range
        .iter()
        .any(|range| (range.start()..range.end()).contains(&number))
}

#[cfg(test)]
mod tests {
    use prost_types::descriptor_proto::ReservedRange;

    use super::*;

    fn field(name: &str, number: i32) -> FieldDescriptorProto {
        FieldDescriptorProto {
            name: Some(name.to_owned()),
            number: Some(number),
            ..FieldDescriptorProto::default()
        }
    }

    fn message(fields: Vec<FieldDescriptorProto>) -> Catalogue {
        let message = DescriptorProto {
            field: fields,
            ..DescriptorProto::default()
        };
        Catalogue {
            messages: BTreeMap::from([("m".to_owned(), message)]),
            ..Catalogue::default()
        }
    }

    #[test]
    fn a_new_field_is_fine_and_a_reused_number_is_not() {
        let old = message(vec![field("a", 1)]);
        assert!(breaks(&old, &message(vec![field("a", 1), field("b", 2)])).is_empty());
        assert_eq!(breaks(&old, &message(vec![field("b", 1)])).len(), 1);
    }

    #[test]
    fn a_field_may_go_if_its_number_is_reserved() {
        let old = message(vec![field("a", 1)]);
        let mut new = message(Vec::new());
        assert_eq!(breaks(&old, &new), ["  field m.a is gone; reserve 1"]);
        let range = ReservedRange {
            start: Some(1),
            end: Some(2),
        };
        new.messages.get_mut("m").unwrap().reserved_range = vec![range];
        assert!(breaks(&old, &new).is_empty());
    }
}
