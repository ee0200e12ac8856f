//! Reading Rust without a parser: tokens, the items that are for tests only, the paths they name.

/// A name, a `::`, or one character of punctuation.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) line: usize,
    pub(crate) text: String,
}

impl Token {
    pub(crate) fn is_name(&self) -> bool {
        self.text.starts_with(|first: char| first.is_alphanumeric() || first == '_')
    }
}

pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    for (line, code) in (1..).zip(code(text).lines()) {
        let mut rest = code.trim_start();
        while let Some(first) = rest.chars().next() {
            let name = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            let length = match name {
                0 if rest.starts_with("::") => 2,
                0 => first.len_utf8(),
                length => length,
            };
            tokens.push(Token { line, text: rest[..length].into() });
            rest = rest[length..].trim_start();
        }
    }
    tokens
}

/// The text with comments, strings and character literals blanked; the lines stay where they are.
fn code(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let after_name = code.ends_with(|last: char| last.is_alphanumeric() || last == '_');
        let blank = match first {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => block_comment(rest),
            '"' => quoted(rest, '"'),
            'r' if !after_name || code.ends_with(['b', 'c']) => raw_string(rest),
            '\'' => character(rest),
            _ => 0,
        };
        if blank == 0 {
            code.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            code.push(' ');
            code.extend(rest[..blank].chars().filter(|c| *c == '\n'));
            rest = &rest[blank..];
        }
    }
    code
}

/// The length of the block comment at the start of `text`; block comments nest.
fn block_comment(text: &str) -> usize {
    let mut depth = 0;
    for (position, pair) in text.as_bytes().windows(2).enumerate() {
        match pair {
            b"/*" => depth += 1,
            b"*/" if depth == 1 => return position + 2,
            b"*/" => depth -= 1,
            _ => {}
        }
    }
    text.len()
}

/// The length of the literal at the start of `text`, up to its closing `quote`.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (position, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == quote => return position + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length of the raw string at the start of `text`, or 0 if there is none.
fn raw_string(text: &str) -> usize {
    let hashes = text[1..].bytes().take_while(|byte| *byte == b'#').count();
    if !text[1 + hashes..].starts_with('"') {
        return 0;
    }
    let end = format!("\"{}", "#".repeat(hashes));
    let body = hashes + 2;
    text[body..].find(&end).map_or(text.len(), |position| body + position + end.len())
}

/// The length of the character literal at the start of `text`, or 0 if it is a lifetime.
fn character(text: &str) -> usize {
    let mut next = text.chars().skip(1);
    match (next.next(), next.next()) {
        (Some('\\'), _) | (_, Some('\'')) => quoted(text, '\''),
        _ => 0,
    }
}

/// What is left of a file when the items under `#[cfg(test)]` are taken out.
pub(crate) struct Tested {
    pub(crate) tokens: Vec<Token>,
    /// Modules with a file of their own that are declared for tests only.
    pub(crate) test_modules: Vec<String>,
}

pub(crate) fn without_tests(all: Vec<Token>) -> Tested {
    let mut kept = Tested { tokens: Vec::new(), test_modules: Vec::new() };
    let mut position = 0;
    while position < all.len() {
        let Some(mut start) = attribute(&all, position) else {
            kept.tokens.push(all[position].clone());
            position += 1;
            continue;
        };
        if !is_for_tests(&all[position..start]) {
            kept.tokens.extend_from_slice(&all[position..start]);
            position = start;
            continue;
        }
        while let Some(next) = attribute(&all, start) {
            start = next;
        }
        position = end_of_item(&all, start);
        if let [.., module, name, end] = &all[start..position]
            && (&*module.text, &*end.text) == ("mod", ";")
        {
            kept.test_modules.push(name.text.clone());
        }
    }
    kept
}

/// The position after the outer attribute at `start`, if there is one.
fn attribute(tokens: &[Token], start: usize) -> Option<usize> {
    let opens = tokens.get(start)?.text == "#" && tokens.get(start + 1)?.text == "[";
    opens.then(|| end_of_group(tokens, start + 1))
}

/// Whether an attribute is a `cfg` that holds `test`, and not only inside a `not(..)`.
fn is_for_tests(attribute: &[Token]) -> bool {
    if attribute.get(2).is_none_or(|token| token.text != "cfg") {
        return false;
    }
    let mut position = 3;
    while position < attribute.len() {
        match attribute[position].text.as_str() {
            "test" => return true,
            "not" => position = end_of_group(attribute, position + 1),
            _ => position += 1,
        }
    }
    false
}

/// The position after the bracket that closes the one at `open`.
fn end_of_group(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0_usize;
    for (position, token) in tokens.iter().enumerate().skip(open) {
        match token.text.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" if depth == 1 => return position + 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
    }
    tokens.len()
}

/// The position after the item, statement, field or match arm that begins at `start`.
fn end_of_item(tokens: &[Token], start: usize) -> usize {
    let is_field = tokens.get(start + 1).is_some_and(|token| token.text == ":");
    let mut position = start;
    while position < tokens.len() {
        match tokens[position].text.as_str() {
            ";" => return position + 1,
            "," if is_field => return position + 1,
            "{" => return end_of_group(tokens, position),
            "}" | ")" | "]" => return position,
            "(" | "[" => position = end_of_group(tokens, position),
            _ => position += 1,
        }
    }
    position
}

/// The names that follow the `::` at `start`: one, or each of a `{..}`.
pub(crate) fn branches(tokens: &[Token], start: usize) -> Vec<Token> {
    if tokens.get(start).is_none_or(|token| token.text != "::") {
        return Vec::new();
    }
    let Some(next) = tokens.get(start + 1) else { return Vec::new() };
    if next.text != "{" {
        return vec![next.clone()];
    }
    let end = end_of_group(tokens, start + 1);
    let mut names = Vec::new();
    let mut position = start + 2;
    while position + 1 < end {
        names.push(tokens[position].clone());
        while position + 1 < end && tokens[position].text != "," {
            let opens = tokens[position].text == "{";
            position = if opens { end_of_group(tokens, position) } else { position + 1 };
        }
        position += 1;
    }
    names
}

/// The names that a file takes from the crate root, through `crate::` or enough `super::`.
pub(crate) fn uses_of_the_root(tokens: &[Token], module: &[&str]) -> Vec<Token> {
    let mut uses = Vec::new();
    // The depths of braces at which the inline modules around this token opened.
    let (mut inline, mut depth) = (Vec::new(), 0);
    let text = |position: usize| tokens.get(position).map_or("", |token| token.text.as_str());
    for position in 0..tokens.len() {
        match text(position) {
            "{" => {
                depth += 1;
                if position >= 2 && text(position - 2) == "mod" {
                    inline.push(depth);
                }
            }
            "}" => {
                if inline.last() == Some(&depth) {
                    inline.pop();
                }
                depth -= 1;
            }
            "crate" => uses.extend(branches(tokens, position + 1)),
            "super" if position < 2 || text(position - 2) != "super" => {
                let chain = (position..).step_by(2).take_while(|step| text(*step) == "super");
                let ups = chain.count();
                if ups == module.len() + inline.len() {
                    uses.extend(branches(tokens, position + 2 * ups - 1));
                }
            }
            _ => {}
        }
    }
    uses
}
