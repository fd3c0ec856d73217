//! `scanout bench`: scenarios measured, stored and compared.

pub mod result;
