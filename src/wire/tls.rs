//! TLS for both doors: one configuration, so that they trust the same.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use rustls_platform_verifier::Verifier;

/// The platform's roots, which are read once. A machine without any can still speak http: only a handshake needs them.
static PLATFORM: LazyLock<Arc<dyn ServerCertVerifier>> = LazyLock::new(|| {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    match Verifier::new(provider.clone()) {
        Ok(verifier) => Arc::new(verifier),
        Err(_) => Arc::new(TrustNobody(provider)),
    }
});

/// The configuration: the platform's roots and those of `ca`, or none where `insecure` verifies nothing.
///
/// # Errors
/// The file cannot be read or holds no certificate; there are no roots at all.
pub(crate) fn config(ca: Option<&Path>, insecure: bool) -> Result<ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier: Arc<dyn ServerCertVerifier> = if insecure {
        Arc::new(TrustEveryone(provider.clone()))
    } else {
        match ca {
            None => PLATFORM.clone(),
            Some(ca) => {
                let verifier = Verifier::new_with_extra_roots(certificates(ca)?, provider.clone());
                Arc::new(verifier.map_err(|e| format!("tls: {e}"))?)
            }
        }
    };
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| format!("tls: {e}"))?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth())
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let read = || -> Result<Vec<_>, rustls::pki_types::pem::Error> {
        CertificateDer::pem_file_iter(path)?.collect::<Result<Vec<_>, _>>()
    };
    match read() {
        Ok(found) if found.is_empty() => Err(format!("tls.ca: {} holds no PEM certificate", path.display())),
        Ok(found) => Ok(found),
        Err(e) => Err(format!("tls.ca: {} cannot be read: {e}", path.display())),
    }
}

/// Verifies nothing but that the peer holds the key of the certificate that it shows.
#[derive(Debug)]
struct TrustEveryone(Arc<CryptoProvider>);

/// Refuses every certificate.
#[derive(Debug)]
struct TrustNobody(Arc<CryptoProvider>);

macro_rules! signatures_as_usual {
    () => {
        fn verify_tls12_signature(
            &self,
            message: &[u8],
            cert: &CertificateDer<'_>,
            dss: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            cert: &CertificateDer<'_>,
            dss: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            self.0.signature_verification_algorithms.supported_schemes()
        }
    };
}

impl ServerCertVerifier for TrustEveryone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    signatures_as_usual!();
}

impl ServerCertVerifier for TrustNobody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Err(Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer))
    }

    signatures_as_usual!();
}
