//! Whole numbers on the command line, refused in words that say which ones there are.

use std::ops::RangeInclusive;

/// A parser of whole numbers in a range; `u64::MAX` is no limit.
pub fn whole<T: TryFrom<u64>>(range: RangeInclusive<u64>) -> impl Fn(&str) -> Result<T, String> + Clone {
    move |text| {
        let number = text.parse().ok().filter(|n| range.contains(n)).and_then(|n| T::try_from(n).ok());
        number.ok_or_else(|| match (range.start(), range.end()) {
            (least, &u64::MAX) => format!("a whole number from {least} on"),
            (least, most) => format!("a whole number from {least} to {most}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_numbers_in_the_range_are_taken() {
        let some = whole::<u8>(1..=99);
        assert_eq!((some("1"), some("99")), (Ok(1), Ok(99)));
        for wrong in ["0", "100", "-1", "1.5", "", "x"] {
            assert_eq!(some(wrong), Err("a whole number from 1 to 99".into()), "{wrong}");
        }
        assert_eq!(whole::<u64>(0..=u64::MAX)("18446744073709551615"), Ok(u64::MAX));
        assert_eq!(whole::<u64>(0..=u64::MAX)("-1"), Err("a whole number from 0 on".into()));
        assert!(whole::<u8>(0..=1_000)("300").is_err(), "it does not fit");
    }
}
