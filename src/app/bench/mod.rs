//! `scanout bench`: scenarios measured, stored and compared.

pub mod compare;
pub mod csv;
pub mod html;
pub mod json;
#[cfg(test)]
mod made_up;
pub mod report_cmd;
pub mod result;
