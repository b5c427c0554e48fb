//! Messages as people write them: a first line, headers, an empty line, a body. Seeds stay readable this way.

/// One message.
#[derive(Debug)]
pub struct Message<'a> {
    /// Status, or method and target.
    pub first: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// Everything after the empty line.
    pub body: &'a [u8],
}

impl<'a> Message<'a> {
    /// Takes anything; what is missing is empty.
    #[must_use]
    pub fn read(data: &'a [u8]) -> Self {
        let mut rest = data;
        let first = line(&mut rest);
        let mut headers = Vec::new();
        loop {
            let text = line(&mut rest);
            let Some((name, value)) = text.split_once(':') else { break };
            headers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
        Self { first, headers, body: rest }
    }

    /// The last header of this name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().rev().find(|(one, _)| one == name).map(|(_, value)| value.as_str())
    }
}

/// The parts between lines that read `###`, as in `.http` files.
pub fn parts(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(data);
    std::iter::from_fn(move || {
        let text = rest?;
        let end = text.windows(5).position(|five| five == b"\n###\n");
        rest = end.map(|end| &text[end + 5..]);
        Some(&text[..end.unwrap_or(text.len())])
    })
}

/// Takes one line off the front.
fn line(rest: &mut &[u8]) -> String {
    let end = rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
    let text = String::from_utf8_lossy(&rest[..end]).trim_end_matches('\r').to_owned();
    *rest = rest.get(end + 1..).unwrap_or_default();
    text
}
