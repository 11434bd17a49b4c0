//! Cpu, memory and disk: positive, in steps, within the tier. FluxOS checks this up to v3 only.

use super::{Findings, Part};
use crate::{
    json::{Value, number_text},
    legacy::{LIMITS, TierLimits},
};

/// Where the fields of an amount end, and whose limits hold.
const SCOPES: [(&str, usize); 4] = [("", 2), ("basic", 0), ("super", 1), ("bamf", 2)];

pub(super) fn check(findings: &mut Findings, part: &Part<'_>) {
    let is_tiered = part.get("tiered") == Some(&Value::Bool(true));
    for (suffix, tier) in SCOPES {
        if suffix.is_empty() || is_tiered {
            for amount in amounts(&LIMITS[tier]) {
                amount.check(findings, part, suffix);
            }
        }
    }
}

/// The rule for one kind of amount.
struct Amount {
    field: &'static str,
    unit: &'static str,
    step: f64,
    step_text: &'static str,
    max: f64,
}

fn amounts(limits: &TierLimits) -> [Amount; 3] {
    [
        Amount {
            field: "cpu",
            unit: "cores",
            step: 0.1,
            step_text: "0.1",
            max: limits.cpu_tenths / 10.0,
        },
        Amount {
            field: "ram",
            unit: "MB",
            step: 100.0,
            step_text: "100",
            max: limits.ram,
        },
        Amount {
            field: "hdd",
            unit: "GB",
            step: 1.0,
            step_text: "1",
            max: limits.hdd,
        },
    ]
}

impl Amount {
    fn check(&self, findings: &mut Findings, part: &Part<'_>, suffix: &str) {
        let field = format!("{}{suffix}", self.field);
        let Some(value @ Value::Number(number)) = part.get(&field) else {
            return;
        };
        let is_in_range = (self.step..=self.max).contains(number);
        if is_in_range && self.is_step(*number) {
            return;
        }
        let Self {
            unit, step_text, ..
        } = self;
        let max = number_text(self.max);
        let rule = format!("it must be {step_text} to {max} {unit} in steps of {step_text}");
        let remedy = format!("write {}", number_text(self.nearest(*number)));
        findings.add(part.path(&field), value, "resources", &rule, &remedy);
    }

    /// Whether the number is a multiple of the step in decimal notation, where 0.3 is three tenths.
    fn is_step(&self, number: f64) -> bool {
        if self.step < 1.0 {
            let text = number_text(number);
            let decimals = text
                .split_once('.')
                .map_or(0, |(_, fraction)| fraction.len());
            decimals <= 1 && !text.contains('e')
        } else {
            number % self.step == 0.0
        }
    }

    /// The next valid amount upward.
    fn nearest(&self, number: f64) -> f64 {
        if number.is_nan() || number < self.step {
            return self.step;
        }
        let steps = if self.step < 1.0 {
            (number * 10.0).ceil() / 10.0
        } else {
            (number / self.step).ceil() * self.step
        };
        steps.min(self.max)
    }
}
