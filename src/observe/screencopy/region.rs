use std::fs::File;
use std::os::fd::AsFd as _;
use std::os::unix::fs::FileExt as _;

use wayland_client::QueueHandle;
use wayland_client::protocol::{wl_buffer, wl_output, wl_shm};
use wayland_protocols_wlr::screencopy::v1::client::{
    zwlr_screencopy_frame_v1::ZwlrScreencopyFrameV1, zwlr_screencopy_manager_v1::ZwlrScreencopyManagerV1,
};

use super::State;
use crate::observe::WHITE;
use crate::observe::error::{Error, Result};
use crate::observe::regions::Rect;

/// A part of the screen of which the compositor makes copies for us. When it is dropped, no more are asked for.
#[derive(Debug)]
pub struct Region {
    /// By which the compositor's answers find it; never used again.
    pub id: u64,
    pub rect: Rect,
    pub wanted: Wanted,
    /// Of its own, because a compositor counts what has changed for each of them.
    manager: ZwlrScreencopyManagerV1,
    shm: wl_shm::WlShm,
    output: wl_output::WlOutput,
    file: File,
    copies: Option<Copies>,
    /// The newest copy, as it came.
    bytes: Vec<u8>,
    pub there: bool,
    /// The request that waits.
    frame: Option<ZwlrScreencopyFrameV1>,
}

/// When a copy is made.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Wanted {
    /// Whenever something new was committed.
    Changes,
    /// Once, of the next refresh.
    Now,
}

/// The buffer that copies come into, and what a copy looks like.
#[derive(Debug)]
pub struct Copies {
    buffer: wl_buffer::WlBuffer,
    form: Form,
}

#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct Form {
    pub width: u32,
    pub height: u32,
    pub stride: u32,
    /// Red is the lowest byte, not the third.
    pub red_first: bool,
    pub format: wl_shm::Format,
}

impl Form {
    fn colour(self, bytes: [u8; 4]) -> u32 {
        let raw = u32::from_le_bytes(bytes);
        if self.red_first { raw.swap_bytes() >> 8 } else { raw & WHITE }
    }
}

impl Region {
    /// With a manager of its own.
    pub fn new(
        id: u64,
        (rect, wanted): (Rect, Wanted),
        manager: ZwlrScreencopyManagerV1,
        (shm, output): (&wl_shm::WlShm, &wl_output::WlOutput),
    ) -> Result<Self> {
        Ok(Self {
            id,
            rect,
            wanted,
            manager,
            shm: shm.clone(),
            output: output.clone(),
            file: tempfile::tempfile().map_err(Error::io("a file for copies of the screen"))?,
            copies: None,
            bytes: Vec::new(),
            there: false,
            frame: None,
        })
    }

    /// Has the next copy made.
    pub fn ask(&mut self, handle: &QueueHandle<State>) {
        let [x, y, width, height] = self.rect.whole();
        let frame = self.manager.capture_output_region(0, &self.output, x, y, width, height, handle, self.id);
        if let Some(old) = self.frame.replace(frame) {
            old.destroy();
        }
    }

    /// The copy is there.
    pub fn take(&mut self) -> Result<()> {
        self.file.read_exact_at(&mut self.bytes, 0).map_err(Error::io("a copy of the screen"))?;
        self.there = true;
        Ok(())
    }

    /// The frame is described: the copy goes into our buffer, which is made anew when its form has changed.
    pub fn copy(
        &mut self,
        frame: &ZwlrScreencopyFrameV1,
        form: Form,
        handle: &QueueHandle<State>,
    ) -> Result<()> {
        if self.copies.as_ref().is_none_or(|copies| copies.form != form) {
            if let Some(old) = self.copies.take() {
                old.buffer.destroy();
            }
            let size = form.stride.checked_mul(form.height).and_then(|size| i32::try_from(size).ok());
            let size =
                size.filter(|_| form.stride / 4 >= form.width && form.height > 0).ok_or_else(strange)?;
            self.file
                .set_len(u64::from(size.unsigned_abs()))
                .map_err(Error::io("room for copies of the screen"))?;
            self.bytes = vec![0; size.unsigned_abs() as usize];
            let pool = self.shm.create_pool(self.file.as_fd(), size, handle, ());
            let [width, height, stride] = [form.width, form.height, form.stride].map(u32::cast_signed);
            let buffer = pool.create_buffer(0, width, height, stride, form.format, handle, ());
            pool.destroy();
            self.copies = Some(Copies { buffer, form });
        }
        if let Some(copies) = &self.copies {
            match self.wanted {
                Wanted::Changes => frame.copy_with_damage(&copies.buffer),
                Wanted::Now => frame.copy(&copies.buffer),
            }
        }
        Ok(())
    }

    /// All pixels, row by row.
    pub fn pixels(&self, pixels: &mut Vec<u32>) {
        pixels.clear();
        let Some(form) = self.copies.as_ref().map(|copies| copies.form) else { return };
        let Rect { x, y, width, height } = self.rect;
        if (form.width, form.height) == (width, height) {
            for row in self.bytes.chunks_exact((form.stride as usize).max(1)) {
                let (row, _) = row[..width as usize * 4].as_chunks();
                pixels.extend(row.iter().map(|&bytes| form.colour(bytes)));
            }
        } else {
            let points = (y..y + height).flat_map(|y| (x..x + width).map(move |x| (x, y)));
            pixels.extend(points.map(|at| self.pixel(at).unwrap_or_default()));
        }
    }

    pub fn pixel(&self, at: (u32, u32)) -> Option<u32> {
        let form = self.copies.as_ref()?.form;
        // One logical pixel is several of a scaled output; the first of them.
        let (x, y) = self.rect.inside(at, (form.width, form.height))?;
        let from = y as usize * form.stride as usize + x as usize * 4;
        let bytes = self.bytes.get(from..from + 4)?.try_into().ok()?;
        Some(form.colour(bytes))
    }
}

pub fn strange() -> Error {
    Error::Lacks {
        server: "the compositor".into(),
        what: "form of copies that is known (8 bits per channel)",
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        if let Some(frame) = self.frame.take() {
            frame.destroy();
        }
        if let Some(copies) = self.copies.take() {
            copies.buffer.destroy();
        }
        self.manager.destroy();
    }
}
