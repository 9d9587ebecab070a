//! What one batch brings: contexts of one stride, and data items with lengths.

use super::origin::Origin;
use crate::contract::{ContextDescriptor, MAX_DATA_SIZE, MAX_META_SIZE};
use crate::error::{EngineError, Result};

/// A batch as the caller gives it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Input<'a> {
    /// `count` contexts of equal stride, one after the other.
    pub contexts: &'a [u8],
    pub count: usize,
    /// All data items, one after the other.
    pub data: &'a [u8],
    /// A little-endian u32 per item; empty: all data is one item if there is one context.
    pub data_lengths: &'a [u8],
    /// Likewise: how much of each item, at its start, is metadata.
    pub meta_lengths: &'a [u8],
    /// Who caused all of it; `None`: the thread that runs the programs.
    pub origin: Option<Origin>,
}

/// Where one context's data lies in the data of the batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Item {
    pub start: usize,
    pub length: usize,
    pub meta: usize,
}

/// Bytes from one context to the next.
pub fn stride(input: &Input<'_>, descriptor: &ContextDescriptor) -> Result<usize> {
    let length = input.contexts.len();
    if input.count == 0 {
        return if length == 0 {
            Ok(0)
        } else {
            Err(EngineError::argument(format!(
                "count is 0, but contexts has {length} bytes"
            )))
        };
    }
    let stride = length / input.count;
    if !length.is_multiple_of(input.count) || stride < descriptor.size as usize {
        return Err(EngineError::argument(format!(
            "contexts has {length} bytes for {} contexts: each needs at least {}, all the same",
            input.count, descriptor.size
        )));
    }
    Ok(stride)
}

/// The data of each context; nothing if there is none at all.
pub struct Items(Vec<Item>);

impl Items {
    #[inline]
    pub fn get(&self, index: usize) -> Item {
        self.0.get(index).copied().unwrap_or_default()
    }
}

/// The data of each context, as far as a context may have it.
pub fn items(input: &Input<'_>, descriptor: &ContextDescriptor) -> Result<Items> {
    if [input.data, input.data_lengths, input.meta_lengths]
        .iter()
        .all(|given| given.is_empty())
    {
        return Ok(Items(Vec::new()));
    }
    let lengths = lengths(input)?;
    let metas = numbers("meta_lengths", input.meta_lengths, input.count)?;
    let total = lengths.iter().map(|length| *length as u64).sum::<u64>();
    if total != input.data.len() as u64 {
        return Err(EngineError::argument(format!(
            "data has {} bytes, but data_lengths add up to {total}",
            input.data.len()
        )));
    }
    if total > 0 && descriptor.data < 0 {
        return Err(EngineError::argument(
            "data is given, but contexts of this program type have no data pointer",
        ));
    }
    let mut start = 0;
    let mut items = Vec::with_capacity(input.count);
    for (index, length) in lengths.into_iter().enumerate() {
        let item = Item {
            start,
            length,
            meta: metas.as_ref().map_or(0, |metas| metas[index]),
        };
        check_item(index, item, descriptor)?;
        items.push(item);
        start += length;
    }
    Ok(Items(items))
}

fn lengths(input: &Input<'_>) -> Result<Vec<usize>> {
    if let Some(lengths) = numbers("data_lengths", input.data_lengths, input.count)? {
        return Ok(lengths);
    }
    match input.count {
        1 => Ok(vec![input.data.len()]),
        count if input.data.is_empty() => Ok(vec![0; count]),
        count => Err(EngineError::argument(format!(
            "data_lengths is empty: it must say how data divides among {count} contexts"
        ))),
    }
}

fn numbers(field: &str, packed: &[u8], count: usize) -> Result<Option<Vec<usize>>> {
    if packed.is_empty() {
        return Ok(None);
    }
    if packed.len() as u64 != count as u64 * 4 {
        return Err(EngineError::argument(format!(
            "{field} has {} bytes: it needs 4 for each of {count} contexts",
            packed.len()
        )));
    }
    let number = |bytes: &[u8]| crate::loader::u32_at(bytes, 0).unwrap_or(0) as usize;
    Ok(Some(packed.chunks_exact(4).map(number).collect()))
}

/// The bounds are what the verifier assumes of every packet.
fn check_item(index: usize, item: Item, descriptor: &ContextDescriptor) -> Result<()> {
    let fail = |what: String| Err(EngineError::argument(what));
    if item.meta > item.length {
        return fail(format!(
            "meta_lengths[{index}] is {}, more than the {} bytes of its data",
            item.meta, item.length
        ));
    }
    if item.meta > 0 && descriptor.meta < 0 {
        return fail(format!(
            "meta_lengths[{index}] is {}, but contexts of this type have no metadata",
            item.meta
        ));
    }
    if item.length - item.meta > MAX_DATA_SIZE || item.meta > MAX_META_SIZE {
        return fail(format!(
            "data {index} has {} bytes and {} of metadata: at most {MAX_DATA_SIZE} and \
             {MAX_META_SIZE} are allowed",
            item.length - item.meta,
            item.meta
        ));
    }
    Ok(())
}
