//! Values of arguments: read once, here, with the rule and the remedy in the message.

use std::{fmt, str::FromStr};

use fluxplane_core::Sat;
use reqwest::Url;
use uuid::Uuid;

/// Name of an application. It becomes part of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppName(String);

/// Longest name; FluxOS takes 63 characters.
const MAX_NAME: usize = 63;

impl FromStr for AppName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        if (1..=MAX_NAME).contains(&text.len()) && text.bytes().all(plain) {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!(
                "an application's name has 1 to {MAX_NAME} letters and digits; `fluxctl apps` lists yours"
            ))
        }
    }
}

impl fmt::Display for AppName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl AppName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An application, or one of its instances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    App(AppName),
    Instance(Uuid),
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(instance) if text.contains('-') => Ok(Self::Instance(instance)),
            Ok(_) | Err(_) => text.parse().map(Self::App),
        }
    }
}

/// An invoice, or one line of it: `ID` or `ID/LINE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvoiceTarget {
    pub invoice: Uuid,
    pub line: Option<u32>,
}

impl FromStr for InvoiceTarget {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            "write the id of an invoice, or ID/LINE; `fluxctl invoice list` shows the ids"
                .to_owned()
        };
        let (id, line) = match text.split_once('/') {
            Some((id, line)) => (id, Some(line.parse().map_err(|_| wrong())?)),
            None => (text, None),
        };
        let invoice = id.parse().map_err(|_| wrong())?;
        Ok(Self { invoice, line })
    }
}

/// The address of an HTTP server.
pub fn server(text: &str) -> Result<Url, String> {
    let url: Url = text
        .parse()
        .map_err(|err| format!("{err}; write http://HOST:PORT or https://HOST"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(
            "only http and https are spoken; write http://HOST:PORT or https://HOST".to_owned(),
        );
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("an address has no `?` and no `#`; leave out what follows the path".to_owned());
    }
    Ok(url)
}

/// An amount of FLUX that can be paid.
pub fn amount(text: &str) -> Result<Sat, String> {
    let amount: Sat = text
        .parse()
        .map_err(|err: fluxplane_core::money::ParseSatError| err.to_string())?;
    if amount.is_zero() || amount.is_negative() {
        return Err("a payment is more than nothing".to_owned());
    }
    Ok(amount)
}

/// A share in percent, as parts per million.
pub fn percent(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is no percentage; write a decimal number such as 1.0");
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) || fraction.len() > 4 {
        return Err(wrong());
    }
    format!("{whole}{fraction:0<4}")
        .parse()
        .map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_an_instance_when_it_looks_like_one() {
        let id = "0198c0de-7e57-7000-8000-000000000001";
        assert_eq!(id.parse(), Ok(Target::Instance(id.parse().unwrap())));
        assert_eq!("shop".parse(), Ok(Target::App("shop".parse().unwrap())));
        for wrong in ["", "..", "a/b", "a b", &"x".repeat(64)] {
            assert!(wrong.parse::<Target>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_invoice_may_name_its_line() {
        let id = "0198c0de-7e57-7000-8000-000000000001";
        let target: InvoiceTarget = format!("{id}/3").parse().unwrap();
        assert_eq!(
            (target.invoice.to_string(), target.line),
            (id.to_owned(), Some(3))
        );
        assert_eq!(id.parse::<InvoiceTarget>().unwrap().line, None);
        assert!(format!("{id}/").parse::<InvoiceTarget>().is_err());
    }

    #[test]
    fn servers_amounts_and_percentages_are_checked() {
        assert!(server("https://plane.example/base").is_ok());
        for wrong in [
            "plane.example:7000",
            "ftp://x",
            "http://x/?a=b",
            "unix:/tmp/x",
        ] {
            assert!(server(wrong).is_err(), "{wrong}");
        }
        assert_eq!(amount("0.6"), Ok(Sat::new(60_000_000)));
        assert!(amount("0").is_err() && amount("-1").is_err());
        assert_eq!(percent("1.0"), Ok(10_000));
        assert_eq!(percent("0.5"), Ok(5_000));
        assert!(percent("1,0").is_err() && percent("1.00001").is_err() && percent("").is_err());
    }
}
