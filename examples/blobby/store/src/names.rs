//! Names of containers and objects as names of files: any text, and no way out of the folder.

/// Everything but letters, digits, '-', '_' and a '.' that is not first becomes `%` and two hex digits.
pub fn encode(name: &str) -> Result<String, String> {
    if name.is_empty() {
        return Err("a name is empty".into());
    }
    let mut text = String::new();
    for (index, byte) in name.bytes().enumerate() {
        let dot = byte == b'.' && index != 0;
        if byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' || dot {
            text.push(byte.into());
        } else {
            text.push_str(&format!("%{byte:02x}"));
        }
    }
    if text.len() > 255 { Err(format!("the name is too long: {name}")) } else { Ok(text) }
}

/// The name that was encoded to `text`; none for files that are no objects.
pub fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    let name = String::from_utf8(bytes).ok()?;
    (encode(&name).ok()? == text).then_some(name)
}
