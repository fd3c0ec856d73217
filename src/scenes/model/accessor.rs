//! Accessors: every offset, stride and count is checked once, then elements are read without a way to fail short
//! of a number that is not finite. Nothing is allocated, so that a count in the file is only a number.

use super::error::ModelError;
use super::schema;
use super::source::{Source, ViewBytes, get, to_usize};

/// Type of one component of an element.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(super) enum Component {
    I8,
    U8,
    I16,
    U16,
    U32,
    F32,
}

impl Component {
    fn from_gl(value: u64) -> Option<Self> {
        Some(match value {
            5120 => Self::I8,
            5121 => Self::U8,
            5122 => Self::I16,
            5123 => Self::U16,
            5125 => Self::U32,
            5126 => Self::F32,
            _ => return None,
        })
    }

    pub(super) fn size(self) -> usize {
        match self {
            Self::I8 | Self::U8 => 1,
            Self::I16 | Self::U16 => 2,
            Self::U32 | Self::F32 => 4,
        }
    }
}

/// A checked accessor: scalars, vectors of up to four components, and 4 x 4 matrices.
#[derive(Debug)]
pub(super) struct Accessor<'a> {
    index: u64,
    count: usize,
    pub(super) component: Component,
    /// Components per element, 1 to 4, or 16.
    pub(super) width: usize,
    pub(super) normalized: bool,
    /// `None`: all zeros.
    base: Option<Elements<'a>>,
    sparse: Option<Sparse<'a>>,
}

/// Elements at a stride: the last one ends within `bytes`.
#[derive(Copy, Clone, Debug)]
struct Elements<'a> {
    bytes: &'a [u8],
    stride: usize,
    size: usize,
}

/// Elements that replace some of the base's. The indices rise strictly.
#[derive(Debug)]
struct Sparse<'a> {
    count: usize,
    index_type: Component,
    indices: Elements<'a>,
    values: Elements<'a>,
}

impl<'a> Elements<'a> {
    fn new(
        view: ViewBytes<'a>,
        offset: u64,
        count: u64,
        size: usize,
        place: &dyn Fn() -> String,
    ) -> Result<Self, ModelError> {
        let stride = view.stride.unwrap_or(size as u64);
        if stride < size as u64 {
            return Err(ModelError::invalid(
                place(),
                format!("a stride of {stride} is less than the element's {size} bytes"),
            ));
        }
        let need = match count.checked_sub(1) {
            None => Some(0),
            Some(gaps) => gaps
                .checked_mul(stride)
                .and_then(|n| n.checked_add(size as u64))
                .and_then(|n| n.checked_add(offset)),
        };
        if need.is_none_or(|need| need > view.bytes.len() as u64) {
            return Err(ModelError::invalid(
                place(),
                format!("{count} elements at byte {offset} do not fit its {} bytes", view.bytes.len()),
            ));
        }
        let bytes = view.bytes.get(to_usize(offset)..).unwrap_or_default();
        Ok(Self { bytes, stride: to_usize(stride), size })
    }

    /// Element `i`; empty beyond the end, which callers never reach.
    fn at(&self, i: usize) -> &'a [u8] {
        let start = i * self.stride;
        self.bytes.get(start..start + self.size).unwrap_or_default()
    }
}

impl<'a> Accessor<'a> {
    /// Checks `accessors[index]`; `place` names who asks. `max_count` bounds accessors that have no bytes behind
    /// them and so could claim any count.
    pub(super) fn new(
        source: &'a Source<'_>,
        index: u64,
        max_count: u64,
        place: &dyn Fn() -> String,
    ) -> Result<Self, ModelError> {
        let accessor = get(&source.document.accessors, index, "accessors", place)?;
        let here = || format!("accessors[{index}]");
        let component = Component::from_gl(accessor.component_type).ok_or_else(|| {
            ModelError::invalid(here(), format!("componentType {} is unknown", accessor.component_type))
        })?;
        let width = match accessor.kind.as_str() {
            "SCALAR" => 1,
            "VEC2" => 2,
            "VEC3" => 3,
            "VEC4" => 4,
            "MAT4" => 16,
            _ => return Err(ModelError::invalid(here(), "is neither SCALAR nor VEC2 to VEC4 nor MAT4")),
        };
        let count = accessor.count;
        if count > max_count {
            return Err(ModelError::TooLarge {
                what: "elements in an accessor",
                asked: count,
                limit: max_count,
            });
        }
        let size = width * component.size();
        let base = match accessor.buffer_view {
            None => None,
            Some(view) => {
                let view = source.view(view, &here)?;
                Some(Elements::new(view, accessor.byte_offset, count, size, &here)?)
            }
        };
        let sparse = match &accessor.sparse {
            None => None,
            Some(sparse) => Some(Sparse::new(source, sparse, count, size, &here)?),
        };
        let count = to_usize(count);
        Ok(Self { index, count, component, width, normalized: accessor.normalized, base, sparse })
    }

