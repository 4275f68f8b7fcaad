//! Paging and sorting, the same for every list.

use serde::Serialize;
use utoipa::ToSchema;

use crate::error::{Error, Result};

/// Most items of one page.
const MAX_LIMIT: u32 = 1000;
/// Items of a page when nobody says.
const DEFAULT_LIMIT: u32 = 100;
/// Last page that can be asked for: lists are read to be looked at, not to be walked for ever.
const MAX_PAGE: u32 = 1_000_000;

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct List<T> {
    /// The items of this page.
    pub items: Vec<T>,
    /// How many there are on all pages together.
    pub total_items: usize,
}

/// Which page, and in which order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paging {
    page: u32,
    limit: u32,
    /// The field to sort by.
    pub sort_by: String,
    ascending: bool,
}

impl Paging {
    /// Checks what was asked for. The first of `keys` is the order when nobody says.
    ///
    /// # Errors
    /// 400 that names the parameter.
    pub fn new(
        page: Option<u32>,
        limit: Option<u32>,
        sort_by: Option<String>,
        ascending: Option<bool>,
        keys: &[&str],
    ) -> Result<Self> {
        let (page, limit) = (page.unwrap_or(1), limit.unwrap_or(DEFAULT_LIMIT));
        if !(1..=MAX_PAGE).contains(&page) {
            return Err(Error::bad_request(format!("page must be 1 to {MAX_PAGE}")));
        }
        if !(1..=MAX_LIMIT).contains(&limit) {
            return Err(Error::bad_request(format!("limit must be 1 to {MAX_LIMIT}")));
        }
        let sort_by = sort_by.unwrap_or_else(|| keys.first().copied().unwrap_or_default().to_owned());
        if !keys.contains(&sort_by.as_str()) {
            return Err(Error::bad_request(format!("sortBy must be one of {}", keys.join(", "))));
        }
        Ok(Self {
            page,
            limit,
            sort_by,
            ascending: ascending.unwrap_or(true),
        })
    }

    /// Sorts by `key` (equal ones keep their order) and cuts the page out.
    pub fn apply<T, K: Ord>(&self, mut items: Vec<T>, key: impl Fn(&T) -> K) -> List<T> {
        items.sort_by_cached_key(&key);
        if !self.ascending {
            items.reverse();
        }
        let total_items = items.len();
        let skip = usize::try_from(u64::from(self.page - 1) * u64::from(self.limit)).unwrap_or(usize::MAX);
        let items = items.into_iter().skip(skip).take(self.limit as usize).collect();
        List { items, total_items }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paging(page: u32, limit: u32, ascending: bool) -> Paging {
        Paging::new(Some(page), Some(limit), None, Some(ascending), &["name"]).unwrap()
    }

    #[test]
    fn pages_cover_the_list_once() {
        let all: Vec<u32> = (0..10).rev().collect();
        let mut seen = Vec::new();
        for page in 1..=4 {
            let list = paging(page, 3, true).apply(all.clone(), |item| *item);
            assert_eq!(list.total_items, 10);
            seen.extend(list.items);
        }
        assert_eq!(seen, (0..10).collect::<Vec<_>>());
        assert!(paging(1_000_000, 1000, true).apply(all, |item| *item).items.is_empty());
    }

    #[test]
    fn descending_is_the_other_way_round() {
        assert_eq!(paging(1, 2, false).apply(vec![1, 3, 2], |item| *item).items, [3, 2]);
    }

    #[test]
    fn what_cannot_be_meant_is_named() {
        let keys = ["name", "state"];
        for (page, limit, sort_by, named) in [
            (Some(0), None, None, "page"),
            (None, Some(0), None, "limit"),
            (None, Some(1001), None, "limit"),
            (None, None, Some("colour".to_owned()), "sortBy"),
        ] {
            let error = Paging::new(page, limit, sort_by, None, &keys).unwrap_err();
            assert!(error.to_string().contains(named), "{error}");
        }
    }
}
