//! The lines of an answer that does not end, as they come.

use std::pin::Pin;

use bytes::{Bytes, BytesMut};
use http_body::Body;
use http_body_util::BodyExt as _;

use crate::request::MAX_OBJECT;

/// Longest line: one object, and what a watch says around it.
const MAX_LINE: usize = MAX_OBJECT + 1024;

/// Cuts a body into lines. What stands after the last line break is no line: the rest of it did not come.
pub(super) struct Lines<B> {
    body: Pin<Box<B>>,
    buffer: BytesMut,
    searched: usize,
}

/// Why no line comes.
#[derive(Debug, thiserror::Error)]
pub(super) enum LineError<E> {
    /// Longer than any object.
    #[error("a line of the watch is longer than any object")]
    TooLong,
    /// The body broke off.
    #[error("{0}")]
    Body(E),
}

impl<B: Body<Data = Bytes>> Lines<B> {
    pub(super) fn new(body: B) -> Self {
        Self {
            body: Box::pin(body),
            buffer: BytesMut::new(),
            searched: 0,
        }
    }

    /// The next line without its line break; `None` at the end. Nothing is lost when it is not awaited to the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, LineError<B::Error>> {
        loop {
            if let Some(found) = self.buffer[self.searched..].iter().position(|byte| *byte == b'\n') {
                let line = self.buffer.split_to(self.searched + found + 1).freeze();
                self.searched = 0;
                return Ok(Some(line.slice(..line.len() - 1)));
            }
            self.searched = self.buffer.len();
            if self.searched > MAX_LINE {
                return Err(LineError::TooLong);
            }
            match self.body.as_mut().frame().await {
                None => return Ok(None),
                Some(Err(error)) => return Err(LineError::Body(error)),
                Some(Ok(frame)) => {
                    if let Some(data) = frame.data_ref() {
                        self.buffer.extend_from_slice(data);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http_body::Frame;
    use http_body_util::StreamBody;
    use proptest::prelude::*;

    use super::*;

    fn lines(pieces: Vec<Vec<u8>>) -> (Vec<String>, bool) {
        let frames = pieces
            .into_iter()
            .map(|piece| Ok::<_, Infallible>(Frame::data(Bytes::from(piece))));
        let mut lines = Lines::new(StreamBody::new(futures::stream::iter(frames)));
        let mut found = Vec::new();
        futures::executor::block_on(async {
            while let Ok(Some(line)) = lines.next().await {
                found.push(String::from_utf8_lossy(&line).into_owned());
            }
        });
        (found, lines.buffer.len() > MAX_LINE)
    }

    #[test]
    fn what_breaks_off_is_no_line() {
        let pieces = vec![
            b"{\"a\":1}\n{\"".to_vec(),
            b"b\":2}".to_vec(),
            b"\n\n{\"c\":\"\xc3".to_vec(),
        ];
        assert_eq!(lines(pieces).0, ["{\"a\":1}", "{\"b\":2}", ""]);
    }

    #[test]
    fn a_line_without_end_is_given_up() {
        let (found, given_up) = lines(vec![vec![b'x'; MAX_LINE], vec![b'x'; 2], vec![b'\n']]);
        assert!(found.is_empty() && given_up);
    }

    proptest! {
        #[test]
        fn lines_do_not_depend_on_where_the_body_is_cut(text in "[a-c\n]{0,60}", cuts in proptest::collection::vec(1_usize..9, 0..20)) {
            let mut rest = text.as_bytes();
            let mut pieces = Vec::new();
            for cut in cuts {
                let (piece, left) = rest.split_at(cut.min(rest.len()));
                pieces.push(piece.to_vec());
                rest = left;
            }
            pieces.push(rest.to_vec());
            let mut expected: Vec<String> = text.split('\n').map(str::to_owned).collect();
            expected.pop();
            prop_assert_eq!(lines(pieces).0, expected);
        }
    }
}
