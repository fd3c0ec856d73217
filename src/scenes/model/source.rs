//! The parsed document with its bytes: buffers, buffer views, and looking things up by index.

use std::borrow::Cow;
use std::cell::RefCell;
use std::path::Path;

use super::error::ModelError;
use super::limits::{Allowance, Budget, MAX_SPARSE};
use super::resolve;
use super::schema::Document;

/// What loading reads from.
pub(super) struct Source<'a> {
    pub(super) document: Document,
    pub(super) folder: Option<&'a Path>,
    /// `None`: the buffer names no data, which only matters if something reads it.
    buffers: Vec<Option<Cow<'a, [u8]>>>,
    /// Here and not in the budget, because every reader of an accessor draws on it.
    sparse: RefCell<Allowance>,
}

/// The bytes of a buffer view.
#[derive(Copy, Clone, Debug)]
pub(super) struct ViewBytes<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) stride: Option<u64>,
}

impl<'a> Source<'a> {
    /// Reads all buffers of `document`.
    pub(super) fn new(
        document: Document,
        bin: Option<&'a [u8]>,
        folder: Option<&'a Path>,
        budget: &mut Budget,
    ) -> Result<Self, ModelError> {
        let mut buffers = Vec::with_capacity(document.buffers.len());
        for (index, buffer) in document.buffers.iter().enumerate() {
            let data: Option<Cow<'a, [u8]>> = match (&buffer.uri, bin) {
                (Some(uri), _) => Some(resolve::resolve(uri, folder, &mut budget.source_bytes)?.into()),
                // The GLB's binary chunk is the first buffer, when that has no URI.
                (None, Some(bin)) if index == 0 => Some(bin.into()),
                (None, _) => None,
            };
            if let Some(data) = &data
                && (data.len() as u64) < buffer.byte_length
            {
                let (have, want) = (data.len(), buffer.byte_length);
                return Err(ModelError::invalid(
                    format!("buffers[{index}].byteLength"),
                    format!("is {want}, but there are {have} bytes"),
                ));
            }
            buffers.push(data);
        }
        let sparse = RefCell::new(Allowance::new("sparse elements", MAX_SPARSE));
        Ok(Self { document, folder, buffers, sparse })
    }

    /// Allows looking at `count` sparse elements.
    pub(super) fn take_sparse(&self, count: u64) -> Result<(), ModelError> {
        self.sparse.borrow_mut().take(count)
    }

    /// The bytes of `bufferViews[index]`; `place` names who asks.
    pub(super) fn view(&self, index: u64, place: &dyn Fn() -> String) -> Result<ViewBytes<'_>, ModelError> {
        let view = get(&self.document.buffer_views, index, "bufferViews", place)?;
        let here = || format!("bufferViews[{index}]");
        let buffer = get(&self.document.buffers, view.buffer, "buffers", &here)?;
        let Some(Some(data)) = self.buffers.get(to_usize(view.buffer)) else {
            // Room for what is unpacked elsewhere: without the extension there is nothing.
            if let Some(name) = buffer.extensions.packed() {
                return Err(ModelError::Extension { name: name.to_owned() });
            }
            return Err(ModelError::invalid(here(), format!("buffers[{}] has no data", view.buffer)));
        };
        let end = view.byte_offset.checked_add(view.byte_length).filter(|&end| end <= buffer.byte_length);
        let Some(end) = end else {
            return Err(ModelError::invalid(
                here(),
                format!(
                    "asks for {} bytes at {}, buffers[{}] has {}",
                    view.byte_length, view.byte_offset, view.buffer, buffer.byte_length
                ),
            ));
        };
        // Both ends lie within `byte_length`, which `new` compared with the data.
        let bytes = data.get(to_usize(view.byte_offset)..to_usize(end)).unwrap_or_default();
        Ok(ViewBytes { bytes, stride: view.byte_stride })
    }
}

/// `list[index]`, or an error that says whose index leads to nothing.
pub(super) fn get<'l, T>(
    list: &'l [T],
    index: u64,
    target: &'static str,
    place: &dyn Fn() -> String,
) -> Result<&'l T, ModelError> {
    usize::try_from(index).ok().and_then(|i| list.get(i)).ok_or_else(|| ModelError::Dangling {
        place: place(),
        target,
        index,
        count: list.len(),
    })
}

/// `index` as `usize`; one that does not fit leads to nothing anyway.
pub(super) fn to_usize(index: u64) -> usize {
    usize::try_from(index).unwrap_or(usize::MAX)
}
