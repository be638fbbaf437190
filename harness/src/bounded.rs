//! Bodies of answers, read up to a limit: whoever answers does not decide how much memory a check needs. How long one
//! may take is the client's own time limit, which a body that drips does not renew.

use reqwest::Response;

/// The most bytes of one body, after decompression.
const MOST_BYTES: usize = 20_000_000;

/// Why a body was not read to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The connection broke, or the time was over.
    #[error(transparent)]
    Broken(reqwest::Error),
    /// There was more than anybody needs.
    #[error("the body is larger than {} MB, and the rest of it was not read", MOST_BYTES / 1_000_000)]
    TooLarge,
}

/// The body as text; bytes that are no UTF-8 are replaced.
pub(crate) async fn text(mut response: Response) -> Result<String, Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| Error::Broken(error.without_url()))? {
        if body.len() + chunk.len() > MOST_BYTES {
            return Err(Error::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(String::from_utf8(body).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

#[cfg(test)]
mod tests;
