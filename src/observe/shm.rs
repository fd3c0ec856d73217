use memmap2::{MmapOptions, MmapRaw};
use x11rb::connection::{Connection as _, RequestConnection as _};
use x11rb::protocol::shm::{ConnectionExt as _, Seg};
use x11rb::protocol::xproto::{ImageFormat, ImageOrder, Window};
use x11rb::rust_connection::RustConnection;

use super::error::{Error, Result};
use super::memory::read;
use super::view::View;
use super::x11::X11;
use super::{Area, WHITE};

/// Points of one row that are no further apart are copied by one request: a request costs about as much as copying
/// this many pixels.
const NEAR: u32 = 4096;
/// Bytes of a pixel.
const DEEP: usize = 4;

/// The screen of any X server on this machine, copied by the server into shared memory (MIT-SHM `GetImage`): the few
/// pixels that are asked for, in one request per row. Each look waits for the server, whose time it takes from the
/// programs that draw: [`cost_of_looking`](super::cost_of_looking) says how much. With a compositing manager, it is what
/// that one has put together.
#[derive(Debug)]
pub struct SharedImage {
    connection: RustConnection,
    root: Window,
    size: (u32, u32),
    big_endian: bool,
    segment: Seg,
    map: MmapRaw,
    points: Vec<(u32, u32)>,
    plan: Plan,
}

impl SharedImage {
    /// Of the first screen of `display`, which is like `:0`.
    ///
    /// # Errors
    /// When no server answers there; [`Error::Lacks`] when it is on another machine, without MIT-SHM 1.2, or without 32
    /// bits per pixel.
    pub fn connect(display: &str) -> Result<Self> {
        let client = X11::connect(display)?;
        let lacks = |what| client.lacks(what);
        if client.connection.extension_information("MIT-SHM")?.is_none() {
            return Err(lacks("MIT-SHM, without which its screen cannot be looked at"));
        }
        let version = client.connection.shm_query_version()?.reply()?;
        if (version.major_version, version.minor_version) < (1, 2) {
            return Err(lacks("MIT-SHM 1.2, without which its screen cannot be looked at"));
        }
        let setup = client.connection.setup();
        let screen = &setup.roots[0];
        let deep = setup.pixmap_formats.iter().find(|format| format.depth == screen.root_depth);
        let masks = screen.allowed_depths.iter().flat_map(|depth| &depth.visuals);
        let rgb = masks.filter(|v| v.visual_id == screen.root_visual);
        let mut rgb = rgb.map(|v| [v.red_mask, v.green_mask, v.blue_mask]);
        if deep.is_none_or(|f| usize::from(f.bits_per_pixel) != 8 * DEEP)
            || rgb.next() != Some([0xff_00_00, 0xff_00, 0xff])
        {
            return Err(lacks("pixels of 32 bits with 0xRRGGBB"));
        }
        let size = (u32::from(screen.width_in_pixels), u32::from(screen.height_in_pixels));
        let big_endian = setup.image_byte_order == ImageOrder::MSB_FIRST;
        let memory = || {
            let file = tempfile::tempfile()?;
            // Room for some rows: no plan is larger.
            file.set_len(ROOM as u64)?;
            Ok((MmapOptions::new().len(ROOM).map_raw(&file)?, file))
        };
        let (map, file) = memory().map_err(Error::io("memory to share with the X server"))?;
        let segment = client.connection.generate_id()?;
        let attached =
            client.connection.shm_attach_fd(segment, std::os::fd::OwnedFd::from(file), false)?.check();
        attached.map_err(|_| lacks("memory in common with this program (is it on another machine?)"))?;
        let X11 { connection, root, .. } = client;
        let (points, plan) = (Vec::new(), Plan::default());
        Ok(Self { connection, root, size, big_endian, segment, map, points, plan })
    }
}

impl SharedImage {
    /// The pixel that lies there in the memory.
    fn at(&self, at: usize) -> u32 {
        let raw: u32 = read(&self.map, at).unwrap_or_default();
        (if self.big_endian { u32::from_be(raw) } else { u32::from_le(raw) }) & WHITE
    }
}

/// Bytes of the shared memory.
const ROOM: usize = 1 << 20;

