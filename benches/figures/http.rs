//! HTTP/1.1 with the least work per request: one socket kept alive, requests made beforehand, answers read by status and
//! `content-length`. What this costs is paid by a figure and its floor alike.

use std::{net::SocketAddr, ops::Range};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{Failure, Outcome};

#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// The last answer of a connection.
#[derive(Debug)]
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    head: &'a [u8],
    pub(crate) body: &'a [u8],
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Outcome<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(16 * 1024) })
    }

    /// Sends a complete request and reads the complete answer.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> Outcome<Answer<'_>> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let (status, head, length) = loop {
            self.read().await?;
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                let head = &self.buffer[..end];
                break (status(head)?, 0..end, content_length(head)?);
            }
        };
        let start = head.end + 4;
        while self.buffer.len() < start + length {
            self.read().await?;
        }
        Ok(Answer { status, head: &self.buffer[head], body: &self.buffer[start..start + length] })
    }

    async fn read(&mut self) -> Outcome {
        if self.stream.read_buf(&mut self.buffer).await? == 0 {
            return Err("the connection was closed where an answer was due".into());
        }
        Ok(())
    }
}

impl Answer<'_> {
    /// Values of a header, in order; `name` in lower case.
    pub(crate) fn all<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s str> {
        lines(self.head)
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name.as_bytes()))
            .filter_map(|(_, value)| std::str::from_utf8(value).ok())
    }

    pub(crate) fn location(&self) -> Outcome<String> {
        Ok(self.all("location").next().ok_or_else(|| self.unexpected("a redirect"))?.to_owned())
    }

    /// `name=value` of each cookie that is set, not dropped.
    pub(crate) fn cookies(&self) -> impl Iterator<Item = &str> {
        let set = self.all("set-cookie").filter(|cookie| !cookie.contains("Max-Age=0"));
        set.filter_map(|cookie| cookie.split(';').next())
    }

    pub(crate) fn expect(&self, status: u16) -> Outcome {
        if self.status == status { Ok(()) } else { Err(self.unexpected(&status.to_string())) }
    }

    pub(crate) fn unexpected(&self, wanted: &str) -> Failure {
        let body = String::from_utf8_lossy(&self.body[..self.body.len().min(300)]);
        format!("answered {} where {wanted} was expected: {body}", self.status).into()
    }
}

/// A `GET` as bytes; `headers` are lines with their line ends.
pub(crate) fn get(path: &str, headers: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{headers}\r\n").into_bytes()
}

pub(crate) fn post(path: &str, content_type: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\r\n{body}")
        .into_bytes()
}

/// Address, and path with query, of `http://127.0.0.1:…`.
pub(crate) fn split(url: &str) -> Outcome<(SocketAddr, &str)> {
    let rest = url.strip_prefix("http://").ok_or_else(|| format!("{url:?} is no http URL"))?;
    let at = rest.find('/').unwrap_or(rest.len());
    Ok((rest[..at].parse()?, &rest[at..]))
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

fn status(head: &[u8]) -> Outcome<u16> {
    let digits: Range<usize> = 9..12;
    let digits = head.get(digits).and_then(|digits| std::str::from_utf8(digits).ok());
    digits.and_then(|digits| digits.parse().ok()).ok_or_else(|| "an answer without a status".into())
}

fn content_length(head: &[u8]) -> Outcome<usize> {
    let found = lines(head).find(|(name, _)| name.eq_ignore_ascii_case(b"content-length"));
    let value = found.and_then(|(_, value)| std::str::from_utf8(value).ok()).and_then(|value| value.parse().ok());
    value.ok_or_else(|| "an answer without a content-length".into())
}

fn lines(head: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    head.split(|byte| *byte == b'\n').filter_map(|line| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        Some((&line[..colon], line[colon + 1..].trim_ascii()))
    })
}
