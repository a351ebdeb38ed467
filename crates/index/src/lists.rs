use std::marker::PhantomData;
use std::ops;

use crate::{Index, size};

/// One list of items for each index, all in one vector: fewer than 2^32 items.
#[derive(Clone, Debug)]
pub struct Lists<I, T> {
    items: Vec<T>,
    /// Start of each list in `items`, and the end of the last one.
    starts: Vec<u32>,
    index: PhantomData<fn(I)>,
}

impl<I: Index, T> Lists<I, T> {
    /// Appends a list.
    pub fn push(&mut self, list: impl IntoIterator<Item = T>) {
        self.push_with(|items| items.extend(list));
    }

    /// Appends a list of the items that `extend` adds to those of the lists before it.
    pub fn push_with(&mut self, extend: impl FnOnce(&mut Vec<T>)) {
        extend(&mut self.items);
        self.starts.push(u32::try_from(self.items.len()).expect("lists have fewer than 2^32 items"));
    }

    /// Sorts `items` into `lists` lists by their indices. Items of a list keep their order.
    pub fn grouped(lists: usize, items: impl Iterator<Item = (I, T)> + Clone) -> Self
    where
        T: Copy + Default,
    {
        // First the lengths, then the starts, each one place ahead: filling a list moves its entry to its end.
        let mut starts = vec![0u32; lists + 2];
        items.clone().for_each(|(index, _)| starts[index.index() + 2] += 1);
        let mut end = 0;
        for start in &mut starts {
            end += *start;
            *start = end;
        }
        let mut grouped = vec![T::default(); size(end)];
        items.for_each(|(index, item)| {
            let next = &mut starts[index.index() + 1];
            grouped[size(*next)] = item;
            *next += 1;
        });
        starts.pop();
        Self { items: grouped, starts, index: PhantomData }
    }

    /// Returns the items of all lists, one list after the other.
    pub fn items(&self) -> &[T] {
        &self.items
    }

    /// Iterates over the lists in order.
    pub fn iter(&self) -> impl Iterator<Item = &[T]> {
        self.starts.windows(2).map(|ends| &self.items[size(ends[0])..size(ends[1])])
    }
}

impl<I, T> Default for Lists<I, T> {
    fn default() -> Self {
        Self { items: Vec::new(), starts: vec![0], index: PhantomData }
    }
}

impl<I: Index, T> ops::Index<I> for Lists<I, T> {
    type Output = [T];

    #[inline]
    fn index(&self, index: I) -> &[T] {
        let starts = &self.starts[index.index()..index.index() + 2];
        &self.items[size(starts[0])..size(starts[1])]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::index! {
        struct Small(u8);
    }

    #[test]
    fn items_are_grouped_in_their_order() {
        let items = [(2, 'a'), (0, 'b'), (2, 'c'), (0, 'd')].map(|(index, item)| (Small(index), item));
        let grouped = Lists::grouped(4, items.into_iter());
        let mut pushed = Lists::<Small, char>::default();
        for list in ["bd", "", "ac", ""] {
            pushed.push(list.chars());
        }
        assert!(grouped.iter().eq(pushed.iter()));
        assert_eq!((&grouped[Small(0)], &grouped[Small(3)]), (&['b', 'd'][..], &[][..]));
        assert_eq!(grouped.items(), pushed.items());
    }
}