impl View for SharedImage {
    fn name(&self) -> &'static str {
        "MIT-SHM GetImage"
    }

    fn size(&self) -> (u32, u32) {
        self.size
    }

    fn look(&mut self, points: &[(u32, u32)], pixels: &mut [u32]) -> Result<()> {
        if self.points != points {
            self.plan = Plan::of(points, self.size)?;
            self.points = points.to_vec();
        }
        let mut cookies = Vec::with_capacity(self.plan.spans.len());
        for span in &self.plan.spans {
            // What a screen has fits into these types, and every span lies on the screen.
            let (x, y) = (span.x as i16, span.y as i16);
            let format = ImageFormat::Z_PIXMAP.into();
            let (width, at) = (span.width as u16, span.at as u32);
            let connection = &self.connection;
            cookies.push(connection.shm_get_image(
                self.root,
                x,
                y,
                width,
                1,
                u32::MAX,
                format,
                self.segment,
                at,
            )?);
        }
        for cookie in cookies {
            cookie.reply()?;
        }
        for (at, pixel) in self.plan.at.iter().zip(pixels) {
            // In the map: the plan was made for it.
            *pixel = self.at(*at);
        }
        Ok(())
    }

    fn picture(&mut self, area: Area, pixels: &mut Vec<u32>) -> Result<()> {
        area.check_inside(self.size)?;
        pixels.clear();
        let rows = (BAND / area.width.max(1)).max(1);
        let mut y = area.y;
        while y < area.y + area.height {
            let height = rows.min(area.y + area.height - y);
            let format = ImageFormat::Z_PIXMAP.into();
            // What a screen has fits into these types.
            let (left, top, width, high) = (area.x as i16, y as i16, area.width as u16, height as u16);
            let (root, segment) = (self.root, self.segment);
            let copy =
                self.connection.shm_get_image(root, left, top, width, high, u32::MAX, format, segment, 0)?;
            copy.reply()?;
            pixels.extend((0..(area.width * height) as usize).map(|i| self.at(i * DEEP)));
            y += height;
        }
        Ok(())
    }
}

/// Pixels of one request for a part of a picture.
const BAND: u32 = (ROOM / DEEP) as u32;

impl Drop for SharedImage {
    fn drop(&mut self) {
        let _ = self.connection.shm_detach(self.segment);
        let _ = self.connection.flush();
    }
}

/// One request: a part of one row.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
struct Span {
    x: u32,
    y: u32,
    width: u32,
    /// Where its pixels come to lie.
    at: usize,
}

/// What is asked for, and where each point comes to lie.
#[derive(Debug, Default)]
struct Plan {
    spans: Vec<Span>,
    at: Vec<usize>,
}

impl Plan {
    fn of(points: &[(u32, u32)], size: (u32, u32)) -> Result<Self> {
        let mut plan = Self { spans: Vec::new(), at: vec![0; points.len()] };
        let mut order: Vec<usize> = (0..points.len()).collect();
        order.sort_unstable_by_key(|&i| (points[i].1, points[i].0));
        let mut free = 0;
        for i in order {
            let (x, y) = points[i];
            if x >= size.0 || y >= size.1 {
                return Err(Error::Outside { at: (x, y), size });
            }
            let last = plan.spans.last_mut().filter(|span| span.y == y && x - span.x < NEAR);
            let at = if let Some(span) = last {
                span.width = span.width.max(x - span.x + 1);
                span.at + (x - span.x) as usize * DEEP
            } else {
                plan.spans.push(Span { x, y, width: 1, at: free });
                free
            };
            free = free.max(at + DEEP);
            plan.at[i] = at;
        }
        if free > ROOM {
            return Err(Error::Io {
                what: "looking at so many pixels at once",
                source: std::io::ErrorKind::OutOfMemory.into(),
            });
        }
        Ok(plan)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_of_one_row_share_a_request_and_find_their_pixels() {
        let plan = Plan::of(&[(9, 5), (2, 1), (4, 5), (9, 5)], (10, 10)).unwrap();
        let span = |x, y, width, at| Span { x, y, width, at };
        assert_eq!(plan.spans, [span(2, 1, 1, 0), span(4, 5, 6, 4)]);
        assert_eq!(plan.at, [4 + 5 * 4, 0, 4, 4 + 5 * 4]);
        assert!(matches!(Plan::of(&[(10, 0)], (10, 10)), Err(Error::Outside { .. })));
    }
}
