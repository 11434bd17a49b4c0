//! Pages of a list, in the order of their key. `cursor` of a page leads to the next; what it contains is nobody's business.

use std::borrow::Cow;

use fluxplane_core::error::Violation;
use fluxplane_platform::db::paging::MAX_SIZE;
use fluxplane_proto::common::v1::{PageInfo, PageRequest};
use serde::{Deserialize, Serialize};
use utoipa::{
    IntoParams, PartialSchema, ToSchema,
    openapi::{
        Ref, RefOr, Schema,
        schema::{ArrayBuilder, ObjectBuilder, SchemaType, Type},
    },
};

use super::Failure;

/// Entries of a page when the caller names no number.
pub const DEFAULT_SIZE: u32 = 50;

/// Longest cursor taken.
const MAX_CURSOR_CHARS: usize = 512;

/// Which part of a list is wanted.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Most entries wanted.
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub page_size: Option<u32>,
    /// `next_cursor` of the previous page; leave it out for the first.
    pub cursor: Option<String>,
}

impl PageQuery {
    pub fn wish(self) -> Result<PageRequest, Failure> {
        wish(self.page_size, self.cursor)
    }
}

/// Checks a wish for a page and passes it on.
pub fn wish(page_size: Option<u32>, cursor: Option<String>) -> Result<PageRequest, Failure> {
    let size = page_size.unwrap_or(DEFAULT_SIZE);
    if !(1..=MAX_SIZE).contains(&size) {
        return Err(Failure::invalid(Violation::new(
            "page_size",
            size,
            format!("a page has 1 to {MAX_SIZE} entries"),
            "ask for less and follow next_cursor",
        )));
    }
    let cursor = cursor.unwrap_or_default();
    if cursor.len() > MAX_CURSOR_CHARS {
        let rule = "a cursor comes from the previous page";
        return Err(Failure::invalid(Violation::new(
            "cursor",
            cursor,
            rule,
            "start without a cursor",
        )));
    }
    Ok(PageRequest { size, cursor })
}

/// One page of a list.
///
/// Operations document it under an alias such as `AppPage`, because the derived documentation of a generic type repeats
/// its item inline.
#[derive(Debug, Serialize)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Leads to the next page; null on the last.
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    pub fn new(items: Vec<T>, info: Option<PageInfo>) -> Self {
        let next_cursor = info
            .map(|info| info.next_cursor)
            .filter(|cursor| !cursor.is_empty());
        Self { items, next_cursor }
    }

    /// A list that comes whole.
    pub fn whole(items: Vec<T>) -> Self {
        Self {
            items,
            next_cursor: None,
        }
    }
}

impl<T: ToSchema> ToSchema for Page<T> {
    fn name() -> Cow<'static, str> {
        format!("{}Page", T::name()).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(schemas);
    }
}

impl<T: ToSchema> PartialSchema for Page<T> {
    fn schema() -> RefOr<Schema> {
        let items = ArrayBuilder::new().items(Ref::from_schema_name(T::name()));
        let cursor = ObjectBuilder::new()
            .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
            .description(Some("Leads to the next page; null on the last."));
        ObjectBuilder::new()
            .description(Some("One page of a list."))
            .property("items", items)
            .required("items")
            .property("next_cursor", cursor)
            .required("next_cursor")
            .into()
    }
}
