//! The certificate: read at the start, and again when the program is told so, because certificates are renewed while
//! servers run.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::config::TlsFiles;
use crate::telemetry::with_causes;

/// What clients may speak, the better first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];
/// The first byte of a client that begins with TLS.
const HANDSHAKE: u8 = 0x16;
/// What a client is told that speaks in the clear.
const IN_THE_CLEAR: &[u8] = b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-type: text/plain\r\n\
    content-length: 44\r\n\r\nthis port speaks TLS; begin with https://...";

/// What is wrong with a certificate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read, or is not PEM.
    #[error("{path} cannot be read; check the name, the permissions, and that it is PEM", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: pem::Error,
    },
    /// A file has no certificate.
    #[error("{path} holds no certificate; it begins with -----BEGIN CERTIFICATE-----", path = path.display())]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// A file has no private key.
    #[error("{path} holds no private key; it begins with -----BEGIN PRIVATE KEY-----", path = path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// The two do not belong together, or are of a kind that is not known.
    #[error(
        "{certificate} and {key} cannot be used together",
        certificate = certificate.display(),
        key = key.display()
    )]
    Unusable {
        /// The file of the certificate.
        certificate: PathBuf,
        /// The file of its key.
        key: PathBuf,
        /// Why.
        #[source]
        source: rustls::Error,
    },
}

/// A server's side of TLS.
pub(super) struct Tls {
    files: TlsFiles,
    current: RwLock<Arc<rustls::ServerConfig>>,
}

impl Tls {
    /// Reads the files.
    pub(super) fn load(files: &TlsFiles) -> Result<Self, TlsError> {
        Ok(Self { files: files.clone(), current: RwLock::new(read(files)?) })
    }

    /// Speaks TLS with new clients, by the certificate that was read last.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner)))
    }

    /// Reads the files again; where they cannot be used, what was there stays.
    pub(super) fn reload(&self) {
        match read(&self.files) {
            Ok(fresh) => {
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = fresh;
                tracing::info!("the certificate was read again; new connections use it");
            }
            Err(error) => {
                tracing::error!(error = with_causes(&error), "the certificate stays as it was");
            }
        }
    }

    /// Reads the files again whenever the operating system hangs up, which is how programs are told to look at their
    /// files again.
    pub(super) async fn follow_hang_ups(self: Arc<Self>) {
        #[cfg(unix)]
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()) {
            Ok(mut signal) => {
                while signal.recv().await.is_some() {
                    let tls = Arc::clone(&self);
                    // Two small files, yet files.
                    let _ = tokio::task::spawn_blocking(move || tls.reload()).await;
                }
            }
            Err(error) => tracing::warn!(%error, "a renewed certificate needs a new start"),
        }
        std::future::pending::<()>().await;
    }
}

/// Greets a client; none where it does not come to terms. Whoever calls says how long that may take.
pub(super) async fn shake_hands(
    acceptor: &TlsAcceptor,
    mut stream: TcpStream,
) -> Option<TlsStream<TcpStream>> {
    let mut first = [0];
    if stream.peek(&mut first).await.is_ok_and(|count| count == 1) && first[0] != HANDSHAKE {
        // What is left unread would turn the farewell into a reset.
        let _ = stream.read(&mut [0; 4_096]).await;
        let _ = stream.write_all(IN_THE_CLEAR).await;
        let _ = stream.shutdown().await;
        return None;
    }
    match acceptor.accept(stream).await {
        Ok(stream) => Some(stream),
        Err(error) => {
            tracing::debug!(%error, "a client did not come to terms on TLS");
            None
        }
    }
}

fn read(files: &TlsFiles) -> Result<Arc<rustls::ServerConfig>, TlsError> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |source| TlsError::Unreadable { path, source }
    };
    let certificates = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(unreadable(&files.certificate))?;
    if certificates.is_empty() {
        return Err(TlsError::NoCertificate { path: files.certificate.clone() });
    }
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|source| match source {
        pem::Error::NoItemsFound => TlsError::NoKey { path: files.key.clone() },
        source => unreadable(&files.key)(source),
    })?;
    let unusable = |source| TlsError::Unusable {
        certificate: files.certificate.clone(),
        key: files.key.clone(),
        source,
    };
    let mut config = rustls::ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .map_err(unusable)?;
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn write(&self, name: &str, text: &str) -> PathBuf {
            let path = self.0.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        }

        /// A certificate and its key.
        fn files(&self) -> TlsFiles {
            let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
            TlsFiles {
                certificate: self.write("certificate.pem", &made.cert.pem()),
                key: self.write("key.pem", &made.signing_key.serialize_pem()),
            }
        }
    }

    fn folder() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    #[test]
    fn faults_name_the_file() {
        let folder = folder();
        let good = folder.files();
        let other = folder.write("other.pem", &std::fs::read_to_string(&good.key).unwrap());
        let good = TlsFiles { certificate: folder.files().certificate, key: good.key };
        Tls::load(&good).map(|_| ()).unwrap();
        let words = folder.write("words.pem", "no PEM in here");
        let text = |certificate: &Path, key: &Path| {
            let files = TlsFiles { certificate: certificate.to_owned(), key: key.to_owned() };
            with_causes(&Tls::load(&files).map(|_| ()).unwrap_err())
        };
        let missing = folder.0.path().join("missing.pem");
        for (certificate, key, expected) in [
            (&missing, &good.key, "missing.pem cannot be read"),
            (&words, &good.key, "words.pem holds no certificate"),
            (&good.key, &good.key, "key.pem holds no certificate"),
            (&good.certificate, &missing, "missing.pem cannot be read"),
            (&good.certificate, &words, "words.pem holds no private key"),
            (&good.certificate, &good.certificate, "certificate.pem holds no private key"),
            (&good.certificate, &other, "cannot be used together"),
        ] {
            let text = text(certificate, key);
            assert!(text.contains(expected), "{text}");
        }
    }

    #[test]
    fn a_renewed_certificate_is_taken_and_a_broken_one_is_not() {
        let folder = folder();
        let files = folder.files();
        let tls = Tls::load(&files).map_err(|error| error.to_string()).unwrap();
        let before = Arc::clone(tls.acceptor().config());
        folder.write("certificate.pem", "broken");
        tls.reload();
        assert!(Arc::ptr_eq(&before, tls.acceptor().config()));
        folder.files();
        tls.reload();
        assert!(!Arc::ptr_eq(&before, tls.acceptor().config()));
    }

    #[test]
    fn the_word_to_clients_in_the_clear_has_the_length_that_it_says() {
        let text = std::str::from_utf8(IN_THE_CLEAR).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}", body.len())), "{}", body.len());
    }
}