    /// How many elements.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    fn element(&self, i: usize) -> Option<&'a [u8]> {
        self.sparse.as_ref().and_then(|s| s.find(i)).or_else(|| self.base.map(|base| base.at(i)))
    }

    /// Element `i` as floats, normalised integers mapped to 0..1 or -1..1, missing components zero. Of a matrix, the
    /// first column.
    pub(super) fn floats(&self, i: usize) -> Result<[f32; 4], ModelError> {
        self.components(i)
    }

    /// Element `i` as a matrix, column by column.
    pub(super) fn matrix(&self, i: usize) -> Result<[f32; 16], ModelError> {
        self.components(i)
    }

    fn components<const N: usize>(&self, i: usize) -> Result<[f32; N], ModelError> {
        let mut out = [0.0; N];
        let Some(element) = self.element(i) else { return Ok(out) };
        for (out, bytes) in out.iter_mut().zip(element.chunks_exact(self.component.size())) {
            *out = self.float(bytes);
            if !out.is_finite() {
                return Err(ModelError::invalid(
                    format!("accessors[{}]", self.index),
                    format!("element {i} is not a finite number"),
                ));
            }
        }
        Ok(out)
    }

    /// Element `i` as an index.
    pub(super) fn unsigned(&self, i: usize) -> u32 {
        self.element(i).map_or(0, |bytes| {
            unsigned(self.component, bytes.get(..self.component.size()).unwrap_or_default())
        })
    }

    /// Element `i` as up to four indices.
    pub(super) fn unsigneds(&self, i: usize) -> [u32; 4] {
        let mut out = [0; 4];
        let Some(element) = self.element(i) else { return out };
        for (out, bytes) in out.iter_mut().zip(element.chunks_exact(self.component.size())) {
            *out = unsigned(self.component, bytes);
        }
        out
    }

    fn float(&self, bytes: &[u8]) -> f32 {
        // The factors are those of the specification, section 3.11 (animations) and 3.6.2.2 (accessors).
        let scaled = |value: f32, max: f32| if self.normalized { (value / max).max(-1.0) } else { value };
        match (self.component, bytes) {
            (Component::I8, &[a]) => scaled(f32::from(a as i8), 127.0),
            (Component::U8, &[a]) => scaled(f32::from(a), 255.0),
            (Component::I16, &[a, b]) => scaled(f32::from(i16::from_le_bytes([a, b])), 32767.0),
            (Component::U16, &[a, b]) => scaled(f32::from(u16::from_le_bytes([a, b])), 65535.0),
            (Component::U32, &[a, b, c, d]) => u32::from_le_bytes([a, b, c, d]) as f32,
            (Component::F32, &[a, b, c, d]) => f32::from_le_bytes([a, b, c, d]),
            _ => 0.0,
        }
    }
}

impl<'a> Sparse<'a> {
    fn new(
        source: &'a Source<'_>,
        sparse: &schema::Sparse,
        count: u64,
        size: usize,
        place: &dyn Fn() -> String,
    ) -> Result<Self, ModelError> {
        let here = || format!("{}.sparse", place());
        source.take_sparse(sparse.count)?;
        let index_type = Component::from_gl(sparse.indices.component_type)
            .filter(|c| matches!(c, Component::U8 | Component::U16 | Component::U32))
            .ok_or_else(|| ModelError::invalid(here(), "indices are not unsigned integers"))?;
        let view = source.view(sparse.indices.buffer_view, &here)?;
        let indices =
            Elements::new(view, sparse.indices.byte_offset, sparse.count, index_type.size(), &here)?;
        let view = source.view(sparse.values.buffer_view, &here)?;
        let values = Elements::new(view, sparse.values.byte_offset, sparse.count, size, &here)?;
        let this = Self { count: to_usize(sparse.count), index_type, indices, values };
        let mut next = 0;
        for i in 0..this.count {
            let index = this.index(i);
            if u64::from(index) < next || u64::from(index) >= count {
                return Err(ModelError::invalid(
                    here(),
                    format!("index {i} does not rise or is out of range"),
                ));
            }
            next = u64::from(index) + 1;
        }
        Ok(this)
    }

    fn index(&self, i: usize) -> u32 {
        unsigned(self.index_type, self.indices.at(i))
    }

    /// The replacement of element `wanted`, found by bisection.
    fn find(&self, wanted: usize) -> Option<&'a [u8]> {
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = low + (high - low) / 2;
            match (self.index(middle) as usize).cmp(&wanted) {
                std::cmp::Ordering::Equal => return Some(self.values.at(middle)),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }
}

fn unsigned(component: Component, bytes: &[u8]) -> u32 {
    match (component, bytes) {
        (Component::U8, &[a]) => u32::from(a),
        (Component::U16, &[a, b]) => u32::from(u16::from_le_bytes([a, b])),
        (Component::U32, &[a, b, c, d]) => u32::from_le_bytes([a, b, c, d]),
        _ => 0,
    }
}
