//! Generated sections of documents: figures are put there by the program that saw them.

use std::io;
use std::path::Path;

/// Replaces what stands in `file` between the marks of `section` by `text`, as a code block.
///
/// The marks are `<!-- figures: NAME -->` and `<!-- end of figures: NAME -->`.
///
/// Errors: the file cannot be read or written, or has not both marks in this order.
pub fn write_figures(file: &Path, section: &str, text: &str) -> io::Result<()> {
    let document = std::fs::read_to_string(file)?;
    let replaced = with_figures(&document, section, text).ok_or_else(|| {
        let reason = format!("{} has no section for figures called `{section}`", file.display());
        io::Error::new(io::ErrorKind::InvalidData, reason)
    })?;
    std::fs::write(file, replaced)
}

fn with_figures(document: &str, section: &str, text: &str) -> Option<String> {
    let begin = format!("<!-- figures: {section} -->");
    let end = format!("<!-- end of figures: {section} -->");
    let (before, rest) = document.split_once(&begin)?;
    let (_, after) = rest.split_once(&end)?;
    Some(format!("{before}{begin}\n```text\n{}\n```\n{end}{after}", text.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = "a\n<!-- figures: x -->\nold\n<!-- end of figures: x -->\nb\n";

    #[test]
    fn text_between_the_marks_is_replaced_and_nothing_else() {
        let once = with_figures(DOCUMENT, "x", "new\n").expect("has the section");
        assert_eq!(
            once,
            "a\n<!-- figures: x -->\n```text\nnew\n```\n<!-- end of figures: x -->\nb\n"
        );
        assert_eq!(with_figures(&once, "x", "new"), Some(once.clone()));
    }

    #[test]
    fn missing_section_is_refused() {
        assert_eq!(with_figures(DOCUMENT, "y", "new"), None);
    }
}
