//! What is left of a text when what was understood is taken out.

/// Puts two pieces of a title together where something was taken out between them.
pub(crate) fn join(kept: &mut String, piece: &str) {
    let piece = piece.split_whitespace().collect::<Vec<_>>().join(" ");
    let piece =
        if kept.is_empty() { piece.as_str() } else { piece.trim_start_matches([',', ';', '.', ':']).trim_start() };
    if piece.is_empty() {
        return;
    }
    let end = kept.trim_end().trim_end_matches(['(', '[']).trim_end().len();
    let open = kept.trim_end().len() > end;
    let piece = if open { piece.trim_start_matches([')', ']']).trim_start() } else { piece };
    if open {
        kept.truncate(end);
    }
    if !kept.is_empty() && !piece.is_empty() && !piece.starts_with([')', ']', '?', '!']) {
        kept.push(' ');
    }
    kept.push_str(piece);
}

/// A title without the signs that parted it from what was taken out.
pub(crate) fn trim_title(title: &str) -> &str {
    let parts = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | ':' | '-' | '–' | '—' | '|' | '/');
    let title = title.trim_matches(parts).trim_start_matches('.').trim_start();
    title.strip_suffix('(').unwrap_or(title).trim_end()
}
